"""Insights on disk: three Parquet files and one JSON file, the same bytes for the same insights."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clio.errors import RunError
from clio.insights.intervals import Sample
from clio.insights.model import Cell, Group, Insight, Insights, Near

VERSION = 2

_CLUSTER = pa.schema(
    [
        ("id", pa.string()),
        ("parent", pa.string()),
        ("level", pa.int32()),
        ("name", pa.string()),
        ("description", pa.string()),
        ("conversations", pa.int64()),
        ("users", pa.string()),
        ("share", pa.float64()),
        ("audit", pa.int32()),
        ("x", pa.float64()),
        ("y", pa.float64()),
        ("share_low", pa.float64()),
        ("share_high", pa.float64()),
    ]
)
_CELL = pa.schema(
    [
        ("cluster", pa.string()),
        ("facet", pa.string()),
        ("value", pa.string()),
        ("conversations", pa.int64()),
        ("share", pa.float64()),
        ("base", pa.float64()),
        ("lift", pa.float64()),
        ("share_low", pa.float64()),
        ("share_high", pa.float64()),
    ]
)
_NEAR = pa.schema([("cluster", pa.string()), ("id", pa.string()), ("similarity", pa.float64())])
_BOUNDS = ("share_low", "share_high")
_DERIVED = ("lift", *_BOUNDS)


def clusters_table(insights: Insights) -> pa.Table:
    """One row a cluster; ``share_low`` and ``share_high`` are the 95 % interval of its share, null without a sample."""
    names = [name for name in _CLUSTER.names if name not in _BOUNDS]
    rows = [
        {name: getattr(cluster, name) for name in names} | share_bounds(insights, cluster.conversations)
        for cluster in insights.clusters
    ]
    return pa.Table.from_pylist(rows, schema=_CLUSTER)


def breakdowns_table(insights: Insights) -> pa.Table:
    """One row a cell; ``cluster`` is null for the base rates; intervals as in the clusters' table."""
    owned: list[tuple[str | None, int, tuple[Cell, ...]]] = [(None, insights.conversations, insights.base)]
    owned += [(cluster.id, cluster.conversations, cluster.breakdown) for cluster in insights.clusters]
    names = [name for name in _CELL.names[1:] if name not in _BOUNDS]
    rows = [
        {"cluster": owner, **{name: getattr(cell, name) for name in names}}
        | share_bounds(insights, cell.conversations, size)
        for owner, size, cells in owned
        for cell in cells
    ]
    return pa.Table.from_pylist(rows, schema=_CELL)


def nearest_table(insights: Insights) -> pa.Table:
    """One row a pair of a cluster and one that lies near it, the nearest first."""
    rows = [
        {"cluster": c.id, "id": near.id, "similarity": near.similarity}
        for c in insights
        for near in c.nearest
    ]
    return pa.Table.from_pylist(rows, schema=_NEAR)


def tables(insights: Insights) -> dict[str, pa.Table]:
    """All tables by name."""
    return {
        "clusters": clusters_table(insights),
        "breakdowns": breakdowns_table(insights),
        "nearest": nearest_table(insights),
    }


def share_bounds(insights: Insights, conversations: int, of: int | None = None) -> dict[str, float | None]:
    """``share_low`` and ``share_high`` of a share, in 0..1; both None without a sample."""
    return dict(zip(_BOUNDS, insights.interval(conversations, of) or (None, None), strict=True))


def cluster_document(insights: Insights, cluster: Insight) -> dict[str, Any]:
    """A cluster and its breakdown as JSON values, with the intervals of their shares."""
    return {
        **asdict(cluster),
        "breakdown": [cell_document(insights, cell, cluster.conversations) for cell in cluster.breakdown],
        **share_bounds(insights, cluster.conversations),
    }


def cell_document(insights: Insights, cell: Cell, of: int | None = None) -> dict[str, Any]:
    """A cell as JSON values, with the interval of its share of ``of`` conversations (None: of all)."""
    return {**asdict(cell), **share_bounds(insights, cell.conversations, of)}


def summary(insights: Insights) -> dict[str, Any]:
    """What is neither cluster nor cell, as JSON values."""
    low, high = insights.coverage_interval or (None, None)
    return {
        "version": VERSION,
        "conversations": insights.conversations,
        "counted": insights.counted,
        "users": insights.users,
        "coverage": round(insights.coverage, 6),
        "coverage_low": None if low is None else round(low, 6),
        "coverage_high": None if high is None else round(high, 6),
        "levels": list(insights.levels),
        "withheld": dict(insights.withheld),
        "other": [
            {"parent": g.parent, "conversations": g.conversations, "users": g.users} for g in insights.other
        ],
        "about": dict(insights.about),
        "sample": asdict(insights.sample) if insights.sample else None,
    }


def save(insights: Insights, folder: Path) -> None:
    """Write all files; ``insights.json`` last, so that its presence says that all are there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables(insights).items():
        beside = folder / f".{name}.part"
        pq.write_table(table, beside, compression="zstd")
        beside.replace(folder / f"{name}.parquet")
    beside = folder / ".insights.part"
    beside.write_text(
        json.dumps(summary(insights), ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8"
    )
    beside.replace(folder / "insights.json")


def load(folder: Path) -> Insights:
    """Read what ``save`` wrote, from the folder itself or the run folder around it."""
    inner = folder / "insights" if (folder / "insights").is_dir() else folder
    path = inner / "insights.json"
    if not path.is_file():
        raise RunError(f"{folder}: holds no insights; make them with: clio run LOGS --out {folder}")
    facts = json.loads(path.read_text("utf-8"))
    if facts.get("version") != VERSION:
        raise RunError(
            f"{folder}: insights of version {facts.get('version')}, this Clio reads {VERSION}; run it again"
        )
    cells: dict[str | None, list[Cell]] = {}
    for row in pq.read_table(inner / "breakdowns.parquet").to_pylist():
        owner = row.pop("cluster")
        cells.setdefault(owner, []).append(Cell(**_own(row)))
    nearest: dict[str, list[Near]] = {}
    for row in pq.read_table(inner / "nearest.parquet").to_pylist():
        nearest.setdefault(row["cluster"], []).append(Near(row["id"], row["similarity"]))
    clusters = [
        Insight(
            **_own(row),
            breakdown=tuple(cells.get(row["id"], ())),
            nearest=tuple(nearest.get(row["id"], ())),
        )
        for row in pq.read_table(inner / "clusters.parquet").to_pylist()
    ]
    return Insights(
        clusters=tuple(clusters),
        other=tuple(Group(**group) for group in facts["other"]),
        base=tuple(cells.get(None, ())),
        conversations=facts["conversations"],
        users=facts["users"],
        withheld=facts["withheld"],
        about=facts["about"],
        sample=Sample(**facts["sample"]) if facts.get("sample") else None,
    )


def _own(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what follows from the rest; insights made before there were samples lack some of it."""
    return {name: value for name, value in row.items() if name not in _DERIVED}
