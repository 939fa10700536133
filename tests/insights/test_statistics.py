"""What is unusual of a cluster: intervals that cover, marks that are rarely false, and nothing that rests on what is withheld."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binomtest, fisher_exact
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from clio.insights import Cell, Group, Insight, Insights
from clio.insights.intervals import difference_intervals, ratio_intervals, share_intervals
from clio.insights.statistics import FALSE_FINDINGS, MEAN_NEEDS, Statistics, _measured, tails
from clio.privacy.fold import Scope, breakdown

TABLES = [(10, 100, 30, 120), (1, 40, 3, 9000), (250, 300, 4000, 9000), (17, 20, 18, 20), (5, 60, 0, 300)]


def leaf(id_: str, size: int, total: int, cells: dict[tuple[str, str], int], base: dict[str, int]) -> Insight:
    """A cluster at the top that shows what is given."""
    breakdown_ = tuple(Cell(f, v, n, n / size, base.get(v, 0) / total) for (f, v), n in cells.items())
    return Insight(id_, None, 1, "Name", "", size, "10-49", size / total, 5, 0.0, 0.0, breakdown_)


def run_of(sizes: list[int], counts: list[dict[str, int]], base: dict[str, int] | None = None) -> Insights:
    """Clusters that together are the run, with the counts of one facet; the base rates are their sums unless given."""
    total = sum(sizes)
    values = dict.fromkeys(v for own in counts for v in own)
    base = base or {v: sum(own.get(v, 0) for own in counts) for v in values}
    clusters = tuple(
        leaf(f"1.{i}", size, total, {("colour", v): n for v, n in own.items()}, base)
        for i, (size, own) in enumerate(zip(sizes, counts, strict=True))
    )
    cells = tuple(Cell("colour", v, n, n / total, n / total) for v, n in base.items())
    return Insights(clusters, (), cells, total, "1,000-4,999")


@pytest.mark.parametrize("of", [1, 20, 1000])
def test_intervals_of_shares_are_those_of_scipy(of: int) -> None:
    """Many at once give what scipy gives for each, at both ends of the counts too."""
    counts = sorted({0, 1, of // 3, of})
    for count, low, high in zip(counts, *share_intervals(counts, of), strict=True):
        expected = binomtest(count, of).proportion_ci(method="wilson")
        assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("table", TABLES)
def test_intervals_of_ratios_and_differences_are_those_of_statsmodels(
    table: tuple[int, int, int, int],
) -> None:
    """Katz's with Walter's half, and Newcombe's hybrid."""
    low, high = ratio_intervals(*table)
    expected = confint_proportions_2indep(*table, compare="ratio", method="log-adjusted")
    assert low == pytest.approx(expected[0], rel=1e-9)
    assert high == (np.inf if table[2] == 0 else pytest.approx(expected[1], rel=1e-9))
    assert difference_intervals(*table) == pytest.approx(
        confint_proportions_2indep(*table, compare="diff", method="newcomb"), abs=1e-12
    )


@pytest.mark.parametrize("table", [(3, 40, 5, 900), (9, 20, 8, 60), (1, 50, 0, 500)])
def test_small_counts_are_tested_exactly(table: tuple[int, int, int, int]) -> None:
    """Fisher's tails where few are expected."""
    x, n, y, m = table
    lower, upper = tails(*(np.asarray([k]) for k in table))
    for got, side in ((lower, "less"), (upper, "greater")):
        assert got[0] == pytest.approx(fisher_exact([[x, n - x], [y, m - y]], side).pvalue, rel=1e-9)


def test_large_counts_are_tested_by_the_score() -> None:
    """The usual test of two proportions with a pooled share, and close to the exact one where it takes over."""
    lower, upper = tails(*(np.asarray([k]) for k in (300, 1000, 4000, 15_000)))
    assert 2 * min(lower[0], upper[0]) == pytest.approx(proportions_ztest([300, 4000], [1000, 15_000])[1])
    x, n, y, m = 23, 60, 40, 240
    score = tails(*(np.asarray([k]) for k in (x, n, y, m)))[1][0]
    assert score == pytest.approx(fisher_exact([[x, n - x], [y, m - y]], "greater").pvalue, abs=2e-3)


def test_nothing_to_compare_is_no_finding() -> None:
    """An empty rest, and a value that all have, give the probability 1 on both sides."""
    zero, ten = np.asarray([0, 10]), np.asarray([10, 10])
    lower, upper = tails(ten, ten, zero, zero)
    assert lower.tolist() == upper.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(("share", "rest_share", "of"), [(0.3, 0.2, 60), (0.05, 0.02, 400), (0.6, 0.6, 100)])
