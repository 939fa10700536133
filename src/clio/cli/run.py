"""``clio run``: logs to insights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("logs", nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), help="Run folder [clio-run-NAME].")
@click.option("--format", "format_", help="Format of the logs; see clio sources [auto].")
@click.option("--model", help="Chat model, as openai:NAME [none: all local].")
@click.option("--config", type=click.Path(path_type=Path), help="Settings file [clio.toml].")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Any setting; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON document.")
@click.option("--quiet", is_flag=True, help="No progress.")
def run(
    logs: tuple[str, ...],
    out: Path | None,
    format_: str | None,
    model: str | None,
    config: Path | None,
    pairs: tuple[str, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Read LOGS (files, globs, folders, or - for standard input) and make their insights.

    Run the same command again to go on with a run that was stopped.
    """
    from clio.settings import parse_set, resolve

    flags = {key: value for key, value in (("format", format_), ("model", model)) if value is not None}
    settings = resolve(parse_set(pairs), flags, file=config)
    execute(list(logs), out, settings, as_json=as_json, quiet=quiet)


def execute(
    logs: list[Any], out: Path | None, settings: Any, *, as_json: bool = False, quiet: bool = False
) -> Path:
    """Run and print the summary; returns the run folder."""
    from rich.console import Console

    from clio import pipeline
    from clio.progress import reporter
    from clio.report import show_summary

    folder = out or pipeline.default_out(logs)
    insights = pipeline.run(logs, folder, settings, progress=reporter(quiet=quiet))
    facts = pipeline.summary(folder)
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
    else:
        show_summary(insights, facts, Console(highlight=False))
    return folder
