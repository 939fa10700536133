"""A vector for each word piece, distilled from all-MiniLM-L6-v2 (English, 192 dimensions): for logs too large for MiniLM itself.

A text is the mean of its pieces' vectors, so word order is lost. ``benchmarks/make_static.py`` makes the weights, which lie beside this
file, and tells how; what they lose is in docs/reference/models.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clio.models.minilm import tokenizer
from clio.models.weights import check, readable

SHA256 = "445386bc3d74cd0ff99c77aaeb9ad9ed0600a1189215a4fec719df2e6e2d9ba6"
PATH = Path(__file__).with_name("static.npz")
_CHUNK = 4096  # texts tokenised at a time: bounds memory


class Static:
    """English embedder without a neural network; cuts texts beyond ``max_tokens``.

    The same texts give the same bytes on any number of cores; a text's vector does not depend on the others in the list. Texts without
    a token get the vector of an unknown word.
    """

    name = "static"
    dimensions = 192

    def __init__(self, max_tokens: int = 128) -> None:
        check(PATH, SHA256, self.name)
        with np.load(PATH) as weights:
            self._pieces: NDArray[np.float32] = weights["levels"] * weights["scales"][:, None]
        self._max_tokens = max_tokens
        self._tokenizer = tokenizer(max_tokens)
        self._unknown = [self._tokenizer.token_to_id("[UNK]")]

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed n texts: float32, shape (n, 192), rows of unit length."""
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for start in range(0, len(texts), _CHUNK):
            encoded = self._tokenizer.encode_batch_fast(
                [readable(text, self._max_tokens * 40) for text in texts[start : start + _CHUNK]],
                add_special_tokens=False,
            )
            bags = [encoding.ids or self._unknown for encoding in encoded]
            ends = np.cumsum([0, *map(len, bags)])
            numbers = np.fromiter(chain.from_iterable(bags), np.int32, ends[-1])
            ones = np.ones(len(numbers), np.float32)
            # a sum, for its length is made one: no array of all tokens' vectors is made
            summed = sparse.csr_matrix((ones, numbers, ends), (len(bags), len(self._pieces))) @ self._pieces
            vectors[start : start + _CHUNK] = summed / np.linalg.norm(summed, axis=1, keepdims=True)
        return vectors
