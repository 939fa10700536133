"""The stages of a run, each a function from the tables before it to its own; ``clio.pipeline`` puts them in a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio import sources, splitting
from clio.clustering import base as base_clustering
from clio.clustering import projection, topics, tree
from clio.clustering.duplicates import near_duplicates
from clio.clustering.embed import CHUNK, prepare
from clio.conversation import Conversation
from clio.facets import concern
from clio.facets.definition import Facet, builtin
from clio.facets.table import text_languages
from clio.models import embedder as named_embedder
from clio.models.protocols import Embedder, Usage
from clio.models.roles import Model
from clio.privacy import auditor
from clio.privacy.accounts import Accounts
from clio.privacy.policy import POLICIES, Policy
from clio.progress import Advance, silent
from clio.run_folder import RunFolder, with_key
from clio.settings import Settings
from clio.stored import BATCH, CONVERSATIONS, REJECTED, batches, conversations_table, own_turns

if TYPE_CHECKING:
    from clio.models.answers import Answers

# characters of what a user wrote that near-duplicates are compared by
_COMPARED = 4000

# read


def read(
    found: Iterable[Conversation | sources.Rejected],
    folder: RunFolder,
    key: str,
    salt: bytes,
    progress: Advance = silent,
    *,
    requests: bool = False,
) -> None:
    """Store conversations, 2,048 a row group, users as keyed hashes; what was set aside goes to ``rejected``.

    Args:
        found: from ``sources.open``.
        folder: where to store.
        key: of the stage.
        salt: key of the user hashes.
        progress: called with the number of records read.
        requests: store each conversation as the parts that ask for different things.
    """
    rejected: list[dict[str, Any]] = []
    batch: list[Conversation] = []
    encoder = named_embedder(splitting.EMBEDDER) if requests else None
    before = 0
    with folder.writer("conversations", key, CONVERSATIONS) as writer:

        def store() -> None:
            parted = splitting.parts(batch, encoder) if encoder else [[one] for one in batch]
            part_of = [before + n for n, some in enumerate(parted) for _ in some]
            writer.write_table(conversations_table([one for some in parted for one in some], part_of, salt))
            progress(len(batch))

        for item in found:
            if isinstance(item, Conversation):
                batch.append(item)
            else:
                rejected.append({"source": item.source, "position": item.position, "reason": item.reason})
            if len(batch) == BATCH:
                store()
                before, batch = before + len(batch), []
        if batch:
            store()
        # before the conversations take their place, so that both are there or neither
        folder.write_table("rejected", key, pa.Table.from_pylist(rejected, schema=REJECTED))


# duplicates


def duplicates(folder: RunFolder, threshold: float, progress: Advance = silent) -> pa.Table:
    """The number of each conversation's near-duplicate group: the row of its first member."""
    texts: list[str] = []
    for batch in batches(folder, ["messages"]):
        texts += ["\n".join(said)[:_COMPARED] for said in own_turns(batch)]
        progress(len(batch))
    return pa.table({"duplicate": pa.array(near_duplicates(texts, threshold=threshold), pa.int32())})


# embed


def embed(
    folder: RunFolder,
    texts: Sequence[str],
    embedder: Embedder,
    key: str,
    answers: Answers | None = None,
    progress: Advance = silent,
) -> NDArray[np.float32]:
    """Embed texts, stored 2,048 at a time so that a killed run goes on where it was; float32 (n, d) from float16 on disk."""
    made = np.empty((len(texts), embedder.dimensions), np.float32)
    for at in range(0, len(texts), CHUNK):
        name, mark = f"embeddings/{at // CHUNK:06d}", f"{key}:{at}"
        if not folder.is_done(name, mark):
            before = getattr(embedder, "tokens", 0)
            vectors = embedder.encode(texts[at : at + CHUNK])
            if answers and (used := getattr(embedder, "tokens", 0) - before):
                answers.paid(embedder.name, Usage(used), stage="embed")
            flat = pa.array(vectors.astype(np.float16).ravel(), pa.float16())
            folder.write_table(
                name, mark, pa.table({"vector": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])})
            )
        column = folder.read(name)["vector"].combine_chunks()
        rows = len(column)
        made[at : at + rows] = column.flatten().to_numpy(zero_copy_only=False).reshape(rows, -1)
        progress(rows)
    return made


