"""From labelled vectors to named candidates: describe base clusters, arrange them, name their parents, place them on the map.

Two routes with the same outcome: ``without_model`` (shared phrases and a public vocabulary) and ``by_model`` (the paper's prompts).
A candidate is only a proposal: what may be shown is decided in ``clio.privacy.gate``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio.clustering import counting, hierarchy, naming, topics, with_model
from clio.clustering.naming import Described
from clio.models.answers import Answers
from clio.models.protocols import ChatModel, Embedder

#: clusters from outside that a neighbourhood is shown (the paper's m, which it does not give)
OUTSIDERS = 10


@dataclass(frozen=True, slots=True)
class Clustered:
    """What the clustering hands on: n requests with their vectors and base clusters. Its texts never show in a repr.

    Args:
        requests: n texts, identifiers masked.
        languages: n ISO 639-1 codes or "unknown".
        users: int32 (n,), a number for each distinct user, -1 where a request may support nothing.
        vectors: float32 (n, d), rows of unit length.
        labels: int32 (n,), base cluster or -1 (placed nowhere).
        centroids: float32 (k, d), rows of unit length.
        weights: int64 (k,), conversations in each base cluster.
    """

    requests: Sequence[str] = field(repr=False)
    languages: Sequence[str] = field(repr=False)
    users: NDArray[np.int32] = field(repr=False)
    vectors: NDArray[np.float32] = field(repr=False)
    labels: NDArray[np.int32] = field(repr=False)
    centroids: NDArray[np.float32] = field(repr=False)
    weights: NDArray[np.int64] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Shape:
    """How the hierarchy is to look: wanted number at the top, number of levels (None: by size), distinct users behind each phrase, seed."""

    top: int = 10
    levels: int | None = None
    min_users: int = 5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Tree:
    """Named clusters by level, base first, and for each step up the parent's number of each cluster of the level below."""

    levels: list[list[Described]]
    steps: list[NDArray[np.int32]]


def without_model(data: Clustered, tasks: NDArray[np.float32], shape: Shape) -> Tree:
    """Name and arrange base clusters without a chat model.

    Args:
        data: requests, vectors and base clusters.
        tasks: float32 (tasks, d), from ``topics.task_vectors`` with the embedder of the vectors.
        shape: of the hierarchy.
    """
    k = len(data.centroids)
    near = topics.nearest(data.vectors, tasks)
    groups = _groups(data.labels, k)
    spread = topics.shares(near.task, groups, len(topics.topics().tasks))
    themes = topics.shares(near.theme(), groups, len(topics.topics().themes))
    members = counting.read(data.requests, data.languages, data.labels, data.users)
    base = naming.describe_base(members, data.centroids @ tasks.T, spread, shape.min_users)
    sizes = hierarchy.level_sizes(k, shape.top, shape.levels)
    steps = hierarchy.arrange(data.centroids, data.weights, themes, sizes, shape.seed)
    levels = [base]
    weights: NDArray[np.float64] = np.maximum(data.weights, 1).astype(np.float64)
    for number, parents in enumerate(steps):
        count = int(parents.max()) + 1
        spread = np.stack(
            [np.average(spread[parents == p], axis=0, weights=weights[parents == p]) for p in range(count)]
        )
        order = np.argsort(-weights, kind="stable")
        children = [[levels[-1][c].name for c in order if parents[c] == p] for p in range(count)]
        levels.append(naming.describe_parents(children, spread, top=number == len(steps) - 1))
        weights = np.bincount(parents, weights=weights, minlength=count).astype(np.float64)
    return Tree(levels, steps)


