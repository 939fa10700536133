"""A fixed public vocabulary of tasks and themes, and how close each request is to it in meaning.

Names from it say nothing of any one person, whoever asked: the words were there before the log. They serve where members share a
meaning but no words (many languages, questions of fact), and to say what joins the children of a parent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from clio.clustering.lists import distinct
from clio.models.protocols import Embedder

#: vectors of the tasks by Clio's own embedders
VECTORS = files("clio.clustering").joinpath("topics.npz")

_BLOCK = 8192
# tasks that a request is near to
_NEAR = 5


@dataclass(frozen=True, slots=True)
class Topics:
    """``tasks`` ("Book a flight"), each under one of ``themes`` ("Travel"): ``theme_of`` holds the theme's number of each task."""

    tasks: tuple[str, ...]
    themes: tuple[str, ...]
    theme_of: tuple[int, ...]


@cache
def topics() -> Topics:
    """The vocabulary that comes with Clio."""
    tasks, themes, theme_of = [], [], []
    for line in files("clio.clustering").joinpath("topics.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            themes.append(line.strip("[] "))
        elif line and not line.startswith("#"):
            tasks.append(line)
            theme_of.append(len(themes) - 1)
    return Topics(tuple(tasks), tuple(themes), tuple(theme_of))


@dataclass(frozen=True, slots=True)
class Nearest:
    """For n requests: ``task`` int32 (n,), the number of the nearest task; ``near`` int32 (n, 5), those of the five nearest."""

    task: NDArray[np.int32]
    near: NDArray[np.int32]

    def theme(self) -> NDArray[np.int32]:
        """The theme's number of each request's nearest task, int32 (n,)."""
        return np.asarray(topics().theme_of, np.int32)[self.task]


def task_vectors(embedder: Embedder) -> NDArray[np.float32]:
    """The tasks' vectors by an embedder: float32 (tasks, d), mean taken away, rows of unit length.

    Those of Clio's own embedders come with it (``benchmarks/make_task_vectors.py``): to embed the vocabulary takes e5 some ten seconds.
    """
    with np.load(str(VECTORS)) as kept:
        if embedder.name in kept and str(kept["vocabulary"]) == vocabulary_hash():
            return np.asarray(kept[embedder.name], np.float32)
    return embedded(embedder)


def embedded(embedder: Embedder) -> NDArray[np.float32]:
    """The tasks, embedded anew; as ``task_vectors``.

    Taking the mean away, here and from the requests, removes what all texts of one kind have in common ("is an instruction").
    """
    vectors = embedder.encode(topics().tasks)
    vectors = vectors - vectors.mean(axis=0)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def vocabulary_hash() -> str:
    """Of the tasks in their order."""
    return hashlib.sha256("\n".join(topics().tasks).encode()).hexdigest()


def nearest(vectors: NDArray[np.float32], tasks: NDArray[np.float32]) -> Nearest:
    """The nearest task of each request.

    Args:
        vectors: float32 (n, d), rows of unit length, their mean near zero.
        tasks: from ``task_vectors``.
    """
    found = np.empty(len(vectors), np.int32)
    near = np.empty((len(vectors), min(_NEAR, len(tasks))), np.int32)
    for start in range(0, len(vectors), _BLOCK):
        scores = vectors[start : start + _BLOCK] @ tasks.T
        found[start : start + _BLOCK] = scores.argmax(axis=1)
        near[start : start + _BLOCK] = np.argpartition(scores, -near.shape[1], axis=1)[:, -near.shape[1] :]
    return Nearest(found, near)


def shares(
    numbers: NDArray[np.int32], groups: Sequence[NDArray[np.int64]], kinds: int
) -> NDArray[np.float32]:
    """How the rows of each group spread over kinds: float32 (groups, kinds), rows sum to 1 (0 for an empty group)."""
    spread = np.zeros((len(groups), kinds), np.float32)
    for i, rows in enumerate(groups):
        if len(rows):
            spread[i] = np.bincount(numbers[rows], minlength=kinds) / len(rows)
    return spread


@dataclass(frozen=True, slots=True)
class Spread:
    """How n groups' requests spread over the vocabulary: ``tasks`` float32 (n, tasks) and ``themes`` float32 (n, themes), shares 0..1.

    Only what enough distinct users of a group are nearest to; the rest is 0, for a single request must not put a task into a text.
    """

    tasks: NDArray[np.float32]
    themes: NDArray[np.float32]

    @staticmethod
    def of(
        found: Nearest, labels: NDArray[np.int32], users: NDArray[np.int32], groups: int, min_users: int
    ) -> Spread:
        """Count it.

        Args:
            found: the nearest tasks of n requests.
            labels: int32 (n,), the group of each, -1 for none.
            users: int32 (n,), its user, -1 where it counts for nobody.
            groups: number of groups.
            min_users: distinct users who must be near to a task or theme.
        """
        told = labels, users, groups, min_users
        _, tasks = _counted(found.task[:, None], len(topics().tasks), *told)
        _, themes = _counted(found.theme()[:, None], len(topics().themes), *told)
        return Spread(tasks, themes)


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near n groups lie to the vocabulary, as a whole and by their requests' five nearest tasks.

    ``closeness`` float32 (n, tasks), cosine of the centroid to each task; ``tasks`` bool (n, tasks), whether enough users have a task among
    the five; ``themes`` float32 (n, themes), the share of requests that have any task of a theme among them, 0 where too few users do.
    """

    closeness: NDArray[np.float32]
    tasks: NDArray[np.bool_]
    themes: NDArray[np.float32]

    @staticmethod
    def of(
        found: Nearest,
        closeness: NDArray[np.float32],
        labels: NDArray[np.int32],
        users: NDArray[np.int32],
        min_users: int,
    ) -> Nearness:
        """Count it; as ``Spread.of``, with as many groups as ``closeness`` has rows."""
        told = labels, users, len(closeness), min_users
        themes = np.sort(np.asarray(topics().theme_of, np.int32)[found.near], axis=1)
        # a theme counts once a request
        themes[:, 1:][themes[:, 1:] == themes[:, :-1]] = -1
        tasks, _ = _counted(found.near, len(topics().tasks), *told)
        _, shares = _counted(themes, len(topics().themes), *told)
        return Nearness(closeness, tasks, shares)


def _cells(
    kind: NDArray[np.int32], kinds: int, labels: NDArray[np.int32], rows: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The group and kind of each kind of some rows as one number, and the row of each; kinds below 0 are none."""
    at, which = np.nonzero((kind >= 0) & rows[:, None])
    return labels[at].astype(np.int64) * kinds + kind[at, which], at


def _counted(
    kind: NDArray[np.int32],
    kinds: int,
    labels: NDArray[np.int32],
    users: NDArray[np.int32],
    groups: int,
    min_users: int,
) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Whether so many users of a group are of a kind, and the share of its requests that are, each (groups, kinds).

    ``kind`` int32 (n, any) are the kinds of each request, -1 for none; shares are 0 where too few users are.
    """
    inside = labels >= 0
    cells, at = _cells(kind, kinds, labels, inside & (users >= 0))
    accounts = int(users.max(initial=0)) + 1
    people = np.bincount(distinct(cells * accounts + users[at]) // accounts, minlength=groups * kinds)
    enough = people.reshape(groups, kinds) >= min_users
    cells, _ = _cells(kind, kinds, labels, inside)
    rows = np.bincount(cells, minlength=groups * kinds).reshape(groups, kinds)
    sizes = np.maximum(np.bincount(labels[inside], minlength=groups), 1)[:, None]
    return enough, np.where(enough, rows / sizes, 0.0).astype(np.float32)
