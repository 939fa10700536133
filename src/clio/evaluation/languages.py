"""Whether the same request in many languages lands in one cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clio.clustering.stability import contingency

#: a label shows whether languages meet if it comes in so many
LANGUAGES = 10


@dataclass(frozen=True, slots=True)
class Meeting:
    """How often two conversations of one label are in one cluster, 0..1: ``across`` two languages, and ``alone`` in the same one."""

    across: float
    alone: float


def meeting(labels: Sequence[str], spoken: Sequence[str], clusters: NDArray[np.int32]) -> Meeting | None:
    """Count over all pairs of conversations of one label.

    Args:
        labels: of n conversations.
        spoken: their languages, empty where unknown.
        clusters: int32 (n,), -1 in none: such a conversation meets nobody.

    Returns:
        None where no label comes in ten languages.
    """
    known = np.asarray([bool(language) for language in spoken])
    numbers = np.unique(np.asarray(labels), return_inverse=True)[1]
    tongues = np.unique(np.asarray(spoken), return_inverse=True)[1]
    met, tried = np.zeros(2), np.zeros(2)
    for number in np.unique(numbers[known]):
        rows = known & (numbers == number)
        if len(np.unique(tongues[rows])) < LANGUAGES:
            continue
        alone = _pairs(contingency(tongues[rows], clusters[rows]))
        every = _pairs(contingency(np.zeros_like(tongues[rows]), clusters[rows]))
        same = _pairs(np.bincount(tongues[rows]))
        met += every - alone, alone
        tried += _pairs(np.asarray(rows.sum())) - same, same
    return Meeting(*(met / tried).tolist()) if tried.all() else None


def _pairs(counts: NDArray[np.int64]) -> float:
    """Ordered pairs within sets of so many."""
    return float((counts * (counts - 1.0)).sum())
