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
    ``near`` bool (n, tasks): whether enough have a task among their five nearest.
    """

    tasks: NDArray[np.float32]
    themes: NDArray[np.float32]
    near: NDArray[np.bool_]

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
        kinds, many = len(topics().tasks), len(topics().themes)
        inside = labels >= 0
        known = inside & (users >= 0)

        def enough(kind: NDArray[np.int32], kinds: int) -> NDArray[np.bool_]:
            """Whether so many users of a group are of a kind, bool (groups, kinds), by the kind or kinds of each of their requests."""
            columns = kind if kind.ndim > 1 else kind[:, None]
            cells = labels[known].astype(np.int64)[:, None] * kinds + columns[known]
            accounts = int(users.max(initial=0)) + 1
            pairs = distinct((cells * accounts + users[known][:, None]).ravel())
            people = np.bincount(pairs // accounts, minlength=groups * kinds)
            return np.asarray(people.reshape(groups, kinds) >= min_users)

        def shared(kind: NDArray[np.int32], kinds: int) -> NDArray[np.float32]:
            cells = labels[inside].astype(np.int64) * kinds + kind[inside]
            rows = np.bincount(cells, minlength=groups * kinds).reshape(groups, kinds)
            sizes = np.maximum(rows.sum(axis=1, keepdims=True), 1)
            return np.where(enough(kind, kinds), rows / sizes, 0.0).astype(np.float32)

        return Spread(shared(found.task, kinds), shared(found.theme(), many), enough(found.near, kinds))
