"""Support: a word may stand in published text only if enough distinct accounts of that very cluster said it, or it says nothing of anyone.

Checked by code over the conversations, never by a model. Enough means: without any one account (``clio.privacy.accounts``). Two specific
words side by side must moreover be said by the same accounts, so that no rare phrase is put together of common words. Words that need no
support: function words, common describing words (``common_words.txt``), verbs of request, and the fixed vocabulary of tasks
(``clio.clustering.topics``); of the last, words of sensitive subjects only where a whole task of the vocabulary stands in the text.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from clio.clustering.phrases import verbs
from clio.clustering.topics import topics
from clio.privacy.accounts import Accounts
from clio.privacy.sensitive import subjects_of_word
from clio.text import ENGLISH_STOP_WORDS, has_cjk, lemma, tokens, word_list

_CJK_FUNCTION = re.compile(r"[的了在是和与或及用来把被给对从到、]")
# where a name can end and still be read: before a preposition or after a mark
_JOINT = re.compile(
    r"(?:\s*[,:;(–—]|\s+(?:for|in|on|at|with|from|about|of|by|using|via|and|or|who|that|while|after|before|as)\s)",
    re.I,
)
_WORD = re.compile(r"\w+")
# words in a row that are a quotation, and those that speak of oneself
_RUN = 7
_FIRST_PERSON = word_list("first_person")
_QUOTED = re.compile(r"“[^“”]*”")
#: words in a row
Run = tuple[str, ...]
_Key = TypeVar("_Key", str, Run)
# share of a cluster's accounts that name a subject from which the cluster is about it
_ABOUT = 0.25


@cache
def free_words() -> frozenset[str]:
    """Words that need no support, as lemmas and as they are."""
    lines = files("clio.privacy").joinpath("common_words.txt").read_text("utf-8").splitlines()
    found = {word for line in lines if not line.startswith("#") for word in line.split()}
    vocabulary = " ".join((*topics().tasks, *topics().themes))
    languages = {pair.split(":")[1].casefold() for pair in word_list("languages")}
    found |= {word for word in (*tokens(vocabulary), *verbs()) if not subjects_of_word(word)}
    found |= ENGLISH_STOP_WORDS | languages
    return frozenset(found | {lemma(word) for word in found})


@cache
def _vocabulary() -> Mapping[str, Sequence[str]]:
    """All tasks and themes of the vocabulary by their first words, the longest first."""
    found = defaultdict[str, list[str]](list)
    for phrase in sorted((*topics().tasks, *topics().themes), key=len, reverse=True):
        found[_WORD.match(phrase.casefold())[0]].append(phrase.casefold())  # type: ignore[index]
    return found


def _without_tasks(text: str) -> Iterator[str]:
    """What stands between whole tasks and themes of the vocabulary, case-folded."""
    text, end = text.casefold(), 0
    for word in _WORD.finditer(text):
        if word.start() < end:
            continue
        for phrase in _vocabulary().get(word[0], ()):
            after = word.start() + len(phrase)
            if text.startswith(phrase, word.start()) and not _WORD.match(text, after):
                yield text[end : word.start()]
                end = after
                break
    yield text[end:]


@lru_cache(maxsize=8192)
def _words(text: str) -> tuple[str, ...]:
    """The words of a text in order, each as its lemma if it needs support and as "" if not; whole tasks of the vocabulary need none."""
    free = free_words()
    found = []
    for token in tokens(" the ".join(_without_tasks(text))):
        word = lemma(token)
        if has_cjk(token):
            found.append("" if len(token) == 1 and _CJK_FUNCTION.fullmatch(token) else token)
        else:
            found.append("" if token in free or word in free else word)
    return tuple(found)


def needed(text: str) -> frozenset[str]:
    """The words of a text that need support: lemmas of all that are not free. Numbers always do."""
    return frozenset(filter(None, _words(text)))


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said where and by whom: ``said`` by word, ``subjects`` by sensitive subject, each by base cluster the accounts."""

    said: Mapping[str, Mapping[int, frozenset[int]]] = field(repr=False)
    subjects: Mapping[str, Mapping[int, frozenset[int]]] = field(repr=False)
    runs: Mapping[Run, Mapping[int, frozenset[int]]] = field(default_factory=dict, repr=False)

    def quoted(self, run: Run, base: Iterable[int]) -> frozenset[int]:
        """The accounts that say some words in a row in some base clusters."""
        by = self.runs.get(run, {})
        return frozenset().union(*(by.get(cluster, frozenset()) for cluster in base))

    def users(self, word: str, base: Iterable[int]) -> frozenset[int]:
        """The accounts that say a word in some base clusters."""
        by = self.said.get(word, {})
        return frozenset().union(*(by.get(cluster, frozenset()) for cluster in base))

    def subjects_of(self, base: Iterable[int], accounts: int) -> frozenset[str]:
        """The sensitive subjects that a quarter of some clusters' accounts name, and two at least: what these clusters are about."""
        inside = list(base)
        named = {
            name: len(frozenset().union(*(by.get(cluster, frozenset()) for cluster in inside)))
            for name, by in self.subjects.items()
        }
        return frozenset(name for name, n in named.items() if n >= max(2, _ABOUT * accounts))


