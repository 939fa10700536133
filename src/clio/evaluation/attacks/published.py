"""Published numbers beside the truth: which conversations each number of some insights counts, found without the gate's own arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clio.errors import RunError
from clio.evaluation.attacks.equations import Few, Numbers, Rows
from clio.insights import Insights

#: a deepest published place: a shown cluster without shown children, or the nameless group under a parent (None: the run)
Place = tuple[str, str | None]
NOT_CLUSTERED, OTHER_REASONS = "not clustered", "other reasons"


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


Places = Mapping[Place, Rows]
Inside = Mapping[str | None, NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Published:
    """What the numbers of some insights are the sums of: the tree's, each facet's in one reading, and how many fit no conversations."""

    tree: Numbers
    facets: Mapping[str, tuple[Cells, Reading]]
    unexplained: int


def published(insights: Insights, truth: Truth) -> Published:
    """Find which conversations each published number counts.

    Raises:
        RunError: if the truth is not that of these insights.
    """
    places = places_of(insights, truth)
    inside = inside_of(insights, places)
    tree, unexplained = tree_numbers(insights, truth, places, inside)
    cells = {facet: cells_of(insights, truth, places, inside, facet) for facet in truth.facets}
    facets = {facet: (found, found.read(lambda: False)) for facet, found in cells.items()}
    unexplained += sum(reading.unexplained for _, reading in facets.values())
    return Published(tree, facets, unexplained)


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
    expected: dict[Place, int] = {("cluster", c.id): c.conversations for c in insights if c.id not in parents}
    expected |= {("other", group.parent): group.conversations for group in insights.other}
    rows: dict[Place, list[int]] = {place: [] for place in expected}
    for row, base in enumerate(truth.cluster):
        rows.setdefault(place_of[base], []).append(row)
    if {place: len(some) for place, some in rows.items()} != expected:
        raise RunError("the private zone is not that of these insights: their numbers differ; run it again")
    return {place: np.asarray(some, np.int64) for place, some in rows.items()}


def inside_of(insights: Insights, places: Iterable[Place]) -> dict[str | None, NDArray[np.bool_]]:
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


def tree_numbers(insights: Insights, truth: Truth, places: Places, inside: Inside) -> tuple[Numbers, int]:
    """Clusters, groups, all and reasons as equations; and how many reasons' numbers fit no conversations.

    A nameless group is cut into a set a reason, of which many may be empty: which are is not known.
    """
    by_reason = {
        place: _by_reason(place, rows, truth) for place, rows in places.items() if place[0] == "other"
    }
    told: dict[str, tuple[Place, ...]] = {}
    missed = 0
    for reason, number in insights.withheld.items():
        if reason != OTHER_REASONS:
            fits = _counted(reason, number, by_reason)
            # whose number it is nobody can tell where several choices fit
            if len(fits) == 1:
                told[reason] = fits[0]
            missed += not fits and bool(truth.reasons)
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


def _counted(
    reason: str, number: int, by_reason: Mapping[Place, Mapping[str, Rows]]
) -> list[tuple[Place, ...]]:
    """Of which nameless groups a reason's number counts the part: of all if that fits, else up to two choices of some that do."""
    sizes = {place: len(parts[reason]) for place, parts in by_reason.items() if reason in parts}
    if sum(sizes.values()) == number:
        return [tuple(sizes)]
    sums: dict[int, list[tuple[Place, ...]]] = {0: [()]}
    for place, size in sizes.items():
        for before, choices in list(sums.items()):
            if before + size <= number:
                known = sums.get(before + size, [])
                sums[before + size] = [*known, *((*some, place) for some in choices)][:2]
    return sums.get(number, [])


@dataclass(frozen=True, slots=True)
class Reading:
    """A facet's equations under one reading: first the sizes of places, then the cell of each of ``names``, a (cluster, value).

    ``pieces`` are what each cell counts beyond its children's, and the places (bool) that it may come from. ``unexplained`` cells fit no
    conversations and are left out; of ``open`` cells the reading chose what they count.
    """

    numbers: Numbers
    names: Sequence[tuple[str | None, str]]
    pieces: Sequence[tuple[NDArray[np.bool_], Rows]] = field(repr=False)
    unexplained: int
    open: int

    def places(self) -> list[Rows]:
        """The conversations of each place."""
        return self._rows(self.numbers.counts[: len(self.numbers.counts) - len(self.names)])

    def rows(self) -> list[Rows]:
        """The conversations that each cell of ``names`` counts."""
        return self._rows(self.numbers.counts[len(self.numbers.counts) - len(self.names) :])

    def _rows(self, counts: NDArray[np.bool_]) -> list[Rows]:
        return [np.concatenate([self.numbers.sets[i] for i in np.flatnonzero(some)]) for some in counts]


