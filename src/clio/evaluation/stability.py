"""How much of a clustering comes again: with another seed, on another half of the conversations, with a tenth less."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clio.evaluation.clustered import contingency


@dataclass(frozen=True, slots=True)
class Again:
    """Two clusterings of the same conversations: their adjusted mutual information, and the share in clusters that come again."""

    ami: float
    matched: float


def again(one: NDArray[np.int32], other: NDArray[np.int32], overlap: float = 0.5) -> Again:
    """Compare two clusterings of n conversations; all in no cluster count as one, which never comes again.

    Args:
        one: int32 (n,), -1 in none.
        other: the same of the other.
        overlap: Jaccard index from which a cluster of one counts as found again in the other (Hennig 2007, CSDA 52:258).
    """
    from sklearn.metrics import adjusted_mutual_info_score

    table = contingency(one, other)
    a, b = (
        np.bincount(some[some >= 0], minlength=n) for some, n in ((one, len(table)), (other, table.shape[1]))
    )
    jaccard = table / np.maximum(a[:, None] + b[None, :] - table, 1)
    found = jaccard.max(axis=1, initial=0) >= overlap
    return Again(float(adjusted_mutual_info_score(one, other)), float(a[found].sum() / len(one)))


def placed(vectors: NDArray[np.float32], middles: NDArray[np.float32]) -> NDArray[np.int32]:
    """The cluster whose centroid each vector is nearest to, int32 (n,)."""
    return np.asarray((vectors @ middles.T).argmax(axis=1), np.int32)
