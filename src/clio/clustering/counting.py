"""Who says what: phrases counted by distinct users, within a cluster and everywhere."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from sys import intern

import numpy as np
from numpy.typing import NDArray

from clio.clustering.phrases import (
    ASK,
    QUESTION_WORDS,
    Phrase,
    find_phrases,
    is_state,
    lemmas,
    without_masks,
)
from clio.text import ENGLISH_STOP_WORDS, has_cjk, stop_words, tokens

Key = tuple[str, ...]

# how many times as much two words in a row tell as one
_PAIR = 2.0


@dataclass(slots=True)
class Counts:
    """Who says what in one cluster: distinct users by thing, by verb and by (verb, thing); surface forms of the things."""

    users: int = 0
    things: dict[Key, set[int]] = field(default_factory=lambda: defaultdict(set))
    verbs: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    pairs: dict[tuple[str, Key], set[int]] = field(default_factory=lambda: defaultdict(set))
    states: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    runs: dict[Key, set[int]] = field(default_factory=lambda: defaultdict(set))
    form: dict[Key, float] = field(default_factory=lambda: defaultdict(float))
    surfaces: dict[Key, Counter[tuple[str, tuple[str, ...]]]] = field(
        default_factory=lambda: defaultdict(Counter)
    )


@dataclass(frozen=True, slots=True)
class Members:
    """One row a request that may support a name: its actions, its cluster and its user.

    Rows of the same near-duplicate group beyond the first, and rows without a user, are left out before. ``words`` are those of the
    first 300 characters, in their order.
    """

    phrases: list[list[Phrase]] = field(repr=False)
    words: list[list[str]] = field(repr=False)
    languages: list[str]
    clusters: NDArray[np.int32]
    users: NDArray[np.int32]


def read(
    requests: Sequence[str], languages: Sequence[str], clusters: NDArray[np.int32], users: NDArray[np.int32]
) -> Members:
    """Find the actions of n requests once, for all levels.

    Args:
        requests: n texts, identifiers masked.
        languages: n ISO 639-1 codes or "unknown".
        clusters: int32 (n,), base cluster of each.
        users: int32 (n,), a number for each distinct user; -1 where a request supports nothing.
    """
    rows = np.flatnonzero((users >= 0) & (clusters >= 0)).tolist()
    told = [languages[i] if languages[i] != "unknown" else "en" for i in rows]
    # equal phrases are kept once: requests repeat each other's far more than they differ
    known: dict[Phrase, Phrase] = {}
    return Members(
        [
            [known.setdefault(phrase, phrase) for phrase in find_phrases(requests[i], languages[i])]
            for i in rows
        ],
        [
            [intern(word) for word in tokens(without_masks(requests[i][:300]), language)]
            for i, language in zip(rows, told, strict=True)
        ],
        told,
        clusters[rows],
        users[rows],
    )


def count(members: Members, rows: Iterable[int]) -> Counts:
    """Count who says what among some rows; a user counts once for each phrase."""
    found = Counts()
    users = set()
    for row in rows:
        user = int(members.users[row])
        users.add(user)
        words = members.words[row] if members.languages[row] == "en" else ()
        for word in set(words):
            if is_state(word):
                found.states[word].add(user)
        for n in range(2, 4) if len(words) < 12 else ():
            for i in range(len(words) - n + 1):
                found.runs[tuple(words[i : i + n])].add(user)
        for phrase in members.phrases[row]:
            key = lemmas(phrase.words)
            found.things[key].add(user)
            # a loose word pair says nothing of articles
            found.surfaces[key][(phrase.article, phrase.words)] += 100 if phrase.form == 1.0 else 1
            found.form[key] = max(found.form[key], phrase.form)
            if phrase.verb:
                found.verbs[phrase.verb].add(user)
                found.pairs[(phrase.verb, key)].add(user)
    found.users = len(users)
    return found


@contextmanager
def with_fewer(counts: Counts, words: Set[str], fewer: int) -> Iterator[None]:
    """The same counts as if ``fewer`` of the users had not said what holds any of some words, until the block ends."""
    said = [who for key, who in counts.things.items() if not words.isdisjoint(key)]
    said += [who for (_, key), who in counts.pairs.items() if not words.isdisjoint(key)]
    said += [who for state, who in counts.states.items() if state in words]
    taken = [(who, sorted(who)[:fewer]) for who in said]
    for who, users in taken:
        who.difference_update(users)
    try:
        yield
    finally:
        for who, users in taken:
            who.update(users)


@dataclass(frozen=True, slots=True)
class Background:
    """In how many requests of all each phrase occurs; what a cluster's phrases are held against."""

    things: Counter[Key]
    verbs: Counter[str]
    pairs: Counter[tuple[str, Key]]
    total: int


def background(members: Members) -> Background:
    """Count phrases over all rows, once a request."""
    things: Counter[Key] = Counter()
    verbs: Counter[str] = Counter()
    pairs: Counter[tuple[str, Key]] = Counter()
    for said in members.phrases:
        keys = {(phrase.verb, lemmas(phrase.words)) for phrase in said}
        things.update({key for _, key in keys})
        verbs.update({verb for verb, _ in keys if verb})
        pairs.update(pair for pair in keys if pair[0])
    return Background(things, verbs, pairs, max(1, len(members.phrases)))


