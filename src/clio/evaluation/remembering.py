"""An embedder that remembers: the same texts go through many runs, and embedding is the slow part of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clio.clustering.embed import choose_embedder
from clio.models import embedder
from clio.models.protocols import Embedder


class Remembering:
    """An embedder that asks another about each text once and keeps the vector, float16 as runs do, in memory only.

    Its name is the other's, so that a run takes its vectors for the other's.
    """

    def __init__(self, inner: Embedder) -> None:
        self._inner = inner
        self._known: dict[str, NDArray[np.float16]] = {}
        self.name = inner.name
        self.dimensions = inner.dimensions

    @staticmethod
    def of(setting: str, languages: Sequence[str], key_command: str | None = None) -> Remembering:
        """The embedder that a setting names; "auto" is chosen by the languages of all conversations, as a run does."""
        name = choose_embedder(languages) if setting == "auto" else setting
        return Remembering(embedder(name, key_command=key_command))

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed n texts: float32, shape (n, dimensions), rows of unit length up to the rounding of float16."""
        unknown = [text for text in dict.fromkeys(texts) if text not in self._known]
        if unknown:
            vectors = self._inner.encode(unknown).astype(np.float16)
            self._known.update(zip(unknown, vectors, strict=True))
        found = np.empty((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            found[row] = self._known[text]
        return found
