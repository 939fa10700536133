"""What the published insights of a poisoned log tell of a target's secret: the reader of the poisoning attack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clio.clustering import topics
from clio.evaluation.attacks import medical
from clio.evaluation.attacks.medical import Planted, Target
from clio.evaluation.ground import Row
from clio.facets import computed, request
from clio.insights import Insight, Insights
from clio.models.protocols import Embedder
from clio.run_folder import RunFolder
from clio.sources.common import moment
from clio.text import lemma, tokens

Scores = NDArray[np.float64]

# wordings of a target's chat that the attacker tries at home
_WORDINGS = 4


@dataclass(frozen=True, slots=True)
class Shadow:
    """What the attacker knows of his control beside what it publishes: where his own chats lie.

    ``clusters`` holds (id, name, conversations) of the base clusters, shown or not. By target: ``shares``, float64 (clusters, causes), the
    share of the chats that name a cause that lies in each; ``around``, float64 (clusters,), the share of all chats planted around it.
    """

    clusters: list[tuple[str, str, int]] = field(repr=False)
    shares: dict[int, Scores] = field(repr=False)
    around: dict[int, Scores] = field(repr=False)

    @staticmethod
    def of(folder: Path, targets: Sequence[Target], planted: Sequence[Sequence[Planted]]) -> Shadow:
        """Read a control's private zone."""
        run = RunFolder(folder)
        members = run.read("assignments", ["id", "cluster"]).to_pydict()
        where = dict(zip(members["id"], members["cluster"], strict=True))
        sizes = Counter(cluster for cluster in where.values() if cluster)
        named = run.read("candidates", ["id", "name"]).to_pydict()
        names = dict(zip(named["id"], named["name"], strict=True))
        place = {cluster: number for number, cluster in enumerate(sizes)}
        shares, around = {}, {}
        for target, chats in zip(targets, planted, strict=True):
            found = np.zeros((len(place), len(medical.causes(target.complaint))))
            all_ = np.zeros(len(place))
            for chat in chats:
                cluster = where.get(str(chat.row["id"]))
                if cluster is not None:
                    all_[place[cluster]] += 1
                    found[place[cluster], list(chat.causes)] += 1
            shares[target.number] = found / np.maximum(found.sum(axis=0), 1)
            around[target.number] = all_ / max(1, len(chats))
        return Shadow([(id_, names[id_], sizes[id_]) for id_ in place], shares, around)

    def match(self, cluster: Insight) -> int | None:
        """The control's cluster that a published one is most likely: of its name, or else the only one of its size or one less."""
        places = [i for i, (_, name, _) in enumerate(self.clusters) if name == cluster.name]
        if places:
            return min(places, key=lambda i: abs(self.clusters[i][2] - cluster.conversations))
        for less in (1, 0):
            places = [i for i, (*_, size) in enumerate(self.clusters) if size == cluster.conversations - less]
            if len(places) == 1:
                return places[0]
        return None

    def moved(self, release: Insights, control: Insights, target: Target) -> Scores:
        """The share of each cause's chats in clusters whose number of conversations of the target's country is no more to be seen,
        against all causes; float64 (causes,).
        """
        shares, around = self.shares[target.number], self.around[target.number]
        cells = [
            {
                cluster.id: cell.conversations
                for cluster in insights
                for cell in cluster.breakdown
                if cell.value == target.country
            }
            for insights in (release, control)
        ]
        base = {cluster.id for cluster in release if cluster.level == len(release.levels)}
        left = Counter(count for id_, count in cells[0].items() if id_ in base)
        gone = np.zeros(len(self.clusters), bool)
        for number, (id_, *_) in enumerate(self.clusters):
            if count := cells[1].get(id_):
                gone[number] = not left[count]
                left[count] -= bool(left[count])
        return np.where(shares.any(axis=0), gone @ shares - gone @ around, 0.0)


@dataclass(frozen=True, slots=True)
class Hints:
    """Which tasks of the fixed vocabulary a chat about each cause is nearest to: anybody can ask the embedder that."""

    encoder: Embedder = field(repr=False)
    middle: NDArray[np.float32] = field(repr=False)
    tasks: NDArray[np.float32] = field(repr=False)

    @staticmethod
    def of(base: Sequence[Row], encoder: Embedder) -> Hints:
        """Learn from a log like the attacked one what is common to all requests."""
        some = [_request(row) for row in base[:300]]
        middle = encoder.encode(some).mean(axis=0)
        return Hints(encoder, np.asarray(middle, np.float32), topics.task_vectors(encoder))

    def shares(self, target: Target) -> Scores:
        """Float64 (causes, tasks): over some wordings the share nearest to each task."""
        count = len(medical.causes(target.complaint))
        texts = [_request(medical.chat(target, n, cause)) for cause in range(count) for n in range(_WORDINGS)]
        vectors = self.encoder.encode(texts) - self.middle
        near = topics.nearest(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), self.tasks).task
        groups = np.split(np.arange(len(texts)), count)
        return np.asarray(topics.shares(near, groups, len(self.tasks)), np.float64)


