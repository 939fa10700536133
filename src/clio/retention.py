"""How long a run's private zone is kept: its last day stands in ``run.toml``; after it ``clio purge --expired`` or the next run deletes it.

Days are those of UTC. They are counted from the day on which the private zone was made, which its file ``since`` tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from clio.errors import RunError
from clio.run_folder import RunFolder, purge


def last_day(folder: RunFolder, days: int | None) -> str | None:
    """The last day (ISO date) on which a private zone that is kept for so many days may be there; None: it is kept."""
    if days is None:
        return None
    path = folder.private / "since"
    try:
        since = date.fromisoformat(path.read_text("ascii").strip())
    except (FileNotFoundError, ValueError):
        since = _today()
    return (since + timedelta(days)).isoformat()


def note(folder: RunFolder, days: int | None) -> None:
    """Put the last day into ``run.toml`` before anything is read, so that it is there whatever happens."""
    facts = folder.facts()
    if (expires := last_day(folder, days)) != facts.pop("expires", None):
        folder.note({"expires": expires, **facts})


def expired(folder: RunFolder) -> str | None:
    """The last day of a private zone if it has passed, else None.

    Raises:
        RunError: ``run.toml`` cannot be read.
    """
    expires = folder.facts().get("expires")
    if expires is None or not folder.private.is_dir():
        return None
    try:
        passed = date.fromisoformat(str(expires)) < _today()
    except ValueError:
        raise RunError(f"{folder.path / 'run.toml'}: 'expires' is no date like 2026-12-31; mend it") from None
    return str(expires) if passed else None


def purge_expired(path: Path) -> tuple[str, list[str]] | None:
    """Delete a run's private zone if its last day has passed.

    Returns:
        That day and the names of what was deleted; None if there is nothing that has expired.

    Raises:
        RunError: as ``purge``; or ``run.toml`` cannot be read.
    """
    day = expired(RunFolder(path))
    return None if day is None else (day, purge(path))


def runs(path: Path) -> Iterator[Path]:
    """The run folders at a path: itself, or those directly inside; links are not followed."""
    if (path / "run.toml").is_file():
        yield path
    elif path.is_dir():
        for inner in sorted(path.iterdir()):
            if not inner.is_symlink() and (inner / "run.toml").is_file():
                yield inner


def _today() -> date:
    return datetime.now(UTC).date()
