"""What is unusual of a cluster: each of its cells against the base rate, with intervals and a bound on false findings.

Published counts are lower bounds: what is too rare to show is left out, and beside a very common value that is often the value itself.
So each count stands for a range, from what is shown to what may be withheld besides, and what is said here holds wherever in it the true
counts lie. Points (shares, lifts, differences) are those of the shown counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clio.insights.intervals import ratio_intervals, share_intervals
from clio.insights.model import Insights

Counts = NDArray[np.int64]
Numbers = NDArray[np.float64]
Mark = Literal["over", "under", "similar"]

#: the rate of false findings among all marks of a run
FALSE_FINDINGS = 0.05
#: the share of a cluster's conversations that must be shown for a mean: what is withheld is most often of the commonest value
MEAN_NEEDS = 0.9
# expected conversations; from there on the score test agrees with the exact one, whose cost grows with the counts
_EXACT_BELOW = 10.0


class Measure(NamedTuple):
    """A cell against its base rate.

    ``share_low`` and ``share_high``, in 0..1, and ``lift_low`` and ``lift_high`` are 95 % intervals, widened by what may be withheld;
    ``p`` is of the cluster against all other conversations, ``q`` its Benjamini–Hochberg value among all cells of the run, and the mark
    says on which side of the base rate the value lies where q is below ``FALSE_FINDINGS``.
    """

    share_low: float
    share_high: float
    lift_low: float
    lift_high: float
    p: float
    q: float
    mark: Mark


@dataclass(frozen=True, slots=True)
class Facet:
    """All shown counts of one facet: int64 (clusters + 1, values), the whole run in the last row, -1 where nothing is shown."""

    name: str
    values: tuple[str, ...]
    shown: Counts = field(repr=False)


@dataclass(frozen=True, slots=True)
class Range:
    """How many conversations have one of some values, in each cluster and last in the whole run.

    ``shown``: bool (clusters + 1, k), whether any of the values is shown there; ``least`` and ``most``: int64, of the same shape.
    """

    shown: NDArray[np.bool_] = field(repr=False)
    least: Counts = field(repr=False)
    most: Counts = field(repr=False)


class Statistics:
    """What can be computed of insights, each when first asked for. Clusters are rows in their order, the whole run is the last row."""

    def __init__(self, insights: Insights) -> None:
        self.insights = insights
        clusters = insights.clusters
        run = len(clusters)
        self.row = {cluster.id: i for i, cluster in enumerate(clusters)}
        self.sizes: Counts = np.asarray(
            [*(cluster.conversations for cluster in clusters), insights.conversations], np.int64
        )
        self._parent = np.asarray(
            [run if c.parent is None else self.row.get(c.parent, run) for c in clusters], np.int64
        )
        self._level = np.asarray([cluster.level for cluster in clusters], np.int64)
        self._nameless: Counts = np.zeros(run + 1, np.int64)
        for group in insights.other:
            self._nameless[run if group.parent is None else self.row.get(group.parent, run)] += (
                group.conversations
            )

    @cached_property
    def facets(self) -> Mapping[str, Facet]:
        """The facets that have base rates, by name, with their values in the order of the base rates."""
        values: dict[str, dict[str, int]] = {}
        for cell in self.insights.base:
            own = values.setdefault(cell.facet, {})
            own.setdefault(cell.value, len(own))
        run = len(self.insights.clusters)
        shown = {name: np.full((run + 1, len(own)), -1, np.int64) for name, own in values.items()}
        for row, cells in enumerate((*(c.breakdown for c in self.insights.clusters), self.insights.base)):
            for cell in cells:
                column = values.get(cell.facet, {}).get(cell.value)
                if column is not None:
                    shown[cell.facet][row, column] = cell.conversations
        return {name: Facet(name, tuple(own), shown[name]) for name, own in values.items()}

    def ranges(self, facet: Facet, chosen: Sequence[Sequence[str]]) -> Range:
        """The counts of sets of values.

        A cluster without shown children counts a shown value whole; what it withholds has the values it does not show. Further up, a count
        is at most what the parts allow, and at most what is shown and all that is withheld there (``clio.privacy.fold`` has the rule).

        Raises:
            KeyError: for a value that is not published.
        """
        place = {value: i for i, value in enumerate(facet.values)}
        columns = [facet.shown[:, [place[value] for value in some]] for some in chosen]
        shown = np.stack([(some >= 0).any(axis=1) for some in columns], axis=1)
        least = np.stack([np.maximum(some, 0).sum(axis=1) for some in columns], axis=1)
        whole = np.stack([(some >= 0).all(axis=1) for some in columns], axis=1)
        return Range(shown, least, self._most(facet, least, whole))

    def _most(self, facet: Facet, least: Counts, whole: NDArray[np.bool_]) -> Counts:
        run = len(self.insights.clusters)
        withheld = np.maximum(self.sizes - np.maximum(facet.shown, 0).sum(axis=1), 0)[:, None]
        most: Counts = least + withheld
        leaf = np.ones(run + 1, bool)
        leaf[self._parent] = False
        most[leaf] = np.where(whole[leaf], least[leaf], most[leaf])
        parts = np.tile(self._nameless[:, None], (1, least.shape[1]))
        for level in sorted(set(self._level.tolist()), reverse=True):
            rows = np.flatnonzero(self._level == level)
            inner = rows[~leaf[rows]]
            most[inner] = np.maximum(least[inner], np.minimum(most[inner], parts[inner]))
            np.add.at(parts, self._parent[rows], most[rows])
        if not leaf[run]:
            most[run] = np.maximum(least[run], np.minimum(most[run], parts[run]))
        return most

    @cached_property
    def measures(self) -> Mapping[str, tuple[Measure, ...]]:
        """Every cluster's cells against their base rates, by cluster id, in the order of its breakdown.

        A cell whose base rate is not shown is similar, with a lift of 0.
        """
        clusters = self.insights.clusters
        counts = [len(cluster.breakdown) for cluster in clusters]
        cells = [cell for cluster in clusters for cell in cluster.breakdown]
        if not cells:
            return {cluster.id: () for cluster in clusters}
        row = np.repeat(np.arange(len(clusters)), counts)
        low = np.asarray([cell.conversations for cell in cells], np.int64)
        high, base, base_high = low.copy(), np.zeros_like(low), np.zeros_like(low)
        names = np.asarray([cell.facet for cell in cells], object)
        values = np.asarray([cell.value for cell in cells], object)
        for facet in self.facets.values():
            place = {value: i for i, value in enumerate(facet.values)}
            own = np.flatnonzero(names == facet.name)
            column = np.asarray([place.get(value, -1) for value in values[own]], np.int64)
            own, column = own[column >= 0], column[column >= 0]
            found = self.ranges(facet, [[value] for value in facet.values])
            high[own] = found.most[row[own], column]
            base[own], base_high[own] = found.least[-1, column], found.most[-1, column]
        made = _measured(low, high, self.sizes[row], base, base_high, self.insights.conversations)
        ends = [0, *np.cumsum(counts).tolist()]
        return {c.id: tuple(made[a:b]) for c, (a, b) in zip(clusters, pairwise(ends), strict=True)}

    @cached_property
    def concern(self) -> tuple[float | None, ...]:
        """The mean of the ratings 1..5 of the facet ``concern`` in each cluster; None where fewer are shown than ``MEAN_NEEDS``."""
        facet = self.facets.get("concern")
        run = len(self.insights.clusters)
        if facet is None or not all(value.isdecimal() for value in facet.values):
            return (None,) * run
        shown = np.maximum(facet.shown[:run], 0)
        known = shown.sum(axis=1)
        total = shown @ np.asarray([int(value) for value in facet.values], np.int64)
        return tuple(
            sum_ / of if of and of >= MEAN_NEEDS * size else None
            for sum_, of, size in zip(total.tolist(), known.tolist(), self.sizes[:run].tolist(), strict=True)
        )


def _measured(
    low: Counts, high: Counts, of: Counts, base: Counts, base_high: Counts, total: int
) -> list[Measure]:
    """Cells against their base rates: ``low`` to ``high`` of a cluster's ``of`` conversations have the value, of all ``total``
    conversations ``base`` to ``base_high``."""
    rest = total - of
    # what speaks least for "over", and what least for "under", of all that the counts may be
    rest_high = np.clip(base_high - low, 0, rest)
    rest_low = np.clip(base - high, 0, rest)
    over, under = tails(low, of, rest_high, rest)[1], tails(high, of, rest_low, rest)[0]
    known = (base > 0) & (rest > 0)
    p = np.where(known, np.minimum(1.0, 2 * np.minimum(over, under)), 1.0)
    q = false_discovery(p)
    share_low, share_high = share_intervals(low, of)[0], share_intervals(high, of)[1]
    beside = np.maximum(rest, 1)
    lift_low = _lift(ratio_intervals(low, of, rest_high, beside)[0], of / total)
    lift_high = _lift(ratio_intervals(high, of, rest_low, beside)[1], of / total)
    marks = np.where(q >= FALSE_FINDINGS, "similar", np.where(over < under, "over", "under"))
    # the two ends come of different counts, and a point may lie outside of both by what is corrected for
    point = np.divide(low * total, of * np.maximum(base, 1))
    columns = (
        share_low,
        share_high,
        np.where(base > 0, np.minimum(lift_low, point), 0.0),
        np.where(base > 0, np.maximum(lift_high, point), 0.0),
        p,
        q,
    )
    rows = zip(*(column.tolist() for column in columns), marks.tolist(), strict=True)
    return [Measure._make(row) for row in rows]


def _lift(ratio: Numbers, part: Numbers) -> Numbers:
    """A cluster's share over that of all, where it is ``ratio`` times that of the rest and the cluster is a ``part`` of all in 0..1."""
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(ratio), 1 / part, ratio / (part * ratio + 1 - part))


