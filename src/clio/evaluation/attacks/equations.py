"""What published numbers give away together: they are linear equations over disjoint sets of conversations, and equations can be solved.

The attacker is granted the structure: which conversations each published number counts, though not who they are. Then a set can be
isolated exactly if its indicator is a combination of the numbers with whatever weights, which elimination decides completely. Over
tables with given sums this is the criterion of Gusfield (1988, SIAM J. Comput. 17:552) for two dimensions, and of any number here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
#: elimination is done modulo this prime: exact, and of the same rank as over the rationals but by a freak of chance
_PRIME = 2_147_483_647
# all sums of this many independent given-away sets are tried; of more, sums of two
_ALL_SUMS = 12
# rows from which arrays are counted faster than one by one
_LONG = 200


@dataclass(frozen=True, slots=True)
class Few:
    """When a set of conversations is too few to be told apart.

    Args:
        user: int32 (n,), each conversation's account, -1 where unknown.
        group: int32 (n,), near-duplicate groups, each of which counts once.
        min_users: fewer distinct accounts are too few.
        min_conversations: fewer conversations are too few.
    """

    user: NDArray[np.int32] = field(repr=False)
    group: NDArray[np.int32] = field(repr=False)
    min_users: float
    min_conversations: float

    def holds(self, rows: Rows) -> bool:
        """Whether these are too few; none are."""
        users, _, conversations = self._behind(rows)
        return users < self.min_users or conversations < self.min_conversations

    def holds_for_one(self, rows: Rows) -> bool:
        """Whether the others are too few for one account that knows which of these are its own; none are."""
        users, most, conversations = self._behind(rows)
        return users - (most > 0) < self.min_users or conversations - most < self.min_conversations

    def _behind(self, rows: Rows) -> tuple[int, int, int]:
        """Distinct accounts, conversations of the one that has most, all conversations."""
        if len(rows) > _LONG:
            rows = np.sort(rows)
            users = self.user[rows[np.unique(self.group[rows], return_index=True)[1]]]
            most = np.bincount(users[users >= 0])
            return int(np.count_nonzero(most)), int(most.max(initial=0)), len(users)
        # in reverse, so that the first of each group is what stays
        kept = {self.group.item(row): self.user.item(row) for row in sorted(rows.tolist(), reverse=True)}
        counts = Counter(kept.values())
        counts.pop(-1, None)
        return len(counts), max(counts.values(), default=0), len(kept)


@dataclass(frozen=True, slots=True)
class Numbers:
    """m published numbers over c disjoint sets of conversations: ``counts`` bool (m, c) tells which sets each number is the sum of."""

    sets: list[Rows] = field(repr=False)
    counts: NDArray[np.bool_] = field(repr=False)

    def sizes(self) -> NDArray[np.int64]:
        """How many conversations each set holds, int64 (c,); what the attacker would like to know."""
        return np.asarray([len(rows) for rows in self.sets], np.int64)

    def reduced(self) -> tuple[Numbers, list[Rows]]:
        """The same with sets that no number tells apart put together, and without those that a number tells alone, which come beside.

        Nothing is lost: a combination of the numbers weighs sets alike that they do not tell apart.
        """
        sets, counts, alone = list(self.sets), self.counts, list[Rows]()
        while True:
            counts = np.unique(counts, axis=0)
            sets, counts = _merged(sets, counts)
            single = counts.sum(axis=1) == 1
            if not single.any():
                return Numbers(sets, counts[counts.any(axis=1)]), alone
            known = counts[single].any(axis=0)
            alone += [rows for rows, is_known in zip(sets, known, strict=True) if is_known]
            sets = [rows for rows, is_known in zip(sets, known, strict=True) if not is_known]
            counts = counts[:, ~known]


def _merged(sets: list[Rows], counts: NDArray[np.bool_]) -> tuple[list[Rows], NDArray[np.bool_]]:
    """Sets in the same numbers become one; those in no number are dropped."""
    kinds, which = np.unique(counts, axis=1, return_inverse=True)
    used = np.asarray(kinds.any(axis=0), bool)
    parts: list[list[Rows]] = [[] for _ in range(kinds.shape[1])]
    for rows, kind in zip(sets, which.ravel().tolist(), strict=True):
        parts[kind].append(rows)
    joined = [np.concatenate(some) for some, is_used in zip(parts, used, strict=True) if is_used]
    return joined, kinds[:, used]


def given_away(numbers: Numbers, few: Few) -> list[Rows]:
    """The non-empty sets, too few for one account at least, whose size follows exactly from the numbers, with any weights.

    Complete: if nothing comes back, no such set follows. (Of more than twelve entangled ones, only sums of two are tried.)

    Args:
        numbers: what is published.
        few: what is too few. A subset of what is too few must be so too.

    Returns:
        The sets found; callers ask ``few`` in which sense they are too few.
    """
    left, alone = numbers.reduced()
    found = [rows for rows in alone if len(rows) and few.holds_for_one(rows)]
    low = np.asarray([few.holds_for_one(rows) for rows in left.sets], bool)
    if not low.any():
        return found
    order = np.argsort(low, kind="stable")
    basis = _told_of(left.counts[:, order], int((~low).sum()))
    places = [left.sets[i] for i in order[int((~low).sum()) :].tolist()]
    for block in _blocks(basis):
        for chosen in _sums(block):
            rows = np.concatenate([places[i] for i in np.flatnonzero(chosen).tolist()])
            if len(rows) and few.holds_for_one(rows):
                found.append(rows)
    return found


def _told_of(counts: NDArray[np.bool_], large: int) -> NDArray[np.int64]:
    """A basis of all combinations of the numbers in which the first ``large`` sets do not occur, int64 (k, c - large), reduced."""
    matrix = counts.astype(np.int64)
    row = 0
    for column in range(matrix.shape[1]):
        below = np.flatnonzero(matrix[row:, column])
        if not len(below):
            continue
        if below[0]:
            matrix[[row, row + below[0]]] = matrix[[row + below[0], row]]
        matrix[row] = matrix[row] * pow(int(matrix[row, column]), -1, _PRIME) % _PRIME
        others = np.flatnonzero(matrix[:, column])
        others = others[others != row]
        matrix[others] = (matrix[others] - matrix[others, column][:, None] * matrix[row]) % _PRIME
        row += 1
        if row == len(matrix):
            break
    told = matrix[:row]
    return told[~told[:, :large].any(axis=1), large:]


def _blocks(basis: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """The basis in parts that share no set: a sum that is a set is one in every part."""
    left = list(range(len(basis)))
    while left:
        inside = [left.pop(0)]
        reach = basis[inside[0]] != 0
        while joined := [i for i in left if (reach & (basis[i] != 0)).any()]:
            inside += joined
            left = [i for i in left if i not in joined]
            reach = (basis[inside] != 0).any(axis=0)
        yield basis[inside]


def _sums(basis: NDArray[np.int64]) -> Iterator[NDArray[np.bool_]]:
    """The sums of basis vectors that are sets. Each vector has a place of its own, so in a set it counts once or not at all."""
    k = len(basis)
    if k <= _ALL_SUMS:
        choices = [np.asarray(list(product((0, 1), repeat=k)), np.int64)]
    else:
        one = np.eye(k, dtype=np.int64)
        choices = [one, *(one[i + 1 :] + one[i] for i in range(k - 1))]
    for chosen in choices:
        total = chosen @ basis % _PRIME
        yield from total[total.max(axis=1, initial=0) == 1] == 1


def enclosed(
    places: Sequence[Rows], pieces: Sequence[tuple[NDArray[np.bool_], Rows]], few: Few
) -> list[Rows]:
    """What is left of places without the pieces that can only come from them; for systems too large to try all sums of a basis.

    Complete for what two pieces, and all others within the same places, give away.

    Args:
        places: disjoint sets of which each is published.
        pieces: disjoint sets that are published too, and from which places (bool) each may come.
        few: what is too few.

    Returns:
        As ``given_away``.
    """
    if not pieces:
        return []
    n = 1 + max(int(rows.max(initial=-1)) for rows in places)
    piece = np.full(n, -1, np.int64)
    for number, (_, rows) in enumerate(pieces):
        piece[rows] = number
    sources = np.stack([where for where, _ in pieces])
    # what all know to be elsewhere: a place may be used up by pieces of its own
    alone = sources.sum(axis=1) == 1
    own = [rows[~np.isin(piece[rows], np.flatnonzero(alone))] for rows in places]
    sources = sources[~alone] & np.asarray([len(rows) > 0 for rows in own])
    numbers = np.flatnonzero(~alone)
    reaches = {row.tobytes(): row for i in range(len(sources)) for row in sources[i:] | sources[i]}
    reaches |= {row.tobytes(): row for row in np.eye(len(places), dtype=bool)}
    found = []
    for reach in reaches.values():
        inside = numbers[~(sources & ~reach).any(axis=1)]
        rows = np.concatenate([own[i] for i in np.flatnonzero(reach).tolist()] or [np.empty(0, np.int64)])
        rows = rows[~np.isin(piece[rows], inside)]
        if len(rows) and few.holds_for_one(rows):
            found.append(rows)
    return found


def subtracted(numbers: Numbers, few: Few, rng: np.random.Generator, most: int = 3) -> list[Rows]:
    """The same by brute force, of which nobody needs a proof: each number with some that share conversations with it, weighed -1, 0 and 1.

    Args:
        numbers: what is published.
        few: what is too few.
        rng: chooses which others, where there are more.
        most: others at once; 2 * 3^most sums for each number.

    Returns:
        Sets that are too few for one account at least.
    """
    counts = numbers.counts.astype(np.int8)
    weights = np.asarray(list(product((0, -1, 1), repeat=most)), np.int8)
    low = np.asarray([few.holds_for_one(rows) for rows in numbers.sets], bool)
    found = []
    for i in range(len(counts)):
        beside = np.flatnonzero((numbers.counts & numbers.counts[i]).any(axis=1))
        beside = beside[beside != i]
        if len(beside) > most:
            beside = np.sort(rng.choice(beside, most, replace=False))
        total = weights[:, : len(beside)] @ counts[beside]
        total = np.concatenate([total + counts[i], total - counts[i]])
        # a set, and one of sets that are too few alone
        is_set = (total.min(axis=1) >= 0) & (total.max(axis=1) == 1) & ~(total[:, ~low] != 0).any(axis=1)
        for chosen in np.unique(total[is_set], axis=0) != 0:
            rows = np.concatenate([numbers.sets[j] for j in np.flatnonzero(chosen).tolist()])
            if len(rows) and few.holds_for_one(rows):
                found.append(rows)
    return found


def narrowed(numbers: Numbers, few: Few) -> list[Rows]:
    """Sets of which the numbers prove, as none is negative, that somebody is in them and fewer than enough; by linear programming.

    Args:
        numbers: what is published, few enough for two programs a set.
        few: what is too few; here only conversations are counted.
    """
    from scipy.optimize import linprog

    left, _ = numbers.reduced()
    if not left.sets:
        return []
    equations, sums = left.counts.astype(float), left.counts @ left.sizes()
    found = []
    for i, rows in enumerate(left.sets):
        if not 0 < len(rows) < few.min_conversations:
            continue
        goal = np.zeros(len(left.sets))
        ends = []
        for sign in (1.0, -1.0):
            goal[i] = sign
            solved = linprog(goal, A_eq=equations, b_eq=sums, bounds=(0, None), method="highs")
            ends.append(sign * float(solved.fun))
        if ends[0] > 0.5 and ends[1] < few.min_conversations - 0.5:
            found.append(rows)
    return found
