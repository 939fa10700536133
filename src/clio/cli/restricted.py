"""Uses of a run that are written to its ``access.log`` before anything is shown: all of a restricted policy (``safety``), and whatever
shows text of people.
"""

from __future__ import annotations

import getpass
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from clio.errors import RunError

if TYPE_CHECKING:
    from clio.insights import Insights


def opened(folder: Path, verb: str) -> Insights:
    """The insights of a run, for a verb that shows them; a restricted run's use is noted first.

    Raises:
        RunError: if there are none, or the use of a restricted run cannot be noted.
    """
    from clio.insights import Insights

    insights = Insights.load(folder)
    if insights.about.get("policy", {}).get("restricted"):
        path = noted(folder, verb, "a restricted run is shown only where its uses are noted")
        click.echo(f"{folder}: restricted (policy safety); this use is noted in {path}", err=True)
    return insights


def noted(folder: Path, verb: str, reason: str) -> Path:
    """Write a use to a run's ``access.log``; returns its path.

    Raises:
        RunError: if it cannot be written; says the reason why that matters.
    """
    path = folder / "access.log"
    use = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "user": _who(), "verb": verb}
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a") as file:
            file.write(json.dumps(use) + "\n")
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({error.strerror}), and {reason}") from None
    return path


def _who() -> str:
    """The account on this machine that asks."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
