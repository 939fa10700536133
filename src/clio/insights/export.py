"""Insights in other formats, each safe to open: CSV cells start no formula, Markdown and HTML hold no markup of others."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clio.errors import SettingsError
from clio.insights.model import Insight, Insights
from clio.insights.store import cell_document, cluster_document, summary, tables
from clio.insights.text import each_text, inert, one_line, walk

# marks of Markdown, of formulas in it, and what makes a link of an address even where nothing marks it as one
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~&$^=:]|\.(?=\w))")


def write(insights: Insights, folder: Path, formats: Sequence[str], name: str = "insights") -> list[Path]:
    """Write the insights into a folder; ``name`` is what the explorer in ``insights.html`` calls the run.

    Returns:
        The files written.

    Raises:
        SettingsError: for a format that is none of parquet, json, csv, markdown, html.
    """
    for format_ in formats:
        if format_ not in _WRITERS:
            raise SettingsError(f"no export format '{format_[:20]}'; known: {', '.join(_WRITERS)}")
    restricted = insights.about.get("policy", {}).get("restricted")
    folder.mkdir(mode=0o700 if restricted else 0o777, parents=True, exist_ok=True)
    paths = [path for format_ in formats for path in _WRITERS[format_](insights, folder, name)]
    if restricted:
        for path in paths:
            path.chmod(0o600)
    return paths


def _tables(insights: Insights) -> dict[str, pa.Table]:
    # Parquet too: it is often but a step on the way into a spreadsheet
    return {
        name: pa.Table.from_pylist(inert_values(table.to_pylist()), schema=table.schema)
        for name, table in tables(insights).items()
    }


def _parquet(insights: Insights, folder: Path, _name: str) -> list[Path]:
    paths = []
    for name, table in _tables(insights).items():
        paths.append(folder / f"{name}.parquet")
        pq.write_table(table, paths[-1], compression="zstd")
    return paths


def _json(insights: Insights, folder: Path, _name: str) -> list[Path]:
    path = folder / "insights.json"
    document = {
        **summary(insights),
        "base": [cell_document(insights, c) for c in insights.base],
        "clusters": [cluster_document(insights, c) for c in insights.clusters],
    }
    path.write_text(json.dumps(inert_values(document), ensure_ascii=False, indent=1) + "\n", "utf-8")
    return [path]


def _csv(insights: Insights, folder: Path, _name: str) -> list[Path]:
    paths = []
    for name, table in _tables(insights).items():
        paths.append(folder / f"{name}.csv")
        with paths[-1].open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(table.column_names)
            writer.writerows(row.values() for row in table.to_pylist())
    return paths


def inert_values(value: Any) -> Any:
    """A value in whose texts, at any depth, no spreadsheet sees a formula and no terminal a command."""
    return each_text(value, inert)


def _markdown(insights: Insights, folder: Path, _name: str) -> list[Path]:
    path = folder / "insights.md"
    lines = [
        "# Insights",
        "",
        _markdown_total(insights),
        "",
    ]
    for at, node in walk(insights):
        share = node.conversations / insights.conversations
        interval = insights.interval(node.conversations)
        shown = f"({share:.1%})" if interval is None else _with_interval(share, interval)
        if isinstance(node, Insight):
            text = f" — {_plain(node.description)}" if node.description else ""
            lines.append(f"{'  ' * at}- **{_plain(node.name)}** {shown}{text}")
        else:
            lines.append(f"{'  ' * at}- *not shown* {shown}")
    if insights.withheld:
        lines += [
            "",
            "Withheld: "
            + ", ".join(f"{_plain(reason)} {n:,}" for reason, n in insights.withheld.items())
            + ".",
        ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return [path]


def _markdown_total(insights: Insights) -> str:
    sample, interval = insights.sample, insights.coverage_interval
    if sample is None or interval is None:
        return f"{insights.conversations:,} {insights.counted}, coverage {insights.coverage:.1%}."
    by = f", stratified by {_plain(sample.by)}" if sample.by else ""
    return (
        f"{insights.conversations:,} {insights.counted}, coverage {_with_interval(insights.coverage, interval)}."
        f" They are a sample of {sample.conversations:,} of {sample.population:,}{by};"
        " in brackets the 95 % interval of each share."
    )


def _with_interval(share: float, interval: tuple[float, float]) -> str:
    """ "12.3 % (11.1–13.6 %)"."""
    low, high = interval
    return f"{100 * share:.1f} % ({100 * low:.1f}–{100 * high:.1f} %)"


def _plain(text: str) -> str:
    """A text in which no Markdown renderer sees a mark, a link, an address or a mention."""
    # a mention is made of what is already rendered, so a backslash does not prevent it
    return _MARKDOWN.sub(r"\\\1", one_line(text).replace("@", "＠")) or "—"


def _html(insights: Insights, folder: Path, name: str) -> list[Path]:
    from clio.explorer.page import single_file

    path = folder / "insights.html"
    path.write_text(single_file(insights, name), "utf-8")
    return [path]


_WRITERS: dict[str, Callable[[Insights, Path, str], list[Path]]] = {
    "parquet": _parquet,
    "json": _json,
    "csv": _csv,
    "markdown": _markdown,
    "html": _html,
}
