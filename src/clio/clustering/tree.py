"""From labelled vectors to named candidates: describe base clusters, arrange them, name their parents, place them on the map.

Two routes with the same outcome: ``without_model`` (shared phrases and a public vocabulary) and ``by_model`` (the paper's prompts).
A candidate is only a proposal: what may be shown is decided in ``clio.privacy.gate``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio.clustering import counting, hierarchy, naming, parents, topics, with_model
from clio.clustering.parents import VARIOUS, Described
from clio.clustering.vectors import rows_of
from clio.models.protocols import ChatModel, Embedder
from clio.privacy import sensitive
from clio.privacy.accounts import Accounts
from clio.privacy.support import hear, needed, runs_of, unsupported

if TYPE_CHECKING:
    from clio.models.answers import Answers

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
    min_users: int = 6
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Tree:
    """Named clusters by level, base first, and for each step up the parent's number of each cluster of the level below.

    ``rewritten``: for each level the clusters that a chat model has named anew, from shared terms only, where its first text named what
    too few share; ``fallback``: the same clusters named without a model, or described in fewer words.

    ``nearest``: the vocabulary's tasks that each of n requests is nearest to.
    """

    levels: list[list[Described]]
    steps: list[NDArray[np.int32]]
    nearest: topics.Nearest = field(repr=False)
    rewritten: list[dict[int, Described]] = field(default_factory=list)
    fallback: list[list[Described]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Telling:
    """How a chat model names: by whom, whence its answers, from ``summaries`` or from shared ``terms`` only, how worded, own prompts."""

    chat: ChatModel
    answers: Answers
    source: Literal["summaries", "terms"] = "summaries"
    criteria: str = ""
    prompts: Path | None = None


def without_model(data: Clustered, tasks: NDArray[np.float32], shape: Shape) -> Tree:
    """Name and arrange base clusters without a chat model.

    Args:
        data: requests, vectors and base clusters.
        tasks: float32 (tasks, d), from ``topics.task_vectors`` with the embedder of the vectors.
        shape: of the hierarchy.
    """
    k = len(data.centroids)
    near = topics.nearest(data.vectors, tasks)
    groups = rows_of(data.labels, k)
    themes = topics.shares(near.theme(), groups, len(topics.topics().themes))
    members = counting.read(data.requests, data.languages, data.labels, data.users)
    spread = topics.Spread.of(near, data.labels, data.users, k, shape.min_users)
    nearness = topics.Nearness.of(near, data.centroids @ tasks.T, data.labels, data.users, shape.min_users)
    base = naming.describe_base(members, spread, nearness, shape.min_users)
    sizes = hierarchy.level_sizes(k, shape.top, shape.levels)
    steps = hierarchy.arrange(data.centroids, data.weights, themes, sizes, shape.seed)
    levels = _with_parents(base, steps, near, data, shape.min_users)
    plain = [[_plain(one) for one in level] for level in levels]
    return Tree(levels, steps, near, [{} for _ in levels], plain)


def _plain(described: Described) -> Described:
    """What stands in where too few are behind a text: without the list of shared words, and with a plain name where it is sensitive."""
    name = VARIOUS if sensitive.factor_of_text(described.name) > 1 else described.name
    return Described(name, described.plain or described.description)


def _with_parents(
    base: list[Described],
    steps: Sequence[NDArray[np.int32]],
    near: topics.Nearest,
    data: Clustered,
    min_users: int,
) -> list[list[Described]]:
    """The levels of a tree whose parents are named by the vocabulary's tasks and themes, base first."""
    above, labels, spreads = [], data.labels, []
    for number, step in enumerate(steps):
        labels = np.where(labels >= 0, step[labels], -1).astype(np.int32)
        spreads.append(topics.Spread.of(near, labels, data.users, int(step.max()) + 1, min_users))
        above.append(parents.describe_parents(spreads[-1], top=number == len(steps) - 1))
    lying = (spreads[0], steps[0]) if above else (None, np.zeros(len(base), np.int32))
    return [parents.placed(base, *lying), *above]


