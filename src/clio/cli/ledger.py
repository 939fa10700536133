"""``clio ledger``: the releases that are recorded, and taking one out."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("clio-ledger"))
@click.option("--forget", "forgotten", metavar="ID", help="Take the release ID out, as if it had never been.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print as one JSON document.")
def ledger(folder: Path, forgotten: str | None, yes: bool, as_json: bool) -> None:
    """List the releases in the ledger at FOLDER [clio-ledger]."""
    from rich.console import Console
    from rich.table import Table

    from clio.privacy.ledger import Ledger

    found = Ledger(folder)
    if forgotten:
        found.find(forgotten)
        if not yes:
            click.confirm(
                f"Forget release {forgotten} for good? Whoever has seen it may then subtract it from later ones",
                abort=True,
                err=True,
            )
        entry = found.forget(forgotten)
        click.echo(f"forgot release {entry.id} of {entry.time:%Y-%m-%d} (run {entry.run})", err=True)
        return
    entries = found.entries()
    if as_json:
        rows = [
            {
                "id": entry.id,
                "time": entry.time.isoformat(),
                "run": entry.run,
                "policy": entry.policy,
                "conversations": entry.conversations,
            }
            for entry in entries
        ]
        click.echo(json.dumps({"releases": rows}, ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("id", "made", "run", "policy"):
        table.add_column(name, overflow="fold")
    table.add_column("conversations", justify="right", no_wrap=True)
    for entry in entries:
        made = f"{entry.time:%Y-%m-%d %H:%M} UTC"
        table.add_row(entry.id, made, entry.run, entry.policy, f"{entry.conversations:,}")
    Console(highlight=False).print(table if entries else f"{folder}: no release is recorded")