def test_the_interval_of_a_lift_holds_the_true_lift_in_about_95_of_100(
    share: float, rest_share: float, of: int
) -> None:
    """Drawn again and again from a cluster and a rest of known shares, where nothing is withheld."""
    total, times = 4000, 20_000
    draw = np.random.default_rng(5)
    x, y = draw.binomial(of, share, times), draw.binomial(total - of, rest_share, times)
    truth = share / (of / total * share + (1 - of / total) * rest_share)
    measures = _measured(x, x, np.full(times, of), x + y, x + y, total)
    held = sum(measure.lift_low <= truth <= measure.lift_high for measure in measures)
    assert 0.945 <= held / times <= 0.975


def test_of_all_marks_at_most_5_of_100_are_false() -> None:
    """A tenth of 300 clusters truly differ: most are found, and of what is marked few others are."""
    draw = np.random.default_rng(3)
    false, found = [], []
    for _ in range(40):
        sizes = draw.integers(80, 400, 300)
        differs = np.arange(300) < 30
        red = draw.binomial(sizes, np.where(differs, np.where(np.arange(300) < 15, 0.4, 0.1), 0.25))
        insights = run_of(
            sizes.tolist(),
            [{"red": r, "blue": n - r} for r, n in zip(red.tolist(), sizes.tolist(), strict=True)],
        )
        marked = np.asarray([own[0].mark != "similar" for own in Statistics(insights).measures.values()])
        false.append(np.count_nonzero(marked & ~differs) / max(1, np.count_nonzero(marked)))
        found.append(np.count_nonzero(marked & differs) / 30)
    assert np.mean(false) < FALSE_FINDINGS + 0.01
    assert np.mean(found) > 0.9


def test_q_is_over_all_cells_of_the_run() -> None:
    """Benjamini and Hochberg's value of every cell among all, as statsmodels has it."""
    insights = run_of([60, 70, 500], [{"a": 40, "b": 20}, {"a": 20, "b": 50}, {"a": 200, "b": 300}])
    measures = [measure for own in Statistics(insights).measures.values() for measure in own]
    expected = multipletests([measure.p for measure in measures], method="fdr_bh")[1]
    assert [measure.q for measure in measures] == pytest.approx(expected.tolist())


def test_a_value_that_is_hidden_where_it_is_commonest_marks_nothing() -> None:
    """A cluster that shows 109 of its 650 as red, and nothing else, may be all red: that is neither over nor under."""
    insights = run_of([650, 9350], [{"red": 109}, {"red": 8700, "blue": 650}], {"red": 9300, "blue": 650})
    parent = Insight("0.1", None, 1, "All", "", 650, "10-49", 0.065, 5, 0, 0, insights.clusters[0].breakdown)
    child = Insight("2.1", "0.1", 2, "Part", "", 650, "10-49", 0.065, 5, 0, 0)
    tree = Insights((parent, child, insights.clusters[1]), (), insights.base, 10_000, "1,000-4,999")
    measure = Statistics(tree).measures["0.1"][0]
    assert measure.mark == "similar"
    assert measure.lift_low < 0.2
    assert measure.lift_high > 1


@st.composite
def logs(draw: st.DrawFn) -> tuple[NDArray[np.int64], NDArray[np.int32], int]:
    """Conversations: the leaf cluster of each (-1: in the nameless group of the run), its value (-1: unknown), and the threshold."""
    n = draw(st.integers(60, 300))
    seed = draw(st.integers(0, 2**32 - 1))
    generator = np.random.default_rng(seed)
    leaves = generator.integers(-1, 6, n)
    codes = generator.choice(np.arange(-1, 4), n, p=[0.05, 0.6, 0.2, 0.1, 0.05]).astype(np.int32)
    return leaves, codes, draw(st.integers(2, 12))


@settings(max_examples=150, deadline=None)
@given(logs())
def test_the_true_counts_lie_between_least_and_most(
    made: tuple[NDArray[np.int64], NDArray[np.int32], int],
) -> None:
    """Whatever the gate's own arithmetic withholds, in leaves, parents and the run, for single values and for sets of them."""
    leaves, codes, enough = made
    rows = {i: np.flatnonzero(leaves == i) for i in range(-1, 6)}
    parents = {"1.0": [0, 1, 2], "1.1": [3, 4, 5]}
    scopes = tuple(
        Scope(parent, tuple(Scope(f"2.{i}", rows=rows[i]) for i in own if len(rows[i])))
        for parent, own in parents.items()
    )
    named = tuple(scope for scope in scopes if scope.children)
    root = Scope(None, (*named, *([Scope("rest", rows=rows[-1])] if len(rows[-1]) else [])))
    counted = breakdown(root, codes, lambda some: len(some) >= enough)
    inside = {None: np.arange(len(codes))}
    inside |= {scope.name: np.concatenate([rows[i] for i in parents[str(scope.name)]]) for scope in named}
    inside |= {f"2.{i}": rows[i] for i in range(6) if len(rows[i])}
    ids = [scope for scope in inside if scope is not None]
    clusters = []
    for id_ in ids:
        size = len(inside[id_])
        cells = tuple(Cell("colour", str(v), n, n / size, 0.1) for v, n in counted[id_].items())
        parent = next((p for p, own in parents.items() if id_ in {f"2.{i}" for i in own}), None)
        clusters.append(
            Insight(str(id_), parent, 2 if parent else 1, "Name", "", size, "", 0.0, 5, 0.0, 0.0, cells)
        )
    base = tuple(Cell("colour", str(v), n, 0.1, 0.1) for v, n in counted[None].items())
    other = (Group(None, len(rows[-1]), "10-49"),) if len(rows[-1]) else ()
    statistics = Statistics(Insights(tuple(clusters), other, base, len(codes), ""))
    if not base:
        return
    facet = statistics.facets["colour"]
    sets = [[value] for value in facet.values] + [list(facet.values), list(facet.values[:2])]
    found = statistics.ranges(facet, sets)
    for row, id_ in enumerate([*ids, None]):
        for column, chosen in enumerate(sets):
            truth = int(np.isin(codes[inside[id_]], [int(value) for value in chosen]).sum())
            assert found.least[row, column] <= truth <= found.most[row, column]