def by_model(data: Clustered, fallback: Tree, telling: Telling, embedder: Embedder, shape: Shape) -> Tree:
    """Name and arrange base clusters with a chat model (paper G.5, G.7).

    Base clusters are described; then, a level at a time, parents are proposed, deduplicated, given their children and renamed. A text
    that names what too few users share is written anew from the terms that enough of them share.

    Where the model gives no usable name, the name of the same cluster in ``fallback`` stands.
    """
    model, answers, folder = telling.chat, telling.answers, telling.prompts
    k = len(data.centroids)
    heard = _Heard.of(data, shape.min_users)
    groups = rows_of(np.where(data.users >= 0, data.labels, -1), k)
    if telling.source == "terms":
        named = heard.describe(groups, telling)
    else:
        texts = [[data.requests[i] for i in rows] for rows in groups]
        contrast = [[data.requests[i] for i in _nearest_outside(data, c)] for c in range(k)]
        named = with_model.describe(
            texts, contrast, model, answers, criteria=telling.criteria, seed=shape.seed, folder=folder
        )
    levels = [[Described(*n) if n else other for n, other in zip(named, fallback.levels[0], strict=True)]]
    rewritten = [heard.rewrite(levels[0], groups, telling)]
    steps: list[NDArray[np.int32]] = []
    for wanted in reversed(hierarchy.level_sizes(k, shape.top, shape.levels)[:-1]):
        # what goes up is what may be shown: nothing that a model was told to smuggle in
        best = [rewritten[-1].get(n, described) for n, described in enumerate(levels[-1])]
        below = [(d.name, d.description) for d in best]
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
        choices = with_model.deduplicate(proposals, wanted, model, answers, seed=shape.seed, folder=folder)
        closest = np.argmax(vectors @ embedder.encode(choices).T, axis=1)
        chosen = with_model.assign(
            below, choices, closest.tolist(), model, answers, seed=shape.seed, folder=folder
        )
        step = np.asarray(np.unique(chosen, return_inverse=True)[1], np.int32)
        kept = [choices[i] for i in np.unique(chosen)]
        children = [[below[i] for i in np.flatnonzero(step == p)] for p in range(len(kept))]
        names = with_model.rename(children, model, answers, folder=folder)
        levels.append(
            [Described(*n) if n else Described(name, "") for n, name in zip(names, kept, strict=True)]
        )
        groups = [np.concatenate([groups[i] for i in np.flatnonzero(step == p)]) for p in range(len(kept))]
        rewritten.append(heard.rewrite(levels[-1], groups, telling))
        steps.append(step)
    named_without = _with_parents(fallback.levels[0], steps, fallback.nearest, data, shape.min_users)
    plain = [[_plain(one) for one in level] for level in named_without]
    return Tree(levels, steps, fallback.nearest, rewritten, plain)


