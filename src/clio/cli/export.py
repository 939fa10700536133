"""``clio export``: the published zone in other formats."""

from __future__ import annotations

from pathlib import Path

import click

from clio.cli.restricted import opened


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "formats",
    default="parquet,json,csv,markdown,html",
    show_default=True,
    help="One or more, with commas.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Where to write [FOLDER/export].")
def export(folder: Path, formats: str, out: Path | None) -> None:
    """Write the insights of the run in FOLDER as Parquet, JSON, CSV, Markdown, and as one HTML file that holds the explorer."""
    from clio.insights.export import write
    from clio.insights.text import one_line

    insights = opened(folder, "export")
    names = [name.strip() for name in formats.split(",")]
    for path in write(insights, out or folder / "export", names, one_line(folder.resolve().name) or "run"):
        click.echo(path)
