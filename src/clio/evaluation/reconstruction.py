"""Reconstruction (paper, C.2): the parents are fixed to the true categories, and each base cluster is given to one of them by its name.

It measures what people rely on: that a cluster's name and description say what is in it, and that its conversations belong together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clio.clustering.stability import contingency
from clio.evaluation.clustered import Clustered
from clio.models.protocols import Embedder


def assign(
    texts: Sequence[tuple[str, str] | None], categories: Sequence[str], embedder: Embedder
) -> NDArray[np.int32]:
    """Give each of k clusters to the category whose name its own name and description are nearest to, without a chat model.

    Args:
        texts: name and description of each cluster, None where nothing is shown.
        categories: their names, in words.
        embedder: by which near is meant.

    Returns:
        int32 (k,), the category's number, -1 where nothing is shown.
    """
    told = [number for number, text in enumerate(texts) if text is not None]
    found = np.full(len(texts), -1, np.int32)
    if not told:
        return found
    shown = [text for text in texts if text is not None]
    wanted = embedder.encode(list(categories))
    # the name weighs as much as the description, however long that is
    vectors = embedder.encode([name for name, _ in shown])
    vectors = vectors + embedder.encode([f"{name}. {description}" for name, description in shown])
    found[told] = (vectors @ wanted.T).argmax(axis=1)
    return found


def given(found: Clustered, categories: Sequence[str], embedder: Embedder) -> NDArray[np.int32]:
    """The category that each of n conversations is given by its base cluster, int32 (n,); -1 for one under no name.

    Args:
        found: n conversations.
        categories: names, in words.
        embedder: by which base clusters are given to categories.
    """
    by_cluster = assign(found.texts[0], categories, embedder)
    base = found.levels[0]
    return np.where(base >= 0, by_cluster[base], -1).astype(np.int32)


def best(found: Clustered, truth: NDArray[np.int32]) -> float:
    """The accuracy that no naming can beat: every base cluster given to its commonest category, 0..1."""
    table = contingency(found.levels[0], truth)
    return float(table.max(axis=1).sum() / len(truth))
