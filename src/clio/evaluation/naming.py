"""Whether names say what is in a cluster, without a judge: each held-out member is looked for by its request among all clusters' names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clio.models.protocols import Embedder


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Of ``tried`` held-out members: how often their own cluster's text came first, and the mean reciprocal rank, both 0..1."""

    tried: int
    first: float
    reciprocal: float


def retrieval(
    requests: Sequence[str],
    clusters: NDArray[np.int32],
    texts: Sequence[tuple[str, str] | None],
    embedder: Embedder,
) -> Retrieval:
    """Rank all clusters' texts for each of n requests by an embedder that the clusters were not made with.

    Args:
        requests: of members that were held out.
        clusters: int32 (n,), the cluster of each; those in one without a text count as not found.
        texts: name and description of each cluster.
        embedder: another one than the run's.
    """
    told = [number for number, text in enumerate(texts) if text is not None]
    place = np.full(len(texts) + 1, -1)
    place[told] = np.arange(len(told))
    shown = embedder.encode(
        [f"{name}. {description}" for text in texts if text for name, description in [text]]
    )
    scores = embedder.encode(list(requests)) @ shown.T
    own = place[clusters]
    known = own >= 0
    ranks = np.full(len(requests), np.inf)
    mine = scores[known, own[known]]
    # of equal ones half stand before
    ranks[known] = (
        1
        + (scores[known] > mine[:, None]).sum(axis=1)
        + ((scores[known] == mine[:, None]).sum(axis=1) - 1) / 2
    )
    return Retrieval(len(requests), float((ranks == 1).mean()), float((1 / ranks).mean()))


@dataclass(frozen=True, slots=True)
class Names:
    """What is told by the names alone: share that another cluster of the level has too, mean words, and how near siblings' names are.

    ``alike`` is the mean cosine of a name to the nearest name of a sibling.
    """

    repeated: float
    words: float
    alike: float


def names(
    texts: Sequence[tuple[str, str] | None], parents: NDArray[np.int32], embedder: Embedder
) -> Names | None:
    """Look at the names of the clusters of one level.

    Args:
        texts: name and description of each of k clusters.
        parents: int32 (k,), the number of each one's parent.
        embedder: by which near is meant.

    Returns:
        None where no cluster has a name.
    """
    told = [number for number, text in enumerate(texts) if text is not None]
    shown = [text[0] for text in texts if text is not None]
    if not shown:
        return None
    folded = [name.casefold() for name in shown]
    repeated = sum(folded.count(name) > 1 for name in folded) / len(folded)
    vectors = embedder.encode(shown)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1)
    sibling = parents[told][:, None] == parents[told][None, :]
    cosines[~sibling] = -1
    nearest = cosines.max(axis=1)
    alike = float(nearest[nearest > -1].mean()) if (nearest > -1).any() else 0.0
    return Names(repeated, float(np.mean([len(name.split()) for name in shown])), alike)
