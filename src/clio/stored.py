"""Conversations as a run stores them, in its private zone: their columns, and how they are written and read a piece at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clio.conversation import Conversation
from clio.fingerprints import hashed_user
from clio.run_folder import RunFolder

#: conversations in memory at a time while reading and extracting
BATCH = 2048

_MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
CONVERSATIONS = pa.schema(
    [
        ("id", pa.string()),
        ("user", pa.string()),
        ("created_at", pa.timestamp("us", "UTC")),
        ("model", pa.string()),
        ("country", pa.string()),
        ("metadata", pa.string()),
        ("messages", pa.list_(_MESSAGE)),
        ("part_of", pa.int64()),  # the number of the conversation in the log that this is, or is a part of
    ]
)
REJECTED = pa.schema([("source", pa.int32()), ("position", pa.int64()), ("reason", pa.string())])


def conversations_table(batch: Sequence[Conversation], part_of: Sequence[int], salt: bytes) -> pa.Table:
    """Some conversations as a table, with the number of that which each is, or is a part of; users as keyed hashes."""
    sizes = [len(c.messages) for c in batch]
    flat = [m for c in batch for m in c.messages]
    users = {user: hashed_user(salt, user) for user in {c.user for c in batch} if user}
    messages = pa.ListArray.from_arrays(
        pa.array(np.concatenate([[0], np.cumsum(sizes)]), pa.int32()),
        pa.StructArray.from_arrays(
            [pa.array([m.role for m in flat], pa.string()), pa.array([m.content for m in flat], pa.string())],
            ["role", "content"],
        ),
    )
    return pa.Table.from_arrays(
        [
            pa.array([c.id for c in batch], pa.string()),
            pa.array([users.get(c.user or "") for c in batch], pa.string()),
            pa.array([c.created_at for c in batch], pa.timestamp("us", "UTC")),
            pa.array([c.model for c in batch], pa.string()),
            pa.array([c.country for c in batch], pa.string()),
            pa.array([_metadata(c) for c in batch], pa.string()),
            messages,
            pa.array(part_of, pa.int64()),
        ],
        schema=CONVERSATIONS,
    )


def _metadata(conversation: Conversation) -> str | None:
    """What else the log tells, as JSON; the language that it gives is one more column of it."""
    if not (conversation.metadata or conversation.language):
        return None
    told = dict(conversation.metadata)
    if conversation.language:
        told.setdefault("language", conversation.language)
    return json.dumps(told, ensure_ascii=False, default=str)


def batches(folder: RunFolder, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The stored conversations, 2,048 at a time."""
    with folder.parquet("conversations") as file:
        yield from file.iter_batches(BATCH, columns=list(columns))


def turns_of(batch: pa.RecordBatch) -> list[list[tuple[str, str]]]:
    """(role, text) of each message of each conversation."""
    column = batch["messages"]
    flat = column.flatten()
    turns = list(zip(flat.field(0).to_pylist(), flat.field(1).to_pylist(), strict=True))
    return [turns[a:b] for a, b in pairwise(_bounds(column))]


def own_turns(batch: pa.RecordBatch) -> list[list[str]]:
    """The text of each message of each conversation that its user wrote; the others' are not even decoded."""
    column = batch["messages"]
    flat = column.flatten()
    own = pc.equal(flat.field(0), "user")
    texts = flat.field(1).filter(own).to_pylist()
    before = np.concatenate([[0], np.cumsum(own.to_numpy(zero_copy_only=False))])
    return [texts[a:b] for a, b in pairwise(before[_bounds(column)].tolist())]


def _bounds(column: pa.ListArray) -> list[int]:
    """Where the messages of each conversation begin, and where the last ones end."""
    return [0, *np.cumsum(column.value_lengths().to_numpy()).tolist()]
