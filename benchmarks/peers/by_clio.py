"""Clio's embedded route, the whole run from the log on, with vectors that are there already: of requests and of its own list of tasks."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from form import Given, Made, serve
from numpy.typing import NDArray

import clio
from clio.clustering.topics import topics
from clio.evaluation.clustered import of_run


class Known:
    """An embedder that knows some texts and no others."""

    def __init__(self, name: str, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        self.name, self.dimensions = name, vectors.shape[1]
        self._vectors, self._place = vectors, {text: number for number, text in enumerate(texts)}

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of n known texts, float32 (n, d)."""
        return self._vectors[[self._place[text] for text in texts]]


def clusters(given: Given) -> Made:
    """A run's candidates, and the names that it shows."""
    tasks = np.load(given.folder / "tasks.npy")
    known = [*given.texts, *topics().tasks]
    encoder = Known(given.embedder, known, np.concatenate([given.vectors, tasks]))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        log = given.folder / "log.jsonl"
        told = clio.run(
            log,
            out,
            encoder=encoder,
            seed=given.seed,
            clusters=given.clusters,
            users="conversation",
            ledger="off",
        )
        found = of_run(told, out)
    return Made(found.levels, found.texts, found.ids)


if __name__ == "__main__":
    serve("clio-insights", clusters)
