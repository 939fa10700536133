"""Published numbers beside the truth: which conversations each number of some insights counts, found without the gate's own arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clio.errors import RunError
from clio.evaluation.attacks.subtraction import Few, Numbers, Rows
from clio.insights import Insights

#: a deepest published place: a shown cluster without shown children, or the nameless group under a parent (None: the run)
Place = tuple[str, str | None]
NOT_CLUSTERED, OTHER_REASONS = "not clustered", "other reasons"
# subsets of nameless groups are tried for a reason's number up to this many groups
_MANY_GROUPS = 12


@dataclass(frozen=True, slots=True)
class Truth:
    """Where every conversation of a run is; private. n conversations.

    Args:
        cluster: base cluster of each, None for none.
        parents: of every candidate, also of those not shown; None at the top.
        user: int32 (n,), account, -1 where unknown.
        group: int32 (n,), near-duplicate group.
        facets: the values of each facet that was counted, None where unknown.
        reasons: why candidates are not shown, as far as known.
    """

    cluster: Sequence[str | None] = field(repr=False)
    parents: Mapping[str, str | None] = field(repr=False)
    user: NDArray[np.int32] = field(repr=False)
    group: NDArray[np.int32] = field(repr=False)
    facets: Mapping[str, Sequence[str | None]] = field(repr=False)
    reasons: Mapping[str, str] = field(default_factory=dict, repr=False)

    def few(self, min_users: float, min_conversations: float) -> Few:
        """What is too few of these conversations."""
        return Few(self.user, self.group, min_users, min_conversations)


@dataclass(frozen=True, slots=True)
class Equations:
    """What the numbers of some insights are the sums of.

    ``tree``: clusters, nameless groups, all, and reasons; ``facets``: the cells of each facet beside the sizes of the places.
    ``places`` holds the conversations of each place. ``unexplained`` counts numbers that are the sum of no sets known here.
    """

    tree: Numbers
    facets: dict[str, Numbers]
    places: dict[Place, Rows] = field(repr=False)
    unexplained: int


def equations(insights: Insights, truth: Truth) -> Equations:
    """Find what each published number counts.

    Raises:
        RunError: if the truth is not that of these insights.
    """
    places = places_of(insights, truth)
    inside = _inside(insights, places)
    tree, missed = _tree(insights, truth, places, inside)
    facets = {}
    for facet, values in truth.facets.items():
        facets[facet], more = _facet(insights, facet, values, places, inside)
        missed += more
    return Equations(tree, facets, places, missed)


def places_of(insights: Insights, truth: Truth) -> dict[Place, Rows]:
    """The conversations of each deepest published place; together they are all.

    Raises:
        RunError: if a place does not hold as many as the insights say.
    """
    shown = {cluster.id for cluster in insights}
    parents = {cluster.parent for cluster in insights}
    place_of: dict[str | None, Place] = {}
    for base in {*truth.cluster}:
        node = base
        while node is not None and node not in shown:
            node = truth.parents.get(node)
        leaf = node is not None and node not in parents
        place_of[base] = ("cluster", node) if leaf else ("other", node)
    expected: dict[Place, int] = {
        ("cluster", c.id): c.conversations for c in insights if c.id not in parents
    }
    expected |= {("other", group.parent): group.conversations for group in insights.other}
    rows: dict[Place, list[int]] = {place: [] for place in expected}
    for row, base in enumerate(truth.cluster):
        rows.setdefault(place_of[base], []).append(row)
    if {place: len(some) for place, some in rows.items()} != expected:
        raise RunError("the private zone is not that of these insights: their numbers differ; run it again")
    return {place: np.asarray(some, np.int64) for place, some in rows.items()}


def _inside(insights: Insights, places: Iterable[Place]) -> dict[str | None, NDArray[np.bool_]]:
    """Which places lie under each shown cluster and under None, all of them: bool (places,)."""
    parents = {cluster.id: cluster.parent for cluster in insights}
    names = list(places)
    found: dict[str | None, NDArray[np.bool_]] = {
        node: np.zeros(len(names), bool) for node in [None, *parents]
    }
    for i, (_, node) in enumerate(names):
        while node is not None:
            found[node][i] = True
            node = parents[node]
        found[None][i] = True
    return found


def _tree(
    insights: Insights,
    truth: Truth,
    places: Mapping[Place, Rows],
    inside: Mapping[str | None, NDArray[np.bool_]],
) -> tuple[Numbers, int]:
    """Clusters, groups, all and reasons as equations. A nameless group is cut into a set a reason, of which many may be empty."""
    by_reason = {place: _by_reason(place, rows, truth) for place, rows in places.items() if place[0] == "other"}
    told: dict[str, list[Place]] = {}
    missed = 0
    for reason, number in insights.withheld.items():
        if reason != OTHER_REASONS:
            found = _counted(reason, number, by_reason)
            if found:
                told[reason] = found
            else:
                missed += bool(truth.reasons)
    sets: list[Rows] = []
    owner: list[int] = []
    why: list[str] = []
    for i, (place, rows) in enumerate(places.items()):
        left = rows
        # that what is in no cluster is in the run's group is known; all else could be anywhere
        for reason in told if place[0] == "other" else ():
            if reason != NOT_CLUSTERED or place[1] is None:
                own = by_reason[place].get(reason, rows[:0]) if place in told[reason] else rows[:0]
                left = np.setdiff1d(left, own)
                sets.append(own)
                owner.append(i)
                why.append(reason)
        sets.append(left)
        owner.append(i)
        why.append(OTHER_REASONS if place[0] == "other" else "")
    at, reasons = np.asarray(owner), np.asarray(why)
    counts = [which[at] for which in inside.values()] + [at == i for i in range(len(places))]
    counts += [reasons == reason for reason in told]
    if OTHER_REASONS in insights.withheld and len(told) == len(insights.withheld) - 1:
        counts.append(reasons == OTHER_REASONS)
    return Numbers(sets, np.asarray(counts, bool)), missed


def _by_reason(place: Place, rows: Rows, truth: Truth) -> dict[str, Rows]:
    """A nameless group's conversations by why they stand under no name, as far as known."""
    node = place[1]
    why: dict[str | None, str] = {None: NOT_CLUSTERED}
    found: dict[str, list[int]] = {}
    for row in rows.tolist():
        base = truth.cluster[row]
        if base not in why:
            child = base
            while child is not None and truth.parents[child] != node:
                child = truth.parents[child]
            why[base] = truth.reasons.get(child or "", "?")
        found.setdefault(why[base], []).append(row)
    return {name: np.asarray(some, np.int64) for name, some in found.items()}


