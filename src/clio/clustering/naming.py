"""Names and descriptions without a chat model, from two sources, neither of which can quote a person:

1. phrases that at least ``min_users`` distinct users of the cluster share and others do not: "Report a lost card"
   (``clio.clustering.counting``);
2. the nearest tasks of a fixed public vocabulary (``clio.clustering.topics``), where members share a meaning but no words.

The describer of the paper (G.5) reads members against their nearest non-members; the phrases here are weighed against all others.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, field

import numpy as np

from clio.clustering import mixed
from clio.clustering.counting import (
    SWAPPED,
    Background,
    Counts,
    Key,
    Members,
    Said,
    actions_of,
    background,
    count,
    length_bonus,
    said_most,
    weight,
    with_fewer,
)
from clio.clustering.parents import (
    MAX_NAME,
    MIXED,
    SPEAK,
    VARIOUS,
    Described,
    lower,
    numbered,
)
from clio.clustering.phrases import ASK, LINKS, QUESTION_WORDS, is_thing
from clio.clustering.topics import Nearness, Spread, topics
from clio.clustering.vectors import rows_of
from clio.clustering.wording import Wording, action_name, join, language_name
from clio.privacy.support import free_words
from clio.text import ENGLISH_STOP_WORDS, has_cjk, lemma

# words that alone make no saying and tell no cluster from another
_LIGHT = ENGLISH_STOP_WORDS | frozenset(
    ("know", "tell", "help", "want", "need", "like", "give", "make", "get", "say", "please")
)
# a phrase names a cluster by itself if this share of its users say it
_CLEAR = 0.2
# a task names a cluster if it stands this many standard deviations above all tasks, is the nearest to this share of members, and
# its theme speaks for it
_NEAR, _NEAR_ABROAD, _AGREE, _VOTE = 3.0, 2.4, 0.08, 6.0
# tasks that a description tells besides the name
_MOST_NEAR = 2
# words, or pairs of words, that a description lists, and how many times the users of a phrase must say each: nothing else tells as
# much of who is in the log (docs/privacy.md, attack 4)
_MOST_SAID, _SAID_BY = 10, 1.5


@dataclass(slots=True)
class _Draft:
    """A cluster on its way to a name."""

    counts: Counts
    ranked: list[tuple[float, str, Key]]
    language: str
    name: str = ""
    description: str = ""
    own: frozenset[str] = frozenset()
    said: list[str] = field(default_factory=list)
    near: list[str] = field(default_factory=list)


def describe_base(members: Members, spread: Spread, nearness: Nearness, min_users: int) -> list[Described]:
    """Name and describe each base cluster; names are distinct as far as what members share allows.

    Args:
        members: from ``counting.read``.
        spread: how each cluster's requests spread over the vocabulary.
        nearness: how near each cluster lies to it.
        min_users: distinct users who must share each phrase.

    Returns:
        One ``Described`` a cluster.
    """
    base = background(members)
    wording = Wording.learn(members.phrases)
    groups = [rows.tolist() for rows in rows_of(members.clusters, len(spread.tasks))]
    said = said_most(members, groups, math.ceil(_SAID_BY * min_users), 2 * _MOST_SAID)
    drafts = []
    for c in range(len(groups)):
        language, kept = _main_language(members, groups[c])
        counts = count(members, kept, min_users)

        def written(
            phrases: bool = True, counts: Counts = counts, c: int = c, language: str = language
        ) -> _Draft:
            draft = _Draft(counts, actions_of(counts, base, min_users) if phrases else [], language)
            _write(draft, spread, nearness, c, base, wording, min_users)
            return draft

        drafts.append(_stable(written))
        drafts[-1].said = _also_said(said[c], min_users)
    _tell_apart(drafts, wording)
    return [_described(draft) for draft in drafts]


def terms(
    members: Members, rows: Sequence[int], base: Background, min_users: int, most: int = 40
) -> list[str]:
    """Up to ``most`` terms, the most telling first, each said by at least ``min_users`` distinct users among some rows of ``members``."""
    counts = count(members, rows, min_users)
    wording = Wording.learn(members.phrases, rows)
    found = (
        action_name(verb if verb != ASK else "", key, counts, wording, first=False)
        for _, verb, key in actions_of(counts, base, min_users, most)
    )
    return list(dict.fromkeys(found))[:most]


def _main_language(members: Members, rows: Iterable[int]) -> tuple[str, list[int]]:
    """The language that phrases are counted in, and its rows: English where a third of the users ask in it, otherwise the commonest."""
    by_language: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        by_language[members.languages[row]].append(int(row))
    if not by_language:
        return "en", []
    if len(by_language["en"]) * 3 >= sum(map(len, by_language.values())):
        return "en", by_language["en"]
    return max(by_language.items(), key=lambda item: (len(item[1]), item[0]))


def _distinct(ranked: Iterable[tuple[float, str, Key]], counts: Counts, most: int) -> list[tuple[str, Key]]:
    """The best actions that do not say the same thing twice."""
    chosen: list[tuple[str, Key]] = []
    for _, verb, key in ranked:
        covered = counts.things[key]
        if all(
            not set(key) & set(other)
            and len(covered & counts.things[other]) < 0.7 * min(len(covered), len(counts.things[other]))
            for _, other in chosen
        ):
            chosen.append((verb, key))
        if len(chosen) == most:
            break
    return chosen


def _fuller(key: Key, counts: Counts, base: Background, min_users: int) -> Key:
    """A longer form of a thing that enough of its users say: "card" becomes "credit card", "pressure" "tire pressure"."""
    own = set(key)
    floor = max(min_users, 0.25 * len(counts.things[key]))
    best, best_score = key, 0.0
    for longer, said in counts.things.items():
        if len(longer) > len(key) and len(said) >= floor and own < set(longer) and counts.form[longer] >= 0.7:
            score = weight(len(said), counts.users, base.things[longer], base.total) * length_bonus(longer)
            if score > best_score or (score == best_score and longer < best):
                best, best_score = longer, score
    return best


def _state(key: Key, counts: Counts, min_users: int) -> str:
    """What has happened to the thing ("lost", "declined"), where at least a third of its users say so in any order of words."""
    if len(key) > 2 or not LINKS.isdisjoint(key):
        return ""
    floor = max(min_users, 0.34 * len(counts.things[key]))
    options = [
        (-both, word)
        for word, users in counts.states.items()
        if (both := len(users & counts.things[key])) >= floor and lemma(word) not in key and word not in key
    ]
    return min(options)[1] if options else ""


def _said(counts: Counts, min_users: int) -> str:
    """The words that users of a cluster of small talk say alike: two or three in a row, said by nearly half of them.

    None where one account could change which come first (``_stable``).
    """
    floor = max(min_users, 0.45 * counts.users) + SWAPPED
    options = sorted(
        (-len(users) * len(words), words)
        for words, users in counts.runs().items()
        if words[0] not in QUESTION_WORDS and words[-1] not in LINKS and not _LIGHT.issuperset(words)
    )
    if not options:
        return ""
    first, words = options[0]
    rivals = (
        other for score, other in options[1:] if score - SWAPPED * len(other) <= first + SWAPPED * len(words)
    )
    return " ".join(words) if -first >= floor * len(words) and not any(rivals) else ""


def _verb(verb: str, key: Key, counts: Counts, min_users: int) -> str:
    """The verb if enough users say it of this very thing; else what a question is called, if enough ask; else none."""
    for option in (verb, ASK):
        if option and len(counts.pairs.get((option, key), ())) >= min_users:
            return option
    return ""


def _write(
    draft: _Draft,
    spread: Spread,
    nearness: Nearness,
    number: int,
    base: Background,
    wording: Wording,
    min_users: int,
) -> None:
    """Choose between the cluster's own phrases and the vocabulary, and write name and description."""
    counts = draft.counts
    chosen = []
    for verb, short in _distinct(draft.ranked, counts, 4):
        key = _fuller(short, counts, base, min_users)
        chosen.append((_verb(verb, key, counts, min_users), key))
    closeness = nearness.closeness[number]
    standing = (closeness - closeness.mean()) / max(float(closeness.std()), 1e-9)
    # near as a whole, and to many of its members one by one
    shares, near = spread.tasks[number], nearness.tasks[number]
    fit = standing + _VOTE * np.minimum(shares, 0.5)
    order = [int(t) for t in np.argsort(-fit, kind="stable")]
    best = float(standing[order[0]])
    abroad = draft.language != "en"
    theme = spread.themes[number][topics().theme_of[order[0]]]
    fits = shares[order[0]] >= _AGREE and theme >= SPEAK and best >= (_NEAR_ABROAD if abroad else _NEAR)
    clear = _is_clear(chosen, counts)
    if clear and not (abroad and fits):
        draft.name = _phrase_name(chosen, counts, wording, min_users)
        draft.description = _asked(chosen, draft, wording)
        draft.own = frozenset(word for _, key in chosen[:2] for word in key)
    elif fits:
        draft.name = topics().tasks[order[0]]
        # the nearest of a fixed list, which may be wrong of them
        draft.description = f"Nearest in meaning, in many different words: {lower(draft.name)}."
    elif (not chosen or counts.form[chosen[0][1]] < 0.5) and (said := _said(counts, min_users)):
        draft.name, draft.description = f"Say “{said}”", f"People write “{said}” or much the same."
    else:
        by_words = mixed.by_words(counts, wording, min_users)
        draft.name = by_words or mixed.by_themes(spread, nearness, number, fit)
        draft.description = "A mixed group."
    others = [t for t in order if topics().tasks[t] != draft.name]
    draft.near = [lower(topics().tasks[t]) for t in others if near[t]][:_MOST_NEAR]
    if told := [lower(topics().tasks[t]) for t in others if shares[t] > 0][:_MOST_NEAR]:
        draft.description += f" Near in meaning: {join(told, last='or')}."


