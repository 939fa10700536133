"""Embed the vocabulary of tasks and the list of harms once for all: python benchmarks/make_task_vectors.py

Writes src/clio/clustering/topics.npz: for each embedder that comes with Clio and is no trifle, float16 (tasks, d), and the hash of the
vocabulary, without which they are not used; and src/clio/facets/harms.npz, the same of harms.txt. To be run again when topics.txt,
harms.txt or an embedder's weights change; a test says so.
"""

from __future__ import annotations

import numpy as np

from clio.clustering.topics import VECTORS, embedded, topics, vocabulary_hash
from clio.facets import concern
from clio.models import embedder


def main() -> None:
    """Embed and write."""
    made = {name: embedded(embedder(name)).astype(np.float16) for name in ("minilm", "e5")}
    np.savez(str(VECTORS), vocabulary=np.asarray(vocabulary_hash()), **made)
    kept = {}
    for name in ("minilm", "e5"):
        found = concern.Harms.of(embedder(name), general_tasks())
        kept |= {name: found.vectors, f"{name}:mean": found.mean}
        kept[f"{name}:general"] = np.asarray([found.middle, found.spread])
    np.savez(str(concern.VECTORS), harms=np.asarray(concern.harms_hash()), **kept)


def general_tasks() -> list[str]:
    """The tasks of the vocabulary but for those of its theme of harms."""
    told = topics()
    harmful = told.themes.index("Sensitive and harmful requests")
    return [task for task, theme in zip(told.tasks, told.theme_of, strict=True) if theme != harmful]


if __name__ == "__main__":
    main()