def rated(
    table: pa.Table,
    distinct: Distinct,
    vectors: NDArray[np.float32],
    groups: NDArray[np.int32],
    embedder: str,
) -> pa.Table:
    """Concern as words alone found it, or higher where a request lies near to what is harmful in meaning: a table of one column, n rows.

    Args:
        table: the facets of n conversations.
        distinct: those that are clustered.
        vectors: float32, one a text of ``distinct``, as the embedder gives them.
        groups: int32 (n,), the first conversation of each one's near-duplicates, for which it is rated.
        embedder: its name.
    """
    levels = np.ones(len(table), np.int8)
    levels[distinct.rows] = concern.by_meaning(vectors, embedder)[distinct.place]
    heard = np.asarray(table["concern"].to_pylist(), object).astype(np.int8)
    both = np.maximum(heard, levels[groups])
    return pa.table({"concern": pa.array(map(str, both.tolist()), pa.string())})


# cluster, describe, arrange


@dataclass(frozen=True, slots=True)
class Distinct:
    """The conversations that are clustered: the first of each near-duplicate group with something to say.

    ``rows`` int64 (m,) are their rows; ``texts`` their distinct texts, and ``place`` int64 (m,) which of these each one has.
    """

    rows: NDArray[np.int64]
    texts: list[str]
    place: NDArray[np.int64]

    @staticmethod
    def of(values: Sequence[str | None], groups: NDArray[np.int32]) -> Distinct:
        """Choose them from the values of the facet that is clustered."""
        rows = [i for i in np.flatnonzero(groups == np.arange(len(groups))).tolist() if values[i]]
        seen: dict[str, int] = {}
        place = [seen.setdefault(values[i] or "", len(seen)) for i in rows]
        return Distinct(np.asarray(rows, np.int64), list(seen), np.asarray(place, np.int64))


def cluster(
    vectors: NDArray[np.float32], users: NDArray[np.int32], settings: Settings, least: tuple[int, int]
) -> NDArray[np.int32]:
    """Base clusters, int32 (m,), of the distinct conversations.

    Args:
        vectors: float32 (m, d), from ``ready_vectors``.
        users: int32 (m,), from ``users_of``.
        settings: of the run.
        least: distinct users and conversations that a cluster is to hold (``least_of``).
    """
    return base_clustering.base_clusters(
        vectors, settings.clusters, settings.seed, size=settings.cluster_size, users=users, least=least
    )


def users_of(distinct: Distinct, table: pa.Table, settings: Settings) -> NDArray[np.int32]:
    """A number for the user of each distinct conversation, int32 (m,), -1 where it supports nothing."""
    return Accounts.of(table, settings.users).user[distinct.rows]


def least_of(policy: Policy) -> tuple[int, int]:
    """The distinct users and conversations that a base cluster is made to hold, so that it can be shown.

    One more than the policy asks, since it asks it without any one account, and one to spare; never more than ``internal``'s, so
    that a stricter policy shows parts of the same tree.
    """
    if not policy.min_conversations:
        return 0, 0
    most = POLICIES["internal"]
    return (
        min(policy.min_users, most.min_users) + 2,
        min(policy.min_conversations, most.min_conversations) + 2,
    )


def ready_vectors(
    distinct: Distinct, vectors: NDArray[np.float32], languages: Sequence[str]
) -> NDArray[np.float32]:
    """The vectors of the distinct conversations without their languages' means, float32 (m, d); those given may be used up for it."""
    # where no text comes twice they are in place already, and a copy would be as large again
    own = vectors if len(distinct.texts) == len(distinct.place) else vectors[distinct.place]
    return prepare(own, [languages[i] for i in distinct.rows])


