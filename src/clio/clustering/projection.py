"""Where clusters stand on the map: a nested circle layout of clusters. No conversation is ever placed (unlike the paper's G.6).

Siblings start where their centroids' two main directions put them and are then pushed apart until their circles (area by size) no
longer overlap; each parent is the circle that holds its children, and parents are laid out in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clio.clustering.hierarchy import pooled
from clio.clustering.vectors import unit

_ROUNDS = 300
_NEIGHBOURS = 10


def project(
    centroids: NDArray[np.float32], weights: NDArray[np.int64], steps: Sequence[NDArray[np.int32]]
) -> list[NDArray[np.float32]]:
    """Lay out all levels of a hierarchy.

    Args:
        centroids: float32 (k, d), of the base clusters.
        weights: (k,), conversations in each.
        steps: from ``hierarchy.arrange``, base first.

    Returns:
        For each level, base first, float32 (m, 2) in -1..1.
    """
    vectors, mass = np.asarray(centroids, np.float64), np.maximum(np.asarray(weights, np.float64), 1.0)
    radii = np.sqrt(mass)
    offsets: list[NDArray[np.float64]] = []
    for parents in steps:
        count = int(parents.max()) + 1
        local, outer = np.zeros((len(parents), 2)), np.zeros(count)
        for p in range(count):
            inside = np.flatnonzero(parents == p)
            local[inside] = _pack(vectors[inside], radii[inside])
            outer[p] = (np.linalg.norm(local[inside], axis=1) + radii[inside]).max() * 1.12
        vectors = pooled(vectors, parents, mass)
        mass = np.bincount(parents, weights=mass, minlength=count)
        offsets.append(local)
        radii = outer
    places = [_pack(vectors, radii)]
    for parents, local in zip(reversed(steps), reversed(offsets), strict=True):
        places.append(places[-1][parents] + local)
    extent = max(float(np.abs(places[0]).max() + radii.max()), 1e-9)
    return [np.asarray(level / extent, np.float32) for level in reversed(places)]


def nearest(
    centroids: NDArray[np.float32], weights: NDArray[np.int64], steps: Sequence[NDArray[np.int32]]
) -> list[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """The clusters of the same level that lie nearest to each, the nearest first.

    Args:
        centroids: float32 (k, d), of the base clusters, rows of unit length.
        weights: (k,), conversations in each.
        steps: from ``hierarchy.arrange``, base first.

    Returns:
        For each level, base first, int64 (m, n) their numbers and float32 (m, n) the cosines; n is 10, or less where there are fewer.
    """
    vectors, mass = np.asarray(centroids, np.float64), np.maximum(np.asarray(weights, np.float64), 1.0)
    found = [_nearest(vectors)]
    for parents in steps:
        vectors = pooled(vectors, parents, mass)
        mass = np.bincount(parents, weights=mass)
        found.append(_nearest(vectors))
    return found


def _nearest(vectors: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    most = min(_NEIGHBOURS, len(vectors) - 1)
    if most < 1:
        return np.empty((len(vectors), 0), np.int64), np.empty((len(vectors), 0), np.float32)
    ways = unit(vectors)
    numbers, cosines = np.empty((len(ways), most), np.int64), np.empty((len(ways), most), np.float32)
    for row, way in enumerate(ways):
        others = ways @ way
        others[row] = -2.0
        # of equal ones those of lower number; sorting all would take most of the time where they are many
        kept = np.flatnonzero(others >= np.partition(others, -most)[-most])
        numbers[row] = kept[np.argsort(-others[kept], kind="stable")[:most]]
        cosines[row] = others[numbers[row]]
    return numbers, cosines


def _pack(vectors: NDArray[np.float64], radii: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places (m, 2) of m circles around the origin: near by meaning, not overlapping, the middle of mass at the origin."""
    if len(radii) == 1:
        return np.zeros((1, 2))
    centred = vectors - vectors.mean(axis=0)
    left, scale, _ = np.linalg.svd(centred @ centred.T, hermitian=True)
    flat = left[:, :2] * np.sqrt(scale[:2])
    # a singular vector's sign is arbitrary
    flat = flat * np.where(flat[np.abs(flat).argmax(axis=0), np.arange(flat.shape[1])] < 0, -1.0, 1.0)
    # a golden-angle spiral parts points that fall on one another
    turn = np.arange(len(radii)) * np.pi * (3 - np.sqrt(5))
    flat = flat + 1e-3 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    places = flat / max(np.abs(flat).max(), 1e-9) * np.sqrt((radii**2).sum()) * 1.2
    gaps = (radii[:, None] + radii[None, :]) * 1.04
    np.fill_diagonal(gaps, 0.0)
    share = radii**2 / (radii[:, None] ** 2 + radii**2) / 2
    for round_ in range(_ROUNDS):
        places = places * (1.0 - 0.02 * (1.0 - round_ / _ROUNDS))
        x, y = places.T
        distance = np.maximum(np.hypot(x[:, None] - x, y[:, None] - y), 1e-9)
        push = np.maximum(gaps - distance, 0.0) * share / distance
        # each goes away from every other that is too near
        places = places + push.sum(axis=1, keepdims=True) * places - push @ places
    return np.asarray(places - np.average(places, axis=0, weights=radii**2))
