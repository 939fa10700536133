"""The form in which every system is given a log and gives back its clusters; needs numpy alone, so that each peer's own Python can run it.

A folder holds ``requests.jsonl`` (a line a conversation: id, text), ``vectors.npy`` (float32, a row a line) and ``given.json`` (seed,
name of the embedder, how many base clusters Clio chose, and how many are to be made, null where that is the system's to choose).
``clusters.json`` is added: ids, levels (base first; for each a number a conversation, -1 in none), texts (for each level a [name,
description] a cluster, null where it has none), version, CPU-seconds and peak memory.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

#: clusters of the top level where a system leaves their number to its user, as many as Clio's own
TOP = 10
#: said by a system when it has written its clusters
READY = "clusters are written"

Text = tuple[str, str] | None


@dataclass(frozen=True)
class Given:
    """n conversations: ``ids``, ``texts`` and ``vectors``, float32 (n, d), of an embedder; a seed; how many base clusters Clio chose.

    ``clusters`` is how many are to be made, where the system is told.
    """

    ids: list[str]
    texts: list[str]
    vectors: Any
    embedder: str
    seed: int
    chosen: int
    clusters: int | None
    folder: Path

    @classmethod
    def read(cls, folder: Path) -> Given:
        """What is in a folder."""
        rows = [json.loads(line) for line in (folder / "requests.jsonl").read_text("utf-8").splitlines()]
        told = json.loads((folder / "given.json").read_text("utf-8"))
        vectors = np.load(folder / "vectors.npy")
        return cls([row["id"] for row in rows], [row["text"] for row in rows], vectors, folder=folder, **told)


@dataclass(frozen=True)
class Made:
    """Clusters, base first, of all conversations or of those of ``ids``; and how often a chat model was called."""

    levels: Sequence[Any]
    texts: Sequence[Sequence[Text]]
    ids: Sequence[str] | None = None
    calls: int = 0


def serve(package: str, make: Callable[[Given], Made]) -> None:
    """Make clusters of each folder that a line of standard input names, with a package; say ``READY`` when its clusters are written.

    The seconds of the first hold the start of the process.
    """
    begin = 0.0
    for line in sys.stdin:
        folder = Path(line.strip())
        given = Given.read(folder)
        made = make(given)
        now = time.process_time()
        found = {
            "ids": list(made.ids or given.ids),
            "levels": [[int(number) for number in level] for level in made.levels],
            "texts": made.texts,
            "calls": made.calls,
            "version": f"{package} {version(package)}",
            "cpu": now - begin,
            "peak_mb": peak_mb(),
        }
        begin = now
        (folder / "clusters.json").write_text(json.dumps(found), "utf-8")
        print(READY, flush=True)


def upwards(base: Any, parents: Any) -> Any:
    """The level above: the parent of each conversation's cluster, -1 in none."""
    numbers = np.asarray(base)
    return np.where(numbers >= 0, np.asarray(parents)[numbers], -1)


def terms(texts: Sequence[str], clusters: Any) -> list[Text]:
    """Names of k clusters by class-based tf-idf (Grootendorst 2022, arXiv:2203.05794): the first four terms, described by the first ten."""
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(stop_words="english")
    words = counter.fit_transform(texts)
    counts = np.zeros((int(np.max(clusters)) + 1, words.shape[1]))
    rows, columns = words.nonzero()
    np.add.at(counts, (np.asarray(clusters)[rows], columns), words.data)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    weight = share * np.log1p(counts.sum() / len(counts) / counts.sum(axis=0))
    known = counter.get_feature_names_out()
    found: list[Text] = []
    for one in weight:
        best = [str(known[at]) for at in np.argsort(-one, kind="stable")[:10] if one[at] > 0]
        found.append((", ".join(best[:4]), ", ".join(best)) if best else None)
    return found


def peak_mb() -> float:
    """Peak memory of this process: what Linux notes since it began; elsewhere what it notes of the process and what started it."""
    status = Path("/proc/self/status")
    if status.is_file():
        told = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(told["VmHWM"].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
