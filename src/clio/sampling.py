"""Which conversations a run works on: at most so many of one user, and of these a random draw, plain or stratified by a column."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio import columns
from clio.errors import SourceError
from clio.facets import computed
from clio.insights.intervals import Sample
from clio.progress import Advance, silent
from clio.run_folder import RunFolder
from clio.stored import BATCH, CONVERSATIONS


def choose(strata: Sequence[str | None] | None, population: int, size: int, seed: int) -> NDArray[np.int64]:
    """Rows of a random draw without replacement in which every row is drawn with probability size / population, exactly.

    All rows are put in a random order, strata in a random order one after the other, and every population/size-th is drawn from a
    random start: systematic sampling (Madow & Madow 1944, Annals of Mathematical Statistics 15:1), of which the random order makes a
    plain draw of each stratum (Cochran 1977, Sampling Techniques, chapters 5 and 8). Of N_h rows of a stratum, N_h · size / population
    are drawn, rounded up or down, up with the chance of the remainder. Rounding up the largest remainders instead would never draw
    from strata that are all small. Strata take away the variance between them; of only a few rows each, they may add a little.

    Args:
        strata: the stratum of each row, None being one of its own; None for a plain draw.
        population: number of rows, N.
        size: number of rows to draw; all if there are no more.
        seed: of the draw; the same arguments give the same rows.

    Returns:
        int64 (min(size, N),), ascending, without repeats.

    Raises:
        ValueError: for a size below 1, or strata that are not one a row.
    """
    if size < 1:
        raise ValueError(f"a sample of {size}")
    if strata is not None and len(strata) != population:
        raise ValueError(f"{len(strata)} strata of {population} rows")
    if size >= population:
        return np.arange(population, dtype=np.int64)
    dice = np.random.default_rng(seed)
    order = dice.permutation(population)
    if strata is not None:
        seen: dict[str | None, int] = {}
        codes = np.fromiter((seen.setdefault(value, len(seen)) for value in strata), np.int64, population)
        order = order[np.argsort(dice.permutation(len(seen))[codes[order]], kind="stable")]
    # in whole numbers: the row at i takes the places from i·size up to (i+1)·size
    places = int(dice.integers(population)) + np.arange(size, dtype=np.int64) * population
    return np.sort(order[places // size]).astype(np.int64)


def contributed(users: pa.ChunkedArray, most: int, seed: int = 0) -> NDArray[np.int64]:
    """Rows of which no user has more than ``most``, chosen at random among each user's.

    Args:
        users: of n conversations, null where unknown: these all stay, as they count for nobody.
        most: conversations of one user, at least 1.
        seed: of the choice; a run keeps to one, or its releases would differ in whom they count.

    Returns:
        int64, ascending, without repeats.
    """
    codes = users.combine_chunks().dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    order = np.random.default_rng(seed).permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    # the place of each row among its user's
    place = np.arange(len(order)) - np.searchsorted(codes[order], codes[order])
    return np.sort(order[(place < most) | (codes[order] < 0)]).astype(np.int64)


def sample(
    folder: RunFolder,
    key: str,
    size: int,
    by: str | None,
    seed: int,
    progress: Advance = silent,
    *,
    of: NDArray[np.int64] | None = None,
) -> Sample:
    """Draw from the stage file ``read`` and store the draw as ``conversations``, in order, by row groups of 2,048.

    Only the column of the strata is read of all conversations; messages of one row group at a time, where some of it is drawn.

    Args:
        folder: with ``read``, of the schema ``stored.CONVERSATIONS``, which stays as it is.
        key: of the stage.
        size: number of conversations to draw; all if there are no more.
        by: what to stratify by: model, country, week, or a key of the metadata; None for a plain draw.
        seed: of the draw.
        progress: called with numbers of conversations passed, in sum those of ``read``.
        of: int64, ascending, the rows to draw from; None for all.

    Raises:
        SettingsError: if no conversation has the column; names those there are, never a value.
        SourceError: if there is no conversation.
    """
    with folder.parquet("read") as file:
        if of is None:
            of = np.arange(file.metadata.num_rows, dtype=np.int64)
        population = len(of)
        if not population:
            raise SourceError("no conversation could be used; there is nothing to draw a sample from")
        strata = None if by is None else _strata(file, by)
        rows = of[choose(None if strata is None else [strata[i] for i in of], population, size, seed)]
        with folder.writer("conversations", key, CONVERSATIONS) as writer:
            for table in _batched(_rows(file, rows, progress)):
                writer.write_table(table)
    return Sample(population, len(rows), by)


def _strata(file: Any, by: str) -> list[str | None]:
    """The stratum of every conversation, None where it has no such value."""
    kept: dict[str, str] = {}  # one string a value, however many conversations share it
    found: list[str | None] = []
    for values in columns.values(file, columns.COLUMNS.get(by, "metadata")):
        if by == "week":
            values = [computed.week(moment) for moment in values]
        elif by not in columns.COLUMNS:
            values = [(json.loads(text) if text else {}).get(by) for text in values]
        found += [None if value is None else kept.setdefault(str(value), str(value)) for value in values]
    if not kept:
        raise columns.no_column(file, "sample_by", by)
    return found


def _rows(file: Any, rows: NDArray[np.int64], progress: Advance) -> Iterator[pa.Table]:
    """The chosen of each row group that has any; ``rows`` int64 (n,), ascending."""
    start = 0
    for group in range(file.num_row_groups):
        count = file.metadata.row_group(group).num_rows
        first, last = np.searchsorted(rows, [start, start + count])
        if first < last:
            # take copies, so that the rest of the row group can go
            yield file.read_row_group(group, columns=CONVERSATIONS.names).take(
                pa.array(rows[first:last] - start)
            )
        start += count
        progress(count)


def _batched(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same rows, 2,048 a table."""
    waiting: list[pa.Table] = []
    held = 0
    for table in tables:
        waiting.append(table)
        held += len(table)
        while held >= BATCH:
            joined = pa.concat_tables(waiting)
            yield joined.slice(0, BATCH)
            waiting, held = [joined.slice(BATCH)], held - BATCH
    if held:
        yield pa.concat_tables(waiting)
