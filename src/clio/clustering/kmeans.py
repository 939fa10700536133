"""K-means (Lloyd 1982), whose sums come in one order, so that the same vectors give the same bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clio.clustering.vectors import means, rows_of, unit, without_gaps

# rounds after which it is settled enough
_MOST_ROUNDS = 300
# clusters nearest to a vector's own among which it is settled
_NEAR = 64
_BLOCK = 4096


def nearest(vectors: NDArray[np.float32], middles: NDArray[np.float32]) -> NDArray[np.int32]:
    """Which of k middles, float32 (k, d), is nearest to each of n vectors: int32 (n,)."""
    found = np.empty(len(vectors), np.int32)
    for at in range(0, len(vectors), _BLOCK):
        found[at : at + _BLOCK] = _nearness(vectors[at : at + _BLOCK], middles).argmax(axis=1)
    return found


def settled(vectors: NDArray[np.float32], labels: NDArray[np.int32], rounds: int) -> NDArray[np.int32]:
    """Labels after rounds of k-means, int32 (n,) without gaps.

    A vector is settled among the 64 clusters that are nearest to its own (Agustsson et al. 2017, "k2-means for fast and accurate large
    scale clustering"), which is all of them where they are few.

    Args:
        vectors: float32 (n, d).
        labels: int32 (n,), where each begins.
        rounds: how many.
    """
    for number in range(rounds):
        labels = without_gaps(labels)
        middles = means(vectors, labels)
        if number == 0:
            # at first clusters of all widths reach equally far
            middles = unit(middles)
        moved = np.empty_like(labels)
        for rows, near in zip(rows_of(labels, len(middles)), _near(middles), strict=True):
            moved[rows] = near[_nearness(vectors[rows], middles[near]).argmax(axis=1)]
        labels = moved
    return without_gaps(labels)


def kmeans(
    vectors: NDArray[np.float32], k: int, seed: int, *, tries: int = 1, weights: NDArray[Any] | None = None
) -> NDArray[np.int32]:
    """The best of some tries to part n vectors into at most k clusters, int32 (n,) without gaps.

    Each begins with vectors that lie ``apart``, and goes on until nothing moves.

    Args:
        vectors: float32 (n, d).
        k: wanted number, at most n.
        seed: of the draws.
        tries: how many.
        weights: (n,), how much each counts; alike if None.
    """
    dice = np.random.default_rng(seed)
    mass = np.ones(len(vectors), np.float32) if weights is None else np.asarray(weights, np.float32)
    best, least = np.zeros(len(vectors), np.int32), np.inf
    for _ in range(tries):
        middles = vectors[apart(vectors, k, dice, mass)]
        labels = nearest(vectors, middles)
        for _ in range(_MOST_ROUNDS):
            inside = np.eye(len(middles), dtype=np.float32)[labels] * mass[:, None]
            sums = inside.sum(axis=0)[:, None]
            # one that lost all its own stays where it was
            middles = np.where(sums > 0, (inside.T @ vectors) / np.maximum(sums, 1e-12), middles)
            before, labels = labels, nearest(vectors, middles)
            if (before == labels).all():
                break
        spread = float((((vectors - middles[labels]) ** 2).sum(axis=1) * mass).sum())
        if spread < least:
            best, least = labels, spread
    return without_gaps(best)


def apart(
    vectors: NDArray[np.float32], k: int, dice: np.random.Generator, mass: NDArray[np.float32] | None = None
) -> list[int]:
    """Rows that lie apart, by k-means++ that takes the best of a few draws each time (Arthur and Vassilvitskii 2007).

    Args:
        vectors: float32 (n, d).
        k: how many rows; some may be the same where vectors are.
        dice: draws them.
        mass: float32 (n,), how much each counts; alike if None.
    """
    mass = np.ones(len(vectors), np.float32) if mass is None else mass
    squares = (vectors**2).sum(axis=1)[:, None]
    chosen: list[int] = []
    left = np.full(len(vectors), np.inf, np.float32)
    while len(chosen) < k:
        odds = np.cumsum(left * mass if chosen else mass, dtype=np.float64)
        draws = 2 + int(np.log(k)) if chosen else 1
        drawn = np.searchsorted(odds, dice.random(draws) * odds[-1], "right").clip(max=len(vectors) - 1)
        nearer = np.minimum(np.maximum(squares - 2 * _nearness(vectors, vectors[drawn]), 0), left[:, None])
        best = int(np.argmin(mass @ nearer))
        chosen.append(int(drawn[best]))
        left = nearer[:, best]
    return chosen


def _nearness(vectors: NDArray[np.float32], middles: NDArray[np.float32]) -> NDArray[np.float32]:
    """The higher, the nearer: float32 (n, k), half of a vector's square less half of its squared distance to a middle."""
    found = vectors @ middles.T
    found -= (middles**2).sum(axis=1) / 2
    return np.asarray(found, np.float32)


def _near(middles: NDArray[np.float32]) -> list[NDArray[np.int64]]:
    """The clusters nearest to each of k, its own among them, in order of their numbers."""
    if len(middles) <= _NEAR:
        return [np.arange(len(middles))] * len(middles)
    found: list[NDArray[np.int64]] = []
    for at in range(0, len(middles), _BLOCK):
        scores = _nearness(middles[at : at + _BLOCK], middles)
        found += list(np.sort(np.argpartition(scores, -_NEAR, axis=1)[:, -_NEAR:], axis=1))
    return found