def describe(
    distinct: Distinct,
    vectors: NDArray[np.float32],
    labels: NDArray[np.int32],
    table: pa.Table,
    embedder: Embedder,
    settings: Settings,
    policy: Policy,
    model: Model | None,
) -> tuple[pa.Table, list[str]]:
    """Name and arrange the base clusters: the candidates, and the id of each base cluster.

    Args:
        distinct: what was clustered.
        vectors: float32 (m, d), prepared.
        labels: int32 (m,), base clusters.
        table: the facets of all conversations.
        embedder: that of the vectors.
        settings: of the run.
        policy: whose number of users must share a phrase.
        model: the chat model, if any.
    """
    groups = table["duplicate"].to_numpy()
    counts = np.bincount(groups, minlength=len(groups))[distinct.rows]
    k = int(labels.max()) + 1 if len(labels) else 0
    values, languages = table[settings.cluster_facet].to_pylist(), text_languages(table)
    centroids = base_clustering.centroids(vectors, labels)
    data = tree.Clustered(
        requests=[values[i] or "" for i in distinct.rows],
        languages=[languages[i] for i in distinct.rows],
        users=users_of(distinct, table, settings),
        vectors=vectors,
        labels=labels,
        centroids=centroids,
        weights=np.bincount(labels, weights=counts, minlength=k).astype(np.int64),
    )
    # one more than the policy asks, for what is said must hold without any one of them
    shape = tree.Shape(settings.top, settings.levels, policy.min_users + 1, settings.seed)
    named = tree.without_model(data, topics.task_vectors(embedder), shape)
    if model:
        criteria = builtin()[settings.cluster_facet].criteria
        told = tree.Telling(model.chat, model.answers, settings.describe_from, criteria, model.prompts)
        named = tree.by_model(data, named, told, embedder, shape)
    places = projection.project(centroids, data.weights, named.steps)
    near = projection.nearest(centroids, data.weights, named.steps)
    return tree.candidates(named, places, near), tree.cluster_ids(named)[0]


def audit(candidates: pa.Table, model: Model | None, progress: Advance = silent) -> pa.Table:
    """The candidates with a rating, 1..5, of each pair of texts that they come with: ``audit``, ``rewritten_audit``, ``fallback_audit``."""
    for kind in (name.removesuffix("name") for name in candidates.column_names if name.endswith("name")):
        texts = [
            f"{n}: {d}"
            for n, d in zip(
                candidates[f"{kind}name"].to_pylist(),
                candidates[f"{kind}description"].to_pylist(),
                strict=True,
            )
        ]
        distinct = list(dict.fromkeys(texts))
        # the fallback is made of nothing but shared phrases and the vocabulary: no call is worth paying for it
        ratings = (
            auditor.audit_with_model(distinct, model.chat, model.answers, folder=model.prompts)
            if model and kind != "fallback_"
            else auditor.audit(distinct)
        )
        scores = {text: rating.score for text, rating in zip(distinct, ratings, strict=True)}
        candidates = candidates.append_column(
            f"{kind}audit", pa.array([scores[text] for text in texts], pa.int32())
        )
    progress(len(candidates))
    return candidates


def members(
    table: pa.Table, assignments: Mapping[str, str] | pa.Table, asked: Sequence[Facet], settings: Settings
) -> pa.Table:
    """What the gate counts: cluster, user, part_of, duplicate, and one string column a facet that is no free text."""
    names = ["language", "concern", "turns", "length", "model", "country", "week", *settings.breakdown]
    names += [facet.name for facet in asked if facet.type != "text" and facet.name not in names]
    kept = [name for name in names if name in table.column_names and table[name].null_count < len(table)]
    cluster_column = (
        assignments["cluster"] if isinstance(assignments, pa.Table) else pa.array([], pa.string())
    )
    return pa.table(
        {
            "cluster": cluster_column,
            "user": table["user"],
            "part_of": table["part_of"],
            "duplicate": table["duplicate"],
            **({"trust_weight": table["trust_weight"]} if settings.trust else {}),
            **{name: table[name] for name in kept},
        }
    )


__all__ = [
    "BATCH",
    "Distinct",
    "audit",
    "batches",
    "cluster",
    "describe",
    "duplicates",
    "embed",
    "members",
    "rated",
    "read",
    "with_key",
]