def _described(draft: _Draft) -> Described:
    """What the cluster is about, in which language where that is not English, and what else is said in it."""
    abroad = f" Mostly in {language_name(draft.language)}." if draft.language != "en" else ""
    # in quotation marks, as what people say of themselves may only stand there
    quoted = ", ".join(f"“{words}”" for words in draft.said)
    also = f" Often said: {quoted}." if len(draft.said) > 1 else ""
    plain = draft.description + abroad
    return Described(draft.name, plain + also, plain)


def _stable(written: Callable[..., _Draft]) -> _Draft:
    """A draft that no single account decides: where its name would change were one account another, the vocabulary names the cluster.

    Every word is said by several; what one account may decide is which of them comes first. One account in another's place takes one user
    from a phrase and gives one to its rival, so the draft is written again with two users fewer for the name's own words: the worst that
    any account can do, without trying them one by one.
    """
    draft = written()
    if not draft.own:
        return draft
    with with_fewer(draft.counts, draft.own, SWAPPED):
        other = written()
    return draft if other.name == draft.name else written(phrases=False)


def _is_clear(chosen: Sequence[tuple[str, Key]], counts: Counts) -> bool:
    """Whether the best phrase says enough for enough users: an action, or a thing of two words."""
    if not chosen:
        return False
    verb, key = chosen[0]
    return (
        len(counts.things[key]) >= _CLEAR * counts.users
        and counts.form[key] == 1.0
        and bool(verb or len(key) > 1)
    )


