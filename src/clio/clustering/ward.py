"""Ward's method (1963): what is joined first costs least, in the squared distances of all to the middles of their clusters.

Clusters that are each other's nearest are joined by any order of joining (Murtagh 1983), so all such pairs are joined at once. That takes
a few dozen steps of whole matrices for a thousand vectors, instead of a thousand steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clio.clustering.vectors import squared_distances, without_gaps

# squared distances up to which vectors are the same; float32 does not tell less
_SAME = 1e-6


@dataclass(frozen=True, slots=True)
class Tree:
    """How clusters of n rows grew out of each other; several trees side by side are one.

    ``into``: int64 (n,), the row into whose cluster each row's own was joined, or itself; ``height``: float32 (n,), how far apart they
    were (SciPy's measure), 0 for the same, infinite where it was never joined.
    """

    into: NDArray[np.int64] = field(repr=False)
    height: NDArray[np.float32] = field(repr=False)

    def cut(self, k: int) -> NDArray[np.int32]:
        """The clusters that are left when all but the k - 1 highest joins are made, int32 (n,) without gaps; at least one a tree.

        Joins of one height are made together, so that fewer may be left.
        """
        heights = np.sort(self.height[np.isfinite(self.height)])
        made = min(len(heights), len(self.into) - k)
        limit = heights[made - 1] if made > 0 else 0.0
        here = np.arange(len(self.into))
        return without_gaps(_followed(np.where(self.height <= limit, self.into, here)))


def grown(vectors: NDArray[np.float32]) -> Tree:
    """Grow one cluster out of n vectors, float32 (n, d), rows of unit length."""
    cost = squared_distances(vectors)
    into = _followed((cost <= _SAME).argmax(axis=1))
    sizes = np.bincount(into, minlength=len(into)).astype(np.float32)
    left = np.flatnonzero(sizes)
    height = np.zeros(len(into), np.float32)
    height[left] = np.inf
    sizes = sizes[left]
    if len(left) < len(into):
        cost = cost[left][:, left] * (2 * sizes[:, None] * sizes / (sizes[:, None] + sizes))
    np.fill_diagonal(cost, np.inf)
    while len(left) > 1:
        here, nearest = np.arange(len(left)), cost.argmin(axis=1)
        one = np.flatnonzero((nearest[nearest] == here) & (here < nearest))
        other = nearest[one]
        into[left[other]], height[left[other]] = left[one], np.sqrt(np.maximum(cost[one, other], 0))
        cost, kept = _joined(cost, sizes, one, other)
        sizes[one] += sizes[other]
        left, sizes = left[kept], sizes[kept]
    return Tree(into, height)


def _joined(
    cost: NDArray[np.float32], sizes: NDArray[np.float32], one: NDArray[np.int64], other: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """What joining costs once all pairs are joined, float32 (m, m), and the m rows that are kept."""
    kept = np.delete(np.arange(len(cost)), other)
    at = np.searchsorted(kept, one)
    apart, first, second = cost[one, other], sizes[one], sizes[other]
    rows = _updated(cost[one], cost[other], apart[:, None], first[:, None], second[:, None], sizes)
    between = _updated(rows[:, one], rows[:, other], apart, first, second, (first + second)[:, None])
    rows = rows[:, kept]
    # the same from either side to the last bit, else two might not be each other's nearest
    rows[:, at] = (between + between.T) / 2
    cost = cost[kept][:, kept]
    cost[at], cost[:, at] = rows, rows.T
    return cost, kept


def _updated(
    one: NDArray[np.float32],
    other: NDArray[np.float32],
    apart: NDArray[np.float32],
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    sizes: NDArray[np.float32],
) -> NDArray[np.float32]:
    """What it costs to join others, of given sizes, to a pair that is joined (Lance and Williams 1967)."""
    both = (first + sizes) * one + (second + sizes) * other - sizes * apart
    return np.asarray(both / (first + second + sizes), np.float32)


def _followed(into: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each row ends that goes from row to row."""
    while True:
        further = into[into]
        if (further == into).all():
            return into
        into = further
