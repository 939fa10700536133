"""``clio sources``: what logs are understood."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as one JSON document.")
def sources(as_json: bool) -> None:
    """List the formats of logs; containers are JSONL, JSON, CSV and Parquet, plain or as .gz, .zst, .zip."""
    from clio.sources import FORMATS

    if as_json:
        click.echo(
            json.dumps(
                [{"name": name, "description": text, "example": example} for name, text, example in FORMATS]
            )
        )
        return
    for name, text, example in FORMATS:
        click.echo(f"{name:<12} {text}\n{'':<12} {example}")
