"""Embed the vocabulary of tasks once for all: python benchmarks/make_task_vectors.py

Writes src/clio/clustering/topics.npz: for each embedder that comes with Clio and is no trifle, float16 (tasks, d), and the hash of the
vocabulary, without which they are not used. To be run again when topics.txt or an embedder's weights change; a test says so.
"""

from __future__ import annotations

import numpy as np

from clio.clustering.topics import VECTORS, embedded, vocabulary_hash
from clio.models import embedder


def main() -> None:
    """Embed and write."""
    made = {name: embedded(embedder(name)).astype(np.float16) for name in ("minilm", "e5")}
    np.savez(str(VECTORS), vocabulary=np.asarray(vocabulary_hash()), **made)


if __name__ == "__main__":
    main()