def _phrase_name(chosen: Sequence[tuple[str, Key]], counts: Counts, wording: Wording, min_users: int) -> str:
    """ "Report a lost card"; with a second action where the first leaves many users out."""
    verb, key = chosen[0]
    state = _state(key, counts, min_users)
    name = action_name(verb, key, counts, wording, state=state)
    covered = counts.things[key]
    if len(chosen) == 1 or state or len(covered) >= 0.45 * counts.users:
        return name
    other, second = chosen[1]
    added = len(counts.things[second] - covered)
    if (
        not (verb and other)
        or counts.form[second] < 1.0
        or added < max(0.5 * len(covered), 0.15 * counts.users)
    ):
        return name
    # the same verb is said once
    longer = join([name, action_name(other if other != verb else "", second, counts, wording, first=False)])
    return longer if len(longer) <= MAX_NAME else name


def _asked(chosen: Sequence[tuple[str, Key]], draft: _Draft, wording: Wording) -> str:
    """One sentence on what people ask; no numbers, so that nothing can be subtracted."""
    counts = draft.counts
    asks = [
        action_name(verb or ASK, key, counts, wording, first=False)
        for verb, key in chosen[:3]
        if verb or counts.form[key] == 1.0
    ]
    if not asks or any(has_cjk(ask) for ask in asks):
        return f"Requests about {join([wording.thing(key, counts) for _, key in chosen[:3]])}."
    share = len(counts.things[chosen[0][1]]) / max(1, counts.users)
    often = "mostly " if share >= 0.5 else "often " if share >= 0.3 else ""
    return f"People {often}want to {join(asks, last='or')}."


