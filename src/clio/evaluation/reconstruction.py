"""Reconstruction (paper, C.2): the parents are fixed to the true categories, and each base cluster is given to one of them.

By its name it measures what people rely on: that a cluster's name and description say what is in it, and that its conversations belong
together. By its members it measures the latter, and whether a place can be found for them among parents that are given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clio.clustering.embed import prepare
from clio.clustering.stability import contingency
from clio.evaluation.clustered import Clustered
from clio.evaluation.labelled import in_words
from clio.models.protocols import Embedder


@dataclass(frozen=True, slots=True)
class Codebook:
    """What c categories are told by: t texts, and ``of`` int32 (t,), the number of the category that each one tells."""

    texts: Sequence[str] = field(repr=False)
    of: NDArray[np.int32] = field(repr=False)

    @staticmethod
    def of_names(categories: Sequence[str]) -> Codebook:
        """Each told by its name alone."""
        return Codebook([in_words(name) for name in categories], np.arange(len(categories), dtype=np.int32))

    @staticmethod
    def of_labels(categories: Sequence[str], inside: Iterable[tuple[str, str]]) -> Codebook:
        """Each told with every label under it, as a codebook does, by pairs of category and label."""
        pairs = sorted(set(inside))
        texts = [f"{in_words(above)}: {in_words(label)}" for above, label in pairs]
        number = {name: at for at, name in enumerate(categories)}
        return Codebook(texts, np.asarray([number[above] for above, _ in pairs], np.int32))


def by_names(found: Clustered, codebook: Codebook, embedder: Embedder) -> NDArray[np.int32]:
    """The category that each of n conversations is given by the name and description of its base cluster.

    Args:
        found: n conversations.
        codebook: what the categories are told by.
        embedder: that whose nearest text decides.

    Returns:
        int32 (n,), the category's number; -1 for a conversation under no name.
    """
    texts = found.texts[0]
    told = [number for number, text in enumerate(texts) if text is not None]
    by_cluster = np.full(len(texts) + 1, -1, np.int32)  # a last place for those in no cluster
    if told:
        shown = [text for text in texts if text is not None]
        # the name weighs as much as the description, however long that is
        vectors = embedder.encode([name for name, _ in shown])
        vectors = vectors + embedder.encode([f"{name}. {description}" for name, description in shown])
        by_cluster[told] = codebook.of[(vectors @ embedder.encode(list(codebook.texts)).T).argmax(axis=1)]
    return np.asarray(by_cluster[found.levels[0]], np.int32)


def by_members(
    found: Clustered,
    codebook: Codebook,
    requests: Mapping[str, str],
    embedder: Embedder,
    languages: Mapping[str, str] | None = None,
) -> NDArray[np.int32]:
    """The category that each of n conversations is given by the members of its base cluster: that which most of them are nearest to.

    Args:
        found: n conversations.
        codebook: what the categories are told by.
        requests: what the conversations ask for, by id; one that asks for nothing has no say.
        embedder: that whose nearest text decides of a member.
        languages: of the conversations, by id; if given, the means of languages and of the codebook are taken away, as for clustering.

    Returns:
        int32 (n,), the category's number; -1 for a conversation in no cluster.
    """
    heard = [n for n, id_ in enumerate(found.ids) if id_ in requests]
    vectors = embedder.encode([requests[found.ids[n]] for n in heard])
    texts = embedder.encode(list(codebook.texts))
    if languages is not None:
        vectors = prepare(vectors, [languages.get(found.ids[n], "unknown") for n in heard])
        texts = prepare(texts, ["unknown"] * len(texts))
    nearest = codebook.of[(vectors @ texts.T).argmax(axis=1)]
    base = found.levels[0]
    votes = np.zeros((int(base.max(initial=-1)) + 2, int(codebook.of.max()) + 1), np.int64)
    np.add.at(votes, (base[heard], nearest), 1)
    by_cluster = np.where(votes.any(axis=1), votes.argmax(axis=1), -1)
    by_cluster[-1] = -1  # the last place is of those in no cluster
    return np.asarray(by_cluster[base], np.int32)


def best(found: Clustered, truth: NDArray[np.int32]) -> float:
    """The accuracy that no assigning can beat: every base cluster given to its commonest category, 0..1."""
    table = contingency(found.levels[0], truth)
    return float(table.max(axis=1).sum() / len(truth))