@dataclass(frozen=True, slots=True)
class Cells:
    """The published cells of a facet beside what each place holds of each value.

    A value counted at a place is all of it there. What a scope counts beyond its children is all that is left of the value below, or
    what its nameless group holds: the number tells which, but for where both hold as many.

    Args:
        sets: conversations by place, then value.
        codes: the values, None (unknown) first.
        places: the places.
        inside: places under each cluster.
        told: the published number of each value, by cluster, a parent before its children, and of all (None).
        children: shown ones by parent.
    """

    sets: list[Rows] = field(repr=False)
    codes: Mapping[str | None, int]
    places: Sequence[Place]
    inside: Inside = field(repr=False)
    told: Mapping[str | None, Mapping[str, int]]
    children: Mapping[str | None, Sequence[str]]

    def read(self, all_left: Callable[[], bool]) -> Reading:
        """The equations; ``all_left`` is asked for a choice where a cell may count all that is left or the nameless group's."""
        sizes = np.asarray([len(rows) for rows in self.sets]).reshape(len(self.places), len(self.codes))
        found = [
            np.repeat(np.arange(len(self.places)) == i, len(self.codes)) for i in range(len(self.places))
        ]
        counted: dict[tuple[str | None, str], NDArray[np.bool_]] = {}
        names: list[tuple[str | None, str]] = []
        pieces: list[tuple[NDArray[np.bool_], Rows]] = []
        unexplained = undecided = 0
        for node in [*reversed([name for name in self.told if name is not None]), None]:
            own = self.children.get(node, ())
            other = np.asarray([place == ("other", node) for place in self.places])
            for value in sorted({v for child in own for v in self.told[child]} | set(self.told[node])):
                below = np.zeros(len(self.places), bool)
                for child in own:
                    below |= counted.get((child, value), np.False_)
                number, held = self.told[node].get(value), sizes[:, self.codes.get(value, 0)]
                options = (below, below | other, self.inside[node])
                fits = [some for some in options if value in self.codes and held[some].sum() == number]
                if fits and fits[0] is not below and (fits[0] != fits[-1]).any():
                    undecided += 1
                    fits = fits[::-1] if all_left() else fits
                if fits:
                    beyond, below = fits[0] & ~below, fits[0]
                    which = np.zeros(sizes.shape, bool)
                    which[below, self.codes[value]] = True
                    found.append(which.ravel())
                    names.append((node, value))
                    if beyond.any():
                        column = np.flatnonzero(beyond) * len(self.codes) + self.codes[value]
                        pieces.append((beyond, np.concatenate([self.sets[i] for i in column.tolist()])))
                unexplained += number is not None and not fits
                counted[node, value] = below
        return Reading(Numbers(self.sets, np.asarray(found, bool)), names, pieces, unexplained, undecided)


def cells_of(insights: Insights, truth: Truth, places: Places, inside: Inside, facet: str) -> Cells:
    """A facet's cells and where its values are."""
    values = truth.facets[facet]
    codes = {value: i for i, value in enumerate([None, *sorted({v for v in values if v is not None})])}
    code = np.asarray([codes[value] for value in values], np.int64)
    sets = [rows[code[rows] == v] for rows in places.values() for v in range(len(codes))]
    told: dict[str | None, dict[str, int]] = {
        c.id: {cell.value: cell.conversations for cell in c.breakdown if cell.facet == facet}
        for c in insights
    }
    told[None] = {cell.value: cell.conversations for cell in insights.base if cell.facet == facet}
    children: dict[str | None, list[str]] = {}
    for cluster in insights:
        children.setdefault(cluster.parent, []).append(cluster.id)
    return Cells(sets, codes, list(places), inside, told, children)


def bands_tell(insights: Insights, min_users: float) -> int:
    """How often bands of users prove that too few accounts are behind a place, or exactly how few are in no other child of its parent."""
    band = {cluster.id: _ends(cluster.users) for cluster in insights}
    found = sum(high < min_users for _, high in band.values())
    for group in insights.other:
        own = _ends(group.users)
        found += own[1] < min_users
        children = [band[child.id] for child in insights.children(group.parent)]
        if children:
            low, high = band[group.parent] if group.parent else _ends(insights.users)
            least = max(0, low - sum(end for _, end in children))
            most = min(own[1], high - max(start for start, _ in children))
            found += 0 < least == most < min_users
    return int(found)


def _ends(band: str) -> tuple[float, float]:
    """The least and the most users of a band ("10-49", "1,000,000+")."""
    low, _, high = band.replace(",", "").rstrip("+").partition("-")
    return float(low), float(high) if high else float(low) if low == "0" else float("inf")


def policy_of(insights: Insights) -> Mapping[str, Any]:
    """The thresholds that the insights say they were made with.

    Raises:
        RunError: if they say none.
    """
    found = insights.about.get("policy")
    if not isinstance(found, Mapping):
        raise RunError("the insights name no policy; run it again")
    return found
