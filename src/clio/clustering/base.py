"""Base clusters: grown by Ward's method within coarse cells, then settled by k-means over all (paper G.5 uses k-means alone).

K-means depends on where it starts; grown clusters are a better start than any draw, and show at which number clusters stand apart most.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from clio.clustering.kmeans import settled
from clio.clustering.neighbours import cells_of, drawn
from clio.clustering.vectors import means, rows_of, squared_distances, unit, without_gaps
from clio.clustering.ward import Tree, grown

# rounds of k-means after the growing; more change little (docs/quality.md)
_ROUNDS = 5
# up to here the number of clusters is chosen by how they stand apart; larger logs get the paper's hundred conversations a cluster
_CHOSEN = 20_000
# numbers that are tried, as multiples of the expected one, and how far below the best silhouette counts as good as the best
_MULTIPLES, _AS_GOOD = 2.0 ** (np.arange(-3, 4) / 3), 0.01
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
            20,000 vectors, between half and twice ``expected_k``, where clusters stand apart most by their mean silhouette; above
            it only as far as there are enough users for all of them, each in one.
        seed: of the coarse cells and the silhouettes' sample.
        size: wanted mean size, where k is None.
        users: int32 (n,), a number for each distinct user, -1 where a request supports nothing; all are distinct if None.
        least: distinct users and requests that a cluster needs; smaller ones are joined (``without_small``).
    """
    known = np.arange(len(vectors), dtype=np.int32) if users is None else users
    # sums over threads come in any order, and their last bits with them
    with threadpool_limits(limits=1):
        cells = cells_of(vectors, seed)
        near = drawn(vectors, cells)
        tree = _grown(near, cells)
        if k is None:
            k = expected_k(len(vectors), size)
            if not size and len(vectors) <= _CHOSEN:
                # many small clusters of few accounts would tell who is in the log
                most = len(np.unique(known[known >= 0])) // max(1, least[0])
                k = _standing_apart(near, tree, k, max(k, most), seed)
        labels = settled(near, tree.cut(k), _ROUNDS)
        return without_small(near, labels, known, least) if max(least) else labels


def _grown(vectors: NDArray[np.float32], cells: NDArray[np.int32]) -> Tree:
    """Ward's method within each cell."""
    into, height = np.empty(len(vectors), np.int64), np.empty(len(vectors), np.float32)
    for rows in rows_of(cells, int(cells.max(initial=-1)) + 1):
        tree = grown(vectors[rows])
        into[rows], height[rows] = rows[tree.into], tree.height
    return Tree(into, height)


def _standing_apart(vectors: NDArray[np.float32], tree: Tree, expected: int, most: int, seed: int) -> int:
    """The number of clusters, up to ``most``, nearest to the expected one whose silhouette is as good as the best."""
    n = len(vectors)
    most = min(most, n - 1)
    tried = sorted({k for k in np.round(expected * _MULTIPLES).astype(int).tolist() if 2 <= k <= most})
    sample = vectors[np.sort(np.random.default_rng(seed).permutation(n)[:_SAMPLE])]
    apart = np.sqrt(squared_distances(sample))  # the same for each number of clusters
    found: dict[int, float] = {}
    for k in tried:
        # as they will be settled: what grew in one cell takes in what is near it in others
        labels = without_gaps(np.argmax(sample @ centroids(vectors, tree.cut(k)).T, axis=1))
        if 0 < labels.max() < len(sample) - 1:
            found[k] = silhouette(apart, labels)
    good = [k for k, score in found.items() if score >= max(found.values()) - _AS_GOOD]
    return min(good, key=lambda k: (abs(np.log(k / expected)), k), default=expected)


def silhouette(apart: NDArray[np.float32], labels: NDArray[np.int32]) -> float:
    """How much nearer n points are to their own cluster than to the next, -1..1 on average, 0 for one alone (Rousseeuw 1987).

    Args:
        apart: float32 (n, n), distances.
        labels: int32 (n,), of two clusters or more, without gaps.
    """
    here, sizes = np.arange(len(labels)), np.bincount(labels)
    sums = apart @ np.eye(len(sizes), dtype=np.float32)[labels]
    inside = sums[here, labels] / np.maximum(sizes[labels] - 1, 1)
    others = sums / sizes
    others[here, labels] = np.inf
    outside = others.min(axis=1)
    scores = (outside - inside) / np.maximum(np.maximum(inside, outside), 1e-12)
    return float(np.where(sizes[labels] > 1, scores, 0.0).mean())


def without_small(
    vectors: NDArray[np.float32], labels: NDArray[np.int32], users: NDArray[np.int32], least: tuple[int, int]
) -> NDArray[np.int32]:
    """Labels in which no cluster is too small to be shown: the smallest joins another, by Ward's cost, until none is left.

    Small ones of like meaning join each other first, since it costs least; so what is said by few is told with what is near to it.

    Args:
        vectors: float32 (n, d), rows of unit length.
        labels: int32 (n,), a cluster each.
        users: int32 (n,), a number for each distinct user, -1 where a request supports nothing.
        least: distinct users and requests that a cluster needs, the requests of any one user but one not counted.

    Returns:
        int32 (n,) without gaps; one cluster at least.
    """
    k = int(labels.max(initial=-1)) + 1
    known = users >= 0
    inside = [Counter(users[known][rows].tolist()) for rows in rows_of(labels[known], k)]
    sizes = np.bincount(labels, minlength=k).astype(float)
    middles = means(vectors, labels).astype(np.float64)
    to, left = np.arange(k), np.ones(k, bool)
    few = np.array([_few(some, least) for some in inside])
    while few.any() and left.sum() > 1:
        one = int(np.argmin(np.where(few, sizes, np.inf)))
        cost = ((middles - middles[one]) ** 2).sum(axis=1) * sizes * sizes[one] / (sizes + sizes[one])
        cost[~left | (np.arange(k) == one)] = np.inf
        other = int(np.argmin(cost))
        both = sizes[one] + sizes[other]
        middles[other] = (middles[one] * sizes[one] + middles[other] * sizes[other]) / both
        sizes[other] = both
        inside[other] += inside[one]
        few[one], few[other] = False, _few(inside[other], least)
        left[one] = False
        to[to == one] = other
    return without_gaps(to[labels])


def _few(users: Counter[int], least: tuple[int, int]) -> bool:
    """Whether these are too few users, or requests without those of the one who makes most."""
    most = max(users.values(), default=1)
    return len(users) < least[0] or users.total() - most + 1 < least[1]


def centroids(vectors: NDArray[np.float32], labels: NDArray[np.int32]) -> NDArray[np.float32]:
    """The mean direction of each cluster: float32 (k, d), rows of unit length.

    Args:
        vectors: float32 (n, d).
        labels: int32 (n,), the cluster of each, -1 in none.
    """
    return unit(means(vectors, labels))
