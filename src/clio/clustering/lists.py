"""Many lists of few things: what is counted in them is counted by the things' numbers, an array at a time."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

_Thing = TypeVar("_Thing", bound=Hashable)
_Number = TypeVar("_Number", bound=np.generic)


@dataclass(frozen=True)
class Lists(Generic[_Thing]):
    """n lists of things that repeat each other: every thing once, and the lists, one after the other, by their numbers.

    ``numbers`` int32; ``bounds`` int64 (n + 1,), where each list begins, and the last one ends.
    """

    things: list[_Thing] = field(repr=False)
    numbers: NDArray[np.int32] = field(repr=False)
    bounds: NDArray[np.int64] = field(repr=False)

    @staticmethod
    def of(lists: Iterable[Iterable[_Thing]]) -> Lists[_Thing]:
        """Number the things in the order in which they come."""
        growing = Growing[_Thing]()
        for some in lists:
            growing.add(some)
        return growing.lists()

    def __getitem__(self, row: int) -> list[_Thing]:
        """One of the lists."""
        return [self.things[i] for i in self.numbers[self.bounds[row] : self.bounds[row + 1]].tolist()]

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def rows(self) -> NDArray[np.int64]:
        """For each of ``numbers`` which list it is in."""
        return np.repeat(np.arange(len(self)), np.diff(self.bounds))

    def places(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where in ``numbers`` the lists of some rows stand, and for each place which of the rows it is."""
        sizes = self.bounds[rows + 1] - self.bounds[rows]
        ends = np.cumsum(sizes)
        which = np.repeat(np.arange(len(rows)), sizes)
        return np.arange(len(which)) + (self.bounds[rows] - ends + sizes)[which], which


class _Numbers(dict[_Thing, int]):
    """A number for each thing, given when it is first asked for."""

    def __missing__(self, thing: _Thing) -> int:
        number = self[thing] = len(self)
        return number


class Growing(Generic[_Thing]):
    """Lists that come one by one."""

    def __init__(self) -> None:
        self._seen = _Numbers[_Thing]()
        self._flat, self._bounds = array("i"), array("q", [0])

    def add(self, some: Iterable[_Thing]) -> None:
        """Add one."""
        self._flat.extend(map(self._seen.__getitem__, some))
        self._bounds.append(len(self._flat))

    def lists(self) -> Lists[_Thing]:
        """All that were added, in their order."""
        return Lists(list(self._seen), np.asarray(self._flat, np.int32), np.asarray(self._bounds, np.int64))


def distinct(numbers: NDArray[_Number]) -> NDArray[_Number]:
    """Each number once, ascending."""
    ordered = np.sort(numbers)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered


def lists_with(numbers: NDArray[Any], lists: NDArray[np.int64]) -> dict[int, int]:
    """In how many lists each number stands, if one of them stands in each of some ``lists``."""
    known = distinct(numbers)
    once = distinct(lists * max(1, len(known)) + np.searchsorted(known, numbers)) % max(1, len(known))
    return dict(zip(known.tolist(), np.bincount(once, minlength=len(known)).tolist(), strict=True))