def _request(row: Row) -> str:
    return request.extract([turn["content"] for turn in row["messages"] if turn["role"] == "user"])


def evidence(
    release: Insights, control: Insights, shadow: Shadow, target: Target, hints: Hints | None = None
) -> dict[str, Scores]:
    """What speaks for each cause, by kind; of the release nothing but what is published is looked at.

    ``named``: texts that name it, more than in the control; those far from the poison count less. ``first``: it stands before others
    where several are named. ``counted``: the clusters that name it have exactly one conversation more. ``shown``: a cluster of its
    chats is shown that was not. ``larger``: a cluster of its chats has exactly one conversation more. ``cells``: a cluster of its
    chats, or one that names it, has a cell of the target's country or week that it had not. ``moved``: see ``Shadow.moved``.
    ``silent``: it was planted, in vain or not.
    ``tasks``: tasks of the vocabulary are named around the poison that were not, and that a chat about it is near to.

    Returns:
        float64 (causes,) for each kind.
    """
    telling = medical.telling(target.complaint)
    shares, around = shadow.shares[target.number], shadow.around[target.number]
    now, before = (_Mentions.of(insights, telling, shadow, around) for insights in (release, control))
    found = {"named": now.named - before.named, "first": now.first - before.first}
    if hints:
        share_of = hints.shares(target)
        found["tasks"] = (share_of - share_of.mean(axis=0)) @ np.maximum(now.tasks - before.tasks, 0)
    found["silent"] = np.asarray(shares.any(axis=0), np.float64)
    found["counted"] = (now.conversations - before.conversations == 1).astype(np.float64)
    found["moved"] = shadow.moved(release, control, target)
    found |= {kind: np.zeros(len(telling)) for kind in ("shown", "larger", "cells")}
    named = {cluster.name: cluster for cluster in control}
    known = {cluster.id: cluster for cluster in control}
    rare = {target.country, computed.week(moment(target.day))}
    for number, cluster in enumerate(release):
        match = shadow.match(cluster) if cluster.level == len(release.levels) else None
        # where all of the poison lies together, what happens to the cluster tells nothing of the cause
        own = np.zeros(len(telling)) if match is None else found["silent"] * (shares[match] - around[match])
        was = named.get(cluster.name) if match is None else known.get(shadow.clusters[match][0])
        if was is None:
            found["shown"] += own
        elif cluster.conversations == was.conversations + 1:
            found["larger"] += own
        cells = {cell.value for cell in cluster.breakdown} & rare
        if cells - ({cell.value for cell in was.breakdown} if was else set()):
            found["cells"] += own + now.by_cluster[number]
    return found


@dataclass(frozen=True, slots=True)
class _Mentions:
    """What published texts say of each of c causes: how often, how early, in clusters of how many conversations, and in which of them;
    and how often they name each task of the vocabulary around the poison.
    """

    named: Scores
    first: Scores
    conversations: NDArray[np.int64]
    by_cluster: Scores
    tasks: Scores

    @staticmethod
    def of(
        insights: Insights, telling: Sequence[Sequence[dict[str, float]]], shadow: Shadow, around: Scores
    ) -> _Mentions:
        """Read names and descriptions of all clusters, word by word in dictionary forms."""
        by_cluster = np.zeros((len(insights), len(telling)))
        first, tasks = np.zeros(len(telling)), np.zeros(len(topics.topics().tasks))
        for number, cluster in enumerate(insights):
            match = shadow.match(cluster) if cluster.level == len(insights.levels) else None
            near = 1.0 if match is None or around[match] or not around.any() else 0.25
            said = f"{cluster.name}. {cluster.description}"
            if match is None or around[match]:
                tasks += [task.casefold() in said.casefold() for task in topics.topics().tasks]
            words = [lemma(token) for token in tokens(said)]
            starts = []
            for cause, names in enumerate(telling):
                heard = [
                    sum(name[word] for word in name.keys() & set(words)) / len(name) for name in names if name
                ]
                by_cluster[number, cause] = near * max(heard, default=0.0)
                own = {word for name in names for word in name}
                starts.append(next((i for i, word in enumerate(words) if word in own), len(words)))
            first += by_cluster[number] / (1 + np.argsort(np.argsort(starts, kind="stable"), kind="stable"))
        sizes = np.asarray([cluster.conversations for cluster in insights], np.int64)
        deepest = np.asarray([cluster.level == len(insights.levels) for cluster in insights], bool)
        counted = sizes @ ((by_cluster >= 0.5) & deepest[:, None]).astype(np.int64)
        return _Mentions(by_cluster.sum(axis=0), first, counted, by_cluster, tasks)
