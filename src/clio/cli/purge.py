"""``clio purge``: delete the private zone."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(folder: Path, yes: bool) -> None:
    """Delete all that may hold text of people from the run in FOLDER; its insights stay and work."""
    from clio import run_folder

    run_folder.find(folder)
    if not yes:
        click.confirm(
            f"Delete {folder / 'private'} for good? The run cannot be resumed or renamed after that",
            abort=True,
            err=True,
        )
    names = run_folder.purge(folder)
    click.echo(
        f"deleted {len(names)} private files of {folder}" if names else f"{folder}: nothing private is left",
        err=True,
    )
