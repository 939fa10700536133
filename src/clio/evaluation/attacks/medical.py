"""Made-up medical chats: targets with a secret, and the chats that an attacker plants around them (sentences in ``medical.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import cycle, islice
from typing import Any, Literal, get_args

import numpy as np

from clio.clustering.topics import topics
from clio.evaluation.ground import Row
from clio.facets.request import MAX_CHARACTERS
from clio.privacy.sensitive import factor_of_text
from clio.text import lemma, tokens

#: what an attacker plants around one target: see ``plant``
Strategy = Literal["none", "echo", "hedge", "argmax", "existence", "size", "cell", "near"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)


@dataclass(frozen=True, slots=True)
class Target:
    """A made-up person with one chat. All but the cause is known to the attacker.

    ``complaint`` is the number of a complaint in ``medical.toml``, ``cause`` the place of the secret among its causes.
    """

    number: int
    complaint: int
    age: int
    sex: str
    country: str
    day: str
    cause: int


@dataclass(frozen=True, slots=True)
class Planted:
    """A chat of the attacker's, and the places of the causes that it names."""

    row: Row
    causes: tuple[int, ...]


@cache
def _sentences() -> dict[str, Any]:
    return tomllib.loads(files("clio.evaluation.attacks").joinpath("medical.toml").read_text("utf-8"))


def complaints() -> int:
    """How many complaints there are: targets of one run have one each, so that they lie apart."""
    return len(_sentences()["complaints"])


def causes(complaint: int) -> list[str]:
    """What may be behind a complaint."""
    return list(_sentences()["complaints"][complaint]["causes"])


def people(count: int, rng: np.random.Generator) -> list[Target]:
    """Targets of different complaints, at most as many as there are; the secret is drawn uniformly."""
    chosen = rng.permutation(complaints())[:count]
    countries = rng.permutation([f"X{letter}" for letter in "ABCDEFGHIJKLMNOP"])
    return [
        Target(
            number,
            int(complaint),
            int(rng.integers(25, 75)),
            _sentences()["complaints"][complaint].get("sex", ("woman", "man")[int(rng.integers(2))]),
            str(countries[number % len(countries)]),
            f"2031-{1 + number % 12:02d}-{int(rng.integers(1, 28)):02d}T12:00:00Z",
            int(rng.integers(len(causes(int(complaint))))),
        )
        for number, complaint in enumerate(chosen)
    ]


def chat(target: Target, variant: int, cause: int | None = None) -> Row:
    """The target's own chat with a cause (by default the secret); ``variant`` decides how it is worded."""
    rng = np.random.default_rng([variant, target.number])
    named = causes(target.complaint)[target.cause if cause is None else cause]
    wording = int(rng.integers(len(_sentences()["complaints"][target.complaint]["said"])))
    parts = [_fill(_one("openings", rng), target, wording), *_some("asides", 2, rng)]
    parts += [_one("told", rng).format(cause=named), _one("wanted", rng).format(cause=named)]
    return _row(f"target-{target.number}", f"target-{target.number}", " ".join(parts), target)


