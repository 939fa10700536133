"""What is done again and again with vectors and with the groups that they are in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def unit(vectors: NDArray[Any]) -> NDArray[np.float32]:
    """The same directions, float32 (n, d), rows of unit length; a row of zeros stays one."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), np.float32)


def distances(vectors: NDArray[Any]) -> NDArray[Any]:
    """Euclidean distances between n vectors of unit length, (n, n), zeros on the diagonal; many times faster than from the rows."""
    squared = np.maximum(2.0 - 2.0 * (vectors @ vectors.T), 0.0)
    np.fill_diagonal(squared, 0.0)
    return np.asarray(np.sqrt(squared))


def rows_of(labels: NDArray[np.int32], k: int) -> list[NDArray[np.int64]]:
    """The rows of each of k labels, in order; rows of others, such as -1, are in none."""
    order = np.argsort(labels, kind="stable")
    bounds = np.searchsorted(labels[order], np.arange(k + 1))
    return [order[bounds[c] : bounds[c + 1]] for c in range(k)]
