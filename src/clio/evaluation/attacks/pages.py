"""Whether page and exports say the same: a number that stands in one of them only could be subtracted from the others."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq

from clio.evaluation.attacks import Result, share
from clio.explorer.answers import Answers
from clio.explorer.page import every
from clio.insights import Insights, export

_FORMATS = ("parquet", "json", "csv", "markdown")
# columns of text, of which numbers are no counts
_TEXT = frozenset({"id", "cluster", "parent", "name", "description", "facet", "value", "users"})
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_ESCAPED = re.compile(r"\\(.)")
# "no group: 0", "the 95 % interval"
_SAID_ANYWAY = (0.0, 95.0)


def pages(insights: Insights) -> list[Result]:
    """Compare every number of the page's JSON and of every export with those of the insights.

    Args:
        insights: what is published.

    Returns:
        The share of numbers that are none of the insights' own, and follow from none by the rules that everybody can read (coverage,
        lift, intervals); for the page, and for the exports.
    """
    own = set(_own(insights))
    with TemporaryDirectory() as folder:
        files = export.write(insights, Path(folder), _FORMATS)
        exported = [number for path in files for number in _in_file(path, insights)]
        # what anybody can compute of what is published, by the rules that everybody can read
        insights.save(Path(folder) / "published")
        follows = {
            n
            for document in _documents(Insights.load(Path(folder) / "published"))
            for n in _in_json(document)
        }
    shown = [number for document in _documents(insights) for number in _in_json(document)]
    return [_compared("page", shown, own | follows), _compared("exports", exported, own)]


def _compared(case: str, found: list[float | str], own: set[float | str]) -> Result:
    return share(
        "differencing", f"numbers of the {case} only", sum(n not in own for n in found), len(found), 0.0
    )


def _own(insights: Insights) -> Iterator[float | str]:
    """All numbers of the insights, as such and as percentages with one digit."""
    sized = [
        (insights.conversations, insights.base),
        *((one.conversations, one.breakdown) for one in insights),
    ]
    numbers = [*_in_json(asdict(insights)), *insights.levels, insights.coverage, *_SAID_ANYWAY]
    numbers += insights.coverage_interval or ()
    for count in (
        *(one.conversations for one in insights),
        *(group.conversations for group in insights.other),
    ):
        numbers += [count / insights.conversations, *(insights.interval(count) or ())]
    for size, cells in sized:
        for cell in cells:
            numbers += [cell.lift, *(insights.interval(cell.conversations, size) or ())]
    for number in numbers:
        yield number
        if isinstance(number, float):
            yield round(number, 6)
            yield f"{100 * number:.1f}"


def _in_json(value: Any) -> Iterator[float | str]:
    """The numbers of a JSON value; keys and texts hold none."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _in_json(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _in_json(inner)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def _in_file(path: Path, insights: Insights) -> Iterator[float | str]:
    """The numbers of an export, whatever its format."""
    if path.suffix == ".json":
        yield from _in_json(json.loads(path.read_text("utf-8")))
    elif path.suffix == ".parquet":
        yield from _in_rows(pq.read_table(path).to_pylist())
    elif path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            yield from _in_rows(csv.DictReader(file))
    else:
        yield from _in_text(path.read_text("utf-8"), insights)


def _in_rows(rows: Iterable[dict[str, Any]]) -> Iterator[float | str]:
    for row in rows:
        for column, value in row.items():
            if column not in _TEXT and value not in (None, ""):
                yield float(value)


def _in_text(text: str, insights: Insights) -> Iterator[float | str]:
    """Numbers that stand in a text beside names, descriptions and reasons."""
    said = {text for one in insights for text in (one.name, one.description)} | set(insights.withheld)
    said |= {insights.sample.by} if insights.sample and insights.sample.by else set()
    text = _ESCAPED.sub(r"\1", text)
    for some in sorted(filter(None, said), key=len, reverse=True):
        text = text.replace(some, "")
    for found in _NUMBER.findall(text):
        plain = found.replace(",", "")
        yield plain if "." in plain else float(plain)


def _documents(insights: Insights) -> list[Any]:
    """What the page can ask for."""
    return [json.loads(document.model_dump_json()) for _, document in every(Answers("run", insights))]
