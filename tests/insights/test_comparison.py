"""Comparisons of two windows: which are offered, what they say, and that what is hidden is never taken for nothing."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from clio.insights import Cell, Insight, Insights
from clio.insights.comparison import Comparison, compare, growth, offered, trend
from clio.insights.statistics import Statistics


def weeks(number: int) -> list[str]:
    """ISO weeks from that of 6 July 2026 on."""
    years = ((date(2026, 7, 6) + timedelta(weeks=i)).isocalendar() for i in range(number))
    return [f"{year}-W{week:02}" for year, week, _ in years]


def insights(facet: str, clusters: list[dict[str, int]], size: int = 0) -> Insights:
    """Clusters that show counts of one facet, all that they hold unless they have a size."""
    sizes = [size or sum(own.values()) for own in clusters]
    total = max(1, sum(sizes))
    base: dict[str, int] = {}
    for own in clusters:
        for value, n in own.items():
            base[value] = base.get(value, 0) + n
    made = tuple(
        Insight(
            f"1.{i}", None, 1, "Name", "", n, "10-49", n / total, 5, 0.0, 0.0,
            tuple(Cell(facet, value, count, count / n, base[value] / total) for value, count in own.items()),
        )
        for i, (own, n) in enumerate(zip(clusters, sizes, strict=True))
    )  # fmt: skip
    cells = tuple(
        Cell(facet, v, n, n / total, n / total) for v, n in sorted(base.items(), key=lambda i: -i[1])
    )
    return Insights(made, (), cells, total, "100-499")


def of(facet: str, values: list[str]) -> list[Comparison]:
    """What is offered for a facet with these values, the first the commonest."""
    counts = {value: 500 - i for i, value in enumerate(values)}
    return list(offered(Statistics(insights(facet, [counts, counts]))))


def test_weeks_offer_the_last_against_those_before_halves_and_months() -> None:
    """Of 18 weeks the last four against the four before, nine against nine, and each whole month against the one before."""
    found = {one.id: one for one in of("week", weeks(18))}
    assert list(found) == ["recent", "halves", "month-2026-08", "month-2026-09", "month-2026-10"]
    assert (found["recent"].a, found["recent"].b) == (tuple(weeks(18)[-4:]), tuple(weeks(18)[-8:-4]))
    assert (len(found["halves"].a), len(found["halves"].b)) == (9, 9)
    # the week of Thursday 1 October is October's
    assert found["month-2026-10"].a[0] == "2026-W40"
    assert found["recent"].a_title == f"{weeks(18)[-4]} to {weeks(18)[-1]}"


@pytest.mark.parametrize(
    ("number", "sizes"), [(0, []), (1, []), (2, [1]), (3, [1]), (5, [2]), (8, [4]), (9, [4])]
)
def test_fewer_weeks_offer_what_they_allow(number: int, sizes: list[int]) -> None:
    """As many weeks as can stand beside as many before them, at most four."""
    found = [len(one.a) for one in of("week", weeks(number)) if one.id == "recent"]
    assert found == sizes


def test_every_window_holds_published_weeks_only_and_none_twice() -> None:
    """For any number of weeks the two sides share none, and are not empty."""
    for number in range(30):
        own = weeks(number)
        for one in of("week", own):
            assert one.a
            assert one.b
            assert set(one.a) <= set(own)
            assert not set(one.a) & set(one.b)


def test_other_values_offer_each_of_the_commonest_against_the_others() -> None:
    """Twelve of fifteen, and the two commonest against each other; of two values only that."""
    values = [f"v{i}" for i in range(15)]
    found = of("language", values)
    assert len(found) == 13
    assert (found[0].a, found[0].b) == (("v0",), ("v1",))
    assert (found[1].a, set(found[1].b)) == (("v0",), set(values[1:]))
    assert [(one.a, one.b) for one in of("model", ["x", "y"])] == [(("x",), ("y",))]
    assert of("model", ["x"]) == []
    assert len({one.id for one in found}) == 13


def test_growth_is_the_newest_window_against_the_one_before() -> None:
    """The comparison of the last weeks; none without two weeks."""
    made = growth(Statistics(insights("week", [dict.fromkeys(weeks(6), 20)])))
    assert made is not None
    assert (made.id, len(made.a)) == ("recent", 3)
    assert growth(Statistics(insights("language", [{"en": 20, "ja": 30}]))) is None


def test_where_nothing_is_withheld_it_is_the_usual_test_of_two_shares() -> None:
    """Shares, Newcombe's interval and the pooled test as statsmodels has them."""
    found = compare(
        Statistics(insights("week", [{"a": 300, "b": 200}, {"a": 700, "b": 900}])), "week", ["a"], ["b"]
    )
    assert (found.a_conversations, found.b_conversations) == (1000, 1100)
    assert found.difference.tolist() == pytest.approx([300 / 1000 - 200 / 1100, 700 / 1000 - 900 / 1100])
    low, high = confint_proportions_2indep(300, 1000, 200, 1100, compare="diff", method="newcomb")
    assert (found.low[0], found.high[0]) == pytest.approx((low, high))
    assert found.p[0] == pytest.approx(proportions_ztest([300, 200], [1000, 1100])[1])


