"""Sensitive subjects: what names one needs more people behind it, by the table in ``sensitive.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from clio.text import has_cjk, lemma, tokens


@dataclass(frozen=True, slots=True)
class Subject:
    """A kind of subject: how many times the usual thresholds it needs (at least 1), and how it is recognised."""

    name: str
    factor: float
    words: frozenset[str] = field(repr=False)
    endings: tuple[str, ...] = ()

    def holds(self, word: str) -> bool:
        """Whether a token is of this subject, as it is or by its dictionary form."""
        base = lemma(word)
        if word in self.words or base in self.words:
            return True
        if has_cjk(word):
            return any(other in word for other in self.words if has_cjk(other))
        return len(base) > 5 and base.endswith(self.endings) if self.endings else False


@cache
def subjects() -> tuple[Subject, ...]:
    """The table of subjects."""
    table = tomllib.loads(files("clio.privacy").joinpath("sensitive.toml").read_text("utf-8"))
    return tuple(
        Subject(name, row["factor"], frozenset(row["words"].split()), tuple(row.get("endings", "").split()))
        for name, row in table.items()
    )


@cache
def subjects_of_word(word: str) -> frozenset[str]:
    """The names of the sensitive subjects that a token, case-folded, is of."""
    return frozenset(subject.name for subject in subjects() if subject.holds(word))


def subjects_of(said: Iterable[str]) -> frozenset[str]:
    """The names of the sensitive subjects that some tokens name."""
    return frozenset().union(*map(subjects_of_word, said))


def factor(named: Collection[str]) -> float:
    """How many times the usual thresholds some subjects need, by their names: the largest factor, 1 for none."""
    return max((subject.factor for subject in subjects() if subject.name in named), default=1.0)


def factor_of_text(text: str) -> float:
    """How many times the usual thresholds a text needs."""
    return factor(subjects_of(tokens(text)))
