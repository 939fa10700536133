"""Base clusters by two-level k-means (paper G.5 uses k-means; two levels make it affordable for many clusters)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans, MiniBatchKMeans
from threadpoolctl import threadpool_limits

_BLOCK = 8192
# up to here plain k-means is fast enough and slightly better
_SMALL = 5_000
# up to here a few rounds over all points are affordable (100k points, 1,000 clusters: a CPU-second a round)
_MEDIUM, _ROUNDS = 300_000, 4
# above, a point is re-assigned among the centroids of this many nearest coarse cells
_CELLS = 4


@dataclass(frozen=True, slots=True)
class BaseClusters:
    """``labels`` int32 (n,) in 0..k-1; ``centroids`` float32 (k, d), rows of unit length. No cluster is empty."""

    labels: NDArray[np.int32] = field(repr=False)
    centroids: NDArray[np.float32] = field(repr=False)


def choose_k(n: int, size: int | None = None) -> int:
    """How many base clusters n distinct requests get: n over the mean size, which is sqrt(n) within 25..100 unless given.

    1,000 requests give 31 clusters, 10,000 give 100, 100,000 give 1,000 (the paper's cost table assumes 100 a cluster).
    """
    mean = size or min(100.0, max(25.0, float(np.sqrt(n))))
    return max(1, round(n / mean))


def base_clusters(vectors: NDArray[np.float32], k: int, seed: int) -> BaseClusters:
    """Cluster n vectors into at most k clusters; the same input gives the same bytes.

    Args:
        vectors: float32 (n, d), rows of unit length.
        k: wanted number of clusters; identical vectors may give fewer.
        seed: of the starting points.
    """
    k = max(1, min(k, len(vectors)))
    # sums over threads come in any order, and their last bits with them
    with threadpool_limits(limits=1):
        small = len(vectors) <= _SMALL or k < 64
        labels = _kmeans(vectors, k, seed, 2) if small else _two_level(vectors, k, seed)
        return _settled(vectors, labels)


def _kmeans(vectors: NDArray[np.float32], k: int, seed: int, starts: int) -> NDArray[np.int32]:
    if k >= len(vectors):
        return np.arange(len(vectors), dtype=np.int32)
    distinct = len(np.unique(vectors[: 4 * k], axis=0)) if len(vectors) <= 4 * k else k
    model = KMeans(min(k, max(1, distinct)), n_init=starts, max_iter=100, random_state=seed)
    return np.asarray(model.fit_predict(vectors), np.int32)


def _two_level(vectors: NDArray[np.float32], k: int, seed: int) -> NDArray[np.int32]:
    """Coarse k-means, each cell split in proportion to its size, then each point to the best centroid of its nearest cells."""
    coarse = round(np.sqrt(k))
    model = MiniBatchKMeans(coarse, batch_size=8192, n_init=3, max_iter=60, random_state=seed)
    cells = np.asarray(model.fit_predict(vectors), np.int32)
    sizes = np.bincount(cells, minlength=coarse)
    parts = np.maximum(1, np.round(k * sizes / len(vectors))).astype(int)
    centroids, owner = [], []
    for cell in range(coarse):
        inside = vectors[cells == cell]
        if not len(inside):
            continue
        labels = _kmeans(inside, int(parts[cell]), seed, 1)
        centroids.append(_means(inside, labels))
        owner += [cell] * len(centroids[-1])
    fine, owners = np.vstack(centroids), np.asarray(owner)
    if len(vectors) <= _MEDIUM:
        # a few rounds over all points mend what the split into cells got wrong
        return np.asarray(
            KMeans(len(fine), init=fine, n_init=1, max_iter=_ROUNDS).fit_predict(vectors), np.int32
        )
    centres = np.asarray(model.cluster_centers_, np.float32)
    near = np.argsort(-(centres @ centres.T), axis=1, kind="stable")[:, :_CELLS]
    found = np.empty(len(vectors), np.int32)
    for cell in range(coarse):
        rows = np.flatnonzero(cells == cell)
        options = np.flatnonzero(np.isin(owners, near[cell]))
        for at in range(0, len(rows), _BLOCK):
            block = rows[at : at + _BLOCK]
            found[block] = options[np.argmax(vectors[block] @ fine[options].T, axis=1)]
    return found


def centroids(vectors: NDArray[np.float32], labels: NDArray[np.int32]) -> NDArray[np.float32]:
    """The mean direction of each cluster: float32 (k, d), rows of unit length.

    Args:
        vectors: float32 (n, d).
        labels: int32 (n,), the cluster of each, -1 in none.
    """
    found = np.zeros((int(labels.max(initial=-1)) + 1, vectors.shape[1]), np.float32)
    inside = labels >= 0
    np.add.at(found, labels[inside], vectors[inside])
    found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
    return found


def _means(vectors: NDArray[np.float32], labels: NDArray[np.int32]) -> NDArray[np.float32]:
    """The mean direction of each label: float32 (labels, d), rows of unit length; labels without members are left out."""
    order = np.argsort(labels, kind="stable")
    kept = np.unique(labels)
    starts = np.searchsorted(labels[order], kept)
    sums = np.add.reduceat(vectors[order], starts, axis=0)
    return np.asarray(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12), np.float32)


def _settled(vectors: NDArray[np.float32], labels: NDArray[np.int32]) -> BaseClusters:
    """Labels without gaps, and their centroids."""
    dense = np.asarray(np.unique(labels, return_inverse=True)[1], np.int32)
    return BaseClusters(dense, _means(vectors, dense))
