"""Insights in other formats, each safe to open: CSV cells start no formula, Markdown holds no markup of others."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clio.errors import SettingsError
from clio.insights.model import Insight, Insights
from clio.insights.store import breakdowns_table, clusters_table, summary
from clio.insights.text import walk

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~&])")


def write(insights: Insights, folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write the insights into a folder.

    Returns:
        The files written.

    Raises:
        SettingsError: for a format that is none of parquet, json, csv, markdown.
    """
    for name in formats:
        if name not in _WRITERS:
            raise SettingsError(f"no export format '{name[:20]}'; known: {', '.join(_WRITERS)}")
    folder.mkdir(parents=True, exist_ok=True)
    return [path for name in formats for path in _WRITERS[name](insights, folder)]


def _tables(insights: Insights) -> dict[str, pa.Table]:
    return {"clusters": clusters_table(insights), "breakdowns": breakdowns_table(insights)}


def _parquet(insights: Insights, folder: Path) -> list[Path]:
    paths = []
    for name, table in _tables(insights).items():
        paths.append(folder / f"{name}.parquet")
        pq.write_table(table, paths[-1], compression="zstd")
    return paths


def _json(insights: Insights, folder: Path) -> list[Path]:
    path = folder / "insights.json"
    document = {
        **summary(insights),
        "base": [asdict(c) for c in insights.base],
        "clusters": [asdict(c) for c in insights.clusters],
    }
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return [path]


def _csv(insights: Insights, folder: Path) -> list[Path]:
    paths = []
    for name, table in _tables(insights).items():
        paths.append(folder / f"{name}.csv")
        with paths[-1].open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(table.column_names)
            writer.writerows([_inert(value) for value in row.values()] for row in table.to_pylist())
    return paths


def _inert(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _markdown(insights: Insights, folder: Path) -> list[Path]:
    path = folder / "insights.md"
    lines = [
        "# Insights",
        "",
        f"{insights.conversations:,} conversations, coverage {insights.coverage:.1%}.",
        "",
    ]
    for at, node in walk(insights):
        share = f"{node.conversations / insights.conversations:.1%}"
        if isinstance(node, Insight):
            text = f" — {_plain(node.description)}" if node.description else ""
            lines.append(f"{'  ' * at}- **{_plain(node.name)}** ({share}){text}")
        else:
            lines.append(f"{'  ' * at}- *not shown* ({share})")
    if insights.withheld:
        lines += [
            "",
            "Withheld: "
            + ", ".join(f"{_plain(reason)} {n:,}" for reason, n in insights.withheld.items())
            + ".",
        ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return [path]


def _plain(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


_WRITERS: dict[str, Callable[[Insights, Path], list[Path]]] = {
    "parquet": _parquet,
    "json": _json,
    "csv": _csv,
    "markdown": _markdown,
}
