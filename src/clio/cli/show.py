"""``clio show``: the tree of a run, or one cluster."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from clio.cli.restricted import opened


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("cluster", required=False)
@click.option("--depth", type=click.IntRange(min=1), help="Levels to print [all].")
@click.option("--json", "as_json", is_flag=True, help="Print as one JSON document.")
def show(folder: Path, cluster: str | None, depth: int | None, as_json: bool) -> None:
    """Print the tree of the run in FOLDER, or the one CLUSTER with an id such as 1.4."""
    from rich.console import Console

    from clio.errors import RunError
    from clio.insights.export import inert_values
    from clio.insights.store import cluster_document
    from clio.report import levels_line, margin, sample_line, show_cluster, tree_table

    insights = opened(folder, "show")
    chosen = None
    if cluster:
        try:
            chosen = insights.cluster(cluster)
        except KeyError:
            raise RunError(
                f"{folder}: no cluster '{cluster[:20]}' is shown; clio show {folder} lists them"
            ) from None
    if as_json:
        clusters = [chosen] if chosen else list(insights.clusters)
        document: dict[str, Any] = {
            "conversations": insights.conversations,
            "counted": insights.counted,
            "users": insights.users,
            "coverage": round(insights.coverage, 4),
            "levels": list(insights.levels),
            "withheld": dict(insights.withheld),
            "clusters": [asdict(c) for c in clusters],
        }
        if insights.sample:
            low, high = insights.coverage_interval or (None, None)
            document |= {
                "coverage_low": low,
                "coverage_high": high,
                "sample": asdict(insights.sample),
                "clusters": [cluster_document(insights, c) for c in clusters],
            }
        click.echo(json.dumps(inert_values(document), ensure_ascii=False))
        return
    console = Console(highlight=False)
    if chosen:
        show_cluster(insights, chosen, console)
        return
    coverage = f"{insights.coverage:.1%}{margin(insights.coverage_interval)}"
    console.print(
        f"{insights.conversations:,} {insights.counted}, {levels_line(insights)}, coverage {coverage}"
    )
    if insights.sample:
        console.print(sample_line(insights.sample), soft_wrap=True)
    console.print()
    console.print(tree_table(insights, depth))
