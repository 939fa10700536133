"""What an answer of a chat model says of a facet; whatever its form, a value is one that the facet allows, or none.

A text is the model's own: whoever keeps it masks it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from clio.facets.definition import Facet

_LONGEST = 600  # characters of a text

_ANSWER = re.compile(r".*<answer>(.*)", re.DOTALL | re.IGNORECASE)
_END = re.compile(r"</?answer\b.*", re.DOTALL | re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+(?=[^a-z\s])")
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")
_REFUSAL = re.compile(
    r"(?:i'?m sorry|i am sorry|sorry,|i can(?:no|')t|i'?m unable|i am unable|as an ai)\b", re.IGNORECASE
)
#: the beginning of an answer in which a refusal is looked for
_BEGINNING = 200


def declines(answer: str) -> bool:
    """Whether a model declines in words: the answer begins like a refusal and holds no object."""
    text = _ANSWER.sub(r"\1", answer[:_BEGINNING]).lstrip(" \n\"'“*").replace("’", "'")
    return "{" not in answer and _REFUSAL.match(text) is not None


def read_object(answer: str, facets: Sequence[Facet]) -> dict[str, str | None]:
    """The value of each facet in an answer that should be one JSON object; None where it gives none.

    Prose and fences around the object, a missing end and the like are forgiven.
    """
    import json_repair  # a parser of its own, only where a model answers

    begins = answer.find("{")
    found = json_repair.loads(answer[begins:]) if begins >= 0 else None
    said: Mapping[str, Any] = found if isinstance(found, dict) else {}
    plain = {str(key).casefold().strip(): value for key, value in said.items()}
    return {facet.name: _allowed(plain.get(facet.name), facet) for facet in facets}


def read_answer(answer: str, facet: Facet) -> str | None:
    """The value of one facet in an answer that should stand between tags, which may be missing."""
    found = _ANSWER.match(answer)
    return _allowed(_END.sub("", found[1] if found else answer), facet)


def _allowed(said: Any, facet: Facet) -> str | None:
    """What was said as a value that the facet allows."""
    if said is None or isinstance(said, bool | list | dict):
        return None
    text = _SPACE.sub(" ", str(said)).strip().strip("\"“”'`*").strip()
    if not text:
        return None
    if facet.type == "text":
        return _sentences(text, facet.prefill)
    if facet.type == "category":
        return _category(text, facet.values)
    number = _NUMBER.search(text)
    if number is None:
        return None
    value = float(number[0].replace(",", "."))
    if facet.type == "scale":
        return str(int(value)) if value.is_integer() and 1 <= value <= len(facet.labels) else None
    return _band(value, facet.bands)


def _sentences(text: str, prefill: str) -> str | None:
    """At most two sentences without the prefill; None for a refusal."""
    begins = prefill.rstrip(" :.…")
    if begins and text.casefold().startswith(begins.casefold()):
        text = text[len(begins) :].lstrip(" :,…")
    if not text or _REFUSAL.match(text.replace("’", "'")):
        return None
    text = " ".join(_SENTENCE_END.split(text)[:2])[:_LONGEST].strip()
    return text[:1].upper() + text[1:] or None


def _category(text: str, values: Sequence[str]) -> str | None:
    """The value that an answer is, or else the only one that it names."""
    said = text.casefold().strip(" .!:-")
    for value in values:
        if said == value.casefold():
            return value
    # longest first, so that "not work" is not read as "work"
    named: list[str] = []
    for value in sorted(values, key=len, reverse=True):
        said, times = re.subn(rf"(?<!\w){re.escape(value.casefold())}(?!\w)", " ", said)
        if times:
            named.append(value)
    return named[0] if len(named) == 1 else None


def _band(value: float, bands: Sequence[float]) -> str:
    """The band of a number: "under 1", "1 to under 5", "5 or more"."""
    place = bisect_right(bands, value)
    if place == 0:
        return f"under {bands[0]:g}"
    if place == len(bands):
        return f"{bands[-1]:g} or more"
    return f"{bands[place - 1]:g} to under {bands[place]:g}"
