"""An embedder that costs next to nothing, for measures of all but embedding; needs numpy alone, as each peer's own Python runs it."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np


class Words:
    """A text is the sum of its words' random vectors, of unit length; ``seconds`` are the CPU-seconds that this took so far."""

    name = "words"
    dimensions = 384

    def __init__(self) -> None:
        self.seconds = 0.0
        self._known: dict[str, Any] = {}

    def encode(self, texts: Sequence[str]) -> Any:
        """The vectors of n texts, float32 (n, 384)."""
        begin = time.process_time()
        found = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in zip(found, texts, strict=True):
            for word in re.findall(r"\w+", text.casefold()) or [""]:
                row += self._vector(word)
        found /= np.linalg.norm(found, axis=1, keepdims=True)
        self.seconds += time.process_time() - begin
        return found

    def _vector(self, word: str) -> Any:
        if word not in self._known:
            dice = np.random.default_rng(zlib.crc32(word.encode()))
            self._known[word] = dice.standard_normal(self.dimensions, np.float32)
        return self._known[word]