def _also_said(words: Sequence[Said], min_users: int) -> list[str]:
    """Up to ten of the words that a cluster's users share, none beside one that is said by others (``clio.privacy.support``)."""
    free, left, also = free_words(), list(words), list[Said]()
    while left and len(also) < _MOST_SAID:
        following = next(
            (one for one in left if not also or _may_follow(also[-1], one, free, min_users)), None
        )
        if not following:
            break
        also.append(following)
        left.remove(following)
    return [("" if has_cjk(one.words[0]) else " ").join(one.words) for one in also]


def _may_follow(one: Said, other: Said, free: frozenset[str], min_users: int) -> bool:
    return one.words[-1] in free or other.words[0] in free or len(one.users & other.users) >= min_users


def _tell_apart(drafts: list[_Draft], wording: Wording) -> None:
    """Give clusters of the same name what each has and its namesakes have not: a language, or the thing it mentions most."""
    groups: dict[str, list[_Draft]] = defaultdict(list)
    for draft in drafts:
        groups[draft.name.casefold()].append(draft)
    taken = set(groups)
    for same in groups.values():
        if len(same) == 1:
            continue
        languages = Counter(draft.language for draft in same)
        for draft in same:
            if draft.language != "en" and languages[draft.language] == 1:
                _rename(draft, f"{draft.name} (in {language_name(draft.language)})", taken)
                continue
            options = []
            own = draft.own | {lemma(word) for word in draft.name.casefold().split()}
            for score, _, key in draft.ranked:
                if own & set(key) or draft.counts.form[key] < 0.7 or not is_thing(key):
                    continue
                here = draft.counts.saying(key) / max(1, draft.counts.users)
                there = max(d.counts.saying(key) / max(1, d.counts.users) for d in same if d is not draft)
                options.append((here - there + 0.001 * score, key))
            things = [
                wording.thing(key, draft.counts) for _, key in sorted(options, key=lambda o: (-o[0], o[1]))
            ]
            said = [words for words in draft.said if _tells(words.split(), own)]
            # what a mixed group is near to tells more of it than any one word of a few
            mixed = draft.name.startswith(MIXED)
            if draft.name == VARIOUS:
                continue  # told apart by where they lie (parents.placed)
            told = (*draft.near, *things) if mixed else (*things, *said)
            for what in told:
                if _rename(draft, f"{draft.name}: {what}", taken):
                    break
            else:
                if draft is not same[0]:
                    draft.name = numbered(draft.name, taken)


def _tells(words: Sequence[str], own: Set[str]) -> bool:
    """Whether words that are said add anything to a name's own, and are no beginning of something else ("story about")."""
    return not own & set(map(lemma, words)) and not _LIGHT.issuperset(words) and words[-1] not in LINKS


def _rename(draft: _Draft, name: str, taken: set[str]) -> bool:
    if name.casefold() in taken or len(name) > MAX_NAME:
        return False
    taken.add(name.casefold())
    draft.name = name
    return True
