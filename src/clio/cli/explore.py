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
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on. On any other than this machine's own a token is asked for, which is in the printed address.",
)
@click.option("--token", is_flag=True, help="Ask for a token on this machine's own address too.")
@click.option(
    "--proxy-header",
    metavar="NAME",
    help="Answer only requests that have this header, in which a proxy says who asks. Let nobody else reach the port.",
)
@click.option(
    "--allow-host",
    "hosts",
    metavar="NAME",
    multiple=True,
    help="A name under which browsers reach it, such as a proxy's. May be given more than once.",
)
@click.option(
    "--prefix", default="", metavar="PATH", help="Path under which a proxy puts it, such as /insights."
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
def explore(
    folders: tuple[Path, ...],
    port: int,
    host: str,
    token: bool,
    proxy_header: str | None,
    hosts: tuple[str, ...],
    prefix: str,
    no_browser: bool,
) -> None:
    """Serve the explorer of the runs in FOLDERS. It reads insights only; Ctrl-C ends it."""
    from clio.explorer.server import serve
    from clio.insights.text import one_line

    runs: dict[str, Insights] = {}
    for folder in folders:
        name = one_line(folder.resolve().name) or "run"
        runs[name if name not in runs else f"{name}-{len(runs) + 1}"] = opened(folder, "explore")
    serve(
        runs,
        host=host,
        port=port,
        open_browser=not no_browser,
        token=token,
        identity=proxy_header,
        hosts=frozenset(hosts),
        prefix=prefix,
    )
