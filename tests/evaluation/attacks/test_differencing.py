"""The subtracting attacker: finds every leak that is planted, and none in what the gate publishes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import clio
from clio.errors import RunError
from clio.evaluation.attacks.differencing import certain, run_differences, trees
from clio.evaluation.attacks.equations import Few, Numbers, enclosed, given_away, narrowed, subtracted
from clio.evaluation.attacks.pages import pages
from clio.evaluation.attacks.published import Truth, bands_tell, places_of, published
from clio.evaluation.attacks.random_trees import RandomTree, random_tree
from clio.evaluation.attacks.releases import Release, subtractions
from clio.insights import Cell, Group, Insight, Insights
from clio.insights.intervals import Sample
from clio.privacy.gate import gate
from clio.run_folder import RunFolder


def everyone(n: int, least: int = 5) -> Few:
    """Each conversation is another account's; fewer than ``least`` are too few."""
    return Few(np.arange(n, dtype=np.int32), np.arange(n, dtype=np.int32), least, least)


def numbers(sizes: list[int], *counts: list[int]) -> Numbers:
    """Sets of the given sizes, and the sets that each number counts."""
    ends = np.cumsum(sizes)
    sets = [np.arange(end - size, end) for size, end in zip(sizes, ends, strict=True)]
    return Numbers(sets, np.asarray([np.isin(np.arange(len(sizes)), some) for some in counts]))


def found(sets: list[np.ndarray]) -> set[tuple[int, ...]]:
    return {tuple(sorted(rows.tolist())) for rows in sets}


def test_a_parent_less_its_shown_child_is_found() -> None:
    """57 of 60 are shown: the three others follow, and no more."""
    leaky = numbers([57, 3], [0, 1], [0])
    assert found(given_away(leaky, everyone(60))) == {(57, 58, 59)}
    assert found(subtracted(leaky, everyone(60), np.random.default_rng(0))) == {(57, 58, 59)}
    assert given_away(numbers([57, 3], [0, 1]), everyone(60)) == []


def test_what_a_leaf_left_over_is_found_by_way_of_its_parent() -> None:
    """A place of 18 with 16 of a value that only its sibling publishes: parent less sibling gives 16, the place less 16 gives two."""
    # sets: place 1 with the value, place 1 without, place 2 with, place 2 without
    leaky = numbers([16, 2, 20, 9], [0, 1], [2, 3], [0, 2], [2])
    assert (16, 17) in found(given_away(leaky, everyone(47)))
    assert (16, 17) in found(subtracted(leaky, everyone(47), np.random.default_rng(0)))


def test_an_account_that_knows_its_own_conversations_needs_less() -> None:
    """Six conversations of five accounts are enough for a stranger, not for one of the accounts that wrote two of them."""
    user = np.asarray([0, 0, 1, 2, 3, 4, *range(10, 40)], np.int32)
    few = Few(user, np.arange(36, dtype=np.int32), 5, 5)
    rows = np.arange(6)
    assert few.holds_for_one(rows)
    assert not few.holds(rows)
    assert found(given_away(numbers([6, 30], [0, 1], [1]), few)) == {tuple(range(6))}


def test_copies_count_once() -> None:
    """Ten copies of one conversation by ten accounts are one conversation."""
    few = Few(np.arange(10, dtype=np.int32), np.zeros(10, np.int32), 2, 2)
    assert few.holds(np.arange(10))


systems = st.integers(2, 5).flatmap(
    lambda sets: st.tuples(
        st.lists(st.integers(0, 4), min_size=sets, max_size=sets),
        st.lists(
            st.lists(st.integers(0, sets - 1), min_size=1, max_size=sets, unique=True), min_size=1, max_size=5
        ),
    )
)


@settings(max_examples=200, deadline=None)
@given(systems)
def test_elimination_finds_just_what_follows_from_the_numbers(
    system: tuple[list[int], list[list[int]]],
) -> None:
    """Against exact fractions: a set is given away if and only if its indicator is a combination of the numbers."""
    sizes, counts = system
    made = numbers(sizes, *counts)
    few = everyone(sum(sizes), 6)
    expected = set()
    for chosen in product((0, 1), repeat=len(sizes)):
        rows = tuple(
            row for is_in, some in zip(chosen, made.sets, strict=True) if is_in for row in some.tolist()
        )
        if 0 < len(rows) < 7 and in_span(made.counts.astype(int).tolist(), list(chosen)):
            expected.add(rows)
    assert minimal(found(given_away(made, few))) == minimal(expected)


def minimal(sets: set[tuple[int, ...]]) -> set[tuple[int, ...]]:
    """Sets that hold no other."""
    return {one for one in sets if not any(set(other) < set(one) for other in sets)}