def _counted(reason: str, number: int, by_reason: Mapping[Place, Mapping[str, Rows]]) -> list[Place]:
    """Of which nameless groups a reason's number counts the part: of all if that fits, else of some; empty if nothing fits."""
    sizes = {place: len(parts[reason]) for place, parts in by_reason.items() if reason in parts}
    most = len(sizes)
    for size in range(most, 0, -1) if most <= _MANY_GROUPS else (most,):
        for some in combinations(sizes, size):
            if sum(sizes[place] for place in some) == number:
                return list(some)
    return []


def _facet(
    insights: Insights,
    facet: str,
    values: Sequence[str | None],
    places: Mapping[Place, Rows],
    inside: Mapping[str | None, NDArray[np.bool_]],
) -> tuple[Numbers, int]:
    """A facet's cells and the sizes of places as equations over what each place holds of each value; and how many cells fit nothing.

    A value counted at a place is all of it there; beyond that a scope counts all that is left of it below, or what its nameless group
    holds: which one, the number tells.
    """
    codes = {value: i for i, value in enumerate([None, *sorted({v for v in values if v is not None})])}
    code = np.asarray([codes[value] for value in values], np.int64)
    names = list(places)
    sets = [rows[code[rows] == v] for rows in places.values() for v in range(len(codes))]
    sizes = np.asarray([len(rows) for rows in sets]).reshape(len(names), len(codes))
    told: dict[str | None, dict[str, int]] = {
        c.id: {cell.value: cell.conversations for cell in c.breakdown if cell.facet == facet}
        for c in insights
    }
    told[None] = {cell.value: cell.conversations for cell in insights.base if cell.facet == facet}
    found: list[NDArray[np.bool_]] = []
    missed = 0
    for i in range(len(names)):
        which = np.zeros(sizes.shape, bool)
        which[i] = True
        found.append(which.ravel())
    children: dict[str | None, list[str]] = {}
    for cluster in insights:
        children.setdefault(cluster.parent, []).append(cluster.id)
    counted: dict[tuple[str | None, str], NDArray[np.bool_]] = {}
    for node in [*(c.id for c in reversed(insights.clusters)), None]:
        other = np.asarray([name == ("other", node) for name in names])
        for value in {v for child in children.get(node, ()) for v in told[child]} | set(told[node]):
            below = np.zeros(len(names), bool)
            for child in children.get(node, ()):
                below |= counted.get((child, value), np.False_)
            number, own = told[node].get(value), sizes[:, codes.get(value, 0)]
            fits = [some for some in (below, inside[node], below | other) if own[some].sum() == number]
            if number is not None and value in codes and fits:
                below = fits[0]
                which = np.zeros(sizes.shape, bool)
                which[below, codes[value]] = True
                found.append(which.ravel())
            else:
                missed += number is not None
            counted[node, value] = below
    return Numbers(sets, np.asarray(found, bool)), missed


def policy_of(insights: Insights) -> Mapping[str, Any]:
    """The thresholds that the insights say they were made with.

    Raises:
        RunError: if they say none.
    """
    found = insights.about.get("policy")
    if not isinstance(found, Mapping):
        raise RunError("the insights name no policy; run it again")
    return found
