"""The facets of all conversations as one table: what is found locally, and what a chat model says where there is one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clio.facets import computed, concern, language, request, with_model
from clio.facets.transcript import Turns
from clio.facets.with_model import Asking, Extracted
from clio.models.roles import Model
from clio.progress import Advance, silent
from clio.run_folder import RunFolder
from clio.settings import Settings
from clio.stored import CONVERSATIONS, batches, own_turns, turns_of

#: columns that every run has; others come from the log's metadata or from a chat model
OWN = frozenset(
    ("id", "user", "request", "task", "language", "concern", "turns", "length", "model", "country", "week")
)


def facets(
    folder: RunFolder,
    groups: NDArray[np.int32],
    settings: Settings,
    asking: Asking,
    model: Model | None,
    progress: Advance = silent,
) -> pa.Table:
    """Every facet of every conversation: id, user, part_of, duplicate, request, task, then one string column a categorical facet.

    With a chat model also ``state`` (answered, refused, failed), ``reason`` and ``seen``, the share of the conversation that it was
    shown (0..1). It is asked once a near-duplicate group, and its values hold for the whole group. Where it gives no request, the
    one found locally stands.

    Args:
        folder: with the stored conversations.
        groups: int32 (n,), near-duplicate groups.
        settings: of the run.
        asking: what a chat model is asked.
        model: the chat model; without one, request, language and concern are found locally.
        progress: called with the number of conversations done.
    """
    parts = []
    for batch in batches(folder, CONVERSATIONS.names):
        parts.append(_local_facets(batch, settings, asking.mask))
        if not model:
            progress(len(batch))
    table = pa.concat_tables(parts).combine_chunks()
    if model and asking.facets:
        for name, column in _model_facets(folder, groups, asking, model, settings.batch, progress).items():
            if name == "request":
                column = pc.coalesce(column, table["request"])
            place = table.column_names.index(name) if name in table.column_names else len(table.column_names)
            if place < len(table.column_names):
                table = table.remove_column(place)
            table = table.add_column(place, name, column)
    return table.add_column(3, "duplicate", pa.array(groups, pa.int32()))


def _local_facets(batch: pa.RecordBatch, settings: Settings, mask: Callable[[str], str]) -> pa.Table:
    """What needs no chat model."""
    own = own_turns(batch)
    requests = [request.extract(said, mask) for said in own]
    columns: dict[str, list[Any] | pa.Array] = {
        "id": batch["id"],
        "user": batch["user"],
        "request": requests,
        "task": [None] * len(batch),
        "language": language.detect(requests),
        "concern": [str(concern.score(text)) for text in requests],
        "turns": [computed.turns(len(said)) for said in own],
        "length": [computed.length(sum(map(len, said))) for said in own],
        "model": batch["model"],
        "country": batch["country"],
        "week": [computed.week(moment) for moment in batch["created_at"].to_pylist()],
    }
    more = [name for name in settings.breakdown if name not in OWN]
    metadata = (
        [json.loads(text) if text else {} for text in batch["metadata"].to_pylist()]
        if more or settings.trust
        else []
    )
    for name in more:
        columns[name] = [None if (value := row.get(name)) is None else str(value) for row in metadata]
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    table = table.add_column(2, "part_of", batch["part_of"])
    if settings.trust:
        weights = [computed.trust(row.get(settings.trust), settings.trust_full) for row in metadata]
        table = table.append_column("trust_weight", pa.array(weights, pa.float64()))
    return table


def has_failed(folder: RunFolder) -> bool:
    """Whether a chat model failed to answer about some conversation of a run."""
    with folder.parquet("facets") as file:
        if "state" not in file.schema_arrow.names:
            return False
        return "failed" in file.read(columns=["state"])["state"].to_pylist()


def text_languages(table: pa.Table) -> list[str]:
    """The language of each text that is clustered: a chat model writes English, whatever the conversation's language is."""
    languages: list[str] = table["language"].to_pylist()
    if "state" not in table.column_names:
        return languages
    states = table["state"].to_pylist()
    return ["en" if state == "answered" else found for found, state in zip(languages, states, strict=True)]


def asked_turns(folder: RunFolder, groups: NDArray[np.int32]) -> Iterator[Turns]:
    """The conversations that a chat model is asked about: the first of each near-duplicate group."""
    start = 0
    for batch in batches(folder, ["messages"]):
        rows = np.arange(start, start + len(batch))
        firsts = np.flatnonzero(groups[rows] == rows)
        yield from turns_of(batch.take(pa.array(firsts)))
        start += len(batch)


def _model_facets(
    folder: RunFolder,
    groups: NDArray[np.int32],
    asking: Asking,
    model: Model,
    batch: bool,
    progress: Advance,
) -> dict[str, pa.Array]:
    """What a chat model says, as columns of all n conversations."""
    firsts = np.flatnonzero(groups == np.arange(len(groups)))
    chat, answers, stage = model.chat, model.answers, with_model.STAGE
    if answers.store.open_jobs(chat.name):
        # paid for already, whether or not this run wants batch jobs
        answers.prefetch(chat, (), stage=stage, progress=progress)
    if batch:
        # a single call first shows how the server wants to be asked, which a job cannot
        answers.complete(
            chat, islice(with_model.prompts(asked_turns(folder, groups), asking), 1), stage=stage
        )
        asked = with_model.prompts(asked_turns(folder, groups), asking)
        answers.prefetch(chat, asked, stage=stage, progress=progress)
        progress = silent  # the answers are there: reading them takes no time worth showing
    found: list[Extracted] = []
    sizes = np.bincount(groups, minlength=len(groups))[firsts].tolist()
    answered = with_model.extract(asked_turns(folder, groups), asking, chat, answers)
    for size, one in zip(sizes, answered, strict=True):
        found.append(one)
        progress(size)
    place = np.searchsorted(firsts, groups)
    columns = {
        facet.name: pa.array([one.values[facet.name] for one in found], pa.string())
        for facet in asking.facets
    }
    columns["state"] = pa.array([one.state for one in found], pa.string())
    columns["reason"] = pa.array([one.reason for one in found], pa.string())
    columns["seen"] = pa.array([one.seen for one in found], pa.float32())
    return {name: column.take(pa.array(place)) for name, column in columns.items()}
