"""Names and descriptions of parents without a chat model: by the tasks and themes of the vocabulary that their requests spread over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clio.clustering.topics import Spread, topics
from clio.clustering.wording import join

#: stands in a description where the gate writes the names of those children that are shown
CHILDREN = "{children}"
#: what is called where nothing is shared by enough users
VARIOUS = "Various requests"


@dataclass(frozen=True, slots=True)
class Described:
    """A name (a short phrase) and a description (one or two sentences) of one cluster.

    ``plain`` is the description without the words that its users share, for where more must say them; empty where it is the same.
    """

    name: str
    description: str
    plain: str = ""


def describe_parents(spread: Spread, top: bool) -> list[Described]:
    """Name and describe parents by what joins their children: the themes (at the top) or tasks that their requests spread over.

    Args:
        spread: of the parents' requests over the vocabulary.
        top: whether these are the top of the hierarchy (named by themes) or lie between (named by tasks).

    Returns:
        One ``Described`` a parent; names are distinct as far as enough users share what tells them apart, and descriptions hold
        ``CHILDREN``.
    """
    tasks, themes = spread.tasks, spread.themes
    names = [
        joined(tasks[p], topics().tasks, 0.4)
        if not top and tasks[p].any()
        else joined(themes[p], topics().themes, 0.55)
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
                if tasks[p, t] > 0 and longer.casefold() not in taken and topics().tasks[int(t)] != name:
                    name = longer
                    break
        taken.add(name.casefold())
        found.append(Described(name, f"Brings together: {CHILDREN}."))
    return found


def joined(shares: NDArray[np.float32], words: Sequence[str], enough: float) -> str:
    """The word with the largest share, or the two or three largest where one is not enough."""
    if not shares.any():
        return VARIOUS
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
