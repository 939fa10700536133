"""Support: a word may stand in published text only if enough distinct accounts of that very cluster said it, or it says nothing of anyone.

Checked by code over the conversations, never by a model. Enough means: without any one account (``clio.privacy.accounts``). Two specific
words side by side must moreover be said by the same accounts, so that no rare phrase is put together of common words. Words that need no
support: function words, common describing words (``common_words.txt``), verbs of request, and the fixed vocabulary of tasks
(``clio.clustering.topics``); of the last, words of sensitive subjects only where a whole task of the vocabulary stands in the text.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clio.clustering.phrases import verbs
from clio.clustering.topics import topics
from clio.privacy.accounts import Accounts
from clio.privacy.sensitive import is_sensitive
from clio.text import ENGLISH_STOP_WORDS, has_cjk, lemma, tokens, word_list

_CJK_FUNCTION = re.compile(r"[的了在是和与或及用来把被给对从到、]")
# where a name can end and still be read: before a preposition or after a mark
_JOINT = re.compile(
    r"(?:\s*[,:;(–—]|\s+(?:for|in|on|at|with|from|about|of|by|using|via|and|or|who|that|while|after|before|as)\s)",
    re.I,
)
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s*")
#: who says each word: by word, then by base cluster, the accounts that say it there
Said = Mapping[str, Mapping[int, frozenset[int]]]


@cache
def free_words() -> frozenset[str]:
    """Words that need no support, as lemmas and as they are."""
    lines = files("clio.privacy").joinpath("common_words.txt").read_text("utf-8").splitlines()
    found = {word for line in lines if not line.startswith("#") for word in line.split()}
    vocabulary = " ".join((*topics().tasks, *topics().themes))
    languages = {pair.split(":")[1].casefold() for pair in word_list("languages")}
    found |= {word for word in (*tokens(vocabulary), *verbs()) if not is_sensitive(word)}
    found |= ENGLISH_STOP_WORDS | languages
    return frozenset(found | {lemma(word) for word in found})


@cache
def _vocabulary() -> re.Pattern[str]:
    """Any whole task or theme of the vocabulary, the longest first."""
    phrases = sorted((*topics().tasks, *topics().themes), key=lambda phrase: (-len(phrase), phrase))
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, phrases))})\b", re.I)


def _words(text: str) -> list[str]:
    """The words of a text in order, each as its lemma if it needs support and as "" if not; whole tasks of the vocabulary need none."""
    free = free_words()
    found = []
    for token in tokens(_vocabulary().sub(" the ", text)):
        word = lemma(token)
        if has_cjk(token):
            found.append("" if len(token) == 1 and _CJK_FUNCTION.fullmatch(token) else token)
        else:
            found.append("" if token in free or word in free else word)
    return found


def needed(text: str) -> frozenset[str]:
    """The words of a text that need support: lemmas of all that are not free. Numbers always do."""
    return frozenset(filter(None, _words(text)))


def supporters(
    words: Iterable[str], texts: Sequence[str], clusters: NDArray[np.int32], users: NDArray[np.int32]
) -> Said:
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
    text: str, base: Iterable[int], said: Said, accounts: Accounts, min_users: float
) -> frozenset[str]:
    """The words of a text that lack support in the given base clusters, alone or together with the word beside them.

    Args:
        text: about to be published.
        base: the base clusters that it is about.
        said: from ``supporters``.
        accounts: how far each account counts.
        min_users: accounts that must say a word besides any one of them.
    """
    inside = list(base)
    words = _words(text)
    users: dict[str, frozenset[int]] = {
        word: frozenset().union(*(said.get(word, {}).get(cluster, frozenset()) for cluster in inside))
        for word in set(filter(None, words))
    }
    missing = {word for word, who in users.items() if accounts.without_any(who) < min_users}
    for one, other in pairwise(words):
        if not (one and other) or one == other or {one, other} & missing:
            continue
        if accounts.without_any(users[one] & users[other]) < min_users:
            missing |= {one, other}
    return frozenset(missing)


def generalised(name: str, holds: Callable[[str], bool]) -> str:
    """A name cut before its unsupported end: "Plan trips to the coast with Ann" becomes "Plan trips to the coast".

    Args:
        name: that does not hold as a whole.
        holds: whether a text may be published.

    Returns:
        The longest beginning that ends at a joint of the sentence, has two words and holds; empty if there is none.
    """
    for joint in reversed(list(_JOINT.finditer(name))):
        short = name[: joint.start()].rstrip()
        if len(tokens(short)) > 1 and holds(short):
            return short
    return ""


def supported_sentences(text: str, holds: Callable[[str], bool]) -> str:
    """The sentences of a description that hold, in order."""
    return " ".join(part for sentence in _SENTENCE.split(text) if (part := sentence.strip()) and holds(part))
