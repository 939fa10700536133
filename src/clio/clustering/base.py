"""Base clusters: grown by Ward's method within coarse cells, then settled by k-means over all (paper G.5 uses k-means alone).

K-means depends on where it starts; grown clusters are a better start than any draw, and show at which number clusters stand apart most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits

from clio.clustering.neighbours import cells_of, drawn
from clio.clustering.vectors import distances, rows_of, unit

# rounds of k-means after the growing; more change little (docs/quality.md)
_ROUNDS = 4
# up to here the number of clusters is chosen by how they stand apart; larger logs get the paper's hundred conversations a cluster
_CHOSEN = 20_000
# numbers that are tried, as multiples of the expected one, and how far below the best silhouette counts as good as the best
_MULTIPLES, _AS_GOOD = 2.0 ** (np.arange(-3, 4) / 3), 0.01
# vectors this near are the same
_SAME = 1e-3
_SAMPLE = 3000  # points by which silhouettes are told


def expected_k(n: int, size: int | None = None) -> int:
    """How many base clusters n distinct requests get: n over the mean size, which is sqrt(n) within 25..100 unless given.

    1,000 requests give 31 clusters, 10,000 give 100, 100,000 give 1,000 (the paper's cost table assumes 100 a cluster).
    """
    mean = size or min(100.0, max(25.0, float(np.sqrt(n))))
    return max(1, round(n / mean))


def base_clusters(
    vectors: NDArray[np.float32],
    k: int | None,
    seed: int,
    *,
    size: int | None = None,
    users: NDArray[np.int32] | None = None,
    least: tuple[int, int] = (0, 0),
) -> NDArray[np.int32]:
    """Cluster n vectors into at most k clusters, int32 (n,) in 0..k-1, none of them empty; the same input gives the same bytes.

    Args:
        vectors: float32 (n, d), rows of unit length.
        k: wanted number of clusters; identical vectors may give fewer. None: as many as ``size`` asks for, or, without it and up to
            20,000 vectors, between half and twice ``expected_k``, where clusters stand apart most by their mean silhouette
            (Rousseeuw 1987).
        seed: of the coarse cells and the silhouettes' sample.
        size: wanted mean size, where k is None.
        users: int32 (n,), a number for each distinct user, -1 where a request supports nothing; all are distinct if None.
        least: distinct users and requests that a cluster needs; smaller ones are joined (``without_small``).
    """
    # sums over threads come in any order, and their last bits with them
    with threadpool_limits(limits=1):
        cells = cells_of(vectors, seed)
        near = drawn(vectors, cells)
        trees = _grow(near, cells)
        if k is None:
            k = expected_k(len(vectors), size)
            if not size and len(vectors) <= _CHOSEN:
                k = _standing_apart(near, trees, k, seed)
        labels = _settled(near, _cut(trees, len(vectors), k))
        known = np.arange(len(vectors), dtype=np.int32) if users is None else users
        return without_small(near, labels, known, least) if max(least) else labels


@dataclass(frozen=True, slots=True)
class _Tree:
    """What grew within one cell: int64 (m,) its rows, and float64 (m - 1, 4) their merges as SciPy has them."""

    rows: NDArray[np.int64]
    merges: NDArray[np.float64]


def _grow(vectors: NDArray[np.float32], cells: NDArray[np.int32]) -> list[_Tree]:
    """Ward's method within each cell."""
    trees = []
    for rows in rows_of(cells, int(cells.max(initial=-1)) + 1):
        if len(rows) < 2:
            trees.append(_Tree(rows, np.empty((0, 4))))
            continue
        apart = distances(vectors[rows].astype(np.float64))
        trees.append(_Tree(rows, linkage(apart[np.triu_indices(len(rows), 1)], "ward")))
    return trees


def _cut(trees: Sequence[_Tree], n: int, k: int) -> NDArray[np.int32]:
    """int32 (n,): the clusters that are left when the n - k lowest merges of all cells are made, at least one a cell."""
    heights = np.sort(np.concatenate([tree.merges[:, 2] for tree in trees]))
    made = min(len(heights), n - min(k, n))
    limit = max(_SAME, heights[made - 1] if made else 0.0)
    labels, taken = np.empty(n, np.int32), 0
    for tree in trees:
        inside = fcluster(tree.merges, limit, "distance") if len(tree.rows) > 1 else np.ones(len(tree.rows))
        labels[tree.rows] = inside - 1 + taken
        taken += int(inside.max(initial=0))
    return labels


def _standing_apart(vectors: NDArray[np.float32], trees: Sequence[_Tree], expected: int, seed: int) -> int:
    """The number of clusters nearest to the expected one whose silhouette is as good as the best."""
    n = len(vectors)
    tried = sorted({k for k in np.round(expected * _MULTIPLES).astype(int).tolist() if 2 <= k < n})
    sample = np.sort(np.random.default_rng(seed).permutation(n)[:_SAMPLE])
    apart = distances(vectors[sample])  # the same for each number of clusters
    found: dict[int, float] = {}
    for k in tried:
        # as they will be settled: what grew in one cell takes in what is near it in others
        labels = np.argmax(vectors[sample] @ centroids(vectors, _cut(trees, n, k)).T, axis=1)
        if 1 < len(np.unique(labels)) < len(sample):
            found[k] = float(silhouette_score(apart, labels, metric="precomputed"))
    good = [k for k, score in found.items() if score >= max(found.values()) - _AS_GOOD]
    return min(good, key=lambda k: (abs(np.log(k / expected)), k), default=expected)


def _settled(vectors: NDArray[np.float32], labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Labels after a few rounds of k-means over all points, without gaps."""
    starts = centroids(vectors, labels)
    if len(starts) > 1:
        # in place: a copy would be the largest thing in memory
        rounds = KMeans(len(starts), init=starts, n_init=1, max_iter=_ROUNDS, copy_x=False)
        labels = np.asarray(rounds.fit_predict(vectors), np.int32)
    return np.asarray(np.unique(labels, return_inverse=True)[1], np.int32)


def without_small(
    vectors: NDArray[np.float32], labels: NDArray[np.int32], users: NDArray[np.int32], least: tuple[int, int]
) -> NDArray[np.int32]:
    """Labels in which no cluster is too small to be shown: the smallest joins another, by Ward's cost, until none is left.

    Small ones of like meaning join each other first, since it costs least; so what is said by few is told with what is near to it.

    Args:
        vectors: float32 (n, d), rows of unit length.
        labels: int32 (n,), a cluster each.
        users: int32 (n,), a number for each distinct user, -1 where a request supports nothing.
        least: distinct users and requests that a cluster needs.

    Returns:
        int32 (n,) without gaps; one cluster at least.
    """
    k = int(labels.max(initial=-1)) + 1
    known = users >= 0
    inside = [set(users[known][rows].tolist()) for rows in rows_of(labels[known], k)]
    counted, sizes = (np.bincount(some, minlength=k).astype(float) for some in (labels[known], labels))
    middles = _means(vectors, labels).astype(np.float64)
    to, left = np.arange(k), np.ones(k, bool)
    while left.sum() > 1:
        few = [c for c in np.flatnonzero(left) if counted[c] < least[1] or len(inside[c]) < least[0]]
        if not few:
            break
        one = min(few, key=lambda c: (sizes[c], c))
        cost = ((middles - middles[one]) ** 2).sum(axis=1) * sizes * sizes[one] / (sizes + sizes[one])
        cost[~left | (np.arange(k) == one)] = np.inf
        other = int(np.argmin(cost))
        both = sizes[one] + sizes[other]
        middles[other] = (middles[one] * sizes[one] + middles[other] * sizes[other]) / both
        sizes[other], counted[other] = both, counted[one] + counted[other]
        inside[other] |= inside[one]
        left[one] = False
        to[to == one] = other
    return np.asarray(np.unique(to[labels], return_inverse=True)[1], np.int32)


def _means(vectors: NDArray[np.float32], labels: NDArray[np.int32]) -> NDArray[np.float32]:
    """The mean of each cluster, float32 (k, d)."""
    sums = np.zeros((int(labels.max(initial=-1)) + 1, vectors.shape[1]), np.float32)
    inside = labels >= 0
    np.add.at(sums, labels[inside], vectors[inside])
    sums /= np.maximum(np.bincount(labels[inside], minlength=len(sums)), 1)[:, None]
    return sums


def centroids(vectors: NDArray[np.float32], labels: NDArray[np.int32]) -> NDArray[np.float32]:
    """The mean direction of each cluster: float32 (k, d), rows of unit length.

    Args:
        vectors: float32 (n, d).
        labels: int32 (n,), the cluster of each, -1 in none.
    """
    return unit(_means(vectors, labels))
