"""What is withheld must not come back by subtraction: every sum and difference of published numbers is tried."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from clio.privacy.fold import Scope, breakdown, fold_tree

ENOUGH = 4


def enough(rows: np.ndarray) -> bool:
    return len(rows) >= ENOUGH


@st.composite
def trees(draw: st.DrawFn) -> tuple[dict, dict, np.ndarray]:
    """Three levels with small random leaves, and some rows that no node holds."""
    children: dict = {None: []}
    sizes: dict[str, int] = {}
    for top in range(draw(st.integers(1, 3))):
        children[None].append(f"t{top}")
        children[f"t{top}"] = []
        for leaf in range(draw(st.integers(1, 4))):
            name = f"t{top}.{leaf}"
            children[f"t{top}"].append(name)
            sizes[name] = draw(st.integers(1, 9))
    loose = draw(st.integers(0, 5))
    order = np.arange(sum(sizes.values()) + loose)
    rows, at = {}, 0
    for name, size in sizes.items():
        rows[name] = order[at : at + size]
        at += size
    for top in children[None]:
        rows[top] = np.concatenate([rows[leaf] for leaf in children[top]])
    return children, rows, order[at:]


def cells(children: dict, rows: dict, loose: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The published sets of rows (shown nodes, other groups, all), and the finest sets that they are unions of."""
    folded = fold_tree(children, rows, loose, lambda node: enough(rows[node]), enough)
    everything = np.concatenate([*(rows[top] for top in children[None]), loose])
    shown = set(folded.shown)
    published = (
        [rows[node] for node in folded.shown] + [g for g in folded.other.values() if len(g)] + [everything]
    )
    finest = [rows[n] for n in folded.shown if not shown & set(children.get(n, ()))] + [
        g for g in folded.other.values() if len(g)
    ]
    return published, finest


@settings(max_examples=300, deadline=None)
@given(trees())
def test_no_combination_of_published_counts_isolates_fewer_than_enough(
    tree: tuple[dict, dict, np.ndarray],
) -> None:
    """Every sum of published counts with weights -1, 0, 1 that is a set of rows at all has none or enough rows."""
    published, finest = cells(*tree)
    if not enough(published[-1]):
        return
    for part in finest:
        assert enough(part)
    for weights in itertools.product((-1, 0, 1), repeat=min(len(published), 7)):
        count = np.zeros(len(published[-1]), int)
        for weight, rows in zip(weights, published, strict=False):
            count[rows] += weight
        if count.min() >= 0 and count.max() == 1:
            assert count.sum() >= ENOUGH


@settings(max_examples=200, deadline=None)
@given(trees())
def test_every_row_is_in_exactly_one_finest_set(tree: tuple[dict, dict, np.ndarray]) -> None:
    """Nothing is lost and nothing is counted twice: shown leaves and other groups partition the conversations."""
    published, finest = cells(*tree)
    if not enough(published[-1]):
        return
    assert sorted(np.concatenate(finest).tolist()) == sorted(published[-1].tolist())


def test_a_small_child_takes_the_smallest_sibling_along() -> None:
    """Dropping a child of 3 while showing parent and sibling would reveal it, so the smallest sibling is folded too."""
    rows = {"a": np.arange(57), "b": np.arange(57, 60), "c": np.arange(60, 80)}
    rows["p"] = np.concatenate([rows["a"], rows["b"], rows["c"]])
    folded = fold_tree(
        {None: ["p"], "p": ["a", "b", "c"]},
        rows,
        np.empty(0, np.int64),
        lambda n: len(rows[n]) >= ENOUGH,
        enough,
    )
    assert folded.shown == ("p", "a")
    assert folded.pulled == {"c"}
    assert len(folded.other["p"]) == 23


def scopes(draw: st.DrawFn) -> tuple[Scope, np.ndarray, list[Scope]]:
    sizes = draw(st.lists(st.lists(st.integers(4, 9), min_size=1, max_size=3), min_size=1, max_size=3))
    at, tops, leaves = 0, [], []
    for i, group in enumerate(sizes):
        own = []
        for j, size in enumerate(group):
            own.append(Scope(f"{i}.{j}", rows=np.arange(at, at + size)))
            at += size
        leaves += own
        tops.append(Scope(str(i), tuple(own)))
    codes = np.asarray(draw(st.lists(st.integers(-1, 3), min_size=at, max_size=at)), np.int32)
    return Scope(None, tuple(tops)), codes, leaves


@settings(max_examples=300, deadline=None)
@given(st.composite(scopes)())
def test_breakdown_atoms_and_leftovers_are_nothing_or_enough(
    made: tuple[Scope, np.ndarray, list[Scope]],
) -> None:
    """At every scope, what a parent counts beyond its children, and what no cell counts, is nothing or enough: no difference shows less."""
    root, codes, _ = made
    counted = breakdown(root, codes, enough)

    def check(scope: Scope) -> int:
        below = [check(child) for child in scope.children]
        size = sum(below) if scope.children else len(scope.rows)
        for value, count in counted[scope.name].items():
            beyond = count - sum(counted[child.name].get(value, 0) for child in scope.children)
            assert beyond == 0 or beyond >= ENOUGH
            true = int((codes[rows_of(scope)] == value).sum())
            assert count <= true
        left = size - sum(counted[scope.name].values())
        assert left == 0 or left >= ENOUGH
        return size

    check(root)


def rows_of(scope: Scope) -> np.ndarray:
    return np.concatenate([rows_of(child) for child in scope.children]) if scope.children else scope.rows


@settings(max_examples=150, deadline=None)
@given(st.composite(scopes)())
def test_no_small_breakdown_cell_is_determined_by_the_published_cells(
    made: tuple[Scope, np.ndarray, list[Scope]],
) -> None:
    """Seen as linear equations over all (leaf, value) counts, no small hidden cell has only one solution."""
    root, codes, leaves = made
    counted = breakdown(root, codes, enough)
    values = [-1, 0, 1, 2, 3]
    place = {(leaf.name, value): i for i, (leaf, value) in enumerate(itertools.product(leaves, values))}
    equations: list[np.ndarray] = []

    def covered(scope: Scope) -> list[Scope]:
        return [leaf for child in scope.children for leaf in covered(child)] if scope.children else [scope]

    # the atoms themselves are what the published sums give away; a leftover is known in total only
    def visit(scope: Scope) -> None:
        for child in scope.children:
            visit(child)
        row = np.zeros(len(place))
        for leaf in covered(scope):
            for value in values:
                row[place[(leaf.name, value)]] = 1
        equations.append(row)
        for value in counted[scope.name]:
            true = int((codes[rows_of(scope)] == value).sum())
            if counted[scope.name][value] == true:
                exact = np.zeros(len(place))
                for leaf in covered(scope):
                    exact[place[(leaf.name, value)]] = 1
                equations.append(exact)

    visit(root)
    matrix = np.asarray(equations)
    rank = np.linalg.matrix_rank(matrix)
    for (name, value), i in place.items():
        leaf = next(one for one in leaves if one.name == name)
        size = int((codes[leaf.rows] == value).sum())
        if 0 < size < ENOUGH:
            unit = np.zeros(len(place))
            unit[i] = 1
            determined = np.linalg.matrix_rank(np.vstack([matrix, unit])) == rank
            assert not determined
