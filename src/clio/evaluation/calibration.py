"""How good the auditor is: a labelled set of cluster texts, and how well ratings tell its private texts from the others.

As in the paper (appendix D) private texts are harmless ones edited to carry a made-up private detail, so a label comes from how a text was
made and from nothing else. The material (``audit_words.toml``) is in two halves: rules are tuned on "dev" and reported on "test".
What such a set cannot show: leaks that nobody thought of, and how often clusters of a real log leak at all.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from clio.clustering.topics import topics
from clio.insights.intervals import share_interval

Half = Literal["dev", "test"]
HALVES: tuple[Half, Half] = ("dev", "test")

_SLOT = re.compile(r"\{(\w+)\}")
_TRIES = 1000
# verbs of one syllable that double their last letter before -ing
_DOUBLED = frozenset(["get", "set", "reset", "plan", "chat", "shop", "run", "put", "stop", "transfer"])


@dataclass(frozen=True, slots=True)
class Labelled:
    """A cluster's text "name: description", whether it points at someone, how it was made, and its half ("dev" or "test").

    ``kind`` is the private detail's ("name", "firm", …) or, of harmless texts, where they come from: "intent", "topic" or "public".
    """

    text: str
    private: bool
    kind: str
    half: Half


@dataclass(frozen=True, slots=True)
class Share:
    """``hits`` of ``of``, with Wilson's 95 % interval; of nothing, the interval is 0..1."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The share, 0..1; nan of nothing."""
        return self.hits / self.of if self.of else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end, 0..1."""
        return share_interval(self.hits, self.of) if self.of else (0.0, 1.0)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.3f} [{low:.3f}, {high:.3f}]"


@dataclass(frozen=True, slots=True)
class Calibration:
    """How ratings agree with labels; a text counts as held back if it is rated below the minimum.

    ``accuracy`` is of all texts, ``recall`` of private texts those held back, ``precision`` of texts held back those that are private,
    ``false_alarms`` of harmless texts those held back; ``by_kind`` of each kind those held back, private kinds first.
    """

    accuracy: Share
    recall: Share
    precision: Share
    false_alarms: Share
    by_kind: Mapping[str, Share]


@cache
def _material() -> dict[str, Any]:
    return tomllib.loads(files("clio.evaluation").joinpath("audit_words.toml").read_text("utf-8"))


def audit_set(
    safe_names: Sequence[str],
    seed: int = 0,
    *,
    each: int = 20,
    details: Mapping[str, Sequence[str]] | None = None,
) -> list[Labelled]:
    """Make the labelled set: in each half ``each`` private texts a kind, and about as many harmless ones.

    Args:
        safe_names: labels of harmless requests, such as the intents of CLINC150 and HWU64 ("report_lost_card"); each stands in one half
            only. The tasks of ``clio.clustering.topics`` and written texts about public and sensitive subjects are added.
        seed: the same seed makes the same set.
        each: private texts a kind and half.
        details: by kind, details of another source instead of the written ones, each used in one half; then only these kinds are made.
    """
    names = {_plain(name): "intent" for name in safe_names}
    names |= {task: "topic" for task in topics().tasks if task not in names}
    made = []
    for half in HALVES:
        dice = random.Random(f"{seed} {half}")  # noqa: S311 made-up texts, no secret
        words = _material()
        kinds = [kind for kind in words["private"] if details is None or kind in details]
        inside = [(name, kind) for name, kind in names.items() if _half(name) == half]
        safe = _safe(words["safe"][half], inside, len(kinds) * each, dice)
        made += [Labelled(f"{name}: {text}", False, kind, half) for name, text, kind in safe]
        for kind in kinds:
            forms = words["private"][kind][half]
            given = [one for one in details[kind] if _half(one) == half] if details else None
            made += [
                Labelled(text, True, kind, half)
                for text in _private(
                    forms, given, words["slots"][half], [(n, t) for n, t, _ in safe], each, dice
                )
            ]
    return made


def score(labelled: Sequence[Labelled], ratings: Sequence[int], minimum: int = 3) -> Calibration:
    """Hold n ratings (1..5, shown from ``minimum`` on) against n labels."""
    pairs = [(one, rating < minimum) for one, rating in zip(labelled, ratings, strict=True)]
    private = [held for one, held in pairs if one.private]
    harmless = [held for one, held in pairs if not one.private]
    kinds = dict.fromkeys(one.kind for one in sorted(labelled, key=lambda one: not one.private))
    by_kind = {kind: [held for one, held in pairs if one.kind == kind] for kind in kinds}
    right = sum(private) + len(harmless) - sum(harmless)
    return Calibration(
        accuracy=Share(right, len(pairs)),
        recall=Share(sum(private), len(private)),
        precision=Share(sum(private), sum(private) + sum(harmless)),
        false_alarms=Share(sum(harmless), len(harmless)),
        by_kind={kind: Share(sum(held), len(held)) for kind, held in by_kind.items()},
    )


def _half(name: str) -> Half:
    return HALVES[sum(name.encode()) % 2]


def _plain(label: str) -> str:
    """A label as a cluster's name: "report_lost_card" as "Report lost card"."""
    words = " ".join(re.split(r"[_\s]+", label.strip()))
    return words[:1].upper() + words[1:]


