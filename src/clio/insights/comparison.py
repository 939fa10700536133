"""Two windows beside each other: how much of the conversations of A, and of those of B, each cluster holds.

A and B are sets of published values of one facet, most often weeks, so that nothing is compared that is not published. As in
``clio.insights.statistics`` intervals and tests hold whatever was withheld.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

import numpy as np

from clio.insights.intervals import difference_intervals, share_intervals
from clio.insights.statistics import Counts, Facet, Numbers, Range, Statistics, false_discovery, tails

#: the facet whose values are ISO weeks, "2026-W44"
TIME = "week"
_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_WINDOW = 4  # weeks
_COMMONEST = 12


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison that can be made: the values of one facet that are A, and those that are B."""

    id: str
    facet: str
    title: str
    a_title: str
    b_title: str
    a: tuple[str, ...]
    b: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """Every cluster in A and in B, in the order of the clusters: float64 (clusters,), NaN for what is not shown.

    ``a`` and ``b`` are shares of the ``a_conversations`` and ``b_conversations``, ``difference`` is A less B with its 95 % interval, ``q``
    the Benjamini–Hochberg value of a difference among all clusters. A cluster hidden on either side has no difference.
    """

    a_conversations: int
    b_conversations: int
    a: Numbers = field(repr=False)
    b: Numbers = field(repr=False)
    difference: Numbers = field(repr=False)
    low: Numbers = field(repr=False)
    high: Numbers = field(repr=False)
    p: Numbers = field(repr=False)
    q: Numbers = field(repr=False)


def offered(statistics: Statistics) -> tuple[Comparison, ...]:
    """The comparisons that a run's facets allow, those of time first; the first of these is behind the clusters' growth."""
    facets = sorted(statistics.facets.values(), key=lambda facet: facet.name != TIME)
    return tuple(
        made for facet in facets for made in (_of_weeks(facet) if facet.name == TIME else _of_values(facet))
    )


def growth(statistics: Statistics) -> Comparison | None:
    """The comparison behind the clusters' growth: the last weeks against those before; None without two weeks."""
    return next((made for made in offered(statistics) if made.facet == TIME), None)


def compare(statistics: Statistics, facet: str, a: Sequence[str], b: Sequence[str]) -> Compared:
    """Compare the conversations that have one of some values with those that have one of others.

    Raises:
        KeyError: if the facet or one of the values is not published.
        ValueError: if a side is empty or a value stands on both.
    """
    if not a or not b or set(a) & set(b):
        raise ValueError("each side of a comparison needs values of its own")
    found = statistics.ranges(statistics.facets[facet], [list(dict.fromkeys(a)), list(dict.fromkeys(b))])
    both = found.shown[:-1].all(axis=1)
    share_a, share_b = (found.least[:-1] / np.maximum(found.least[-1], 1)).T
    # each end and each tail takes of all that the counts may be what is least for it
    (a_small, a_large), (b_small, b_large) = _side(found, 0), _side(found, 1)
    low, high = difference_intervals(*a_small, *b_large)[0], difference_intervals(*a_large, *b_small)[1]
    more, less = tails(*a_small, *b_large)[1], tails(*a_large, *b_small)[0]
    p = np.minimum(1.0, 2 * np.minimum(more, less))
    q = np.full(len(p), np.nan)
    q[both] = false_discovery(p[both])
    return Compared(
        int(found.least[-1, 0]),
        int(found.least[-1, 1]),
        np.where(found.shown[:-1, 0], share_a, np.nan),
        np.where(found.shown[:-1, 1], share_b, np.nan),
        np.where(both, share_a - share_b, np.nan),
        np.where(both, low, np.nan),
        np.where(both, high, np.nan),
        np.where(both, p, np.nan),
        q,
    )


@dataclass(frozen=True, slots=True)
class Trend:
    """Every cluster's share of each week's conversations, the weeks ascending; NaN where it is not shown.

    The 95 % intervals are of chance alone: what is withheld may add as much to one week as to another, and would hide the line.
    ``counts``: int64 (clusters, weeks), -1 where not shown; ``share``, ``low``, ``high``: float64 of the same shape.
    """

    weeks: tuple[str, ...]
    counts: Counts = field(repr=False)
    share: Numbers = field(repr=False)
    low: Numbers = field(repr=False)
    high: Numbers = field(repr=False)


