"""How much of a clustering comes again: with another seed, on another half of the conversations, with a tenth less."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clio.clustering.base import base_clusters

#: the most requests that are clustered anew
MOST = 20_000


@dataclass(frozen=True, slots=True)
class Again:
    """Two clusterings of the same conversations: their adjusted mutual information, and the share in clusters that come again."""

    ami: float
    matched: float


def contingency(one: NDArray[np.integer[Any]], other: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """How many of n items lie in each pair of sets, int64 (sets, other sets), by two numberings (n,); those with a -1 are left out."""
    found = np.zeros((int(one.max(initial=-1)) + 1, int(other.max(initial=-1)) + 1), np.int64)
    both = (one >= 0) & (other >= 0)
    np.add.at(found, (one[both], other[both]), 1)
    return found


def again(one: NDArray[np.int32], other: NDArray[np.int32], overlap: float = 0.5) -> Again:
    """Compare two clusterings of n conversations; all in no cluster count as one, which never comes again.

    Args:
        one: int32 (n,), -1 in none.
        other: the same of the other.
        overlap: Jaccard index from which a cluster of one counts as found again in the other (Hennig 2007, CSDA 52:258).
    """
    table = contingency(one, other)
    a, b = (
        np.bincount(some[some >= 0], minlength=n) for some, n in ((one, len(table)), (other, table.shape[1]))
    )
    jaccard = table / np.maximum(a[:, None] + b[None, :] - table, 1)
    found = jaccard.max(axis=1, initial=0) >= overlap
    return Again(
        adjusted_mutual_information(contingency(one + 1, other + 1)), float(a[found].sum() / len(one))
    )


def information(table: NDArray[np.int64]) -> tuple[float, float]:
    """Of two partitions, by their contingency: the mutual information, and the mean of their entropies, in nats."""
    n = table.sum()
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    expected = rows[:, None] * columns / n
    found = table > 0
    mutual = float((table[found] * np.log(table[found] / expected[found])).sum() / n)
    entropies = (-(some[some > 0] / n * np.log(some[some > 0] / n)).sum() for some in (rows, columns))
    return mutual, float(sum(entropies) / 2)


def adjusted_mutual_information(table: NDArray[np.int64]) -> float:
    """How far two partitions agree beyond chance, by their contingency: 1 for the same, about 0 by chance (Vinh et al. 2010, JMLR 11)."""
    mutual, entropy = information(table)
    chance = _by_chance(table.sum(axis=1), table.sum(axis=0))
    # both all in one, or both all apart
    return float((mutual - chance) / (entropy - chance)) if abs(entropy - chance) > 1e-12 else 1.0


def _by_chance(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> float:
    """The mutual information of partitions with sets of these sizes that is expected by chance (Vinh et al. 2010, eq. 24a)."""
    n = int(rows.sum())
    logs = np.array([math.lgamma(i + 1) for i in range(n + 1)])
    total = 0.0
    # sets of one size expect the same
    b, times = (some[:, None] for some in np.unique(columns[columns > 0], return_counts=True))
    for a, many in zip(*np.unique(rows[rows > 0], return_counts=True), strict=True):
        both = np.arange(1, a + 1)
        possible = (both <= b) & (both >= a + b - n)
        sides = logs[np.maximum(b - both, 0)] + logs[np.maximum(n - a - b + both, 0)]
        odds = logs[a] + logs[n - a] - logs[n] + logs[b] + logs[n - b] - logs[both] - logs[a - both] - sides
        told = both / n * np.log(n * both / (a * b)) * np.exp(np.where(possible, odds, -np.inf))
        total += many * float((times * told).sum())
    return total


def placed(vectors: NDArray[np.float32], middles: NDArray[np.float32]) -> NDArray[np.int32]:
    """The cluster whose centroid each vector is nearest to, int32 (n,)."""
    return np.asarray((vectors @ middles.T).argmax(axis=1), np.int32)


def anew(
    vectors: NDArray[np.float32],
    labels: NDArray[np.int32],
    users: NDArray[np.int32],
    least: tuple[int, int],
    seed: int,
) -> Again:
    """Cluster by another seed without a tenth of the requests, and compare; of very many only those nearest to one of them.

    Args:
        vectors: float32 (n, d), rows of unit length.
        labels: int32 (n,), base clusters.
        users: int32 (n,), a number for each distinct user, -1 where a request supports nothing.
        least: distinct users and requests that a cluster holds.
        seed: of the run.
    """
    dice = np.random.default_rng(seed + 1)
    rows = np.arange(len(labels))
    if len(rows) > MOST:
        # by requests, not by whole clusters: their borders would be given away
        rows = np.argsort(-(vectors @ vectors[dice.integers(len(rows))]), kind="stable")[:MOST]
    rows = np.sort(dice.permutation(rows)[: max(1, round(0.9 * len(rows)))])
    k = len(np.unique(labels[rows]))
    return again(labels[rows], base_clusters(vectors[rows], k, seed + 1, users=users[rows], least=least))
