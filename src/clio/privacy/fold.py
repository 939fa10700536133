"""The arithmetic of withholding: what is dropped must not come back by subtraction.

Two constructions, both exact. The tree: rejected children fold into one nameless group a parent, and the smallest shown siblings join it
until it meets the thresholds. The breakdowns: every published number is a sum of *atoms*, each a set of conversations that meets the
thresholds by itself, and what no atom holds meets them too, so that every difference of published numbers does.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
#: whether a set of rows may stand as a number of its own
Enough = Callable[[Rows], bool]


@dataclass(frozen=True, slots=True)
class Folded:
    """What may be shown of a tree.

    ``shown``: nodes, a parent before its children; ``other``: rows of the nameless group of each parent (None: the root) that has
    one; ``pulled``: nodes folded only to hide a small sibling.
    """

    shown: tuple[str, ...]
    other: Mapping[str | None, Rows] = field(repr=False)
    pulled: frozenset[str]


def fold_tree(
    children: Mapping[str | None, Sequence[str]],
    rows: Mapping[str, Rows],
    loose: Rows,
    fit: Callable[[str], bool],
    enough: Enough,
) -> Folded:
    """Decide which nodes of a tree are shown, so that no difference of shown numbers isolates fewer than enough.

    Args:
        children: nodes by parent; None holds the top.
        rows: conversations under each node (disjoint among siblings).
        loose: conversations under the root that no node holds.
        fit: whether a node may be shown for itself (thresholds, audit, text).
        enough: whether a set of rows meets the thresholds.

    Returns:
        The shown nodes and the other groups. A parent none of whose children is shown is a leaf and has no group.
    """
    shown: list[str] = []
    other: dict[str | None, Rows] = {}
    pulled: set[str] = set()
    waiting: list[str | None] = [None]
    while waiting:
        parent = waiting.pop()
        own = children.get(parent, ())
        kept = [node for node in own if fit(node)]
        rest = [rows[node] for node in own if node not in set(kept)]
        if parent is None and len(loose):
            rest.append(loose)
        hidden = np.concatenate(rest) if rest else np.empty(0, np.int64)
        while kept and len(hidden) and not enough(hidden):
            smallest = min(kept, key=lambda node: (len(rows[node]), node))
            kept.remove(smallest)
            pulled.add(smallest)
            hidden = np.concatenate([hidden, rows[smallest]])
        if not kept:
            if parent is None:
                other[None] = hidden
            continue
        if len(hidden):
            other[parent] = hidden
        shown += kept
        waiting += reversed(kept)
    return Folded(tuple(shown), other, frozenset(pulled))


@dataclass(frozen=True, slots=True)
class Scope:
    """One place where atoms are counted: a shown node, an other group, or the root; its rows are its own (a leaf's) or its children's."""

    name: Hashable
    children: tuple[Scope, ...] = ()
    rows: Rows = field(default_factory=lambda: np.empty(0, np.int64), repr=False)


def breakdown(root: Scope, codes: NDArray[np.int32], enough: Enough) -> dict[Hashable, dict[int, int]]:
    """Count one facet's values in every scope of a tree by atoms.

    At a leaf, values with enough rows become atoms; the rest is left over and goes to the parent, where the leftovers of all children
    meet, and so on to the root. What is left over at a scope must be nothing or enough; otherwise the scope's smallest atom joins it.

    Args:
        root: the tree of scopes; leaves hold disjoint rows.
        codes: int32 (conversations,), the value of each, -1 where unknown.
        enough: whether a set of rows meets the thresholds of a cell.

    Returns:
        For each scope, conversations by value: sums of the atoms in it and below, so lower bounds of the true counts.
    """
    return counted_parts(root, codes, enough)[0]


@dataclass(frozen=True, slots=True)
class Parts:
    """The sets that one facet's published numbers are sums of; disjoint, and together all rows.

    ``leaves``: of each leaf, its atoms and what it left over; ``whole``: all atoms, and what is left over at the root.
    """

    leaves: Sequence[Rows] = field(repr=False)
    whole: Sequence[Rows] = field(repr=False)


def counted_parts(
    root: Scope, codes: NDArray[np.int32], enough: Enough
) -> tuple[dict[Hashable, dict[int, int]], Parts]:
    """As ``breakdown``, and the sets of rows that its numbers are sums of."""
    counted: dict[Hashable, dict[int, int]] = {}
    leaves: list[Rows] = []
    whole: list[Rows] = []
    rest = _count(root, codes, enough, counted, leaves, whole)[1]
    return counted, Parts(leaves, [*whole, rest] if len(rest) else whole)


def numbered(n: int, sets: Iterable[Rows]) -> NDArray[np.int32]:
    """Disjoint sets of rows as one array, int32 (n,): the number of each row's set, -1 where it is in none."""
    found = np.full(n, -1, np.int32)
    for number, rows in enumerate(sets):
        found[rows] = number
    return found


def _count(
    scope: Scope,
    codes: NDArray[np.int32],
    enough: Enough,
    counted: dict[Hashable, dict[int, int]],
    leaves: list[Rows],
    whole: list[Rows],
) -> tuple[dict[int, int], Rows]:
    """Fill ``counted``, ``leaves`` and ``whole`` for a scope and all below; returns its sums and its leftover rows."""
    sums: dict[int, int] = {}
    if scope.children:
        parts = []
        for child in scope.children:
            below, left = _count(child, codes, enough, counted, leaves, whole)
            parts.append(left)
            for value, count in below.items():
                sums[value] = sums.get(value, 0) + count
        pool = np.concatenate(parts)
    else:
        pool = scope.rows
    atoms, rest = _atoms(pool, codes, enough)
    whole += atoms.values()
    if not scope.children:
        leaves += [*atoms.values(), rest] if len(rest) else atoms.values()
    for value, rows in atoms.items():
        sums[value] = sums.get(value, 0) + len(rows)
    counted[scope.name] = dict(sums)
    return sums, rest


def _atoms(pool: Rows, codes: NDArray[np.int32], enough: Enough) -> tuple[dict[int, Rows], Rows]:
    """Split rows into atoms by value and a leftover that is empty or enough."""
    if not len(pool):
        return {}, pool
    order = np.argsort(codes[pool], kind="stable")
    pool = pool[order]
    values, starts = np.unique(codes[pool], return_index=True)
    atoms: dict[int, Rows] = {}
    rest = []
    for value, rows in zip(values.tolist(), np.split(pool, starts[1:]), strict=True):
        if value >= 0 and enough(rows):
            atoms[value] = rows
        else:
            rest.append(rows)
    left = np.concatenate(rest) if rest else np.empty(0, np.int64)
    while atoms and len(left) and not enough(left):
        smallest = min(atoms, key=lambda value: (len(atoms[value]), value))
        left = np.concatenate([left, atoms.pop(smallest)])
    return atoms, left