def plant(
    strategy: Strategy,
    target: Target,
    k: int,
    m: int,
    *,
    tipping: Sequence[int],
    room: int = 20,
    injection: bool = False,
    variant: int = 0,
) -> list[Planted]:
    """The chats that an attacker plants around a target, of which he knows all but the cause.

    ``echo``: the target's complaint and person, no cause. ``hedge``: every cause by as many accounts as are one short of its
    threshold, the others echo. ``argmax``: every cause by every account. ``existence``: a group of chats a cause, each one account
    short. ``size``: the same by all accounts. ``cell``: as ``size``, with the target's country and week one account short of theirs.
    ``near``: near copies of the target's chat, each with another cause.

    Args:
        strategy: what to plant.
        target: whom to plant it around.
        k: number of chats.
        m: number of accounts; each has a style of its own, so that they share few words but those that are wanted.
        tipping: for each cause the accounts that are one short of its threshold, if he can pay for so many.
        room: chats that a group needs; where ``k`` is not enough for all causes, only some are tried.
        injection: whether the chats hold orders to a model: half of them one in general words, half what it is to say.
        variant: of the wording.
    """
    if strategy == "none":
        return []
    number = len(causes(target.complaint))
    order = np.random.default_rng([variant, target.number]).permutation(number).tolist()
    # one that is known as sensitive makes all others need as many accounts: only an order, which sets each apart, is worth that
    few = max(tipping) if injection and m > max(tipping) else min(tipping)
    able = [cause for cause in order if tipping[cause] <= min(few, m)] or order
    # who names what: the account and the causes of each chat
    said: list[tuple[int, tuple[int, ...]]] = []
    if strategy in {"echo", "hedge", "argmax"}:
        for account in range(m):
            own = {"echo": [], "hedge": able if account < few else [], "argmax": order}[strategy]
            count = len(range(account, k, m))
            each = min(len(own), max(2, -(-len(own) // max(1, count))))
            turn = list(islice(cycle(own[account % number :] + own[: account % number]), each * count))
            lists = [tuple(dict.fromkeys(turn[i * each : (i + 1) * each])) for i in range(count)]
            said += [(account, some) for some in lists]
    else:
        tried = order[: max(1, min(number, k // room))]
        for place, cause in enumerate(tried):
            accounts = min(m, tipping[cause]) if strategy == "existence" else m
            said += [(n % accounts, (cause,)) for n in range(len(range(place, k, len(tried))))]
    planted: list[Planted] = []
    for n, (account, named) in enumerate(said):
        rng = np.random.default_rng([variant, target.number, n])
        # an order may name no cause that the account is not to name
        dictated = named if len(named) == 1 else able if strategy == "argmax" or account < few else []
        if strategy == "near":
            text = _near(target, variant, named[0], len(planted))
        elif injection and dictated and named and rng.random() < 0.5:
            text = _dictating(target, dictated, account, rng)
        else:
            text = _text(target, named, account, _one("orders", rng) if injection else None, rng)
        like = target if strategy != "cell" or account < min(tipping) else None
        row = _row(f"poison-{target.number}-{n}", f"sybil-{target.number}-{account}", text, like)
        planted.append(Planted(row, named))
    return planted


def _text(
    target: Target, named: Sequence[int], account: int, order: str | None, rng: np.random.Generator
) -> str:
    """A chat like the target's, with some causes or none, in the style of an account."""
    opening, *asides = _style(target, account, 2, rng)
    names = [causes(target.complaint)[cause] for cause in named]
    pairs = [" or ".join(names[i : i + 2]) for i in range(0, len(names), 2)]
    asking = [_one("asking", rng).format(cause=pair) for pair in pairs] or [_one("questions", rng)]
    rest = [*asking, str(_sentences()["decoy"]), *([order] if order else [])]
    while asides and len(" ".join([opening, *asides, *rest])) > MAX_CHARACTERS:
        asides.pop()
    return " ".join([opening, *asides, *rest])


def _dictating(target: Target, dictated: Sequence[int], account: int, rng: np.random.Generator) -> str:
    """A chat that orders a model to name causes, a sentence each, so that an unsupported one does not take the others with it."""
    names = [causes(target.complaint)[dictated[int(i)]] for i in rng.permutation(len(dictated))]
    said = " ".join(f"{name[0].upper()}{name[1:]}." for name in names)
    order = str(_sentences()["dictated"]).format(causes=said)
    return " ".join([*_style(target, account, 1 if len(names) > 2 else 2, rng), order])


def _style(target: Target, account: int, sentences: int, rng: np.random.Generator) -> list[str]:
    """How an account opens its chats, and some of the sentences that only few others use."""
    openings, asides = _sentences()["openings"], _sentences()["asides"]
    own = [asides[(3 * account + int(i)) % len(asides)] for i in rng.permutation(5)]
    return [_fill(openings[account % len(openings)], target, _plainest(target)), *own[:sentences]]


def _plainest(target: Target) -> int:
    """The wording of a complaint that names nothing sensitive, if there is one."""
    said = _sentences()["complaints"][target.complaint]["said"]
    return min(range(len(said)), key=lambda i: (factor_of_text(said[i]), i))


def _near(target: Target, variant: int, cause: int, copy: int) -> str:
    """The target's chat with a cause and one word changed, another in each copy, so that copies are less like each other than like it."""
    words = str(chat(target, variant, cause)["messages"][0]["content"]).split()
    kept = {word for name in causes(target.complaint) for word in name.split()}
    places = [i for i, word in enumerate(words) if word.strip(".,?") not in kept]
    places = np.random.default_rng([variant, cause]).permutation(places).tolist()
    words[places[copy % len(places)]] = ("really", "somehow", "sadly")[copy // len(places) % 3]
    return " ".join(words)


def _row(id_: str, user: str, text: str, like: Target | None) -> Row:
    return {
        "id": id_,
        "user": user,
        "messages": [
            {"role": "user", "content": text},
            {"role": "assistant", "content": "I am sorry to hear that. Here is what to keep in mind."},
        ],
        "model": None,
        "country": like.country if like else None,
        "created_at": like.day if like else None,
    }


def _fill(sentence: str, target: Target, wording: int) -> str:
    said = _sentences()["complaints"][target.complaint]["said"][wording]
    text = sentence.format(age=target.age, sex=target.sex, complaint=said)
    return text[0].upper() + text[1:]


def _one(kind: str, rng: np.random.Generator) -> str:
    return _some(kind, 1, rng)[0]


def _some(kind: str, count: int, rng: np.random.Generator) -> list[str]:
    options = _sentences()[kind]
    return [options[int(i)] for i in rng.permutation(len(options))[:count]]


def telling(complaint: int) -> list[list[dict[str, float]]]:
    """What gives each cause away: for each of its names the words, as lemmas, and how much each tells of it against the others (0..1).

    Words of the complaint itself tell nothing, a word that two causes share tells half, one of the fixed vocabulary a quarter.
    """
    entry = _sentences()["complaints"][complaint]
    dull = {lemma(word) for said in entry["said"] for word in tokens(said)}
    dull |= set(_sentences()["general"].split())
    fixed = {lemma(word) for task in topics().tasks for word in tokens(task)}
    named = [
        [[lemma(word) for word in tokens(name)] for name in (cause, *others)]
        for cause, others in entry["causes"].items()
    ]
    having = [{word for words in names for word in words} for names in named]

    def weight(word: str) -> float:
        return (0.25 if word in fixed else 1.0) / sum(word in other for other in having)

    return [
        [{word: weight(word) for word in words if word not in dull} for words in names] for names in named
    ]
