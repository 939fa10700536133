"""``clio explore``: the explorer of one or more runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from clio.cli.restricted import opened

if TYPE_CHECKING:
    from clio.insights import Insights


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--port", default=8765, show_default=True, help="Port; the next free one if it is taken.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; this machine only."
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
def explore(folders: tuple[Path, ...], port: int, host: str, no_browser: bool) -> None:
    """Serve the explorer of the runs in FOLDERS. It reads insights only; Ctrl-C ends it."""
    from clio.explorer.server import serve

    runs: dict[str, Insights] = {}
    for folder in folders:
        name = folder.resolve().name
        runs[name if name not in runs else f"{name}-{len(runs) + 1}"] = opened(folder, "explore")
    serve(runs, host=host, port=port, open_browser=not no_browser)
