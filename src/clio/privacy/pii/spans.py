"""What is found: spans of a kind, the forms they are found by, the words beside them, and how overlapping ones become one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

#: what a text has, seen at a glance: a search is made only where its needs are met (``clio.privacy.pii.find``)
Traits = frozenset[str]
#: capitals of the Latin, Greek, Cyrillic and Armenian scripts, for a class of a regular expression
UPPER = "".join(c for c in map(chr, range(0x41, 0x587)) if c.isupper())


@dataclass(frozen=True, slots=True)
class Span:
    """Where an identifier stands (``text[start:end]``) and of what kind it is; never the identifier itself."""

    start: int
    end: int
    kind: str


def _always(_text: str) -> bool:
    return True


class Form(NamedTuple):
    """A form that identifiers have: of a match the group "x", or all of it, is one if the check holds.

    ``needs`` names the traits of a text worth searching, parted by spaces.
    """

    kind: str
    needs: str
    pattern: re.Pattern[str]
    holds: Callable[[str], bool] = _always

    def spans(self, text: str) -> Iterator[Span]:
        """The identifiers of this form in a text."""
        group = "x" if "x" in self.pattern.groupindex else 0
        for found in self.pattern.finditer(text):
            if self.holds(found.group(group)):
                yield Span(*found.span(group), self.kind)


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern, compiled when a text first needs it: most logs need a few of them."""
    return re.compile(pattern)


@cache
def _lists() -> dict[str, Any]:
    return tomllib.loads(files("clio").joinpath("privacy/pii/words.toml").read_text("utf-8"))


def words(name: str) -> str:
    """A list of ``words.toml`` as one group of a regular expression, with those of scripts without word borders if it has any."""
    listed = "|".join(_lists()[name].split("\n")).strip("|")
    elsewhere = _lists().get(f"{name}_elsewhere")
    if elsewhere is None:
        return f"(?:{listed})"
    return rf"(?:(?<!\w)(?:{listed})(?!\w)|{elsewhere.strip()})"


def characters(name: str) -> str:
    """A list of ``words.toml`` as it stands there."""
    text: str = _lists()[name]
    return text


def heads() -> dict[str, str]:
    """For each word under [heads] of ``words.toml`` the lists that are worth trying on a text that holds it, parted by spaces."""
    found: dict[str, str] = {}
    for name, listed in _lists()["heads"].items():
        for word in listed.split():
            found[word] = f"{found[word]} {name}" if word in found else name
    return found


def merged(spans: Iterable[Span]) -> list[Span]:
    """Spans in order without overlap: those that overlap become one, of the kind of the one that begins first, then of the longer.

    All that any of them covers stays covered, so that no end of an identifier is left beside a mask.
    """
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
        elif span.end > kept[-1].end:
            kept[-1] = Span(kept[-1].start, span.end, kept[-1].kind)
    return kept
