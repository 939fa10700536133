"""The arithmetic of withholding: what is dropped must not come back by subtraction.

Two constructions, both exact. The tree: rejected children fold into one nameless group a parent, and the smallest shown siblings join it
until it meets the thresholds. The breakdowns: every published number is a sum of *atoms*, each a set of conversations that meets the
thresholds by itself, and what no atom holds meets them too, so that every difference of published numbers does.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

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
    meet, and so on to the root. What is left over at a scope must be nothing or enough; otherwise the scope's smallest atom joins it. An
    atom above a leaf must not tell either what single leaves left over (``_fragile``); otherwise it is given up and its rows go further up.

    Args:
        root: the tree of scopes; leaves hold disjoint rows.
        codes: int32 (conversations,), the value of each, -1 where unknown.
        enough: whether a set of rows meets the thresholds of a cell.

    Returns:
        For each scope, conversations by value: sums of the atoms in it and below, so lower bounds of the true counts.
    """
    return counted_cuts(root, codes, enough)[0]


def counted_cuts(
    root: Scope, codes: NDArray[np.int32], enough: Enough
) -> tuple[dict[Hashable, dict[int, int]], tuple[NDArray[np.int32], ...]]:
    """As ``breakdown``, and the disjoint sets that its numbers give away, by depth.

    Returns:
        The counts, and for each depth k from the root (0) to the deepest leaf int32 (conversations,): the number of each one's set, -1 in
        none. The sets are all atoms of scopes at k or below, and what each scope at k (or leaf above) left over.
    """
    barred: set[tuple[Hashable, int]] = set()
    while True:
        counted: dict[Hashable, dict[int, int]] = {}
        pieces: list[_Piece] = []
        _count(root, 0, codes, enough, barred, counted, pieces)
        fragile = _fragile(pieces, len(codes), enough)
        if not fragile:
            break
        barred |= fragile
    cuts = []
    for depth in range(max(piece.depth for piece in pieces) + 1):
        sets: list[Rows] = []
        for piece in pieces:
            if piece.depth >= depth or piece.leaf:
                sets += piece.atoms.values()
            if piece.depth == depth or (piece.leaf and piece.depth < depth):
                sets.append(piece.rest)
        cuts.append(numbered(len(codes), sets))
    return counted, tuple(cuts)


def tree_cut(root: Scope, n: int) -> NDArray[np.int32]:
    """The finest sets that the numbers of conversations in a tree give away: its leaves, int32 (n,), -1 in none."""
    waiting, sets = [root], []
    while waiting:
        scope = waiting.pop()
        waiting += scope.children
        if not scope.children:
            sets.append(scope.rows)
    return numbered(n, sets)


def numbered(n: int, sets: Iterable[Rows]) -> NDArray[np.int32]:
    """Disjoint sets of rows as one array, int32 (n,): the number of each row's set, -1 where it is in none."""
    found = np.full(n, -1, np.int32)
    for number, rows in enumerate(sets):
        found[rows] = number
    return found


@dataclass(frozen=True, slots=True)
class _Piece:
    """What a scope at a depth adds: its own atoms by value, and what it left over; ``leaves`` are the pieces of leaves at or below it."""

    name: Hashable
    depth: int
    leaves: Sequence[int]
    atoms: Mapping[int, Rows] = field(repr=False)
    rest: Rows = field(repr=False)
    leaf: bool = False


def _count(
    scope: Scope,
    depth: int,
    codes: NDArray[np.int32],
    enough: Enough,
    barred: Container[tuple[Hashable, int]],
    counted: dict[Hashable, dict[int, int]],
    pieces: list[_Piece],
) -> tuple[dict[int, int], Rows]:
    """Fill ``counted`` and ``pieces`` (children before parents) for a scope and all below; returns its sums and its leftover rows."""
    sums: dict[int, int] = {}
    start = len(pieces)
    if scope.children:
        parts = []
        for child in scope.children:
            below, left = _count(child, depth + 1, codes, enough, barred, counted, pieces)
            parts.append(left)
            for value, count in below.items():
                sums[value] = sums.get(value, 0) + count
        pool = np.concatenate(parts)
    else:
        pool = scope.rows
    atoms, rest = _atoms(pool, codes, enough, lambda value: (scope.name, value) not in barred)
    for value, rows in atoms.items():
        sums[value] = sums.get(value, 0) + len(rows)
    counted[scope.name] = dict(sums)
    is_leaf = not scope.children
    leaves = [start] if is_leaf else [i for i in range(start, len(pieces)) if pieces[i].leaf]
    pieces.append(_Piece(scope.name, depth, leaves, atoms, rest, is_leaf))
    return sums, rest


def _fragile(pieces: Sequence[_Piece], n: int, enough: Enough) -> set[tuple[Hashable, int]]:
    """The deepest atoms above the leaves from whose parts too few could be singled out, as (scope, value).

    A leaf that counts a value itself has no part in an atom of it further up, and everybody knows. So an atom may come from some leaves
    only, and what these left over, less the atom, follows by subtraction. That is nothing or enough, together with any other atoms, if the
    atom may come from every leaf below its scope with something left over; or if what no atom counts in the leaves that it may come from is
    enough by itself (docs/design/0002-atoms.md).
    """
    gone = [set(piece.atoms) if piece.leaf else set() for piece in pieces]
    free = np.zeros(n, bool)
    for piece in pieces:
        if piece.leaf:
            free[piece.rest] = True
    partial: list[tuple[int, Rows, Hashable, int, list[int]]] = []
    for piece in (piece for piece in pieces if not piece.leaf):
        open_ = [leaf for leaf in piece.leaves if len(pieces[leaf].rest)]
        for value, rows in piece.atoms.items():
            free[rows] = False
            sources = [leaf for leaf in open_ if value not in gone[leaf]]
            if len(sources) < len(open_):
                partial.append((piece.depth, rows, piece.name, value, sources))
        for leaf in piece.leaves:
            gone[leaf] |= piece.atoms.keys()
    found: list[tuple[int, Hashable, int]] = []
    for depth, rows, name, value, sources in sorted(
        partial, key=lambda one: (-one[0], len(one[1]), str(one[2]), one[3])
    ):
        uncounted = np.concatenate([pieces[leaf].rest for leaf in sources])
        if not enough(uncounted[free[uncounted]]):
            found.append((depth, name, value))
            free[rows] = True
    # what is given up goes further up, and may make whole there what is fragile now: base rates matter most
    deepest = max((depth for depth, _, _ in found), default=0)
    return {(name, value) for depth, name, value in found if depth == deepest}


def _atoms(
    pool: Rows, codes: NDArray[np.int32], enough: Enough, allowed: Callable[[int], bool] = lambda _: True
) -> tuple[dict[int, Rows], Rows]:
    """Split rows into atoms by value, of those that are allowed, and a leftover that is empty or enough."""
    if not len(pool):
        return {}, pool
    order = np.argsort(codes[pool], kind="stable")
    pool = pool[order]
    values = codes[pool]
    bounds = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(pool)]
    atoms: dict[int, Rows] = {}
    rest = []
    for start, end in pairwise(bounds):
        value, rows = int(values[start]), pool[start:end]
        if value >= 0 and allowed(value) and enough(rows):
            atoms[value] = rows
        else:
            rest.append(rows)
    left = np.concatenate(rest) if rest else np.empty(0, np.int64)
    while atoms and len(left) and not enough(left):
        smallest = min(atoms, key=lambda value: (len(atoms[value]), value))
        left = np.concatenate([left, atoms.pop(smallest)])
    return atoms, left