def by_model(
    data: Clustered,
    fallback: Tree,
    model: ChatModel,
    answers: Answers,
    embedder: Embedder,
    shape: Shape,
    criteria: str = "",
    folder: Path | None = None,
) -> Tree:
    """Name and arrange base clusters with a chat model (paper G.5, G.7).

    Base clusters are described; then, a level at a time, parents are proposed, deduplicated, given their children and renamed.

    Where the model gives no usable name, the name of the same cluster in ``fallback`` stands.
    """
    k = len(data.centroids)
    groups = _groups(np.where(data.users >= 0, data.labels, -1), k)
    texts = [[data.requests[i] for i in rows] for rows in groups]
    contrast = [[data.requests[i] for i in _nearest_outside(data, c)] for c in range(k)]
    named = with_model.describe(
        texts, contrast, model, answers, criteria=criteria, seed=shape.seed, folder=folder
    )
    levels = [[Described(*n) if n else other for n, other in zip(named, fallback.levels[0], strict=True)]]
    steps: list[NDArray[np.int32]] = []
    for wanted in reversed(hierarchy.level_sizes(k, shape.top, shape.levels)[:-1]):
        below = [(d.name, d.description) for d in levels[-1]]
        vectors = embedder.encode([f"{name}: {description}" for name, description in below])
        places = hierarchy.neighbourhoods(vectors, shape.seed)
        inside = [np.flatnonzero(places == p) for p in range(places.max() + 1)]
        shown = [[below[i] for i in (*rows, *_outsiders(vectors, rows))] for rows in inside]
        aims = [max(1, round(wanted * len(rows) / len(below))) for rows in inside]
        proposals = [
            name for names in with_model.propose(shown, aims, model, answers, folder=folder) for name in names
        ]
        if not proposals:
            break
        parents = with_model.deduplicate(proposals, wanted, model, answers, seed=shape.seed, folder=folder)
        closest = np.argmax(vectors @ embedder.encode(parents).T, axis=1)
        chosen = with_model.assign(
            below, parents, closest.tolist(), model, answers, seed=shape.seed, folder=folder
        )
        step = np.asarray(np.unique(chosen, return_inverse=True)[1], np.int32)
        kept = [parents[i] for i in np.unique(chosen)]
        children = [[below[i] for i in np.flatnonzero(step == p)] for p in range(len(kept))]
        names = with_model.rename(children, model, answers, folder=folder)
        levels.append(
            [Described(*n) if n else Described(name, "") for n, name in zip(names, kept, strict=True)]
        )
        steps.append(step)
    return Tree(levels, steps)


def cluster_ids(tree: Tree) -> list[list[str]]:
    """The id of each cluster by level, base first: "1.4" is the fourth at the top. The number follows construction, never size."""
    return [
        [f"{len(tree.levels) - depth}.{n + 1}" for n in range(len(level))]
        for depth, level in enumerate(tree.levels)
    ]


def candidates(tree: Tree, fallback: Tree, places: Sequence[NDArray[np.float32]]) -> pa.Table:
    """The candidates as a table: id, parent, level, name, description, fallback_name, fallback_description, x, y; the top first.

    Args:
        tree: as named and arranged.
        fallback: the same base clusters named without a model; their names stand in where the gate cannot support the model's.
        places: float32 (m, 2) for each level, base first.
    """
    ids = cluster_ids(tree)
    rows = []
    for depth in reversed(range(len(tree.levels))):
        for n, described in enumerate(tree.levels[depth]):
            parent = ids[depth + 1][tree.steps[depth][n]] if depth < len(tree.steps) else None
            other = fallback.levels[0][n] if depth == 0 else described
            x, y = (float(v) for v in places[depth][n])
            rows.append(
                (
                    ids[depth][n],
                    parent,
                    len(tree.levels) - depth,
                    described.name,
                    described.description,
                    other.name,
                    other.description,
                    x,
                    y,
                )
            )
    columns = list(zip(*rows, strict=True))
    types = [
        pa.string(),
        pa.string(),
        pa.int32(),
        pa.string(),
        pa.string(),
        pa.string(),
        pa.string(),
        pa.float64(),
        pa.float64(),
    ]
    names = [
        "id",
        "parent",
        "level",
        "name",
        "description",
        "fallback_name",
        "fallback_description",
        "x",
        "y",
    ]
    return pa.table(
        {name: pa.array(column, type_) for name, column, type_ in zip(names, columns, types, strict=True)}
    )


def _groups(labels: NDArray[np.int32], k: int) -> list[NDArray[np.int64]]:
    """The rows of each of k labels, in order."""
    order = np.argsort(labels, kind="stable")
    bounds = np.searchsorted(labels[order], np.arange(k + 1))
    return [order[bounds[c] : bounds[c + 1]] for c in range(k)]


def _nearest_outside(data: Clustered, cluster: int) -> NDArray[np.int64]:
    """The 50 requests nearest to a centroid that are not of its cluster."""
    scores = data.vectors @ data.centroids[cluster]
    scores[(data.labels == cluster) | (data.users < 0)] = -2.0
    most = min(with_model.SAMPLE, len(scores))
    nearest = np.argpartition(-scores, most - 1)[:most]
    nearest = nearest[scores[nearest] > -2.0]
    return np.asarray(nearest[np.lexsort((nearest, -scores[nearest]))], np.int64)


def _outsiders(vectors: NDArray[np.float32], rows: NDArray[np.int64]) -> list[int]:
    """The clusters nearest to a neighbourhood's middle that are not in it."""
    scores = vectors @ vectors[rows].mean(axis=0)
    scores[rows] = -2.0
    return [int(i) for i in np.argsort(-scores, kind="stable")[:OUTSIDERS] if scores[i] > -2.0]
