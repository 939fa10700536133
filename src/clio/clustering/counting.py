"""Who says what: phrases counted by distinct users, within a cluster and everywhere."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clio.clustering.lists import Growing, Lists, distinct, lists_with
from clio.clustering.phrases import (
    ASK,
    BEGINNING,
    QUESTION_WORDS,
    Phrase,
    beginning,
    find_phrases,
    is_state,
    lemmas,
    without_masks,
)
from clio.text import ENGLISH_STOP_WORDS, has_cjk, stop_words

Key = tuple[str, ...]

# how many times as much two words in a row tell as one
_PAIR = 2.0
# words from which on a request is no mere saying
_SHORT = 12
#: users by which a phrase must lead its rivals: what one account in another's place can change
SWAPPED = 2


@dataclass(slots=True)
class Counts:
    """Who says what in one cluster: distinct users by thing, by verb and by (verb, thing); surface forms of the things.

    Of what fewer than the wanted number say, only how many they are: ``few`` by thing. ``runs`` counts words in a row when it is asked.
    """

    users: int = 0
    things: dict[Key, set[int]] = field(default_factory=dict)
    verbs: dict[str, set[int]] = field(default_factory=dict)
    pairs: dict[tuple[str, Key], set[int]] = field(default_factory=dict)
    states: dict[str, set[int]] = field(default_factory=dict)
    runs: Callable[[], dict[Key, set[int]]] = dict
    form: dict[Key, float] = field(default_factory=dict)
    surfaces: dict[Key, Counter[tuple[str, tuple[str, ...]]]] = field(default_factory=dict)
    few: dict[Key, int] = field(default_factory=dict)

    def saying(self, key: Key) -> int:
        """How many users say a thing."""
        return len(self.things[key]) if key in self.things else self.few.get(key, 0)


@dataclass(frozen=True)
class Members:
    """One row a request that may support a name: its actions, its cluster and its user.

    Rows of the same near-duplicate group beyond the first, and rows without a user, are left out before. ``words`` are those of the
    first 300 characters, in their order.
    """

    phrases: Lists[Phrase] = field(repr=False)
    words: Lists[str] = field(repr=False)
    languages: list[str]
    clusters: NDArray[np.int32]
    users: NDArray[np.int32]

    @cached_property
    def keys(self) -> Lists[Key]:
        """The key of each phrase, as lists of one."""
        return Lists.of((lemmas(phrase.words),) for phrase in self.phrases.things)

    @cached_property
    def verbs(self) -> Lists[str]:
        """The verb of each phrase, as lists of one."""
        return Lists.of((phrase.verb,) for phrase in self.phrases.things)

    @cached_property
    def acts(self) -> NDArray[np.bool_]:
        """Which phrases have a verb."""
        return np.fromiter((bool(phrase.verb) for phrase in self.phrases.things), bool)

    @cached_property
    def states(self) -> NDArray[np.bool_]:
        """Which words say, in English, what happened to a thing."""
        return np.fromiter(map(is_state, self.words.things), bool, len(self.words.things))


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
    phrases, words = Growing[Phrase](), Growing[str]()
    for i, language in zip(rows, told, strict=True):
        words.add(beginning(without_masks(requests[i][:BEGINNING]), language))
        phrases.add(find_phrases(requests[i], languages[i]))
    return Members(phrases.lists(), words.lists(), told, clusters[rows], users[rows])


def count(members: Members, rows: Sequence[int], least: int = 1) -> Counts:
    """Count who says what among some rows; a user counts once for each phrase.

    Args:
        members: from ``read``.
        rows: of members.
        least: distinct users from whom on it is kept who they are.
    """
    chosen = np.asarray(rows, np.int64)
    places, which = members.phrases.places(chosen)
    kinds, who = members.phrases.numbers[places], members.users[chosen][which]
    key_of, keys = members.keys.numbers, members.keys.things
    verb_of, verbs = members.verbs.numbers, members.verbs.things
    found = Counts(len(np.unique(members.users[chosen])))

    said, few = _users(key_of[kinds], who, least)
    found.things = {keys[key]: users for key, users in said.items()}
    found.few = {keys[key]: n for key, n in few.items()}
    # the form and the surface of each, by the phrases that are of it
    once, times = np.unique(kinds, return_counts=True)
    for kind, n in zip(once.tolist(), times.tolist(), strict=True):
        if (number := int(key_of[kind])) in said:
            key, phrase = keys[number], members.phrases.things[kind]
            found.form[key] = max(found.form.get(key, 0.0), phrase.form)
            # a loose word pair says nothing of articles
            often = n * (100 if phrase.form == 1.0 else 1)
            found.surfaces.setdefault(key, Counter())[(phrase.article, phrase.words)] += often

    acts = members.acts[kinds]
    kinds, who = kinds[acts], who[acts]
    found.verbs = {verbs[verb]: users for verb, users in _users(verb_of[kinds], who, least)[0].items()}
    both = verb_of[kinds] * np.int64(len(keys)) + key_of[kinds]
    for pair, users in _users(both, who, least)[0].items():
        verb, key_ = divmod(pair, len(keys))
        found.pairs[(verbs[verb], keys[key_])] = users

    english = chosen[[members.languages[row] == "en" for row in rows]]
    places, which = members.words.places(english)
    words, who = members.words.numbers[places], members.users[english][which]
    states = members.states[words]
    said = _users(words[states], who[states], least)[0]
    found.states = {members.words.things[word]: users for word, users in said.items()}
    found.runs = partial(_runs, members, english, least)
    return found


def _users(
    said: NDArray[Any], who: NDArray[np.int32], least: int
) -> tuple[dict[int, set[int]], dict[int, int]]:
    """The distinct users by what they say, where there are at least so many; and how many they are of the rest.

    ``said`` and ``who``: a number of what is said, and of who says it.
    """
    users, place = np.unique(who, return_inverse=True)
    pairs = distinct(said * np.int64(max(1, len(users))) + place)
    said, who = np.divmod(pairs, max(1, len(users)))
    starts = np.flatnonzero(np.diff(said, prepend=-1))
    sizes = np.diff(starts, append=len(said))
    often = sizes >= least
    kept = {
        key: set(users[who[start : start + size]].tolist())
        for key, start, size in zip(
            said[starts[often]].tolist(), starts[often].tolist(), sizes[often].tolist(), strict=True
        )
    }
    return kept, dict(zip(said[starts[~often]].tolist(), sizes[~often].tolist(), strict=True))


def _runs(members: Members, rows: NDArray[np.int64], least: int) -> dict[Key, set[int]]:
    """Two or three words in a row of short requests, and who says them."""
    found: dict[Key, set[int]] = defaultdict(set)
    short = rows[members.words.bounds[rows + 1] - members.words.bounds[rows] < _SHORT]
    for row in short.tolist():
        words = members.words[row]
        for n in range(2, 4):
            for i in range(len(words) - n + 1):
                found[tuple(words[i : i + n])].add(int(members.users[row]))
    return {run: users for run, users in found.items() if len(users) >= least}


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
    kinds = members.phrases.numbers
    row = members.phrases.rows()
    keys, verbs = members.keys.things, members.verbs.things
    key, verb = members.keys.numbers[kinds], members.verbs.numbers[kinds]
    acts = members.acts[kinds]
    things = lists_with(key, row)
    said = lists_with(verb[acts], row[acts])
    both = lists_with(verb[acts] * np.int64(max(1, len(keys))) + key[acts], row[acts])
    return Background(
        Counter({keys[i]: n for i, n in things.items()}),
        Counter({verbs[i]: n for i, n in said.items()}),
        Counter({(verbs[i // len(keys)], keys[i % len(keys)]): n for i, n in both.items()}),
        max(1, len(members.phrases)),
    )


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
    spoken = _in_a_row(members)
    shared = []
    for rows in groups:
        chosen = np.asarray(rows, np.int64)
        places, which = spoken.places(chosen)
        shared.append(_users(spoken.numbers[places], members.users[chosen][which], min_users)[0])
    # only what enough users of a group say is counted everywhere: most pairs are said once
    asked = np.zeros(len(spoken.things), bool)
    asked[[number for found in shared for number in found]] = True
    kept = asked[spoken.numbers]
    everywhere = lists_with(spoken.numbers[kept], spoken.rows()[kept])
    told = []
    for rows, found in zip(groups, shared, strict=True):
        users = len(np.unique(members.users[np.asarray(rows, np.int64)]))
        scored = []
        for number, who in found.items():
            key = _words(members, spoken.things[number])
            tells = weight(len(who), users, everywhere[number], len(members.words))
            scored.append((-tells * (_PAIR ** (len(key) - 1)), key, who))
        best: list[Said] = []
        used = set[str]()
        for score, key, who in sorted(scored, key=lambda one: one[:2]):
            telling = tuple(word for word in key if word not in ENGLISH_STOP_WORDS or len(key) == 1)
            if score < 0 and len(best) < most and not used.issuperset(forms := lemmas(telling)):
                best.append(Said(key, who))
                used.update(forms)
        told.append(best)
    return told


def _in_a_row(members: Members) -> Lists[int]:
    """The words of each row and its pairs of neighbours, but for those that carry no meaning alone, each as a number (``_words``)."""
    words, row = members.words, members.words.rows()
    languages = Lists.of((language,) for language in members.languages)
    spoken = np.zeros((len(languages.things), len(words.things)), bool)
    spoken[languages.numbers[row], words.numbers] = True
    telling = np.zeros_like(spoken)
    for language, word in np.argwhere(spoken).tolist():
        telling[language, word] = _tells(words.things[word], languages.things[language])
    tells = telling[languages.numbers[row], words.numbers]
    # what a description lists holds no numbers, and characters written together are one word
    whole = np.fromiter((not (word[0].isdigit() or has_cjk(word)) for word in words.things), bool)[
        words.numbers
    ]
    first = words.numbers * np.int64(len(words.things) + 1)
    said = np.stack([first + len(words.things), first], axis=1)
    said[:-1, 1] += words.numbers[1:]
    kept = np.stack([tells, np.zeros_like(tells)], axis=1)
    kept[:-1, 1] = (row[:-1] == row[1:]) & (tells[:-1] | tells[1:]) & whole[:-1] & whole[1:]
    things, numbers = np.unique(said[kept], return_inverse=True)
    ends = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    return Lists(things.tolist(), numbers.astype(np.int32), ends[words.bounds])


def _words(members: Members, number: int) -> Key:
    """A word or two in a row by their number: the first's, times one more than there are words, plus the second's, the last being none."""
    words = members.words.things
    first, second = divmod(number, len(words) + 1)
    return (words[first],) if second == len(words) else (words[first], words[second])


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
