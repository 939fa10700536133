"""What is done again and again with vectors and with the groups that they are in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def unit(vectors: NDArray[Any]) -> NDArray[np.float32]:
    """The same directions, float32 (n, d), rows of unit length; a row of zeros stays one."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), np.float32)


def squared_distances(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Squared Euclidean distances between n vectors of unit length, float32 (n, n), zeros on the diagonal."""
    squared = vectors @ vectors.T
    squared *= -2.0
    squared += 2.0
    np.maximum(squared, 0.0, out=squared)
    np.fill_diagonal(squared, 0.0)
    return squared


def rows_of(labels: NDArray[np.int32], k: int) -> list[NDArray[np.int64]]:
    """The rows of each of k labels, in order; rows of others, such as -1, are in none."""
    order = np.argsort(labels, kind="stable")
    bounds = np.searchsorted(labels[order], np.arange(k + 1))
    return [order[bounds[c] : bounds[c + 1]] for c in range(k)]


def means(vectors: NDArray[np.float32], labels: NDArray[np.int32]) -> NDArray[np.float32]:
    """The mean of each label's vectors, float32 (k, d), zeros where a label has none; rows of no label, -1, count nowhere."""
    groups = rows_of(labels, int(labels.max(initial=-1)) + 1)
    sums = [vectors[rows].sum(axis=0) / max(len(rows), 1) for rows in groups]
    return np.stack(sums) if sums else np.empty((0, vectors.shape[1]), np.float32)


def without_gaps(labels: NDArray[Any]) -> NDArray[np.int32]:
    """The same groups, numbered 0..k-1 in their order."""
    return np.asarray(np.unique(labels, return_inverse=True)[1], np.int32)
