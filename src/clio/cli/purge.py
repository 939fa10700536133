"""``clio purge``: delete the private zone."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folders", metavar="FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--expired",
    is_flag=True,
    help="Only where retention_days have passed, without asking; FOLDER may also be one that run folders are in.",
)
def purge(folders: tuple[Path, ...], yes: bool, expired: bool) -> None:
    """Delete all that may hold text of people from the runs in FOLDER...; their insights stay and work.

    No key is needed. Nothing is overwritten: what was deleted is gone as far as the file system does that.
    """
    if expired:
        _expired(folders)
        return
    from clio import run_folder

    places = [run_folder.purgeable(folder).private for folder in folders]
    if not yes:
        click.confirm(
            f"Delete {', '.join(map(str, places))} for good? What is there cannot be resumed or renamed after that",
            abort=True,
            err=True,
        )
    for folder in folders:
        names = run_folder.purge(folder)
        click.echo(_deleted(names, folder) if names else f"{folder}: nothing private is left", err=True)


def _expired(folders: tuple[Path, ...]) -> None:
    """Purge what has expired; one run that cannot be purged does not keep the others from it."""
    from clio import retention
    from clio.errors import RunError

    failed = 0
    found = []
    for folder in folders:
        inside = list(retention.runs(folder))
        if not inside and not folder.is_dir():
            raise RunError(f"{folder}: no such folder")
        found += inside
    for run in found:
        try:
            gone = retention.purge_expired(run)
        except RunError as error:
            failed += 1
            click.echo(f"clio: {error}", err=True)
            continue
        if gone:
            day, names = gone
            click.echo(f"{_deleted(names, run)}, which were to be kept until {day}", err=True)
    if failed:
        raise RunError(f"{failed} of {len(found)} runs could not be looked at or purged")


def _deleted(names: list[str], folder: Path) -> str:
    return f"deleted {len(names)} private files of {folder}, as far as the file system does"