def hear(
    words: Iterable[str],
    texts: Sequence[str],
    clusters: NDArray[np.int32],
    users: NDArray[np.int32],
    runs: Iterable[Run] = (),
) -> Heard:
    """Which accounts of which base cluster say each word and name each sensitive subject; one scan over all texts.

    Args:
        words: as given by ``needed``.
        texts: n conversations' own words (private).
        clusters: int32 (n,), base cluster of each, -1 for none.
        users: int32 (n,), a number for each distinct account; -1 where a conversation supports nothing.
        runs: as given by ``runs_of``.
    """
    wanted, rows_of_words = frozenset(words), frozenset(runs)
    plain = frozenset(word for word in wanted if not has_cjk(word))
    joined = sorted(wanted - plain)
    found: dict[str, dict[int, set[int]]] = {word: defaultdict(set) for word in wanted}
    named: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    repeated: dict[Run, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    # each token is looked at once: which of the words it is, if any, and of which subjects
    known: set[str] = set()
    telling: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
    for row in np.flatnonzero((users >= 0) & (clusters >= 0)).tolist():
        text = texts[row]
        cluster, user = int(clusters[row]), int(users[row])
        in_order = tokens(text)
        spoken = set(in_order)
        for run in rows_of_words.intersection(_windows(in_order)) if rows_of_words else ():
            repeated[run][cluster].add(user)
        for token in spoken - known:
            known.add(token)
            told = plain.intersection([lemma(token)]), subjects_of_word(token)
            if any(told):
                telling[token] = told
        for token in telling.keys() & spoken:
            said, about = telling[token]
            for word in said:
                found[word][cluster].add(user)
            for subject in about:
                named[subject][cluster].add(user)
        if joined and has_cjk(text):
            for word in joined:
                if word in text:
                    found[word][cluster].add(user)
    return Heard(_frozen(found), _frozen(named), _frozen(repeated))


def _frozen(found: Mapping[_Key, Mapping[int, set[int]]]) -> dict[_Key, dict[int, frozenset[int]]]:
    return {word: {cluster: frozenset(who) for cluster, who in by.items()} for word, by in found.items()}


def unsupported(
    text: str, base: Iterable[int], heard: Heard, accounts: Accounts, min_users: float
) -> frozenset[str]:
    """The words of a text that lack support in the given base clusters, alone, together with the word beside them, or as a quotation.

    However plain its words, a text may not repeat seven words in a row that too few say, nor speak of itself as "I".

    Args:
        text: about to be published.
        base: the base clusters that it is about.
        heard: from ``hear``.
        accounts: how far each account counts.
        min_users: accounts that must say a word besides any one of them.
    """
    inside = list(base)
    words = _words(text)
    if quoting := _own_words(text):
        return quoting
    for run in runs_of(text):
        if (who := heard.quoted(run, inside)) and accounts.without_any(who) < min_users:
            return frozenset(run)
    users = {word: heard.users(word, inside) for word in set(filter(None, words))}
    missing = {word for word, who in users.items() if accounts.without_any(who) < min_users}
    for one, other in pairwise(words):
        if not (one and other) or one == other or {one, other} & missing:
            continue
        if accounts.without_any(users[one] & users[other]) < min_users:
            missing |= {one, other}
    return frozenset(missing)


@lru_cache(maxsize=8192)
def runs_of(text: str) -> frozenset[Run]:
    """Every seven words in a row of a text, but for those of whole tasks of the vocabulary."""
    return frozenset(run for part in _without_tasks(text) for run in _windows(tokens(part)))


def _windows(words: Sequence[str]) -> Iterator[Run]:
    return zip(*(words[start:] for start in range(_RUN)), strict=False)


def _own_words(text: str) -> frozenset[str]:
    """The words by which a text speaks of itself, outside quotation marks: nobody describes a group so."""
    return _FIRST_PERSON.intersection(tokens(_QUOTED.sub(" ", text)))


def generalised(name: str, holds: Callable[[str], bool]) -> str:
    """A name cut before its unsupported end: "Plan trips with Ann and Bob" becomes "Plan trips".

    Only the shortest beginning of two words is tried: a name tried at every joint would tell which of several details is supported.

    Args:
        name: that does not hold as a whole.
        holds: whether a text may be published.

    Returns:
        The beginning up to the first joint of the sentence with two words before it, if it holds; otherwise nothing.
    """
    for joint in _JOINT.finditer(name):
        short = name[: joint.start()].rstrip()
        if len(tokens(short)) > 1:
            return short if holds(short) else ""
    return ""