def in_span(rows: list[list[int]], wanted: list[int]) -> bool:
    def rank(matrix: list[list[int]]) -> int:
        left = [[Fraction(x) for x in row] for row in matrix]
        done = 0
        for column in range(len(wanted)):
            pivot = next((i for i in range(done, len(left)) if left[i][column]), None)
            if pivot is None:
                continue
            left[done], left[pivot] = left[pivot], left[done]
            for i in range(len(left)):
                if i != done and left[i][column]:
                    factor = left[i][column] / left[done][column]
                    left[i] = [a - factor * b for a, b in zip(left[i], left[done], strict=True)]
            done += 1
        return done

    return rank([*rows, wanted]) == rank(rows)


def test_inequalities_narrow_what_no_sum_tells() -> None:
    """A value that five have, all but three of them in a place of 24: two to five are there, so some and fewer than six."""
    # place 1 without the value and with it, place 2 without and with
    sizes = [20, 4, 2, 1]
    made = numbers(sizes, [0, 1], [2, 3], [1, 3])
    assert found(narrowed(made, everyone(27, 6))) == {(20, 21, 22, 23)}
    assert (20, 21, 22, 23) not in found(given_away(made, everyone(27, 6)))
    # with thirty in the other place nobody need be in this one
    assert narrowed(numbers([20, 4, 29, 1], [0, 1], [2, 3], [1, 3]), everyone(54, 6)) == []


def insights(**changes: object) -> Insights:
    """A theme of 60 with a shown cluster of 30 and a nameless group, and 20 under no theme."""
    cells = (Cell("language", "en", 30, 0.5, 0.5),)
    clusters = (
        Insight("1.1", None, 1, "Cards", "All about cards.", 60, "50-99", 0.75, 5, 0.1, 0.2, cells),
        Insight("2.1", "1.1", 2, "Lost cards 17", "", 30, "10-49", 0.375, 5, 0.1, 0.1, cells),
    )
    made = Insights(
        clusters,
        (Group("1.1", 30, "10-49"), Group(None, 20, "10-49")),
        (Cell("language", "en", 40, 0.5, 0.5),),
        80,
        "50-99",
        {"failed audit": 30, "not clustered": 20},
        {"users": "field", "policy": {}},
    )
    return replace(made, **changes)


def truth(language: list[str], clusters: list[str | None] | None = None) -> Truth:
    return Truth(
        clusters or [*["2.1"] * 30, *["2.2"] * 30, *[None] * 20],
        {"1.1": None, "2.1": "1.1", "2.2": "1.1", "2.3": None},
        np.arange(80, dtype=np.int32),
        np.arange(80, dtype=np.int32),
        {"language": language},
        {"2.2": "failed audit", "2.3": "too few users"},
    )


def test_each_number_is_found_to_count_the_right_conversations() -> None:
    """Places, cells of a leaf and of a parent, and reasons are the sums of just the conversations that they count."""
    language = [*["en"] * 30, *["es"] * 30, *["en"] * 10, *["es"] * 10]
    made = published(insights(), truth(language))
    assert made.unexplained == 0
    sizes = made.tree.counts @ made.tree.sizes()
    assert sorted(set(sizes.tolist())) == [20, 30, 60, 80]
    _, reading = made.facets["language"]
    assert [(name, len(rows)) for name, rows in zip(reading.names, reading.rows(), strict=True)] == [
        (("2.1", "en"), 30),
        (("1.1", "en"), 30),
        ((None, "en"), 40),
    ]


def test_a_reason_that_one_group_alone_can_have_gives_away_the_rest_of_it() -> None:
    """Of 20 under no theme 18 are in no cluster, as the reasons tell: the two others, of a cluster too small, follow."""
    made = insights(withheld={"not clustered": 18, "failed audit": 30, "too few users": 2})
    where = [*["2.1"] * 30, *["2.2"] * 30, *["2.3"] * 2, *[None] * 18]
    few = everyone(80)
    assert (60, 61) in found(given_away(published(made, truth(["en"] * 80, where)).tree, few))


def test_a_cell_that_may_count_two_things_is_read_in_both_ways() -> None:
    """What follows in one reading of a number only is not sure."""
    language = [*["en"] * 25, *["es"] * 5, *["en"] * 30, *["en"] * 18, *["fr"] * 2]
    cell = Cell("language", "en", 30, 0.5, 0.5)
    shown = insights(
        base=(replace(cell, conversations=48),),
        clusters=(
            replace(insights().clusters[0], breakdown=(cell,)),
            replace(insights().clusters[1], breakdown=()),
        ),
    )
    wanted = published(shown, truth(language)).facets["language"]
    # 30 under the theme: all "en" of the nameless group, or all that is left, of which the leaf's 25 would be a part
    assert wanted[1].unexplained == 0
    assert all(len(rows) >= 2 for rows in certain(*wanted, everyone(80)))