def trend(statistics: Statistics) -> Trend:
    """The weekly trend of every cluster; without weeks one of no columns."""
    facet = statistics.facets.get(TIME)
    if facet is None:
        empty = np.zeros((len(statistics.insights), 0))
        return Trend((), empty.astype(np.int64), empty, empty, empty)
    weeks = tuple(sorted(facet.values))
    found = statistics.ranges(facet, [[week] for week in weeks])
    shown, least = found.shown[:-1], found.least[:-1]
    # no count is above its base rate's, but in insights that no gate made
    base = np.maximum(found.least[-1], least.max(axis=0, initial=1))
    low, high = share_intervals(least, base)
    return Trend(
        weeks,
        np.where(shown, least, -1),
        *(np.where(shown, column, np.nan) for column in (least / base, low, high)),
    )


def _side(found: Range, side: int) -> tuple[tuple[Counts, Counts], tuple[Counts, Counts]]:
    """Each cluster's conversations on one side and all on that side, both int64 (clusters,): as small a share, and as large, as may be."""
    least, most = found.least[:-1, side], found.most[:-1, side]
    all_least, all_most = found.least[-1, side], found.most[-1, side]
    return (least, np.maximum(least, all_most)), (most, np.maximum(most, all_least))


def _of_weeks(facet: Facet) -> Iterator[Comparison]:
    weeks = sorted(value for value in facet.values if _WEEK.fullmatch(value))
    half, window = len(weeks) // 2, min(_WINDOW, len(weeks) // 2)
    if not window:
        return
    count = f"{window} weeks" if window > 1 else "week"
    title = f"last {count} against the {count} before" if window > 1 else "last week against the week before"
    recent = weeks[-window:], weeks[-2 * window : -window]
    yield _windows(facet, "recent", title, *recent)
    if (weeks[-half:], weeks[:half]) != recent:
        yield _windows(facet, "halves", "second half against first half", weeks[-half:], weeks[:half])
    months: dict[str, list[str]] = {}
    for week in weeks:
        months.setdefault(_month(week), []).append(week)
    for before, month in pairwise(months):
        if _following(before, month) and min(len(months[before]), len(months[month])) > 1:
            yield _windows(
                facet,
                f"month-{month}",
                f"{month} against {before}",
                months[month],
                months[before],
                month,
                before,
            )


def _windows(
    facet: Facet,
    id_: str,
    title: str,
    a: Sequence[str],
    b: Sequence[str],
    a_title: str = "",
    b_title: str = "",
) -> Comparison:
    return Comparison(id_, facet.name, title, a_title or _span(a), b_title or _span(b), tuple(a), tuple(b))


def _span(weeks: Sequence[str]) -> str:
    return weeks[0] if len(weeks) == 1 else f"{weeks[0]} to {weeks[-1]}"


def _month(week: str) -> str:
    """The month of a week's Thursday, as ISO 8601 puts a week into its year."""
    year, number = week.split("-W")
    try:
        return date.fromisocalendar(int(year), int(number), 4).strftime("%Y-%m")
    except ValueError:  # a week that no calendar has is in no month
        return week


def _following(before: str, month: str) -> bool:
    """Whether a month, "2026-11", comes right after another."""
    try:
        (year, number), (own_year, own) = (map(int, some.split("-")) for some in (before, month))
    except ValueError:
        return False
    return 12 * year + number + 1 == 12 * own_year + own


def _of_values(facet: Facet) -> Iterator[Comparison]:
    values = facet.values[:_COMMONEST]
    if len(facet.values) < 2:
        return
    slug = re.sub(r"[^a-z0-9]+", "-", facet.name.lower()).strip("-") or "facet"
    yield Comparison(
        f"{slug}-1-2",
        facet.name,
        f"{values[0]} against {values[1]}",
        values[0],
        values[1],
        values[:1],
        values[1:2],
    )
    if len(facet.values) == 2:
        return
    for place, value in enumerate(values, 1):
        others = tuple(other for other in facet.values if other != value)
        yield Comparison(
            f"{slug}-{place}",
            facet.name,
            f"{value} against all others",
            value,
            "all others",
            (value,),
            others,
        )