def test_what_is_hidden_on_one_side_is_not_zero() -> None:
    """A cluster without a shown cell for B has no share of B, no difference and no q."""
    found = compare(
        Statistics(insights("week", [{"a": 30}, {"a": 70, "b": 90}], size=160)), "week", ["a"], ["b"]
    )
    assert found.a[0] == pytest.approx(0.3)
    assert all(np.isnan(column[0]) for column in (found.b, found.difference, found.low, found.high, found.q))
    assert not np.isnan(found.q[1])


def test_what_is_withheld_can_make_no_growth() -> None:
    """All of A is shown and of B but one week of four: the rest of the cluster may be in B, so the difference may be nothing."""
    own = dict.fromkeys(weeks(8)[4:], 20) | {weeks(8)[0]: 20}
    whole = dict.fromkeys(weeks(8), 200)
    made = insights("week", [own, whole])
    hidden = Insight("1.9", None, 1, "Name", "", 160, "10-49", 0.1, 5, 0, 0, made.clusters[0].breakdown)
    run = Insights((hidden, made.clusters[1]), (), made.base, 160 + 1600, "100-499")
    found = compare(Statistics(run), "week", weeks(8)[4:], weeks(8)[:4])
    assert found.difference[0] > 0.05
    assert found.low[0] < 0
    assert found.q[0] > 0.05


def test_what_is_not_published_cannot_be_asked_for() -> None:
    """Other facets and values are unknown; a side needs values of its own."""
    statistics = Statistics(insights("week", [{"a": 30, "b": 20}]))
    for facet, a, b in (("user", ["a"], ["b"]), ("week", ["a"], ["z"])):
        with pytest.raises(KeyError):
            compare(statistics, facet, a, b)
    for a, b in (([], ["b"]), (["a"], ["a", "b"])):
        with pytest.raises(ValueError, match="values of its own"):
            compare(statistics, "week", a, b)


def test_of_clusters_that_do_not_change_few_are_said_to() -> None:
    """Two hundred clusters of the same share in both windows: in most draws none has a q below 5 %."""
    draw = np.random.default_rng(1)
    share = draw.dirichlet(np.full(200, 5.0))
    said = 0
    for _ in range(60):
        a, b = draw.multinomial(20_000, share).tolist(), draw.multinomial(18_000, share).tolist()
        made = insights("week", [{"a": x, "b": y} for x, y in zip(a, b, strict=True)])
        said += bool((compare(Statistics(made), "week", ["a"], ["b"]).q < 0.05).any())
    assert said / 60 <= 0.15


def test_a_trend_is_the_share_of_each_week_in_order() -> None:
    """Counts over the week's own; a week that is not shown is no zero."""
    made = insights(
        "week", [{"2026-W30": 20, "2026-W28": 10}, {"2026-W28": 30, "2026-W29": 40, "2026-W30": 20}]
    )
    found = trend(Statistics(made))
    assert found.weeks == ("2026-W28", "2026-W29", "2026-W30")
    assert found.counts[0].tolist() == [10, -1, 20]
    assert found.share[0].tolist() == pytest.approx([0.25, np.nan, 0.5], nan_ok=True)
    assert found.low[0, 0] < 0.25 < found.high[0, 0]
    assert np.isnan(found.low[0, 1])
    assert trend(Statistics(insights("language", [{"en": 20}]))).weeks == ()
