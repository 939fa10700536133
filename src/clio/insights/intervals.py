"""How far shares, their ratios and their differences may lie from those of all conversations."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

_Z95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Sample:
    """What was drawn: ``conversations`` of the ``population`` that the logs hold, both counts.

    ``by`` names the column by which the draw was stratified in proportion, None for a plain random draw.
    """

    population: int
    conversations: int
    by: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.conversations <= self.population:
            raise ValueError(f"a sample of {self.conversations} of {self.population} conversations")


def share_interval(
    count: float, of: int, population: int | None = None, confidence: float = 0.95
) -> tuple[float, float]:
    """Wilson's score interval for a share, corrected for a finite population.

    Wilson 1927 (JASA 22:209); why it and not the normal interval: Brown, Cai & DasGupta 2001 (Statistical Science 16:101).
    The correction takes the sample for one of n* = n (N-1)/(N-n), which gives the variance of a draw without replacement. A draw
    stratified in proportion varies no more than a plain one, so for it the interval errs, if at all, on the wide side.

    Args:
        count: drawn conversations that have the property; a fraction where one may have it in part.
        of: drawn conversations, n.
        population: conversations drawn from, N; None is without end.
        confidence: how often such an interval holds the true share, in 0..1.

    Returns:
        The low and the high end, in 0..1; both the share itself where all are drawn.

    Raises:
        ValueError: for counts that no draw can give, or a confidence outside of 0..1.
    """
    if of < 1 or not 0 <= count <= of:
        raise ValueError(f"{count} of {of} is no share")
    if population is not None and population < of:
        raise ValueError(f"{of} cannot be drawn from {population}")
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence of {confidence} is not between 0 and 1")
    share = count / of
    if population == of:
        return share, share
    n = float(of) if population is None else of * (population - 1) / (population - of)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    spread = 1 + z * z / n
    centre = (share + z * z / (2 * n)) / spread
    half = z / spread * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # at the ends the two terms cancel exactly; rounding must not leave a trace of them
    low = 0.0 if count == 0 else max(0.0, centre - half)
    high = 1.0 if count == of else min(1.0, centre + half)
    return low, high


def share_intervals(count: ArrayLike, of: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wilson's 95 % intervals of many shares at once, as ``share_interval`` for a population without end.

    Args:
        count: conversations with the property, 0..of.
        of: conversations looked at, 1 or more; both broadcast.

    Returns:
        The low and the high ends, float64, in 0..1.
    """
    import numpy as np

    x, n = np.asarray(count, np.float64), np.asarray(of, np.float64)
    share, z2 = x / n, _Z95 * _Z95
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z95 / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return (
        np.where(x == 0, 0.0, np.clip(centre - half, 0, 1)),
        np.where(x == n, 1.0, np.clip(centre + half, 0, 1)),
    )


def ratio_intervals(
    count: ArrayLike, of: ArrayLike, count_b: ArrayLike, of_b: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95 % intervals of ratios of two independent shares, by the logarithm (Katz et al. 1978, Biometrics 34:469).

    Half a conversation is added to each number (Walter 1975, Biometrika 62:371), so that a zero gives a finite interval; where the first
    count is zero the low end is 0, where the second is the high end is infinite.

    Args:
        count: conversations with the property on the first side, 0..of; all broadcast.
        of: conversations of the first side, 1 or more.
        count_b: the same of the second side.
        of_b: the same of the second side.

    Returns:
        The low and the high ends, float64, 0 or more.
    """
    import numpy as np

    x, n, y, m = (np.asarray(some, np.float64) + 0.5 for some in (count, of, count_b, of_b))
    ratio = x / n / (y / m)
    spread = np.exp(_Z95 * np.sqrt(1 / x - 1 / n + 1 / y - 1 / m))
    return np.where(x == 0.5, 0.0, ratio / spread), np.where(y == 0.5, np.inf, ratio * spread)


def difference_intervals(
    count: ArrayLike, of: ArrayLike, count_b: ArrayLike, of_b: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95 % intervals of differences of two independent shares, first less second: Newcombe's hybrid of two Wilson intervals.

    Newcombe 1998 (Statistics in Medicine 17:873), method 10.

    Args:
        count: conversations with the property on the first side, 0..of; all broadcast.
        of: conversations of the first side, 1 or more.
        count_b: the same of the second side.
        of_b: the same of the second side.

    Returns:
        The low and the high ends, float64, in -1..1.
    """
    import numpy as np

    x, n, y, m = (np.asarray(some, np.float64) for some in (count, of, count_b, of_b))
    (low, high), (low_b, high_b) = share_intervals(x, n), share_intervals(y, m)
    p, q = x / n, y / m
    return p - q - np.hypot(p - low, high_b - q), p - q + np.hypot(high - p, q - low_b)