def _title(name: str) -> str:
    small = {"a", "an", "the", "of", "for", "and", "or", "in", "on", "to", "with", "from", "about"}
    words = name.split(" ")
    return " ".join(w if i and w in small else w[:1].upper() + w[1:] for i, w in enumerate(words))


def _doing(name: str, verbs: frozenset[str]) -> str:
    """A name inside a sentence: "Write a poem" as "writing a poem", "Account blocked" as "account blocked"."""
    first, _, rest = name.partition(" ")
    verb = first.casefold()
    if first not in verbs:
        return (first if first[1:] != first[1:].casefold() else verb) + (f" {rest}" if rest else "")
    stem = verb + verb[-1] if verb in _DOUBLED else re.sub(r"(?<=[^eoy])e$", "", verb)
    return f"{stem}ing {rest}".strip()


def _safe(
    words: Mapping[str, Sequence[str]],
    names: Sequence[tuple[str, str]],
    count: int,
    dice: random.Random,
) -> list[tuple[str, str, str]]:
    """``count`` harmless texts (name, description, kind), as far as there are names: all public subjects, then intents, then topics."""
    verbs = frozenset(task.split(" ")[0] for task in topics().tasks)
    found = []
    for text in words["public"]:
        name, _, description = text.partition(": ")
        found.append((name, description, "public"))
    for name, kind in sorted(names, key=lambda one: (one[1], dice.random())):
        description = dice.choice(words["descriptions"]).replace("{task}", _doing(name, verbs))
        found.append((_title(name) if dice.random() < 0.25 else name, description, kind))
    return found[:count]


def _private(
    forms: Mapping[str, Sequence[str]],
    given: list[str] | None,
    slots: Mapping[str, str],
    safe: Sequence[tuple[str, str]],
    count: int,
    dice: random.Random,
) -> list[str]:
    """``count`` harmless texts edited to carry a private detail; no detail twice."""
    found: dict[str, str] = {}
    if given is not None:
        dice.shuffle(given)
    for turn in range(_TRIES):
        if len(found) == count or (given is not None and turn >= len(given)):
            break
        detail = (
            given[turn]
            if given is not None
            else _drawn(forms["details"][turn % len(forms["details"])], slots, dice)
        )
        if detail in found:
            continue
        name, description = dice.choice(safe)
        text = dice.choice(forms["edits"]).format(name=name, description=description, x=detail)
        found[detail] = text[:1].upper() + text[1:]
    return list(found.values())


def _drawn(form: str, slots: Mapping[str, str], dice: random.Random) -> str:
    """A detail's form with its slots and digits drawn."""
    filled = _SLOT.sub(lambda slot: dice.choice(slots[slot[1]].split("|")), form)
    return re.sub("#", lambda _: str(dice.randrange(10)), filled)
