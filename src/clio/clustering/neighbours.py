"""Vectors drawn toward their neighbours, so that groups stand out before anything cuts them apart.

Requests of one kind are each other's neighbours far more often than those of two: a request moves half-way to the mean of those that
count it among their nearest as it does them, and a little to those that do not. It does for the base clusters what a map by UMAP does
for density-based ones (a step of graph filtering, Zhang et al. 2019, "Attributed graph clustering via adaptive graph convolution"), at
the price of a few products of matrices.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clio.clustering import kmeans
from clio.clustering.vectors import means, rows_of, unit, without_gaps

#: mean number of points in a cell, within which clusters grow
CELL = 600
# so few are one cell: what is cut at the borders of cells comes again less often with another seed
_WHOLE = 4000
# so few take no sparse matrix, and no time to load SciPy
_DENSE = 1500
_NEIGHBOURS = 20
# cells in which a point's neighbours are looked for, its own among them
_NEAR_CELLS = 4
# what a neighbour that does not look back counts
_ONE_WAY = 0.2
_BLOCK = 1024
# points a cell by which cells are found, and how many of them the rounds of k-means begin with
_SAMPLE, _BEGUN, _ROUNDS = 256, 32, 10


def cells_of(vectors: NDArray[np.float32], seed: int) -> NDArray[np.int32]:
    """Split n vectors into cells, int32 (n,), by a coarse k-means; few are one cell."""
    if len(vectors) <= _WHOLE:
        return np.zeros(len(vectors), np.int32)
    count = round(len(vectors) / CELL)
    # where cells end matters little: clusters are settled over all points later
    dice = np.random.default_rng(seed)
    sample = vectors[dice.permutation(len(vectors))[: _SAMPLE * count]]
    starts = sample[kmeans.apart(sample[: _BEGUN * count], count, dice)]
    inside = kmeans.settled(sample, kmeans.nearest(sample, starts), _ROUNDS)
    return without_gaps(kmeans.nearest(vectors, means(sample, inside)))


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
    near = out * out.T * (1 - 2 * _ONE_WAY) + (out + out.T) * _ONE_WAY
    found = np.empty_like(vectors)
    for at in range(0, len(vectors), _BLOCK):
        block = slice(at, at + _BLOCK)
        around = near[block] @ vectors
        found[block] = unit(unit(around) + vectors[block])
    return found


def _nearest(vectors: NDArray[np.float32], cells: NDArray[np.int32]) -> Any:
    """Which are whose nearest: (n, n), a one for each of a row's 20 nearest others (fewer where there are fewer)."""
    inside = rows_of(cells, int(cells.max()) + 1)
    middles = means(vectors, cells)
    nearness = middles @ middles.T
    np.fill_diagonal(nearness, np.inf)  # a wide cell's middle may be nearer to others' than to itself
    near_cells = np.argsort(-nearness, axis=1, kind="stable")[:, :_NEAR_CELLS]
    starts, ends = [], []
    place = np.empty(len(vectors), np.int64)
    for rows, near in zip(inside, near_cells, strict=True):
        among = np.concatenate([inside[c] for c in near])
        place[among] = np.arange(len(among))
        most = min(_NEIGHBOURS, len(among) - 1)
        if most < 1:
            continue
        others = vectors[among]
        for at in range(0, len(rows), _BLOCK):
            block = rows[at : at + _BLOCK]
            scores = vectors[block] @ others.T
            scores[np.arange(len(block)), place[block]] = -2.0
            starts.append(np.repeat(block, most))
            ends.append(among[np.argpartition(scores, -most, axis=1)[:, -most:]].ravel())
    start, end = (np.concatenate(some) if some else np.empty(0, np.int64) for some in (starts, ends))
    if len(vectors) <= _DENSE:
        dense = np.zeros((len(vectors),) * 2, np.float32)
        dense[start, end] = 1
        return dense
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(start), np.float32), (start, end)), shape=(len(vectors),) * 2)
