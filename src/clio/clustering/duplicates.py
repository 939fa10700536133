"""Near-duplicate texts: the same but for case and punctuation, or nearly the same words in the same order.

MinHash of word pairs (of four characters where words are not spaced), banded for candidates (Broder 1997), candidates
verified by their estimated Jaccard similarity.
"""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

from clio.text import has_cjk

_PERMUTATIONS, _BANDS = 64, 16
_MAX_CHARACTERS = 4000
# shorter texts are duplicates only if equal: one word of six makes another request
_MIN_WORDS = 6
_SEED = 42
_ODD = np.uint64(0x9E3779B97F4A7C14)
_WORDS = re.compile(r"\w+")
# the same for ASCII, several times as fast: all else becomes a space
_SPACED = {code: " " for code in range(128) if not _WORDS.match(chr(code))}


def near_duplicates(texts: Sequence[str], *, threshold: float = 0.9) -> NDArray[np.int32]:
    """Group near-duplicates.

    Args:
        texts: n texts; the first 4,000 characters of each are compared.
        threshold: estimated Jaccard similarity of the shingles from which two texts belong together, in (0, 1].

    Returns:
        int32 (n,): for each text the index of the first member of its group. An empty text is a group of its own.
    """
    parents = list(range(len(texts)))
    # by hashes and in an array: the texts once more, and lists of numbers, would take several times the memory
    exact: dict[bytes, int] = {}
    rows: list[int] = []
    signatures = array("I")
    for i, text in enumerate(texts):
        text = text[:_MAX_CHARACTERS].casefold()
        words = text.translate(_SPACED).split() if text.isascii() else _WORDS.findall(text)
        plain = " ".join(words)
        if not plain:
            continue
        if (
            first := exact.setdefault(
                blake2b(plain.encode(errors="surrogatepass"), digest_size=16).digest(), i
            )
        ) != i:
            parents[i] = first
            continue
        shingles = _shingles(plain, words)
        if len(shingles) >= _MIN_WORDS - 1:
            sketch = RMinHash(_PERMUTATIONS, _SEED)
            sketch.update(shingles)
            rows.append(i)
            signatures.extend(sketch.digest())
    _join(parents, rows, np.frombuffer(signatures, np.uintc).reshape(len(rows), _PERMUTATIONS), threshold)
    return np.asarray([_root(parents, i) for i in range(len(parents))], np.int32)


def _shingles(plain: str, words: list[str]) -> list[str]:
    """Pairs of neighbouring words; runs of four characters where words are not spaced."""
    if not plain.isascii() and has_cjk(plain):
        joined = plain.replace(" ", "")
        return [joined[i : i + 4] for i in range(max(1, len(joined) - 3))]
    return list(map(" ".join, pairwise(words)))


def _join(parents: list[int], rows: list[int], signatures: NDArray[np.uintc], threshold: float) -> None:
    """Join the rows whose signatures agree in a band and, over all, in at least the threshold's share."""
    if len(rows) < 2:
        return
    width = _PERMUTATIONS // _BANDS
    for band in range(_BANDS):
        for bucket in _buckets(signatures[:, band * width : (band + 1) * width]):
            # each is held against the bucket's first of every group already found, so a large bucket stays cheap
            heads: list[int] = []
            for n in bucket:
                root = _root(parents, rows[n])
                for head in heads:
                    if _root(parents, rows[head]) == root:
                        break
                    if (signatures[n] == signatures[head]).mean() >= threshold:
                        a, b = sorted((root, _root(parents, rows[head])))
                        parents[b] = a
                        break
                else:
                    if len(heads) < 50:
                        heads.append(n)


def _buckets(parts: NDArray[np.uintc]) -> list[list[int]]:
    """The rows that are equal to others, ascending, and by the first of each bucket."""
    # most are equal to none: a sum of their columns, each times an odd number, tells these apart at once
    sums = parts.astype(np.uint64) @ (2 * np.arange(1, parts.shape[1] + 1, dtype=np.uint64) + _ODD)
    _, place, sizes = np.unique(sums, return_inverse=True, return_counts=True)
    buckets: dict[bytes, list[int]] = defaultdict(list)
    for n in np.flatnonzero(sizes[place] > 1).tolist():
        buckets[parts[n].tobytes()].append(n)
    return [several for several in buckets.values() if len(several) > 1]


def _root(parents: list[int], i: int) -> int:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i