def tails(count: Counts, of: Counts, count_b: Counts, of_b: Counts) -> tuple[Numbers, Numbers]:
    """How probable so few, and so many, on the first side would be if both sides had the same share.

    Fisher's exact test where fewer than ten are expected somewhere, else the score test. 1 on both tails where a side is empty or all or
    none have the property.

    Args:
        count: conversations with the property on the first side; all int64 of one shape.
        of: conversations of the first side.
        count_b: the same of the second side.
        of_b: the same of the second side.

    Returns:
        The lower and the upper tail, both with the count itself, float64 in 0..1.
    """
    from scipy.stats import hypergeom, norm

    total, having = of + of_b, count + count_b
    lower, upper = np.ones(len(count)), np.ones(len(count))
    usable = (of > 0) & (of_b > 0) & (having > 0) & (having < total)
    expected = np.minimum(of, of_b) * np.minimum(having, total - having) / np.maximum(total, 1)
    exact = usable & (expected < _EXACT_BELOW)
    x, n, k, t = count[exact], of[exact], having[exact], total[exact]
    lower[exact], upper[exact] = hypergeom.cdf(x, t, k, n), hypergeom.sf(x - 1, t, k, n)
    score = usable & ~exact
    x, n, y, m = (some[score].astype(np.float64) for some in (count, of, count_b, of_b))
    share = (x + y) / (n + m)
    z = (x / n - y / m) / np.sqrt(share * (1 - share) * (1 / n + 1 / m))
    lower[score], upper[score] = norm.cdf(z), norm.sf(z)
    return np.clip(lower, 0, 1), np.clip(upper, 0, 1)


def false_discovery(p: Numbers) -> Numbers:
    """The false discovery rate at which each of some tests counts (Benjamini & Hochberg 1995, JRSS B 57:289).

    Args:
        p: probabilities in 0..1, float64 (n,).
    """
    # it takes a second to load, so not before there is something to test
    from scipy.stats import false_discovery_control

    return np.asarray(false_discovery_control(p), np.float64) if len(p) else p
