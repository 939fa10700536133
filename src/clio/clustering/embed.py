"""Requests to vectors: which embedder, in what chunks, and what is taken away so that meaning decides and language does not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: rows embedded and stored at a time; fixed, since a quantised embedder's vectors depend a little on their batch
CHUNK = 2048
# below this share of English among known languages an English embedder would cluster by language
_ENGLISH_ENOUGH = 0.9
# a language with fewer requests than this has no mean worth taking away
_MIN_LANGUAGE = 30


def choose_embedder(languages: Sequence[str]) -> str:
    """ "minilm" where at least nine in ten requests of known language are English, otherwise the multilingual "e5"."""
    known = [language for language in languages if language != "unknown"]
    english = sum(language == "en" for language in known)
    return "minilm" if english >= _ENGLISH_ENOUGH * len(known) else "e5"


def prepare(vectors: NDArray[np.float32], languages: Sequence[str]) -> NDArray[np.float32]:
    """Take the mean of each language away from its vectors, in place, and bring them back to unit length.

    Multilingual embedders put each language in a region of its own; without its mean, requests of the same meaning lie together.
    Languages of fewer than 30 requests, and "unknown", lose the mean of all.

    Args:
        vectors: float32 (n, d).
        languages: n ISO 639-1 codes or "unknown".

    Returns:
        The vectors given, float32 (n, d), rows of unit length.
    """
    named = np.asarray(languages)
    overall = vectors.mean(axis=0)
    left = np.ones(len(vectors), bool)
    for language in sorted(set(languages) - {"unknown"}):
        rows = named == language
        if rows.sum() >= _MIN_LANGUAGE:
            np.subtract(vectors, vectors[rows].mean(axis=0), out=vectors, where=rows[:, None])
            left &= ~rows
    np.subtract(vectors, overall, out=vectors, where=left[:, None])
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
    vectors /= np.maximum(lengths, 1e-12)[:, None]
    return vectors
