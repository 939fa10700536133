"""Releases beside one another: a new one is held against all earlier ones, those put together that share no conversation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clio.privacy.accounts import Accounts
from clio.privacy.subtraction import TREE, Released, Side, singled_out


@dataclass(frozen=True, slots=True)
class Release:
    """What is counted in a release of n conversations.

    ``id``: tells it from others; ``conversations``: uint64 (n,), a keyed hash of each, without repeats; ``needs``: by partition the users
    and conversations of a number of its own, and how many depths it has; ``cut``: reads one, by name and depth.
    """

    id: str
    conversations: NDArray[np.uint64] = field(repr=False)
    accounts: Accounts = field(repr=False)
    needs: Mapping[str, tuple[float, int, int]]
    cut: Callable[[str, int], NDArray[np.int32]] = field(repr=False)

    @staticmethod
    def of(conversations: NDArray[np.uint64], released: Released) -> Release:
        """One that is about to be published, which has no id yet."""
        parts = released.partitions
        needs = {name: (p.min_users, p.min_conversations, len(p.cuts)) for name, p in parts.items()}
        return Release(
            "", conversations, released.accounts, needs, lambda name, depth: parts[name].cuts[depth]
        )


def told_too_much(new: Release, earlier: Sequence[Release]) -> tuple[int, set[str]] | None:
    """How many groups too small to be shown a release could single out by subtraction from earlier ones, and these' ids; None if none.

    Each earlier release counts together with others that share no conversation with it, as the months of a year do, and so does the new
    one: only so is a year that lacks somebody found out by its months.

    Args:
        new: about to be published.
        earlier: all there are, the oldest first.
    """
    everyone, place = np.unique(
        np.concatenate([one.conversations for one in (new, *earlier)]), return_inverse=True
    )
    ends = np.cumsum([len(one.conversations) for one in (new, *earlier)])
    placed = [
        _Placed(one, rows) for one, rows in zip((new, *earlier), np.split(place, ends[:-1]), strict=True)
    ]
    first, inside = placed[0], np.zeros(len(everyone), bool)
    beside = _families(placed, len(everyone))[0][1:]
    for family in _families(placed[1:], len(everyone)):
        inside[:] = False
        inside[first.rows] = True
        sharing = {one.release.id for one in family if inside[one.rows].any()}
        if not sharing:
            continue
        inside[:] = False
        inside[np.concatenate([one.rows for one in family])] = True
        if found := _first(family, [first, *(one for one in beside if inside[one.rows].any())]):
            return found, sharing
    return None


@dataclass(frozen=True, slots=True)
class _Placed:
    """A release, and the numbers of its conversations among those of all releases, int64 (n,)."""

    release: Release
    rows: NDArray[np.int64] = field(repr=False)


def _families(releases: Sequence[_Placed], n: int) -> list[list[_Placed]]:
    """Releases of n conversations put together, each with the first that share none with it."""
    families: list[tuple[NDArray[np.bool_], list[_Placed]]] = []
    for one in releases:
        inside, family = next(
            (pair for pair in families if not pair[0][one.rows].any()), (np.zeros(n, bool), [])
        )
        if not family:
            families.append((inside, family))
        inside[one.rows] = True
        family.append(one)
    return [family for _, family in families]


def _first(left: Sequence[_Placed], right: Sequence[_Placed]) -> int:
    """Groups that the first two partitions of two sides could single out that could any; the first on the right is the new release."""
    sides = _Sides.of(left, right)
    if all(sum(len(one.rows) for one in side) == sides[0].n for side in (left, right)):
        return 0  # the same conversations on both sides
    needs = right[0].release.needs
    names = {name for one in (*left, *right) for name in one.release.needs}
    for name in (TREE, *sorted(names - {TREE})):
        users, conversations, _ = needs.get(name, needs[TREE])
        depths = max(_partition(one.release, name)[1] for one in (*left, *right))
        # the same depth on both sides, and the finest here against the widest there
        for here, there in sorted({*((k, k) for k in range(depths)), (0, depths - 1), (depths - 1, 0)}):
            pair = sides[0].side(name, here), sides[1].side(name, there)
            if found := singled_out(*pair, users, conversations):
                return found
    return 0


@dataclass(frozen=True, slots=True)
class _Sides:
    """Releases that share nothing, among the n conversations of a comparison."""

    n: int
    releases: Sequence[_Placed]
    account: NDArray[np.int32] = field(repr=False)
    trust: NDArray[np.float64] = field(repr=False)
    release: NDArray[np.int32] = field(repr=False)

    @staticmethod
    def of(*sides: Sequence[_Placed]) -> list[_Sides]:
        """The sides of a comparison, among the conversations of both."""
        here = np.unique(np.concatenate([one.rows for side in sides for one in side]))
        n = len(here)
        made = []
        for side in sides:
            placed = [_Placed(one.release, np.searchsorted(here, one.rows)) for one in side]
            account, release = np.full(n, -1, np.int32), np.zeros(n, np.int32)
            trust = np.zeros(n)
            for number, one in enumerate(placed):
                accounts = one.release.accounts
                account[one.rows], release[one.rows] = accounts.user, number
                known = accounts.user >= 0
                trust[one.rows[known]] = accounts.trust[accounts.user[known]]
            made.append(_Sides(n, placed, account, trust, release))
        return made

    def side(self, name: str, depth: int) -> Side:
        """The sets of a partition at a depth, or as deep as a release goes; where a release has no such partition, its tree's."""
        part = np.full(self.n, -1, np.int32)
        sets = 0
        for one in self.releases:
            found, depths = _partition(one.release, name)
            cut = one.release.cut(found, min(depth, depths - 1))
            part[one.rows] = np.where(cut >= 0, cut + sets, -1)
            sets += int(cut.max(initial=-1)) + 1
        return Side(part, self.account, self.trust, self.release)


def _partition(release: Release, name: str) -> tuple[str, int]:
    """A partition that a release has, the tree's where it lacks one, and its number of depths."""
    found = name if name in release.needs else TREE
    return found, release.needs[found][2]
