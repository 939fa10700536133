"""Whether names say what is in a cluster: each held-out member is looked for by its request among clusters' names.

By an embedder among all of them, without a judge; by a chat model among its own cluster's and those nearest to it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clio.models.protocols import Answer, Embedder, Failure, Prompt
from clio.models.roles import Model
from clio.progress import Advance, silent
from clio.prompts import fill, load, repaired

#: texts that a chat model chooses from
CHOICES = 5
_NUMBER = re.compile(r"\d+")


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
class Recognised:
    """Of ``tried`` held-out members: how many were given their own cluster's text, and for how many no answer could be read."""

    tried: int
    right: int
    unread: int


def recognised(
    requests: Sequence[str],
    clusters: NDArray[np.int32],
    texts: Sequence[tuple[str, str] | None],
    middles: NDArray[np.float32],
    model: Model,
    *,
    seed: int = 0,
    progress: Advance = silent,
) -> Recognised:
    """Let a chat model choose each of n requests' cluster by name and description, among its own and the four nearest, shuffled.

    Guessing finds one in five. A request whose cluster has no text is not tried; an answer that cannot be read is asked for again,
    then counts as wrong.

    Args:
        requests: of members that were held out, masked.
        clusters: int32 (n,), the cluster of each.
        texts: name and description of each of k clusters; fewer than five with a text are all shown.
        middles: float32 (k, d), the mean direction of each, by which near is meant.
        model: who chooses; it reads the requests.
        seed: of the orders.
        progress: called with the number of requests done.
    """
    template = load("recognise", model.prompts)
    told = np.asarray([number for number, text in enumerate(texts) if text is not None], np.int64)
    tried = [number for number, own in enumerate(clusters) if texts[own] is not None]
    orders = []
    for number in tried:
        own = clusters[number]
        others = told[told != own]
        near = others[np.argsort(-(middles[others] @ middles[own]), kind="stable")[: CHOICES - 1]]
        orders.append(np.random.default_rng([seed, number]).permutation([own, *near]))

    def asked(number: int, order: NDArray[np.int64]) -> Prompt:
        shown = [". ".join(filter(None, text)) for at in order if (text := texts[at])]
        groups = [("group", f"{place}: {text}") for place, text in enumerate(shown, 1)]
        return fill(template, {"request": requests[number], "groups": groups})

    def again(prompt: Prompt, answer: Answer) -> Prompt | None:
        return (
            None if _choice(answer) else repaired(prompt, answer, "it holds no group's number", model.prompts)
        )

    prompts = [asked(number, order) for number, order in zip(tried, orders, strict=True)]
    right = unread = 0
    found = model.answers.stream(model.chat, prompts, stage="recognise", again=again, progress=progress)
    for number, order, answer in zip(tried, orders, found, strict=True):
        place = _choice(answer)
        unread += not 1 <= place <= len(order)
        right += 1 <= place <= len(order) and bool(order[place - 1] == clusters[number])
    return Recognised(len(tried), right, unread)


def _choice(answer: Answer | Failure) -> int:
    """The number of the group that is chosen, from 1; 0 where none can be read."""
    mark = None if isinstance(answer, Failure) else _NUMBER.search(answer.text)
    place = int(mark[0]) if mark else 0
    return place if place <= CHOICES else 0


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