@dataclass(frozen=True, slots=True)
class _Heard:
    """What enough users of a cluster say, and whether a text keeps to it."""

    data: Clustered
    members: counting.Members
    common: counting.Background
    accounts: Accounts
    min_users: int

    @staticmethod
    def of(data: Clustered, min_users: int) -> _Heard:
        """Read the requests once for all clusters."""
        members = counting.read(data.requests, data.languages, data.labels, data.users)
        trust = np.ones(int(data.users.max(initial=-1)) + 1)
        accounts = Accounts(data.users >= 0, data.users, trust)
        return _Heard(data, members, counting.background(members), accounts, min_users)

    def describe(self, groups: Sequence[NDArray[np.int64]], telling: Telling) -> list[tuple[str, str] | None]:
        """Names and descriptions made of shared terms only; None where users share none, or the model gives no answer."""
        place = np.full(len(self.data.requests), -1, np.int64)
        place[np.flatnonzero((self.data.users >= 0) & (self.data.labels >= 0))] = np.arange(
            len(self.members.users)
        )
        terms = [
            naming.terms(self.members, place[rows][place[rows] >= 0].tolist(), self.common, self.min_users)
            for rows in groups
        ]
        told = [n for n, some in enumerate(terms) if some]
        found: list[tuple[str, str] | None] = [None] * len(groups)
        answered = with_model.describe_terms(
            [terms[n] for n in told],
            telling.chat,
            telling.answers,
            criteria=telling.criteria,
            folder=telling.prompts,
        )
        for n, answer in zip(told, answered, strict=True):
            found[n] = answer
        return found

    def rewrite(
        self, level: Sequence[Described], groups: Sequence[NDArray[np.int64]], telling: Telling
    ) -> dict[int, Described]:
        """The clusters of a level whose texts name what too few of their users say, described anew from shared terms."""
        if telling.source == "terms" and len(groups) == len(self.data.centroids):
            return {}  # made of nothing else already
        one = np.zeros(len(self.data.requests), np.int32)
        wrong = []
        for n, (described, rows) in enumerate(zip(level, groups, strict=True)):
            text = f"{described.name}. {described.description}"
            heard = hear(
                needed(text),
                [self.data.requests[i] for i in rows],
                one[rows],
                self.data.users[rows],
                runs_of(text),
            )
            if unsupported(text, [0], heard, self.accounts, self.min_users - 1):
                wrong.append(n)
        anew = self.describe([groups[n] for n in wrong], telling)
        return {n: Described(*named) for n, named in zip(wrong, anew, strict=True) if named}


def cluster_ids(tree: Tree) -> list[list[str]]:
    """The id of each cluster by level, base first: "1.4" is the fourth at the top. The number follows construction, never size."""
    return [
        [f"{len(tree.levels) - depth}.{n + 1}" for n in range(len(level))]
        for depth, level in enumerate(tree.levels)
    ]


def candidates(
    tree: Tree,
    places: Sequence[NDArray[np.float32]],
    near: Sequence[tuple[NDArray[np.int64], NDArray[np.float32]]],
) -> pa.Table:
    """The candidates as a table, the top first: id, parent, level, name, description, x, y, near, similarity.

    Also rewritten_name, rewritten_description (empty where a chat model wrote none), fallback_name and fallback_description, which
    stand in, in this order, where the gate does not support the first text.

    Args:
        tree: as named and arranged.
        places: float32 (m, 2) for each level, base first.
        near: for each level, base first, the clusters nearest to each and their cosines (``projection.nearest``).
    """
    ids = cluster_ids(tree)
    rows = []
    for depth in reversed(range(len(tree.levels))):
        for n, described in enumerate(tree.levels[depth]):
            parent = ids[depth + 1][tree.steps[depth][n]] if depth < len(tree.steps) else None
            x, y = (float(v) for v in places[depth][n])
            row = {
                "id": ids[depth][n],
                "parent": parent,
                "level": len(tree.levels) - depth,
                "name": described.name,
                "description": described.description,
                "near": [ids[depth][other] for other in near[depth][0][n]],
                "similarity": near[depth][1][n].tolist(),
            }
            anew = tree.rewritten[depth].get(n, Described("", ""))
            other = tree.fallback[depth][n]
            row |= {"rewritten_name": anew.name, "rewritten_description": anew.description}
            row |= {"fallback_name": other.name, "fallback_description": other.description}
            rows.append({**row, "x": x, "y": y})
    types = {
        "level": pa.int32(),
        "x": pa.float64(),
        "y": pa.float64(),
        "near": pa.list_(pa.string()),
        "similarity": pa.list_(pa.float32()),
    }
    schema = pa.schema([(name, types.get(name, pa.string())) for name in rows[0]])
    return pa.Table.from_pylist(rows, schema=schema)


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
