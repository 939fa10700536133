"""From base clusters to a hierarchy, level by level: how many clusters a level has, and who is whose parent.

With a chat model parents are proposed in neighbourhoods, as in the paper (G.7; ``clio.clustering.tree``). Without one they are the groups
that lie close in meaning and theme. Naming comes last, from the children that each parent got (``clio.clustering.parents``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from clio.clustering.kmeans import kmeans
from clio.clustering.vectors import unit

#: mean number of clusters in a neighbourhood (paper G.7)
NEIGHBOURHOOD = 40
# how much the spread over themes counts beside the centroid: at the top it decides, below it must not swallow what is inside one theme
_AT_TOP, _BELOW = 1.5, 0.6
_TRIES = 20  # of k-means, where there are few parents


def level_sizes(base: int, top: int = 10, levels: int | None = None) -> list[int]:
    """How many clusters each level has, top first: n_l / n_(l-1) = (n_top / n_base)^(1/(L-1)), the paper's ratio (G.7).

    Args:
        base: number of base clusters, at least 1.
        top: wanted number at the top; at most a third of the base.
        levels: number of levels; by default one more for each further factor of ten between top and base (1 to 4).

    Returns:
        Sizes from top to base; ``[base]`` alone where there are too few base clusters to arrange.
    """
    top = min(top, max(1, base // 3))
    if base < 8 and levels is None:
        return [base]
    ratio = base / top
    wanted = levels or (2 if ratio <= 10 else 3 if ratio <= 100 else 4)
    if wanted == 1:
        return [base]
    step = (top / base) ** (1 / (wanted - 1))
    return [max(1, round(base * step ** (wanted - 1 - level))) for level in range(wanted)]


def neighbourhoods(vectors: NDArray[np.float32], seed: int) -> NDArray[np.int32]:
    """Split m clusters into neighbourhoods of 40 on average: int32 (m,)."""
    count = max(1, round(len(vectors) / NEIGHBOURHOOD))
    if count == 1:
        return np.zeros(len(vectors), np.int32)
    with threadpool_limits(limits=1):
        return kmeans(vectors, count, seed, tries=4)


def arrange(
    centroids: NDArray[np.float32],
    weights: Sequence[int] | NDArray[np.int64],
    themes: NDArray[np.float32],
    sizes: Sequence[int],
    seed: int,
) -> list[NDArray[np.int32]]:
    """Arrange base clusters under parents, level by level from the base up.

    Args:
        centroids: float32 (k, d), rows of unit length.
        weights: conversations in each base cluster, (k,).
        themes: float32 (k, t): how each base cluster's requests spread over the themes of ``clio.clustering.topics``;
            clusters that lie apart by language or style come together by it.
        sizes: from ``level_sizes``, top first.
        seed: of k-means.

    Returns:
        One int32 array a step, base first: the parent's number of each cluster of the level below.
    """
    centroids, themes = unit(centroids), unit(np.sqrt(themes))
    mass = np.maximum(np.asarray(weights, np.float64), 1.0)
    steps: list[NDArray[np.int32]] = []
    for wanted in reversed(sizes[:-1]):
        at_top = len(steps) == len(sizes) - 2
        vectors = unit(np.hstack([centroids, (_AT_TOP if at_top else _BELOW) * themes]))
        parents = _parents(vectors, mass, wanted, seed)
        steps.append(parents)
        centroids, themes = (unit(pooled(rows, parents, mass)) for rows in (centroids, themes))
        mass = np.bincount(parents, weights=mass)
    return steps


def _parents(
    vectors: NDArray[np.float32], mass: NDArray[np.float64], wanted: int, seed: int
) -> NDArray[np.int32]:
    """The parent's number of each of m clusters, int32 (m,), by k-means in which a cluster weighs as the root of its conversations.

    Weighed in full, large mixed clusters take most parents; not weighed, small ones at the edge get one each (docs/quality.md).
    """
    tries = max(1, min(_TRIES, 2000 // wanted))
    with threadpool_limits(limits=1):
        return kmeans(vectors, min(wanted, len(vectors)), seed, tries=tries, weights=np.sqrt(mass))


def pooled(rows: NDArray[Any], parents: NDArray[np.int32], mass: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each parent's rows, weighed by their mass: float64 (parents, columns)."""
    return np.stack(
        [np.average(rows[parents == p], axis=0, weights=mass[parents == p]) for p in range(parents.max() + 1)]
    )
