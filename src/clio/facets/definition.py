"""What a facet is: a question about a conversation and the form of its answer, read from a TOML file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from difflib import get_close_matches
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args

from clio.errors import SettingsError

FacetType = Literal["text", "category", "scale", "number"]

#: columns of a run's tables that no facet may be called
RESERVED = frozenset(
    {
        "id",
        "user",
        "part_of",
        "duplicate",
        "cluster",
        "parent",
        "level",
        "vector",
        "state",
        "reason",
        "seen",
        "trust_weight",
    }
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
# the type that a key belongs to, and how much of it is needed
_BELONGS = {"values": ("category", 2), "labels": ("scale", 2), "bands": ("number", 1), "prefill": ("text", 0)}
_LONGEST = 2000  # characters of any one text


@dataclass(frozen=True, slots=True)
class Facet:
    """One question about a conversation.

    ``type`` is "text" (one or two sentences; stays in the private zone), "category" (one of ``values``),
    "scale" (a level 1…n of ``labels``) or "number" (counted in the bands between ``bands``). ``prefill`` is
    how a text answer begins, and is cut off again; ``criteria`` says how a cluster of this facet is to be
    named.
    """

    name: str
    question: str
    type: FacetType = "text"
    prefill: str = ""
    values: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    bands: tuple[float, ...] = ()
    criteria: str = ""

    def __post_init__(self) -> None:
        """Check what the rest relies on; raises ``SettingsError``."""
        if not _NAME.fullmatch(self.name) or self.name in RESERVED:
            raise SettingsError(
                f"facet name {self.name!r}: want small letters, digits and _, beginning with a letter, "
                f"and none of {', '.join(sorted(RESERVED))}"
            )
        if not self.question.strip():
            raise SettingsError(f"facet {self.name}: question is empty: ask something about the conversation")
        if self.type not in get_args(FacetType):
            known = ", ".join(get_args(FacetType))
            raise SettingsError(f"facet {self.name}: no type {self.type!r}; known: {known}")
        for key, (kind, least) in _BELONGS.items():
            given = len(getattr(self, key))
            if self.type == kind and given < least:
                raise SettingsError(f"facet {self.name}: type {kind} needs {key}, {least} or more of them")
            if self.type != kind and given:
                raise SettingsError(f"facet {self.name}: {key} is for type {kind} only: leave it out")
        distinct = {value.strip().casefold() for value in self.values}
        if len(distinct) < len(self.values) or "" in distinct:
            raise SettingsError(f"facet {self.name}: two values are the same, or one is empty")
        if any(before >= after for before, after in pairwise(self.bands)):
            raise SettingsError(f"facet {self.name}: bands must rise")


def load(path: Path) -> Facet:
    """The facet of a TOML file (docs/reference/facets.md).

    Raises:
        SettingsError: the file cannot be read, has an unknown key, lacks one, or says what cannot be.
    """
    try:
        return _parse(path.read_bytes(), str(path))
    except OSError as error:
        raise SettingsError(f"facet file {path} cannot be read ({type(error).__name__})") from None


def builtin() -> dict[str, Facet]:
    """The facets that come with clio, by name: request, task, concern (language is found without a model)."""
    folder = files("clio.facets") / "builtin"
    names = ("request", "task", "concern")
    return {name: _parse((folder / f"{name}.toml").read_bytes(), f"{name}.toml") for name in names}


def _parse(content: bytes, where: str) -> Facet:
    try:
        read: dict[str, Any] = tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"facet file {where} is not valid TOML: {error}") from None
    lists: dict[str, tuple[type, ...]] = {"values": (str,), "labels": (str,), "bands": (int, float)}
    known = [found.name for found in fields(Facet)]
    for key, value in read.items():
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"
            raise SettingsError(f"facet file {where}: unknown key {key!r}{hint}")
        if key in lists:
            what = "numbers" if key == "bands" else "texts"
            if not isinstance(value, list) or not all(type(item) in lists[key] for item in value):
                raise SettingsError(f"facet file {where}: {key} must be a list of {what}")
        elif not isinstance(value, str) or len(value) > _LONGEST:
            raise SettingsError(f"facet file {where}: {key} must be a text of at most {_LONGEST} characters")
    for key in ("name", "question", "type"):
        if key not in read:
            raise SettingsError(f"facet file {where}: {key} is missing")
    made: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in read.items()
    }
    return Facet(**made)


def check_breakdown(names: Iterable[str], facets: Iterable[Facet]) -> None:
    """Let no column be published as a facet that is Clio's own, or holds text of people.

    Args:
        names: the columns of the setting ``breakdown``.
        facets: those that a chat model is asked.

    Raises:
        SettingsError: for a column that is taken, or a facet of text.
    """
    wanted = set(names)
    if taken := sorted(RESERVED & wanted):
        raise SettingsError(
            f"setting 'breakdown': {', '.join(taken)} is a column of Clio's own; give the log's column another name"
        )
    texts = {facet.name for facet in (*builtin().values(), *facets) if facet.type == "text"}
    if told := sorted(texts & wanted):
        raise SettingsError(
            f"setting 'breakdown': {', '.join(told)} is text of people, which is never shown as it is; name a column of few values"
        )
