"""The documents that the page is given: ordered, of one line, and with no number that is not published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clio.explorer.answers import Answers
from clio.explorer.page import every
from clio.insights import Cell, Group, Insight, Insights

TEXT = st.text(max_size=12)
FACETS = st.sampled_from(["language", "concern", "week", "turns", "a\nb", "=x", "🙂"])


@st.composite
def published(draw: st.DrawFn) -> Insights:
    """Insights of any texts with up to two levels; every count is 1,000 or more, so that it is told from all other numbers."""
    values = draw(st.dictionaries(FACETS, st.lists(TEXT, min_size=1, max_size=4, unique=True), max_size=3))
    count = st.integers(1000, 9999)
    base = tuple(Cell(f, v, draw(count) * 100, 0.5, 0.5) for f, own in values.items() for v in own)

    def cluster(id_: str, parent: str | None, level: int) -> Insight:
        size = draw(count) * 10
        cells = tuple(
            Cell(c.facet, c.value, (n := draw(st.integers(1000, size))), n / size, c.base)
            for c in base
            if draw(st.booleans())
        )
        return Insight(id_, parent, level, draw(TEXT), draw(TEXT), size, "10-49", 0.1, 5, 0.0, 0.0, cells)

    top = [cluster(f"1.{i}", None, 1) for i in range(draw(st.integers(0, 2)))]
    below = [cluster(f"2.{i}", "1.0", 2) for i in range(draw(st.integers(0, 3)))] if top else []
    total = draw(count) * 1000
    return Insights(
        # children may come first in a file
        (*below, *top),
        tuple(
            Group(parent, draw(count), "10-49")
            for parent in (None, *(c.id for c in top))
            if draw(st.booleans())
        ),
        base,
        total,
        "1,000-4,999",
        draw(st.dictionaries(TEXT, count, max_size=2)),
        {"caveats": draw(st.lists(TEXT, max_size=2)), "policy": {"name": draw(TEXT)}},
    )


def leaves(value: Any) -> Iterator[Any]:
    """What a JSON value holds at its ends, and its keys."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield key
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


@settings(max_examples=80, deadline=None)
@given(published())
def test_no_count_appears_that_is_not_published(insights: Insights) -> None:
    """Whatever is published, every count in every answer is one of its own, a sum of base rates, or a size less its cells."""
    own = {
        insights.conversations,
        *insights.withheld.values(),
        *(group.conversations for group in insights.other),
    }
    own |= {cell.conversations for cell in insights.base}
    for cluster in insights:
        own |= {cluster.conversations, *(cell.conversations for cell in cluster.breakdown)}
    answers = Answers("run", insights)
    for path, document in every(answers):
        data = document.model_dump()
        for facet in data.get("facets", []):
            shown = sum(cell["conversations"] for cell in facet.get("cells", facet.get("values", [])))
            if "withheld" in facet:
                whole = "cells" not in facet
                size = (insights if whole else answers.insights.cluster(data["id"])).conversations
                assert facet.pop("withheld") == max(0, size - shown), path
        for side in "ab":
            if f"{side}_conversations" in data:
                facet_name, chosen = data["comparison"]["facet"], data["comparison"][side]
                found = {c.value: c.conversations for c in answers.insights.base if c.facet == facet_name}
                assert data.pop(f"{side}_conversations") == sum(found[value] for value in chosen)
        counts = {leaf for leaf in leaves(data) if isinstance(leaf, int) and leaf >= 1000}
        assert counts <= own, path


@settings(max_examples=80, deadline=None)
@given(published())
def test_every_text_is_on_one_line_and_every_column_of_one_length(insights: Insights) -> None:
    """For texts of any letters; parents come before their children in every document."""
    answers = Answers("run", insights)
    clusters = answers.clusters
    place = {id_: i for i, id_ in enumerate(clusters.id)}
    for id_, parent in zip(clusters.id, clusters.parent, strict=True):
        assert parent is None or place[parent] < place[id_]
    for _, document in every(answers):
        data = document.model_dump()
        for leaf in leaves(data):
            assert not isinstance(leaf, str) or leaf.isprintable()
        for name in ("lift", "mark", "a", "b", "diff", "low", "high", "q", "growth", "concern", "x"):
            if isinstance(data.get(name), list):
                assert len(data[name]) == len(insights)


@pytest.mark.parametrize(
    ("facet", "values", "kind", "order"),
    [
        ("language", ["ja", "en", "de"], "category", ["ja", "en", "de"]),
        ("week", ["2026-W02", "2025-W52"], "time", ["2025-W52", "2026-W02"]),
        ("concern", ["3", "1"], "ordinal", ["1", "3"]),
        ("turns", ["5-9", "10+", "1", "3-4"], "ordinal", ["1", "3-4", "5-9", "10+"]),
        (
            "length",
            ["500-1,999 words", "20-99 words", "2,000 words or more", "under 20 words"],
            "ordinal",
            ["under 20 words", "20-99 words", "500-1,999 words", "2,000 words or more"],
        ),
        ("age", ["30-39", "9"], "ordinal", ["9", "30-39"]),
        ("model", ["model-2", "model-10"], "category", ["model-2", "model-10"]),
    ],
)
def test_values_are_in_the_order_of_their_kind(
    facet: str, values: list[str], kind: str, order: list[str]
) -> None:
    """Weeks by date, ordered values by number, others by how common they are."""
    base = tuple(Cell(facet, value, 100 - i, 0.1, 0.1) for i, value in enumerate(values))
    (found,) = Answers("run", Insights((), (), base, 1000, "")).run.facets
    assert (found.kind, [value.value for value in found.values]) == (kind, order)


def test_a_policy_that_is_no_table_and_unknown_parents_do_no_harm() -> None:
    """Files of others may hold anything; what hangs on nothing is a top cluster without a path."""
    lost = Insight("2.1", "1.9", 2, "Name", "", 20, "10-49", 0.2, 5, 0.0, 0.0)
    answers = Answers("run", Insights((lost,), (), (), 100, "", {}, {"policy": "strict"}))
    assert answers.run.policy == {}
    assert answers.detail("2.1").path == []
    with pytest.raises(KeyError):
        answers.detail("1.9")
