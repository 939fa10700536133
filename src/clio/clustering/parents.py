"""Names and descriptions of parents without a chat model: by the tasks and themes of the vocabulary that their requests spread over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clio.clustering.topics import topics
from clio.clustering.wording import join

#: stands in a description where the gate writes the names of those children that are shown
CHILDREN = "{children}"


@dataclass(frozen=True, slots=True)
class Described:
    """A name (a short phrase) and a description (one or two sentences) of one cluster."""

    name: str
    description: str


def describe_parents(tasks: NDArray[np.float32], top: bool) -> list[Described]:
    """Name and describe parents by what joins their children: the themes (at the top) or tasks that their requests spread over.

    Args:
        tasks: float32 (parents, tasks), how each parent's requests spread over the vocabulary's tasks (rows sum to 1).
        top: whether these are the top of the hierarchy (named by themes) or lie between (named by tasks).

    Returns:
        One ``Described`` a parent; names are distinct, and descriptions hold ``CHILDREN``.
    """
    theme_of = np.asarray(topics().theme_of)
    themes = np.zeros((len(tasks), len(topics().themes)), np.float32)
    for theme in range(themes.shape[1]):
        themes[:, theme] = tasks[:, theme_of == theme].sum(axis=1)
    names = [
        joined(themes[p], topics().themes, 0.55) if top else joined(tasks[p], topics().tasks, 0.4)
        for p in range(len(tasks))
    ]
    taken: set[str] = set()
    found = []
    for p, name in enumerate(names):
        same = [q for q, other in enumerate(names) if other.casefold() == name.casefold() and q != p]
        if same:
            # what this parent's requests lean to, against its namesakes
            lean = tasks[p] - tasks[same].max(axis=0)
            for t in np.argsort(-lean, kind="stable"):
                longer = f"{name}: {lower(topics().tasks[int(t)])}"
                if longer.casefold() not in taken and topics().tasks[int(t)] != name:
                    name = longer
                    break
        taken.add(name.casefold())
        found.append(Described(name, f"Brings together: {CHILDREN}."))
    return found


def joined(shares: NDArray[np.float32], words: Sequence[str], enough: float) -> str:
    """The word with the largest share, or the two or three largest where one is not enough."""
    order = [int(i) for i in np.argsort(-shares, kind="stable")[:3]]
    kept = [order[0]]
    for i in order[1:]:
        if shares[kept].sum() >= enough or shares[i] < 0.5 * shares[order[0]]:
            break
        kept.append(i)
    parts = [words[i] for i in kept]
    return join([parts[0], *map(lower_theme, parts[1:])])


def lower_theme(word: str) -> str:
    """A theme within a sentence."""
    return word if word.startswith("AI ") else lower(word)


def lower(task: str) -> str:
    """A task within a sentence."""
    return task[0].lower() + task[1:]
