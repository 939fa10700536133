"""``clio estimate``: what a run would cost, before any text leaves."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click

from clio.cli.run import logs_and_settings, settings_of, show_estimated


@click.command()
@logs_and_settings
def estimate(
    logs: tuple[str, ...],
    out: Path | None,
    pairs: tuple[str, ...],
    config: Path | None,
    as_json: bool,
    quiet: bool,
    **flags: Any,
) -> None:
    """Say what a run over LOGS would take: model calls, tokens, price, time, and which hosts the texts would go to.

    The logs are read on this machine; no model is called and no key is needed. With --out what was read is kept for the run.
    """
    settings = settings_of(pairs, config, flags)
    if out:
        show_estimated(list(logs), out, settings, as_json=as_json, quiet=quiet)
        return
    # what is read holds text of people: it goes as soon as it is counted
    with tempfile.TemporaryDirectory(prefix="clio-estimate-") as folder:
        show_estimated(list(logs), Path(folder) / "run", settings, as_json=as_json, quiet=quiet)
