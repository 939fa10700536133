"""Differencing: what is withheld is sought by adding and subtracting published numbers, over random trees and over a real run.

The attacker holds published bytes. A success is a set of conversations whose size follows exactly, and behind which are fewer accounts
or conversations than the policy asks of a cluster or a cell; whose they are is read off the private zone afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from clio.errors import PrivacyError, RunError
from clio.evaluation.attacks import Result, share
from clio.evaluation.attacks.equations import Few, Rows, enclosed, given_away, narrowed, subtracted
from clio.evaluation.attacks.published import Cells, Published, Reading, Truth, bands_tell, published
from clio.evaluation.attacks.random_trees import random_tree
from clio.insights import Insights
from clio.privacy.gate import gate
from clio.progress import Advance, silent
from clio.run_folder import RunFolder

_ATTACK = "differencing"
_COUNTS, _CELLS, _WEEKS = "counts of the tree", "breakdown cells", "weeks"
_OWN = "an account subtracts its own"
_FORCED = "small sums by brute force"
_UNEXPLAINED = "numbers that fit no conversations"
_BANDS = "bands of users"
_NARROWED = "narrowed by inequalities"
_NESTED = "a facet's value within another facet's"
#: what is tried, and what is promised of it
_CASES: Mapping[str, float | None] = {
    _COUNTS: 0.0,
    _CELLS: 0.0,
    _WEEKS: 0.0,
    _OWN: 0.0,
    _FORCED: 0.0,
    _UNEXPLAINED: 0.0,
    _BANDS: 0.0,
    _NARROWED: None,
    _NESTED: None,
}
_WEEK = "week"
# numbers beside the first in a sum by brute force
_SUMMED = 3
# open cells of a facet of which all readings are tried, and readings tried where there are more
_ALL_READINGS, _SOME_READINGS = 6, 64
# sets in a system that linear programs are asked about: two programs a set
_NARROWED_SETS = 60


def trees(
    count: int = 10_000, seed: int = 0, *, thorough: int = 1_000, progress: Advance = silent
) -> list[Result]:
    """Publish random trees through the real gate and subtract.

    Args:
        count: trees to be published; one that the gate refuses altogether publishes nothing, and another is drawn.
        seed: of the trees.
        thorough: on how many of the trees brute force and inequalities are tried too.
        progress: called with the number of trees done.

    Returns:
        The share of trees in which something was isolated, by kind of number.
    """
    succeeded: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    made = refused = 0
    while made < count:
        rng = np.random.default_rng([seed, made + refused])
        tree = random_tree(rng)
        try:
            insights = gate(tree.candidates, tree.members, ["idea"] * len(tree.members), tree.policy)
        except PrivacyError:
            refused += 1
            continue
        found, _ = _attacked(insights, tree.truth, asdict(tree.policy), rng if made < thorough else None)
        succeeded.update({case: number > 0 for case, number in found.items()})
        tried.update(found.keys())
        made += 1
        progress(1)
    note = f"random trees through the gate, which refused {refused} more altogether"
    return [
        share(_ATTACK, f"random trees: {case}", succeeded[case], tried[case], limit, note)
        for case, limit in _CASES.items()
        if tried[case]
    ]


def run_differences(insights: Insights, folder: Path, key_command: str | None = None) -> list[Result]:
    """The same subtractions on a finished run that still has its private zone.

    Args:
        insights: what it published.
        folder: the run folder.
        key_command: prints the key of its private zone.

    Returns:
        Isolated sets for each published number, by kind of number.

    Raises:
        RunError: the private zone is gone, or not that of these insights.
    """
    truth = truth_of(insights, folder, key_command)
    found, numbers = _attacked(insights, truth, _policy(insights), None)
    return [
        share(_ATTACK, f"a run: {case}", min(found[case], numbers[case]), numbers[case], limit)
        for case, limit in _CASES.items()
        if case in found and numbers[case]
    ]


def _policy(insights: Insights) -> Mapping[str, Any]:
    found = insights.about.get("policy")
    if not isinstance(found, Mapping):
        raise RunError("the insights do not say by which policy they were made; run it again")
    return found


def truth_of(insights: Insights, folder: Path, key_command: str | None = None) -> Truth:
    """Where every conversation of a run is; private.

    Args:
        insights: what the run published.
        folder: the run folder.
        key_command: prints the key of its private zone.

    Raises:
        RunError: the private zone is gone, or locked.
    """
    run = RunFolder(folder, key_command)
    assigned, candidates = run.read("assignments"), run.read("clusters", ["id", "parent"])
    names = sorted({cell.facet for cell in (*insights.base, *(c for one in insights for c in one.breakdown))})
    account = "part_of" if insights.about.get("users") == "conversation" else "user"
    table = run.read("facets", ["id", account, "duplicate", *names])
    if "concern" in names and run.file("concern").exists():
        # rated by meaning, too, after the other facets
        rated = run.read("concern")["concern"]
        table = table.set_column(table.column_names.index("concern"), "concern", rated)
    if assigned["id"] != table["id"]:
        raise RunError(f"{folder}: its stages are of different logs; run it again")
    codes = table[account].combine_chunks().dictionary_encode().indices
    user = np.asarray(codes.fill_null(-1).to_numpy(zero_copy_only=False), np.int32)
    return Truth(
        assigned["cluster"].to_pylist(),
        dict(zip(candidates["id"].to_pylist(), candidates["parent"].to_pylist(), strict=True)),
        user,
        np.asarray(table["duplicate"].to_numpy(), np.int32),
        {name: table[name].cast(pa.string()).to_pylist() for name in names},
    )


def _attacked(
    insights: Insights, truth: Truth, policy: Mapping[str, Any], rng: np.random.Generator | None
) -> tuple[dict[str, int], dict[str, int]]:
    """How much each kind of subtraction isolates, and how many numbers there were; brute force and inequalities only with ``rng``."""
    made = published(insights, truth)
    few = truth.few(policy["min_users"], policy["min_conversations"])
    # a whole cluster is a cell of each facet that has one value in it
    few_cells = truth.few(
        min(policy["min_users"], policy["min_cell_users"]),
        min(policy["min_conversations"], policy["min_cell_conversations"]),
    )
    sets: dict[str, list[Rows]] = {_COUNTS: given_away(made.tree, few), _CELLS: [], _WEEKS: []}
    numbers = {_COUNTS: len(made.tree.counts), _CELLS: 0, _WEEKS: 0}
    for facet, (cells, reading) in made.facets.items():
        case = _WEEKS if facet == _WEEK else _CELLS
        sets[case] += certain(cells, reading, few_cells)
        numbers[case] += len(reading.numbers.counts)
    judges = {_COUNTS: few, _CELLS: few_cells, _WEEKS: few_cells}
    found = {case: sum(judges[case].holds(rows) for rows in some) for case, some in sets.items()}
    found[_OWN] = sum(map(len, sets.values()))
    found[_UNEXPLAINED] = made.unexplained
    found[_BANDS] = bands_tell(insights, few.min_users)
    readings = {facet: reading for facet, (_, reading) in made.facets.items()}
    found[_NESTED] = _nested(readings, few_cells)
    numbers |= dict.fromkeys((_OWN, _UNEXPLAINED, _NESTED), sum(numbers.values()))
    numbers[_BANDS] = len(insights) + len(insights.other)
    if rng is not None:
        sure = {_key(rows) for some in sets.values() for rows in some}
        forced = subtracted(made.tree, few, rng, _SUMMED)
        forced += [r for one in readings.values() for r in subtracted(one.numbers, few_cells, rng, _SUMMED)]
        found[_FORCED] = sum(_key(rows) in sure for rows in forced)
        numbers[_FORCED] = numbers[_OWN]
        small = [one.numbers for one in readings.values() if len(one.numbers.sets) <= _NARROWED_SETS]
        found[_NARROWED] = sum(len(narrowed(one, few_cells)) for one in small)
        numbers[_NARROWED] = sum(len(one.counts) for one in small)
    return {case: number for case, number in found.items() if numbers[case]}, numbers


def certain(cells: Cells, first: Reading, few: Few) -> list[Rows]:
    """The sets of a facet that are given away in every reading of its cells.

    Args:
        cells: what is published.
        first: one reading.
        few: what is too few.
    """
    found = _given_away(first, few)
    for choice in _readings(first.open) if found else ():
        again = {_key(rows) for rows in _given_away(cells.read(choice), few)}
        found = [rows for rows in found if _key(rows) in again]
        if not found:
            break
    return list({_key(rows): rows for rows in found}.values())


def _given_away(reading: Reading, few: Few) -> list[Rows]:
    return [*given_away(reading.numbers, few), *enclosed(reading.places(), reading.pieces, few)]


def _readings(open_: int) -> Iterator[Callable[[], bool]]:
    """Ways to choose in open cells, all or many; a reading may meet more or fewer of them than another."""
    if open_ <= _ALL_READINGS:
        choices = [list(bits) for bits in product((True, False), repeat=open_)]
    else:
        rng = np.random.default_rng(0)
        choices = [[True] * open_, *(rng.random((_SOME_READINGS, open_)) < 0.5).tolist()]
    for bits in choices:
        yield partial(next, iter(bits), False)


def _key(rows: Rows) -> bytes:
    return np.sort(rows).tobytes()


def _nested(first: Mapping[str, Reading], few: Few) -> int:
    """How often a cell's conversations happen to be all in a cell of another facet that holds too few besides.

    Nobody sees that in the numbers; but where every city lies in one country, anybody knows.
    """
    by_scope: dict[str | None, list[tuple[str, frozenset[int]]]] = {}
    for facet, reading in first.items():
        for (node, _), rows in zip(reading.names, reading.rows(), strict=True):
            by_scope.setdefault(node, []).append((facet, frozenset(rows.tolist())))
    return sum(
        few.holds(np.asarray(sorted(outer - inner), np.int64))
        for sets in by_scope.values()
        for (one, outer), (other, inner) in product(sets, sets)
        if one != other and inner < outer
    )


__all__ = ["Published", "certain", "run_differences", "trees", "truth_of"]