def test_a_mean_is_given_only_where_nearly_all_is_shown() -> None:
    """The rating is what is shown; where most is withheld nothing is said."""
    base = tuple(Cell("concern", v, n, n / 1000, n / 1000) for v, n in (("1", 900), ("3", 60)))
    clusters = (
        leaf("1.1", 100, 1000, {("concern", "1"): 75, ("concern", "3"): 25}, {}),
        leaf("1.2", 100, 1000, {("concern", "3"): int(100 * MEAN_NEEDS) - 1}, {}),
    )
    assert Statistics(Insights(clusters, (), base, 1000, "")).concern == (1.5, None)


def test_insights_without_clusters_or_cells_have_empty_statistics() -> None:
    """Nothing is computed of nothing, and nothing fails."""
    empty = Statistics(Insights((), (), (), 0, "0"))
    assert (dict(empty.measures), dict(empty.facets), empty.concern) == ({}, {}, ())
    bare = Statistics(Insights((leaf("1.1", 20, 20, {}, {}),), (), (), 20, "10-49"))
    assert bare.measures == {"1.1": ()}


def test_no_mark_contradicts_the_logs() -> None:
    """In logs of which the gate withholds much, what is marked over or under is so in truth, and much still is marked."""
    marked = wrong = naive = 0
    for seed in range(25):
        draw = np.random.default_rng(seed)
        leaves = draw.integers(0, 12, 3000)
        taste = draw.dirichlet([8.0, 2.0, 1.0, 0.5], 12)
        codes = np.asarray([draw.choice(4, p=taste[leaf_]) for leaf_ in leaves.tolist()], np.int32)
        rows = [np.flatnonzero(leaves == i) for i in range(12)]
        scopes = tuple(
            Scope(f"1.{k}", tuple(Scope(f"2.{i}", rows=rows[i]) for i in range(3 * k, 3 * k + 3)))
            for k in range(4)
        )
        counted = breakdown(Scope(None, scopes), codes, lambda some: len(some) >= 25)
        inside = {f"1.{k}": np.concatenate(rows[3 * k : 3 * k + 3]) for k in range(4)}
        inside |= {f"2.{i}": rows[i] for i in range(12)}
        base = tuple(Cell("colour", str(v), n, n / 3000, n / 3000) for v, n in counted[None].items())
        rates = {cell.value: cell.share for cell in base}
        clusters = []
        for id_, own in inside.items():
            cells = tuple(
                Cell("colour", str(v), n, n / len(own), rates[str(v)]) for v, n in counted[id_].items()
            )
            parent = f"1.{int(id_[2:]) // 3}" if id_[0] == "2" else None
            clusters.append(Insight(id_, parent, int(id_[0]), "Name", "", len(own), "", 0.0, 5, 0, 0, cells))
        measures = Statistics(Insights(tuple(clusters), (), base, 3000, "")).measures
        for cluster in clusters:
            for cell, measure in zip(cluster.breakdown, measures[cluster.id], strict=True):
                truth = np.mean(codes[inside[cluster.id]] == int(cell.value)) - np.mean(
                    codes == int(cell.value)
                )
                marked += measure.mark != "similar"
                wrong += (measure.mark == "over" and truth <= 0) or (measure.mark == "under" and truth >= 0)
                naive += (cell.share - cell.base) * truth < 0
    assert naive > 50, "what is shown often points the other way"
    assert marked > 200
    assert wrong == 0


def test_a_large_run_takes_about_a_second() -> None:
    """Ten thousand clusters with twenty cells each; the limit is loose, for machines are busy."""
    draw = np.random.default_rng(2)
    counts = draw.integers(5, 60, (10_000, 20))
    insights = run_of(
        (counts.sum(axis=1) + 10).tolist(),
        [{f"v{j}": n for j, n in enumerate(row)} for row in counts.tolist()],
    )
    started = perf_counter()
    assert sum(map(len, Statistics(insights).measures.values())) == 200_000
    assert perf_counter() - started < 8
