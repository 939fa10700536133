"""Vectors drawn toward their neighbours, so that groups stand out before anything cuts them apart.

Requests of one kind are each other's neighbours far more often than those of two: a request moves half-way to the mean of those that
count it among their nearest as it does them, and a little to those that do not. It does for the base clusters what a map by UMAP does
for density-based ones (a step of graph filtering, Zhang et al. 2019, "Attributed graph clustering via adaptive graph convolution"), at
the price of a few products of matrices.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.cluster import MiniBatchKMeans

from clio.clustering.vectors import rows_of, unit

#: mean number of points in a cell, within which clusters grow
CELL = 1000
_NEIGHBOURS = 20
# cells in which a point's neighbours are looked for, its own among them
_NEAR_CELLS = 3
# what a neighbour that does not look back counts
_ONE_WAY = 0.2
_BLOCK = 1024


def cells_of(vectors: NDArray[np.float32], seed: int) -> NDArray[np.int32]:
    """Split n vectors into cells of about a thousand, int32 (n,), by a coarse k-means."""
    count = round(len(vectors) / CELL)
    if count < 2:
        return np.zeros(len(vectors), np.int32)
    # where cells end matters little: clusters are settled over all points later
    model = MiniBatchKMeans(count, batch_size=2 * CELL, n_init=1, max_iter=3, random_state=seed)
    found = np.unique(model.fit_predict(vectors), return_inverse=True)[1]
    return np.asarray(found, np.int32)


def drawn(vectors: NDArray[np.float32], cells: NDArray[np.int32]) -> NDArray[np.float32]:
    """Each vector half-way to the mean of its neighbours.

    Args:
        vectors: float32 (n, d), rows of unit length.
        cells: int32 (n,), from ``cells_of``; neighbours are looked for in the nearest of them.

    Returns:
        float32 (n, d), rows of unit length, the caller's own.
    """
    if len(vectors) < 3:
        return vectors.copy()
    out = _nearest(vectors, cells)
    both = out.multiply(out.T)
    near = (both * (1 - 2 * _ONE_WAY) + (out + out.T) * _ONE_WAY).tocsr()
    found = np.empty_like(vectors)
    for at in range(0, len(vectors), _BLOCK):
        block = slice(at, at + _BLOCK)
        means = near[block] @ vectors
        found[block] = unit(unit(means) + vectors[block])
    return found


def _nearest(vectors: NDArray[np.float32], cells: NDArray[np.int32]) -> csr_matrix:
    """Which are whose nearest: float32 (n, n), a one for each of a row's 20 nearest others (fewer where there are fewer)."""
    inside = rows_of(cells, int(cells.max()) + 1)
    middles = np.stack([vectors[rows].mean(axis=0) for rows in inside])
    near_cells = np.argsort(-(middles @ middles.T), axis=1, kind="stable")[:, :_NEAR_CELLS]
    starts, ends = [], []
    for rows, near in zip(inside, near_cells, strict=True):
        among = np.concatenate([inside[c] for c in near])
        place = {int(row): number for number, row in enumerate(among)}
        most = min(_NEIGHBOURS, len(among) - 1)
        if most < 1:
            continue
        others = vectors[among]
        for at in range(0, len(rows), _BLOCK):
            block = rows[at : at + _BLOCK]
            scores = vectors[block] @ others.T
            scores[np.arange(len(block)), [place[int(row)] for row in block]] = -2.0
            nearest = np.argpartition(-scores, most - 1, axis=1)[:, :most]
            starts.append(np.repeat(block, most))
            ends.append(among[nearest].ravel())
    if not starts:
        return csr_matrix((len(vectors), len(vectors)), dtype=np.float32)
    start, end = np.concatenate(starts), np.concatenate(ends)
    return csr_matrix((np.ones(len(start), np.float32), (start, end)), shape=(len(vectors),) * 2)
