"""What is counted by arrays is what a plain count of every request gives."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from clio.clustering.counting import Members, background, count, read, said_most, weight
from clio.clustering.lists import Lists, distinct, lists_with
from clio.clustering.phrases import is_state, lemmas
from clio.clustering.wording import Wording

SAID = "find a lost card for my trip to the city please i need my declined payment bank 3 booked flights"
WORDS = SAID.split()


@pytest.fixture(scope="module")
def members() -> Members:
    """Two hundred made-up requests of forty users in three clusters."""
    dice = np.random.default_rng(5)
    texts = [" ".join(dice.choice(WORDS, dice.integers(2, 18))) for _ in range(200)]
    languages = dice.choice(["en", "unknown", "de"], 200, p=[0.8, 0.1, 0.1]).tolist()
    clusters, users = dice.integers(-1, 3, 200), dice.integers(-1, 40, 200)
    return read(texts, languages, clusters.astype(np.int32), users.astype(np.int32))


def test_lists_are_those_that_were_given() -> None:
    """Every list comes back as it was, and the places of some lists are those of their things."""
    given = [["a", "b", "a"], [], ["c"], ["b"]]
    lists = Lists.of(given)
    assert [lists[row] for row in range(len(lists))] == given
    assert lists.things == ["a", "b", "c"]
    assert lists.rows().tolist() == [0, 0, 0, 2, 3]
    places, which = lists.places(np.asarray([3, 1, 0]))
    assert [lists.things[i] for i in lists.numbers[places]] == ["b", "a", "b", "a"]
    assert which.tolist() == [0, 2, 2, 2]
    assert lists_with(lists.numbers, lists.rows()) == {0: 1, 1: 2, 2: 1}
    assert distinct(np.asarray([], np.int64)).tolist() == []


@pytest.mark.parametrize("least", [1, 3])
def test_users_are_counted_once_for_what_they_say(members: Members, least: int) -> None:
    """Things, verbs, pairs and states have the users that a loop over all requests finds; of rare things only their number is kept."""
    rows = np.flatnonzero(members.clusters == 1).tolist()
    plain: dict[str, dict[object, set[int]]] = defaultdict(lambda: defaultdict(set))
    form: dict[object, float] = defaultdict(float)
    surfaces: dict[object, Counter[object]] = defaultdict(Counter)
    for row in rows:
        user = int(members.users[row])
        for phrase in members.phrases[row]:
            key = lemmas(phrase.words)
            plain["things"][key].add(user)
            form[key] = max(form[key], phrase.form)
            surfaces[key][(phrase.article, phrase.words)] += 100 if phrase.form == 1.0 else 1
            if phrase.verb:
                plain["verbs"][phrase.verb].add(user)
                plain["pairs"][(phrase.verb, key)].add(user)
        for word in members.words[row] if members.languages[row] == "en" else ():
            if is_state(word):
                plain["states"][word].add(user)
    found = count(members, rows, least)
    assert found.users == len({int(members.users[row]) for row in rows})
    for name, said in plain.items():
        assert getattr(found, name) == {key: who for key, who in said.items() if len(who) >= least}, name
    assert all(found.saying(key) == len(who) for key, who in plain["things"].items())
    assert found.form == {key: form[key] for key in found.things}
    assert found.surfaces == {key: surfaces[key] for key in found.things}
    assert plain["pairs"]
    assert plain["states"]


def test_requests_are_counted_once_for_what_they_hold(members: Members) -> None:
    """A phrase twice in a request counts once in the background, and so does a noun with its article."""
    said = [members.phrases[row] for row in range(len(members.phrases))]
    base = background(members)
    assert base.things == Counter(key for some in said for key in {lemmas(p.words) for p in some})
    assert base.verbs == Counter(verb for some in said for verb in {p.verb for p in some if p.verb})
    assert base.pairs == Counter(
        pair for some in said for pair in {(p.verb, lemmas(p.words)) for p in some if p.verb}
    )
    heads = Counter(
        head
        for some in said
        for head in {p.words[-1] for p in some if p.article in {"a", "an"} and "for" not in p.words}
    )
    assert {head for head, n in heads.items() if n >= 3} <= Wording.learn(members.phrases).countable


def test_what_is_said_most_is_held_against_all_requests(members: Members) -> None:
    """Words are listed with exactly the users of their group who say them, and only if they tell something of it."""
    groups = [np.flatnonzero(members.clusters == c).tolist() for c in range(3)]
    for rows, told in zip(groups, said_most(members, groups, 3, 8), strict=True):
        everyone = len({int(members.users[row]) for row in rows})
        assert told
        for one in told:
            holding = [
                row
                for row in range(len(members.words))
                if any(tuple(members.words[row][i : i + len(one.words)]) == one.words for i in range(20))
            ]
            who = {int(members.users[row]) for row in holding if row in rows}
            assert one.users == who
            assert len(who) >= 3
            assert weight(len(who), everyone, len(holding), len(members.words)) > 0
