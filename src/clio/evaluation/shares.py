"""Published shares against the truth: how far they are off by level, and whether the intervals of a sample hold what they promise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clio.insights.intervals import share_interval


@dataclass(frozen=True, slots=True)
class Shares:
    """Found against true shares of c categories: mean absolute error in 0..1, and Pearson's correlation."""

    error: float
    correlation: float


def shares(found: NDArray[np.int32], truth: NDArray[np.int32], categories: int) -> Shares:
    """Compare the shares of categories that n conversations were given (-1: none) with those that they have."""
    a = np.bincount(found[found >= 0], minlength=categories) / len(found)
    b = np.bincount(truth, minlength=categories) / len(truth)
    flat = a.std() == 0 or b.std() == 0
    return Shares(float(np.abs(a - b).mean()), 0.0 if flat else float(np.corrcoef(a, b)[0, 1]))


def covered(clusters: NDArray[np.int32], size: int, draws: int = 50, seed: int = 0) -> tuple[int, int]:
    """How often the 95 % interval of a cluster's share, from a random sample, holds its share of all.

    Args:
        clusters: int32 (n,), -1 in none.
        size: of the samples.
        draws: how many samples.
        seed: of the draws.

    Returns:
        Held, and tried.
    """
    rng = np.random.default_rng(seed)
    n = len(clusters)
    k = int(clusters.max()) + 1
    true = np.bincount(clusters[clusters >= 0], minlength=k) / n
    held = tried = 0
    for _ in range(draws):
        drawn = clusters[rng.choice(n, size, replace=False)]
        counts = np.bincount(drawn[drawn >= 0], minlength=k)
        for cluster in range(k):
            low, high = share_interval(int(counts[cluster]), size, n)
            held += low <= true[cluster] <= high
            tried += 1
    return held, tried