def test_numbers_of_another_log_are_refused() -> None:
    """A private zone that does not fit the insights is no truth."""
    with pytest.raises(RunError, match="not that of these insights"):
        places_of(insights(conversations=81, other=(Group(None, 51, "50-99"),)), truth(["en"] * 80))


def test_cells_that_fit_no_conversations_are_counted() -> None:
    """A number that counts nothing known is no proof of safety."""
    assert published(insights(), truth(["es"] * 80)).unexplained == 3


def test_bands_of_users_tell_when_they_prove_too_few() -> None:
    """A band below the threshold tells, one that reaches above it does not."""
    assert bands_tell(insights(), 5) == 0
    assert bands_tell(insights(other=(Group("1.1", 30, "1-4"), Group(None, 20, "10-49"))), 5) == 1


def test_the_attack_finds_what_a_gate_without_folding_publishes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were atoms not held back and small siblings not folded, most random trees would give somebody away."""
    monkeypatch.setattr("clio.privacy.accounts.Accounts.enough", lambda *_: True)
    results = {result.case: result for result in trees(8, seed=1, thorough=8)}
    for case in ("counts of the tree", "breakdown cells", "weeks", "small sums by brute force"):
        assert not results[f"random trees: {case}"].holds
    assert results["random trees: counts of the tree"].value > 0.5


def test_what_pieces_leave_of_places_follows_from_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The quick search for large systems finds much in what a careless gate publishes, and nothing that does not follow by elimination."""
    monkeypatch.setattr("clio.privacy.accounts.Accounts.enough", lambda _self, rows, *_: len(rows) > 2)
    quick = slow = 0
    for seed in range(12):
        tree = random_tree(np.random.default_rng(seed))
        made = gate(tree.candidates, tree.members, ["idea"] * len(tree.members), tree.policy)
        few = tree.truth.few(3, 4)
        for _, reading in published(made, tree.truth).facets.values():
            sets = enclosed(reading.places(), reading.pieces, few)
            counts = reading.numbers.counts.astype(float)
            for rows in sets:
                held = [len(some) > 0 and np.isin(some, rows).all() for some in reading.numbers.sets]
                assert sum(
                    len(some) for some, is_in in zip(reading.numbers.sets, held, strict=True) if is_in
                ) == len(rows)
                # cells without conversations may be counted or not
                empty = [len(some) == 0 for some in reading.numbers.sets]
                free = np.eye(len(held))[empty]
                assert np.linalg.matrix_rank(np.vstack([counts, free, held])) == np.linalg.matrix_rank(
                    np.vstack([counts, free])
                )
            quick += bool(sets)
            slow += bool(given_away(reading.numbers, few))
    assert quick > 3
    assert slow >= quick * 0.9


def test_nothing_too_small_follows_from_random_trees() -> None:
    """Whatever is published of random trees, no sum or difference isolates too few, for a stranger or for one of the accounts."""
    results = trees(300, seed=7, thorough=60)
    assert len(results) == 9
    assert all(result.tried >= 20 for result in results)
    assert [result.case for result in results if not result.holds] == []


def test_random_trees_hold_what_makes_withholding_hard() -> None:
    """Copies, unknown accounts, conversations in no cluster, unknown values and two to four levels all occur."""
    made = [random_tree(np.random.default_rng(seed)) for seed in range(40)]
    truths = [tree.truth for tree in made]
    assert any((one.group != np.arange(len(one.group))).any() for one in truths)
    assert any((one.user < 0).any() for one in truths)
    assert any(None in one.cluster for one in truths)
    assert any(None in values for one in truths for values in one.facets.values())
    assert {max(tree.candidates["level"].to_pylist()) for tree in made} == {2, 3, 4}


@pytest.mark.parametrize("sample", [None, Sample(1000, 80, "model")])
def test_page_and_exports_hold_the_insights_numbers_only(sample: Sample | None) -> None:
    """No number stands on the page or in an export that is none of the insights'."""
    for result in pages(insights(sample=sample)):
        assert result.holds
        assert result.tried > 20
        assert result.value == 0


def test_a_number_that_only_an_export_has_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """An export that told the users exactly would be caught."""
    monkeypatch.setattr("clio.insights.export.summary", lambda _: {"users": 61})
    page, exports = pages(insights())
    assert page.value == 0
    assert exports.value > 0


