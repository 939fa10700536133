"""Conversations as a run stores them, in its private zone: their columns, and how they are written and read a piece at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa

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
    ]
)
REJECTED = pa.schema([("source", pa.int32()), ("position", pa.int64()), ("reason", pa.string())])


def conversations_table(batch: Sequence[Conversation], salt: bytes) -> pa.Table:
    """Some conversations as a table; users as keyed hashes."""
    sizes = [len(c.messages) for c in batch]
    flat = [m for c in batch for m in c.messages]
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
            pa.array([hashed_user(salt, c.user) if c.user else None for c in batch], pa.string()),
            pa.array([c.created_at for c in batch], pa.timestamp("us", "UTC")),
            pa.array([c.model for c in batch], pa.string()),
            pa.array([c.country for c in batch], pa.string()),
            pa.array([_metadata(c) for c in batch], pa.string()),
            messages,
        ],
        schema=CONVERSATIONS,
    )


def _metadata(conversation: Conversation) -> str | None:
    """What else the log tells, as JSON; the language that it gives is one more column of it."""
    told = dict(conversation.metadata)
    if conversation.language:
        told.setdefault("language", conversation.language)
    return json.dumps(told, ensure_ascii=False, default=str) if told else None


def batches(folder: RunFolder, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The stored conversations, 2,048 at a time."""
    with folder.parquet("conversations") as file:
        yield from file.iter_batches(BATCH, columns=list(columns))


def turns_of(batch: pa.RecordBatch) -> list[list[tuple[str, str]]]:
    """(role, text) of each message of each conversation."""
    column = batch["messages"]
    flat = column.flatten()
    roles, texts = flat.field(0).to_pylist(), flat.field(1).to_pylist()
    bounds = np.concatenate([[0], np.cumsum(np.asarray(column.value_lengths()))])
    return [list(zip(roles[a:b], texts[a:b], strict=True)) for a, b in pairwise(bounds)]
