"""Names and descriptions of parents without a chat model: by the tasks and themes of the vocabulary that their requests spread over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clio.clustering.topics import Spread, topics
from clio.clustering.wording import join

#: stands in a description where the gate writes the names of those children that are shown
CHILDREN = "{children}"
#: what is called where nothing is shared by enough users
VARIOUS = "Various requests"
#: how a name begins that tells of a part of its cluster only
MIXED = "Various:"
#: share of requests for which a name must speak: those nearest to its themes or tasks
SPEAK = 0.25
#: characters of a name
MAX_NAME = 70
_ORDINALS = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


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
        (not top and _most(tasks[p], topics().tasks, 0.4)) or _theme(themes[p]) for p in range(len(tasks))
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


def placed(base: Sequence[Described], spread: Spread | None, step: NDArray[np.int32]) -> list[Described]:
    """Base clusters, those that nothing is told of named by where they lie: "Various requests near creative writing".

    Args:
        base: k clusters.
        spread: of their parents' requests over the vocabulary; None where there are no parents.
        step: int32 (k,), the parent of each.
    """
    taken: set[str] = set()
    found = []
    for described, parent in zip(base, step, strict=True):
        if described.name == VARIOUS:
            name = VARIOUS
            if spread and (theme := _most(spread.themes[parent], topics().themes, 0.55)):
                name = f"{VARIOUS} near {lower_theme(theme)}"
            described = replace(described, name=numbered(name, taken))
        found.append(described)
    return found


def numbered(name: str, taken: set[str]) -> str:
    """The name, as the second or third of its kind where others have it: a word, for a number would need users who say it."""
    kinds = (name, *(f"{name} ({ordinal} group)" for ordinal in _ORDINALS))
    free = next((one for one in kinds if one.casefold() not in taken), name)
    taken.add(free.casefold())
    return free


def _theme(shares: NDArray[np.float32]) -> str:
    """What a parent's themes are called; that it is mixed is said where they are the nearest to few of its requests."""
    if name := _most(shares, topics().themes, 0.55):
        return name
    if mixed := _most(shares, topics().themes, 0.55, speak=0.0):
        return f"{MIXED} {lower_theme(mixed)}"
    return VARIOUS


def _most(shares: NDArray[np.float32], words: Sequence[str], enough: float, speak: float = SPEAK) -> str:
    """The word with the largest share, or the two or three largest where one is not enough; "" where they do not ``speak`` for it."""
    order = [int(i) for i in np.argsort(-shares, kind="stable")[:3]]
    kept = [order[0]]
    for i in order[1:]:
        if shares[kept].sum() >= enough or shares[i] < 0.5 * shares[order[0]]:
            break
        kept.append(i)
    told = shares[kept].sum()
    return join_themes([words[i] for i in kept]) if told and told >= speak else ""


def join_themes(words: Sequence[str]) -> str:
    """ "Creative writing and music", "Games and sport; film and television": where themes have an "and" of their own, it parts none."""
    parts = [words[0], *map(lower_theme, words[1:])]
    return "; ".join(parts) if any(" and " in part for part in parts) else join(parts)


def lower_theme(word: str) -> str:
    """A theme within a sentence."""
    return word if word.startswith("AI ") else lower(word)


def lower(task: str) -> str:
    """A task within a sentence."""
    return task[0].lower() + task[1:]
