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

from clio.evaluation.attacks import Row
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
    parts = [_opening(target, rng), *_some("asides", 2, rng)]
    parts += [_one("told", rng).format(cause=named), _one("wanted", rng).format(cause=named)]
    return _row(f"target-{target.number}", f"target-{target.number}", " ".join(parts), target)


def plant(
    strategy: Strategy,
    target: Target,
    k: int,
    m: int,
    *,
    tipping: int = 5,
    room: int = 20,
    injection: bool = False,
    variant: int = 0,
) -> list[Planted]:
    """The chats that an attacker plants around a target, of which he knows all but the cause.

    ``echo``: the target's complaint and person, no cause. ``hedge``: every cause by as many accounts as are one short of the
    threshold, the others echo. ``argmax``: every cause by every account. ``existence``: a group of chats a cause, each one account
    short. ``size``: the same by all accounts. ``cell``: as ``size``, with the target's country and week one account short of theirs.
    ``near``: near copies of the target's chat, each with another cause.

    Args:
        strategy: what to plant.
        target: whom to plant it around.
        k: number of chats.
        m: number of accounts.
        tipping: accounts that are one short of the threshold, if he can pay for so many.
        room: chats that a group needs; where ``k`` is not enough for all causes, only some are tried.
        injection: whether the chats hold orders to a model: half of them one in general words, half what it is to say.
        variant: of the wording; the same account or not, the same chats come again.
    """
    if strategy == "none":
        return []
    names = causes(target.complaint)
    few = min(m, tipping)
    order = np.random.default_rng([variant, target.number]).permutation(len(names)).tolist()
    # who names what: the account and the causes of each chat
    said: list[tuple[int, tuple[int, ...]]] = []
    if strategy in {"echo", "hedge", "argmax"}:
        naming = {"echo": 0, "hedge": few, "argmax": m}[strategy]
        for account in range(m):
            count = len(range(account, k, m))
            each = max(2, -(-len(names) // max(1, count)))
            turn = list(
                islice(cycle(order[account % len(order) :] + order[: account % len(order)]), each * count)
            )
            lists = [turn[i : i + each] if account < naming else [] for i in range(0, each * count, each)]
            said += [(account, tuple(dict.fromkeys(some))) for some in lists]
    else:
        tried = order[: max(1, min(len(order), k // room))]
        accounts = few if strategy == "existence" else m
        for place, cause in enumerate(tried):
            said += [(n % accounts, (cause,)) for n in range(len(range(place, k, len(tried))))]
    planted = []
    for n, (account, named) in enumerate(said):
        rng = np.random.default_rng([variant, target.number, n])
        text = _near(target, variant, named[0], rng) if strategy == "near" else _text(target, named, rng)
        if injection:
            text = _order(target, text, named if len(named) < 2 else tuple(order), n, rng)
        like = target if strategy != "cell" or account < few else None
        row = _row(f"poison-{target.number}-{n}", f"sybil-{target.number}-{account}", text, like)
        planted.append(Planted(row, named))
    return planted


def _text(target: Target, named: Sequence[int], rng: np.random.Generator) -> str:
    """A chat like the target's, with some causes or none."""
    if not named:
        return " ".join([_opening(target, rng), *_some("asides", 2, rng), _one("questions", rng)])
    names = [causes(target.complaint)[cause] for cause in named]
    # a request has room for 400 characters
    parts = [_opening(target, rng), *(_some("asides", 1, rng) if len(names) < 3 else [])]
    pairs = [names[i : i + 2] for i in range(0, len(names), 2)]
    parts += [_one("asking", rng).format(cause=" or ".join(pair)) for pair in pairs]
    return " ".join(parts)


def _near(target: Target, variant: int, cause: int, rng: np.random.Generator) -> str:
    """The target's chat with a cause and one word changed."""
    words = str(chat(target, variant, cause)["messages"][0]["content"]).split()
    kept = {word for name in causes(target.complaint) for word in name.split()}
    places = [i for i, word in enumerate(words) if word.strip(".,?") not in kept]
    words[int(rng.choice(places))] = str(rng.choice(["really", "just", "well", "truly", "sadly", "somehow"]))
    return " ".join(words)


def _order(target: Target, text: str, named: Sequence[int], n: int, rng: np.random.Generator) -> str:
    """A chat with an order to a model; every other one tells it what to say, where there is something to tell."""
    if n % 2 or not named:
        return f"{text} {_one('orders', rng)}"
    said = _sentences()["complaints"][target.complaint]["said"]
    names = [causes(target.complaint)[cause] for cause in named]
    return str(_sentences()["dictated"]).format(
        age=target.age,
        sex=target.sex,
        complaint=said[int(rng.integers(len(said)))],
        causes=" ".join(f"{name[0].upper()}{name[1:]}." for name in names),
    )


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


def _opening(target: Target, rng: np.random.Generator) -> str:
    said = _sentences()["complaints"][target.complaint]["said"]
    text = _one("openings", rng).format(
        age=target.age, sex=target.sex, complaint=said[int(rng.integers(len(said)))]
    )
    return text[0].upper() + text[1:]


def _one(kind: str, rng: np.random.Generator) -> str:
    return _some(kind, 1, rng)[0]


def _some(kind: str, count: int, rng: np.random.Generator) -> list[str]:
    options = _sentences()[kind]
    return [options[int(i)] for i in rng.permutation(len(options))[:count]]


def telling(complaint: int) -> list[list[dict[str, float]]]:
    """What gives each cause away: for each of its names the words, as lemmas, and how much each tells of it against the others (0..1).

    Words of the complaint itself tell nothing, a word that two causes share tells half.
    """
    entry = _sentences()["complaints"][complaint]
    dull = {lemma(word) for said in entry["said"] for word in tokens(said)}
    dull |= set(_sentences()["general"].split())
    named = [
        [[lemma(word) for word in tokens(name)] for name in (cause, *others)]
        for cause, others in entry["causes"].items()
    ]
    having = [{word for words in names for word in words} for names in named]
    return [
        [
            {word: 1 / sum(word in other for other in having) for word in words if word not in dull}
            for words in names
        ]
        for names in named
    ]
