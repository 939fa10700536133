"""Facets by a chat model: one call a facet a conversation, with the paper's prompt in our words (paper, 1.4).

Identifiers are masked before a conversation leaves for the model, and again in what comes back.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path

from clio.facets.definition import Facet
from clio.models.answers import Answers
from clio.models.protocols import Answer, ChatModel, Prompt
from clio.privacy.pii import mask
from clio.progress import Advance, silent
from clio.prompts import Data, fill, load

#: characters of a conversation that a model is shown, about 6,000 tokens of English
MAX_CHARACTERS = 24_000
_MARGIN = 100  # characters read beyond a cut, so that an identifier is masked before it is cut in two
_LEAST = 200  # characters of a turn between the first request and the last exchange
_LONGEST_ANSWER = 600

_ANSWER = re.compile(r".*<answer>(.*)", re.DOTALL | re.IGNORECASE)
_END = re.compile(r"</?answer\b.*", re.DOTALL | re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+(?=[^a-z\s])")
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")
_REFUSAL = re.compile(
    r"(?:i'?m sorry|i am sorry|sorry,|i can(?:no|')t|i'?m unable|i am unable|as an ai)\b", re.IGNORECASE
)


def extract(
    conversations: Sequence[Sequence[tuple[str, str]]],
    facets: Sequence[Facet],
    model: ChatModel,
    answers: Answers,
    *,
    max_characters: int = MAX_CHARACTERS,
    folder: Path | None = None,
    progress: Advance = silent,
) -> dict[str, list[str | None]]:
    """Ask every facet of every conversation.

    Args:
        conversations: n lists of (role, text), in order; roles are user, assistant, system, tool.
        facets: what to ask, m of them.
        model: who answers.
        answers: where answers are kept; it also bounds how many calls run at once.
        max_characters: how much of a conversation the model is shown; longer ones are cut (see
            ``transcript``).
        folder: prompts of one's own (see ``clio.prompts``).
        progress: called with the number of finished calls, n times m in all.

    Returns:
        By facet name, n values: a text without the prefill, one of the category's values, a level of the
        scale as a digit, or a number's band; None where the model gave no usable answer.

    Raises:
        ModelError: too large a share of the calls failed.
    """
    values: dict[str, list[str | None]] = {facet.name: [] for facet in facets}
    prompts = _prompts(conversations, facets, max_characters, folder)
    for number, answer in enumerate(answers.stream(model, prompts, progress=progress)):
        facet = facets[number % len(facets)]
        values[facet.name].append(parse(answer.text, facet) if isinstance(answer, Answer) else None)
    return values


def _prompts(
    conversations: Sequence[Sequence[tuple[str, str]]],
    facets: Sequence[Facet],
    room: int,
    folder: Path | None,
) -> Iterator[Prompt]:
    """The prompts, conversation by conversation: those of one share their beginning (servers cache it)."""
    open_ended, closed = load("facet", folder), load("label", folder)
    for messages in conversations if facets else ():
        shown = transcript(messages, room)
        for facet in facets:
            data: dict[str, Data] = {"conversation": shown, "question": facet.question}
            if facet.type == "text":
                yield fill(open_ended, {**data, "prefill": facet.prefill})
            else:
                yield fill(closed, {**data, "form": _form(facet)})


def _form(facet: Facet) -> str:
    """How a closed facet is to be answered."""
    if facet.type == "category":
        choices = "\n".join(f"- {value}" for value in facet.values)
        return f"Answer with exactly one of these, word for word:\n{choices}"
    if facet.type == "scale":
        levels = "\n".join(f"{level}: {label}" for level, label in enumerate(facet.labels, 1))
        return f"Answer with one digit, a level of this scale:\n{levels}"
    return "Answer with one number in digits."


def transcript(
    messages: Sequence[tuple[str, str]], max_characters: int = MAX_CHARACTERS
) -> list[tuple[str, str]]:
    """A conversation cut to a length, with its identifiers masked.

    What fits is shown whole. Else the first request and the last exchange stay (long turns lose their
    middle), an even sample of the turns between fills the rest, and marks say where turns are left out.
    """
    turns = [(role, text) for role, text in messages if text.strip()]
    if sum(len(text) for _, text in turns) <= max_characters:
        return [(role, mask(text)) for role, text in turns]
    first = next((place for place, (role, _) in enumerate(turns) if role == "user"), 0)
    ends = {first, *range(max(0, len(turns) - 2), len(turns))}
    shown = {place: _clip(turns[place][1], max_characters // 4) for place in ends}
    between = [place for place in range(len(turns)) if place not in ends]
    room = max_characters - sum(map(len, shown.values()))
    if between and room >= _LEAST:
        count = min(len(between), max(1, room // (2 * _LEAST)))
        for step in range(count):
            place = between[(2 * step + 1) * len(between) // (2 * count)]
            shown[place] = _clip(turns[place][1], room // count)
    kept: list[tuple[str, str]] = []
    following = 0
    for place in sorted(shown):
        if place > following:
            kept.append(("omitted", f"{place - following} turns"))
        kept.append((turns[place][0], shown[place]))
        following = place + 1
    return kept


def _clip(text: str, length: int) -> str:
    """A masked text of about a length: two thirds from its beginning, one third from its end."""
    if len(text) <= length:
        return mask(text)
    head, tail = length * 2 // 3, length // 3
    before, after = mask(text[: head + _MARGIN]), mask(text[-tail - _MARGIN :])
    # what is left of the margin goes: at its edge half an identifier may stand
    begin = before[: min(head, len(before) - _MARGIN)]
    end = after[max(_MARGIN, len(after) - tail) :]
    return f"{begin} […] {end}"


def parse(answer: str, facet: Facet) -> str | None:
    """The value that an answer gives a facet; None if it gives none. Its tags may be missing."""
    found = _ANSWER.match(answer)
    text = _SPACE.sub(" ", _END.sub("", found[1] if found else answer)).strip().strip("\"“”'`*").strip()
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
    """At most two sentences without the prefill, masked; None for a refusal."""
    begins = prefill.rstrip(" :.…")
    if begins and text.casefold().startswith(begins.casefold()):
        text = text[len(begins) :].lstrip(" :,…")
    if not text or _REFUSAL.match(text):
        return None
    text = mask(" ".join(_SENTENCE_END.split(text)[:2])[:_LONGEST_ANSWER]).strip()
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
