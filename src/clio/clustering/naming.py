"""Names and descriptions without a chat model, composed of actions and things that many users of a cluster share.

The describer of the paper (G.5) reads members against their nearest non-members; so does this one, by counting: a phrase is good when many users
of the cluster say it and few outside do. Nothing enters a name that fewer than ``min_users`` distinct users said.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clio.clustering.phrases import ASK, LINKS, Phrase, find_phrases, is_state, lemmas
from clio.clustering.wording import Wording, action_name, join
from clio.text import lemma, tokens

Key = tuple[str, ...]

_MAX_NAME = 70


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
    surfaces: dict[Key, Counter[tuple[str, tuple[str, ...]]]] = field(default_factory=lambda: defaultdict(Counter))


@dataclass(frozen=True, slots=True)
class Described:
    """A name (a short phrase), a description (one or two sentences), and the things it rests on."""

    name: str
    description: str
    things: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class Members:
    """One row a request that may support a name: its actions, its cluster and its user.

    Rows of the same near-duplicate group beyond the first, and rows without a user, are left out before.
    """

    phrases: list[list[Phrase]] = field(repr=False)
    words: list[list[str]] = field(repr=False)
    languages: list[str]
    clusters: NDArray[np.int32]
    users: NDArray[np.int32]


def read(requests: Sequence[str], languages: Sequence[str], clusters: NDArray[np.int32], users: NDArray[np.int32]) -> Members:
    """Find the actions of n requests once, for all levels.

    Args:
        requests: n texts, identifiers masked.
        languages: n ISO 639-1 codes or "unknown".
        clusters: int32 (n,), base cluster of each.
        users: int32 (n,), a number for each distinct user; -1 where a request supports nothing.
    """
    rows = np.flatnonzero((users >= 0) & (clusters >= 0))
    return Members(
        [find_phrases(requests[i], languages[i]) for i in rows],
        [tokens(requests[i][:300], languages[i]) if languages[i] in {"en", "unknown"} else [] for i in rows],
        [languages[i] if languages[i] != "unknown" else "en" for i in rows],
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
        words = members.words[row]
        for word in set(words):
            if is_state(word):
                found.states[word].add(user)
        for n in range(2, 6) if len(words) < 12 else ():
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


def _weight(inside: int, of: int, everywhere: int, total: int) -> float:
    """How much a phrase tells of a cluster: its coverage there times the bits by which it is more common there than in all."""
    coverage = inside / max(1, of)
    base = (everywhere + 0.5) / (total + 1)
    return coverage * max(0.0, math.log2(coverage / base)) if coverage else 0.0


def _length_bonus(key: Key) -> float:
    """Longer things say more: a second and a third word add a third each."""
    return 1.0 + 0.35 * (min(len(key), 4) - 1)


def things_of(counts: Counts, base: Background, min_users: int, most: int = 60) -> list[tuple[float, Key]]:
    """The things that tell most of a cluster, best first, each said by at least ``min_users`` users."""
    scored = [
        (_weight(len(users), counts.users, base.things[key], base.total) * _length_bonus(key) * counts.form[key], key)
        for key, users in counts.things.items()
        if len(users) >= min_users
    ]
    return sorted((s for s in scored if s[0] > 0), key=lambda s: (-s[0], s[1]))[:most]


def actions_of(counts: Counts, base: Background, min_users: int, most: int = 40) -> list[tuple[float, str, Key]]:
    """The (verb, thing) pairs that tell most of a cluster, best first; the verb is empty where no verb is shared enough."""
    scored = []
    best_verb: dict[Key, list[tuple[int, str]]] = defaultdict(list)
    for (verb, key), users in counts.pairs.items():
        if len(users) >= min_users:
            best_verb[key].append((len(users), verb))
    for score, key in things_of(counts, base, min_users, most):
        named = best_verb.get(key, [])
        for n, verb in named:
            pair = _weight(n, counts.users, base.pairs[(verb, key)], base.total)
            alone = _weight(len(counts.verbs[verb]), counts.users, base.verbs[verb], base.total)
            share = n / len(counts.things[key])
            # a verb that only few say of this thing would mislead
            scored.append((score * (0.5 + 0.5 * share) + pair + (0.5 * alone if verb != ASK else 0.0), verb, key))
        if not named:
            scored.append((score * 0.6, "", key))
    return sorted(scored, key=lambda s: (-s[0], s[1], s[2]))[:most]


def _distinct(ranked: Iterable[tuple[float, str, Key]], counts: Counts, most: int) -> list[tuple[str, Key]]:
    """The best actions that do not say the same thing twice."""
    chosen: list[tuple[str, Key]] = []
    for _, verb, key in ranked:
        if all(not set(key) & set(other) for _, other in chosen):
            covered = counts.things[key]
            if all(len(covered & counts.things[other]) < 0.7 * min(len(covered), len(counts.things[other])) for _, other in chosen):
                chosen.append((verb, key))
        if len(chosen) == most:
            break
    return chosen


def describe_base(members: Members, min_users: int, clusters: int) -> list[Described]:
    """Name and describe each base cluster; names are distinct as far as the shared words allow.

    Args:
        members: from ``read``.
        min_users: distinct users who must share each phrase.
        clusters: how many base clusters there are.

    Returns:
        One ``Described`` a cluster; an empty name where fewer than ``min_users`` users share anything (the gate then folds it).
    """
    base = background(members)
    wording = Wording.learn(members.phrases)
    order = np.argsort(members.clusters, kind="stable")
    bounds = np.searchsorted(members.clusters[order], np.arange(clusters + 1))
    found, counted, ranked_all = [], [], []
    for c in range(clusters):
        rows = order[bounds[c] : bounds[c + 1]]
        counts = count(members, _one_language(members, rows))
        ranked = actions_of(counts, base, min_users)
        found.append(_compose(counts, ranked, base, wording, min_users))
        counted.append(counts)
        ranked_all.append(ranked)
    return _tell_apart(found, counted, ranked_all, wording)


def _one_language(members: Members, rows: Iterable[int]) -> list[int]:
    """The rows in the language that the name is written in: English where a third of the users ask in it, otherwise the commonest."""
    by_language: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        by_language[members.languages[row]].append(int(row))
    if not by_language:
        return []
    total = sum(map(len, by_language.values()))
    if len(by_language["en"]) * 3 >= total:
        return by_language["en"]
    return max(by_language.items(), key=lambda item: (len(item[1]), item[0]))[1]


def _fuller(key: Key, counts: Counts, base: Background, min_users: int) -> Key:
    """A longer form of a thing that enough of its users say: "card" becomes "credit card", "pressure" "tire pressure"."""
    own = set(key)
    users = len(counts.things[key])
    best, best_score = key, 0.0
    for longer, said in counts.things.items():
        if len(longer) > len(key) and own < set(longer) and len(said) >= max(min_users, 0.25 * users) and counts.form[longer] >= 0.7:
            score = _weight(len(said), counts.users, base.things[longer], base.total) * _length_bonus(longer)
            if score > best_score or (score == best_score and longer < best):
                best, best_score = longer, score
    return best


def _participle(key: Key, counts: Counts, min_users: int) -> str:
    """What has happened to the thing ("lost", "declined"), where at least a third of its users say so in any order of words."""
    if len(key) > 2 or any(word in LINKS for word in key):
        return ""
    options = []
    for word, users in counts.states.items():
        both = len(users & counts.things[key])
        if both >= max(min_users, 0.34 * len(counts.things[key])) and lemma(word) not in key and word not in key:
            options.append((-both, word))
    return min(options)[1] if options else ""


def _compose(counts: Counts, ranked: list[tuple[float, str, Key]], base: Background, wording: Wording, min_users: int) -> Described:
    """One name and description from ranked actions."""
    chosen = [(verb, _fuller(key, counts, base, min_users)) for verb, key in _distinct(ranked, counts, 4)]
    chosen = [
        (verb if len(counts.pairs.get((verb, key), ())) >= min_users or not verb else (ASK if len(counts.pairs.get((ASK, key), ())) >= min_users else ""), key)
        for verb, key in chosen
    ]
    if not chosen or (len(chosen[0][1]) == 1 and counts.form[chosen[0][1]] < 0.5):
        said = _said(counts, min_users)
        if said:
            return Described(f"Say “{said}”", f"People write “{said}” or much the same.", tuple(key for _, key in chosen))
    if not chosen:
        return Described("", "")
    verb, key = chosen[0]
    state = _participle(key, counts, min_users)
    name = action_name(verb, key, counts, wording, state=state)
    covered = counts.things[key]
    if len(chosen) > 1 and not state and len(covered) < 0.45 * counts.users and counts.form[chosen[1][1]] == 1.0:
        other, second = chosen[1]
        added = counts.things[second] - covered
        if len(added) >= max(0.5 * len(covered), 0.1 * counts.users):
            longer = join([name, action_name(other if other != verb else "", second, counts, wording, first=False)])
            name = longer if len(longer) <= _MAX_NAME else name
    return Described(name, _sentences(chosen, counts, ranked, wording), tuple(key for _, key in chosen))


def _said(counts: Counts, min_users: int) -> str:
    """The words that most users of a cluster of small talk say alike: two to five in a row, said by a fifth of them at least."""
    floor = max(min_users, 0.2 * counts.users)
    options = [(len(users) * len(words), words) for words, users in counts.runs.items() if len(users) >= floor]
    return " ".join(max(options, key=lambda o: (o[0], o[1]))[1]) if options else ""


def _sentences(chosen: list[tuple[str, Key]], counts: Counts, ranked: list[tuple[float, str, Key]], wording: Wording) -> str:
    """One sentence on what people ask, one on what they often mention; no numbers, so that nothing can be subtracted."""
    asks = [action_name(verb or ASK, key, counts, wording, first=False) for verb, key in chosen[:3]]
    text = f"People {_how_many(len(counts.things[chosen[0][1]]) / max(1, counts.users))}to {join(asks, last='or')}."
    used = {word for _, key in chosen[:3] for word in key}
    also = []
    for _, _, key in ranked:
        if not used & set(key):
            also.append(wording.thing(key, counts))
            used |= set(key)
        if len(also) == 4:
            break
    return f"{text} Often mentioned: {join(also)}." if len(also) > 1 else text


def _how_many(share: float) -> str:
    return "mostly ask " if share >= 0.5 else "often ask " if share >= 0.2 else "ask "


def _tell_apart(
    found: list[Described], counted: list[Counts], ranked: list[list[tuple[float, str, Key]]], wording: Wording
) -> list[Described]:
    """Give clusters of the same name the thing by which each differs most from its namesakes."""
    groups: dict[str, list[int]] = defaultdict(list)
    for i, d in enumerate(found):
        if d.name:
            groups[d.name.casefold()].append(i)
    taken = set(groups)
    for same in groups.values():
        if len(same) == 1:
            continue
        for i in same:
            own = set(found[i].things[0])
            options = []
            for score, _, key in ranked[i]:
                if own & set(key):
                    continue
                here = len(counted[i].things[key]) / max(1, counted[i].users)
                there = max(len(counted[j].things.get(key, ())) / max(1, counted[j].users) for j in same if j != i)
                options.append((here - there + 0.001 * score, key))
            for _, key in sorted(options, key=lambda o: (-o[0], o[1])):
                name = f"{found[i].name}: {wording.thing(key, counted[i])}"
                if name.casefold() not in taken and len(name) <= _MAX_NAME:
                    taken.add(name.casefold())
                    found[i] = Described(name, found[i].description, found[i].things)
                    break
    return found
