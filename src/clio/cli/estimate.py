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
    from clio.errors import RunError
    from clio.run_folder import default_out

    # what is read holds text of people: it goes as soon as it is counted, and lies where the run would be rather than among the
    # system's temporary files, so that its owner sees and purges what a killed estimate leaves
    place = default_out(list(logs))
    try:
        folder = tempfile.TemporaryDirectory(prefix=f"{place.name}.estimate-", dir=place.parent)
    except OSError as error:
        raise RunError(
            f"{place.parent}: cannot be written ({error.strerror}); name a folder with --out"
        ) from None
    with folder as path:
        show_estimated(list(logs), Path(path), settings, as_json=as_json, quiet=quiet)
