"""Sensitive subjects: texts that name one need more people behind them, by the table in ``sensitive.toml``."""

from __future__ import annotations

import tomllib
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
def is_sensitive(word: str) -> bool:
    """Whether a token, case-folded, is of a sensitive subject."""
    return any(subject.holds(word) for subject in subjects())


def subjects_of(text: str) -> frozenset[str]:
    """The names of the sensitive subjects that a text names."""
    said = set(tokens(text))
    return frozenset(subject.name for subject in subjects() if any(map(subject.holds, said)))


def factor(text: str) -> float:
    """How many times the usual thresholds a text needs: the largest factor of its subjects, 1 where it names none."""
    named = subjects_of(text)
    return max((subject.factor for subject in subjects() if subject.name in named), default=1.0)
