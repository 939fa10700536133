"""``clio demo``: the whole job on the bundled sample."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("clio-run-demo"),
    show_default=True,
    help="Run folder.",
)
@click.option("--no-explore", is_flag=True, help="Do not serve the explorer afterwards.")
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.option("--port", default=8765, show_default=True, help="Port of the explorer.")
def demo(out: Path, no_explore: bool, no_browser: bool, port: int) -> None:
    """Make the insights of 2,000 made-up conversations and open the explorer."""
    from clio import demo as sample
    from clio.cli.run import execute
    from clio.explorer.server import serve
    from clio.insights import Insights
    from clio.settings import Settings

    execute([str(sample.path())], out, Settings(ledger="off"))
    if not no_explore:
        serve({out.name: Insights.load(out)}, port=port, open_browser=not no_browser)