@dataclass(frozen=True, slots=True)
class Said:
    """One word or two in a row, and the distinct users of a cluster who say it."""

    words: Key
    users: Set[int] = field(repr=False)


def said_most(
    members: Members, groups: Sequence[Sequence[int]], min_users: int, most: int
) -> list[list[Said]]:
    """The words and pairs of words that tell most of each group of rows, best first, in any language.

    Each is said by at least ``min_users`` distinct users of the group; pairs count twice as much as words. One whose telling
    words have all come before is left out.
    """
    # only what enough users of a group say is counted everywhere: most pairs are said once
    shared = [_shared(members, rows, min_users) for rows in groups]
    everywhere = Counter[Key](dict.fromkeys((key for found in shared for key in found), 0))
    for row in range(len(members.words)):
        everywhere.update(everywhere.keys() & _in_a_row(members, row))
    told = []
    for rows, found in zip(groups, shared, strict=True):
        users = len({int(members.users[row]) for row in rows})
        scored = sorted(
            (-weight(len(who), users, everywhere[key], len(members.words)) * (_PAIR ** (len(key) - 1)), key)
            for key, who in found.items()
        )
        chosen: list[Said] = []
        used = set[str]()
        for score, key in scored:
            telling = tuple(word for word in key if word not in ENGLISH_STOP_WORDS or len(key) == 1)
            if score < 0 and len(chosen) < most and not used.issuperset(forms := lemmas(telling)):
                chosen.append(Said(key, found[key]))
                used.update(forms)
        told.append(chosen)
    return told


def _shared(members: Members, rows: Sequence[int], min_users: int) -> dict[Key, set[int]]:
    """What at least so many distinct users of some rows say, and who."""
    # most is said by one row and no more: sets are made for the rest alone
    spoken = [_in_a_row(members, row) for row in rows]
    often = Counter(key for keys in spoken for key in keys)
    said: dict[Key, set[int]] = {key: set() for key, n in often.items() if n >= min_users}
    for row, keys in zip(rows, spoken, strict=True):
        for key in said.keys() & keys:
            said[key].add(int(members.users[row]))
    return {key: who for key, who in said.items() if len(who) >= min_users}


def _in_a_row(members: Members, row: int) -> set[Key]:
    """The words of a row and its pairs of neighbours, but for those that carry no meaning alone."""
    language = members.languages[row]
    words = members.words[row]
    telling = [_tells(word, language) for word in words]
    found: set[Key] = {(word,) for word, tells in zip(words, telling, strict=True) if tells}
    found.update(
        pair
        for pair, tells, other in zip(pairwise(words), telling, telling[1:], strict=False)
        # what a description lists holds no numbers, and characters written together are one word
        if (tells or other) and not any(word[0].isdigit() or has_cjk(word) for word in pair)
    )
    return found


@lru_cache(maxsize=200_000)
def _tells(word: str, language: str) -> bool:
    return word in QUESTION_WORDS or (word not in stop_words(language) and not word[0].isdigit())


def weight(inside: int, of: int, everywhere: int, total: int) -> float:
    """How much a phrase tells of a cluster: its coverage there times the bits by which it is more common there than in all."""
    coverage = inside / max(1, of)
    base = (everywhere + 0.5) / (total + 1)
    return coverage * max(0.0, math.log2(coverage / base)) if coverage else 0.0


def length_bonus(key: Key) -> float:
    """Longer things say more: a second and a third word add a third each."""
    return 1.0 + 0.35 * (min(len(key), 4) - 1)


def things_of(counts: Counts, base: Background, min_users: int, most: int = 60) -> list[tuple[float, Key]]:
    """The things that tell most of a cluster, best first, each said by at least ``min_users`` users."""
    scored = [
        (
            weight(len(users), counts.users, base.things[key], base.total)
            * length_bonus(key)
            * counts.form[key],
            key,
        )
        for key, users in counts.things.items()
        if len(users) >= min_users
    ]
    return sorted((s for s in scored if s[0] > 0), key=lambda s: (-s[0], s[1]))[:most]


def actions_of(
    counts: Counts, base: Background, min_users: int, most: int = 40
) -> list[tuple[float, str, Key]]:
    """The (verb, thing) pairs that tell most of a cluster, best first; the verb is empty where no verb is shared enough."""
    scored = []
    best_verb: dict[Key, list[tuple[int, str]]] = defaultdict(list)
    for (verb, key), users in counts.pairs.items():
        if len(users) >= min_users:
            best_verb[key].append((len(users), verb))
    for score, key in things_of(counts, base, min_users, most):
        named = best_verb.get(key, [])
        for n, verb in named:
            pair = weight(n, counts.users, base.pairs[(verb, key)], base.total)
            alone = weight(len(counts.verbs[verb]), counts.users, base.verbs[verb], base.total)
            share = n / len(counts.things[key])
            # a verb that only few say of this thing would mislead
            scored.append(
                (score * (0.5 + 0.5 * share) + pair + (0.5 * alone if verb != ASK else 0.0), verb, key)
            )
        if not named:
            scored.append((score * 0.6, "", key))
    return sorted(scored, key=lambda s: (-s[0], s[1], s[2]))[:most]
