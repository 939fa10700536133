"""Intervals of shares found in a sample: Wilson's, corrected for a finite population."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from clio.insights.intervals import Sample, share_interval


@pytest.mark.parametrize("of", [1, 2, 20, 1000, 100_000])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_without_end_of_population_it_is_the_wilson_interval_of_scipy(of: int, confidence: float) -> None:
    """Equal to scipy's, at both ends of the counts and between."""
    for count in sorted({0, 1, of // 7, of // 2, of - 1, of}):
        expected = binomtest(count, of).proportion_ci(confidence, method="wilson")
        assert share_interval(count, of, confidence=confidence) == pytest.approx(
            (expected.low, expected.high), rel=1e-12, abs=1e-15
        )


@pytest.mark.parametrize(
    ("population", "of", "share"),
    [
        (5755, 1000, 0.123),
        (5755, 1000, 0.5),
        (2000, 1000, 0.3),
        (100_000, 1000, 0.05),
        (1000, 900, 0.4),
        (400, 100, 0.25),
        (20_000, 2000, 0.97),
    ],
)
def test_it_holds_the_true_share_in_about_95_of_100_draws(population: int, of: int, share: float) -> None:
    """Draws without replacement, far from and close to the whole population."""
    having = round(share * population)
    drawn = np.random.default_rng(7).hypergeometric(having, population - having, of, size=20_000)
    counts, times = np.unique(drawn, return_counts=True)
    held = 0
    for count, n in zip(counts.tolist(), times.tolist(), strict=True):
        low, high = share_interval(count, of, population)
        held += n if low <= having / population <= high else 0
    assert 0.93 <= held / 20_000 <= 0.975


def test_it_narrows_to_the_share_itself_as_the_sample_nears_the_population() -> None:
    """Wilson's own for a population without end, no width where all are drawn."""
    widths = []
    for population in (10**9, 10_000, 2000, 1200, 1001, 1000):
        low, high = share_interval(123, 1000, population)
        assert low <= 0.123 <= high
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)
    assert share_interval(123, 1000, 10**12) == pytest.approx(share_interval(123, 1000))
    assert share_interval(123, 1000, 1000) == (0.123, 0.123)
    assert share_interval(0, 1, 1) == (0.0, 0.0)


def test_the_ends_stay_within_none_and_all() -> None:
    """No share below 0 or above 1; nothing found does not mean nothing there."""
    for of in range(1, 60):
        for population in (None, of, of + 1, 10 * of):
            for count in range(of + 1):
                low, high = share_interval(count, of, population)
                assert 0 <= low <= count / of + 1e-15
                assert count / of - 1e-15 <= high <= 1
            assert share_interval(0, of, population)[0] == 0
            assert share_interval(of, of, population)[1] == 1
            assert (share_interval(0, of, population)[1] > 0) == (population != of)


@pytest.mark.parametrize(
    "arguments",
    [(0, 0), (-1, 10), (11, 10), (1, 10, 9), (1, 10, 0), (1, 10, 20, 0.0), (1, 10, 20, 1.0), (1, 10, 20, 95)],
)
def test_nonsense_is_refused(arguments: tuple[int, ...]) -> None:
    """Counts that no draw can give, and confidences that are none."""
    with pytest.raises(ValueError, match=r"no share|cannot be drawn|not between"):
        share_interval(*arguments)


@pytest.mark.parametrize(("population", "conversations"), [(10, 0), (10, 11), (0, 0)])
def test_a_sample_is_some_of_its_population(population: int, conversations: int) -> None:
    """Not none, and not more than there are."""
    with pytest.raises(ValueError, match="a sample of"):
        Sample(population, conversations)