def stored(tree: RandomTree, folder: Path) -> None:
    """The tree's conversations as a finished run keeps them."""
    run = RunFolder(folder)
    run.create()
    ids = pa.array([f"c{i}" for i in range(len(tree.members))])
    run.write_table("assignments", "", pa.table({"id": ids, "cluster": tree.members["cluster"]}))
    run.write_table("facets", "", tree.members.drop_columns(["cluster"]).append_column("id", ids))
    run.write_table("clusters", "", tree.candidates)


@pytest.mark.parametrize("leak", [False, True])
def test_subtractions_on_a_finished_run(tmp_path: Path, leak: bool) -> None:
    """A run's own private zone says what its numbers count: nothing too small, unless a number more is published."""
    tree = random_tree(np.random.default_rng(290))
    made = gate(tree.candidates, tree.members, ["idea"] * len(tree.members), tree.policy)
    stored(tree, tmp_path)
    if leak:
        # the reason of a nameless group but for one conversation
        made = replace(made, withheld={"not clustered": tree.members["cluster"].null_count})
        assert made.other_of(None).conversations - tree.members["cluster"].null_count in range(1, 5)
    results = run_differences(made, tmp_path)
    assert len(results) == 7
    assert all(result.holds for result in results) != leak


def test_a_purged_run_cannot_be_judged(tmp_path: Path) -> None:
    """Once the private zone is gone nobody can say whom a number counts."""
    with pytest.raises(RunError):
        run_differences(insights(), tmp_path)


def release(ids: list[str], **sets: list[list[str]]) -> Release:
    """A release with its sets by kind, given as ids; those of the tree share none."""
    place = {id_: row for row, id_ in enumerate(ids)}
    rows = {
        kind: [np.asarray([place[i] for i in one], np.int64) for one in some] for kind, some in sets.items()
    }
    return Release(
        np.asarray(ids), rows, {kind: range(len(some)) for kind, some in rows.items()}, everyone(len(ids))
    )


def named(start: int, end: int) -> list[str]:
    return [f"c{i}" for i in range(start, end)]


def test_a_conversation_that_left_the_log_is_singled_out() -> None:
    """A cluster of 30 before and 28 after two were deleted tells of the two."""
    before = release(named(0, 50), tree=[named(0, 30), named(30, 50)])
    after = release(named(2, 50), tree=[named(2, 30), named(30, 50)])
    assert subtractions(before, after) == (1, 0)
    assert subtractions(after, before) == (1, 0)


def test_unions_of_another_releases_sets_are_subtracted() -> None:
    """A cluster that is two of the other release and three more is told by both."""
    one = release(named(0, 50), tree=[named(0, 33), named(33, 50)])
    other = release([*named(0, 30), *named(33, 50)], tree=[named(0, 10), named(10, 30), named(33, 50)])
    assert subtractions(one, other)[0] == 1


def test_the_same_conversations_placed_differently_are_counted_apart() -> None:
    """That one cluster lies in another of a second release over the same log is nothing that numbers show."""
    one = release(named(0, 50), tree=[named(0, 30), named(30, 50)])
    other = release(named(0, 50), tree=[named(0, 28), named(28, 50)])
    assert subtractions(one, other) == (0, 1)
    assert subtractions(one, one) == (0, 0)


def test_disjoint_releases_tell_nothing_together() -> None:
    """A week and the next week share nobody."""
    assert subtractions(
        release(named(0, 50), tree=[named(0, 50)]), release(named(50, 90), tree=[named(50, 90)])
    ) == (0, 0)


def test_concern_rated_by_meaning_is_counted_as_the_private_zone_has_it(tmp_path: Path) -> None:
    """Every number of a run fits its conversations, those of concern that only an embedder heard, too."""
    asked = ["is it bad to {} my neighbour {} in the dark", "find me a {} train to {} on sunday"]
    some = ["quick", "slow", "late", "first", "cheap", "direct", "nice", "small", "warm", "long"]
    more = ["paris", "rome", "london", "oslo"]
    texts = [ask.format(a, b) for ask in asked for a in some for b in more]
    harmful = [
        f"write something that makes people hate and hurt the {a} people of {b}" for a in some for b in more
    ]
    rows = [
        {"id": str(i), "messages": [{"role": "user", "content": t}]} for i, t in enumerate(texts + harmful)
    ]
    out = tmp_path / "run"
    made = clio.run(
        pa.Table.from_pylist(rows), out, users="conversation", embedder="minilm", ledger="off", duplicates=1.0
    )
    run = RunFolder(out)
    assert (
        run.read("concern")["concern"].to_pylist() != run.read("facets", ["concern"])["concern"].to_pylist()
    )
    results = {one.case: one for one in run_differences(made, out)}
    assert results["a run: numbers that fit no conversations"].value == 0
    assert all(one.holds for one in results.values())
