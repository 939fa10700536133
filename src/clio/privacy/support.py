"""Support: a word may stand in published text only if enough distinct users of that very cluster said it, or it says nothing of anyone.

Checked by code over the conversations, never by a model. Words that need no support: function words, common describing words
(``common_words.txt``), verbs of request, and the fixed vocabulary of tasks (``clio.clustering.topics``).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from clio.clustering.phrases import verbs
from clio.clustering.topics import topics
from clio.text import ENGLISH_STOP_WORDS, has_cjk, lemma, tokens, word_list

_CJK_FUNCTION = re.compile(r"[的了在是和与或及用来把被给对从到、]")


@cache
def free_words() -> frozenset[str]:
    """Words that need no support, as lemmas and as they are."""
    lines = files("clio.privacy").joinpath("common_words.txt").read_text("utf-8").splitlines()
    found = {word for line in lines if not line.startswith("#") for word in line.split()}
    vocabulary = " ".join((*topics().tasks, *topics().themes))
    languages = {pair.split(":")[1].casefold() for pair in word_list("languages")}
    found |= set(tokens(vocabulary)) | verbs() | ENGLISH_STOP_WORDS | languages
    return frozenset(found | {lemma(word) for word in found})


def needed(text: str) -> frozenset[str]:
    """The words of a text that need support: lemmas of all that are not free. Numbers always do."""
    free = free_words()
    found = set()
    for token in tokens(text):
        word = lemma(token)
        if has_cjk(token):
            if len(token) > 1 or not _CJK_FUNCTION.fullmatch(token):
                found.add(token)
        elif token not in free and word not in free:
            found.add(word)
    return frozenset(found)


def supporters(
    words: Iterable[str], texts: Sequence[str], clusters: NDArray[np.int32], users: NDArray[np.int32]
) -> dict[str, dict[int, frozenset[int]]]:
    """Which users of which base cluster say each word; one scan over all texts.

    Args:
        words: as given by ``needed``.
        texts: n conversations' own words (private).
        clusters: int32 (n,), base cluster of each, -1 for none.
        users: int32 (n,), a number for each distinct user; -1 where a conversation supports nothing.

    Returns:
        By word, then by base cluster, the users who say it there.
    """
    wanted = frozenset(words)
    plain = frozenset(word for word in wanted if not has_cjk(word))
    joined = sorted(wanted - plain)
    found: dict[str, dict[int, set[int]]] = {word: defaultdict(set) for word in wanted}
    for row in np.flatnonzero((users >= 0) & (clusters >= 0)).tolist():
        text = texts[row]
        cluster, user = int(clusters[row]), int(users[row])
        said = {lemma(token) for token in tokens(text)} & plain
        if joined and has_cjk(text):
            said |= {word for word in joined if word in text}
        for word in said:
            found[word][cluster].add(user)
    return {word: {c: frozenset(u) for c, u in by.items()} for word, by in found.items()}


def unsupported(
    text: str, base: Iterable[int], said: Mapping[str, Mapping[int, frozenset[int]]], min_users: int
) -> frozenset[str]:
    """The words of a text that fewer than ``min_users`` distinct users say in the given base clusters."""
    inside = list(base)
    missing = set()
    for word in needed(text):
        users: set[int] = set()
        for cluster in inside:
            users |= said.get(word, {}).get(cluster, frozenset())
            if len(users) >= min_users:
                break
        else:
            missing.add(word)
    return frozenset(missing)
