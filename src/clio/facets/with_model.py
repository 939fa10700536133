"""Facets by a chat model, with the paper's prompt in our words (paper, 1.4): one call a conversation for all of them, or one a facet.

Identifiers are masked before a conversation leaves for the model, and again in what comes back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from clio.facets.definition import Facet
from clio.facets.reading import declines, read_answer, read_object
from clio.facets.transcript import BUDGET, Transcript, Turns, transcript
from clio.models.protocols import Answer, ChatModel, Failure, Prompt
from clio.privacy.pii import mask
from clio.progress import Advance, silent
from clio.prompts import Data, Template, fill, load, repaired

if TYPE_CHECKING:
    from clio.models.answers import Answers

STAGE = "facets"
#: tokens that an answer may have for each facet, and for the form around it
_ROOM = {"text": 160, "category": 40, "scale": 12, "number": 16}
_FORM = 40

State = Literal["answered", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked of every conversation, and how.

    Args:
        facets: one or more.
        calls: "conversation" asks all facets in one call, "facet" makes a call for each, as the paper does.
        budget: tokens of a conversation that the model is shown (see ``transcript``).
        prompts: folder of prompts of one's own.
        mask: takes the identifiers out of what the model is shown and of what it answers.
    """

    facets: Sequence[Facet]
    calls: Literal["conversation", "facet"] = "conversation"
    budget: int = BUDGET
    prompts: Path | None = None
    mask: Callable[[str], str] = mask

    @property
    def together(self) -> bool:
        """Whether one call asks all facets."""
        return self.calls == "conversation"

    @property
    def calls_each(self) -> int:
        """Calls for one conversation."""
        return 1 if self.together else len(self.facets)


@dataclass(frozen=True, slots=True)
class Extracted:
    """What became of one conversation.

    ``values`` by facet name: a text without the prefill, one of the category's values, a level of the scale as a digit, or a
    number's band; None where the model gave no usable answer. ``state`` is "answered" if every facet has its value, "refused" if
    the model declined, else "failed". ``reason`` says why, without a word of a person. ``seen`` is the share of the conversation's
    characters that the model was shown, 0..1.
    """

    values: Mapping[str, str | None] = field(repr=False)
    state: State
    reason: str
    seen: float


def extract(
    conversations: Iterable[Turns],
    asking: Asking,
    model: ChatModel,
    answers: Answers,
    *,
    progress: Advance = silent,
) -> Iterator[Extracted]:
    """Ask every conversation, in order; conversations are taken only so far ahead that memory does not grow with their number.

    Args:
        conversations: (role, text) turns; roles are user, assistant, system, tool.
        asking: what is asked.
        model: who answers.
        answers: where answers are kept; it also bounds how many calls run at once.
        progress: called with the number of finished calls.

    Raises:
        ModelError: too large a share of the calls failed, or the budget is used up.
    """
    ahead: deque[float] = deque()

    def shown() -> Iterator[Transcript]:
        for messages in conversations:
            found = transcript(messages, asking.budget, asking.mask)
            ahead.append(found.seen)
            yield found

    again = _Again(asking)
    found = answers.stream(model, _prompts(shown(), asking), stage=STAGE, again=again, progress=progress)
    while said := [answer for _, answer in zip(range(asking.calls_each), found, strict=False)]:
        yield _extracted(said, asking, ahead.popleft())


def prompts(conversations: Iterable[Turns], asking: Asking) -> Iterator[Prompt]:
    """The prompts, conversation by conversation: those of one share their beginning (servers cache it)."""
    return _prompts((transcript(messages, asking.budget, asking.mask) for messages in conversations), asking)


def _prompts(transcripts: Iterable[Transcript], asking: Asking) -> Iterator[Prompt]:
    if asking.together:
        template = load("facets", asking.prompts)
        keys, form = "\n".join(map(_key, asking.facets)), schema(asking.facets)
        room = _FORM + sum(_ROOM[facet.type] for facet in asking.facets)
        for shown in transcripts:
            data: dict[str, Data] = {"conversation": shown.turns, "keys": keys}
            yield fill(template, data, schema=form, max_tokens=room)
        return
    one: dict[bool, Template] = {True: load("facet", asking.prompts), False: load("label", asking.prompts)}
    for shown in transcripts:
        for facet in asking.facets:
            data = {"conversation": shown.turns, "question": facet.question}
            data |= {"prefill": facet.prefill} if facet.type == "text" else {"form": _form(facet)}
            yield fill(one[facet.type == "text"], data)


def schema(facets: Sequence[Facet]) -> dict[str, Any]:
    """The JSON schema of the object that answers all facets; within what both vendors' strict modes know."""
    kinds: dict[str, dict[str, Any]] = {"text": {"type": "string"}, "number": {"type": "number"}}
    properties: dict[str, Any] = {}
    for facet in facets:
        if facet.type == "category":
            properties[facet.name] = {"type": "string", "enum": list(facet.values)}
        elif facet.type == "scale":
            levels = [level for level, _ in enumerate(facet.labels, 1)]
            properties[facet.name] = {"type": "integer", "enum": levels}
        else:
            properties[facet.name] = kinds[facet.type]
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _key(facet: Facet) -> str:
    """The line that asks for one key of the object."""
    line = f'- "{facet.name}": '
    if facet.type == "text":
        begins = f'; it continues "{facet.prefill}"' if facet.prefill else ""
        return f"{line}a text{begins}. {facet.question}"
    if facet.type == "category":
        choices = ", ".join(f'"{value}"' for value in facet.values)
        return f"{line}exactly one of {choices}. {facet.question}"
    if facet.type == "scale":
        return f"{line}one digit from 1 to {len(facet.labels)}. {facet.question} {_levels(facet, '; ')}"
    return f"{line}one number. {facet.question}"


def _form(facet: Facet) -> str:
    """How a closed facet is to be answered in a call of its own."""
    if facet.type == "category":
        choices = "\n".join(f"- {value}" for value in facet.values)
        return f"Answer with exactly one of these, word for word:\n{choices}"
    if facet.type == "scale":
        breaks = "\n"
        return f"Answer with one digit, a level of this scale:\n{_levels(facet, breaks)}"
    return "Answer with one number in digits."


def _levels(facet: Facet, between: str) -> str:
    return between.join(f"{level}: {label}" for level, label in enumerate(facet.labels, 1))


class _Again:
    """Asks anew where an answer is cut off or lacks a value, unless the model declines in words."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def __call__(self, prompt: Prompt, answer: Answer) -> Prompt | None:
        if declines(answer.text):
            return None
        wrong = "it breaks off before its end" if answer.cut else self._lacks(prompt, answer)
        return repaired(prompt, answer, wrong, self._asking.prompts) if wrong else None

    def _lacks(self, prompt: Prompt, answer: Answer) -> str:
        if prompt.schema is not None:
            values = read_object(answer.text, self._asking.facets)
            missing = ", ".join(f'"{name}"' for name, value in values.items() if value is None)
            return f"it is no JSON object with a usable value for {missing}" if missing else ""
        # which facet a call of its own is about, its prompt alone tells
        texts = [text for _, text in prompt.messages]
        asked = [f for f in self._asking.facets if any(f.question in text for text in texts)]
        usable = any(read_answer(answer.text, facet) for facet in asked or self._asking.facets)
        return "" if usable else "it gives no value in the form asked for"


def _extracted(said: Sequence[Answer | Failure], asking: Asking, seen: float) -> Extracted:
    """What became of a conversation by the answers of its calls."""
    values: dict[str, str | None] = dict.fromkeys((facet.name for facet in asking.facets), None)
    reasons: list[tuple[State, str]] = []
    for place, answer in enumerate(said):
        asked = asking.facets if asking.together else [asking.facets[place]]
        if isinstance(answer, Failure):
            reasons.append(("refused" if answer.refused else "failed", answer.reason))
        elif declines(answer.text):
            reasons.append(("refused", "the model declines to answer"))
        else:
            read = (
                read_object(answer.text, asked)
                if asking.together
                else {asked[0].name: read_answer(answer.text, asked[0])}
            )
            values |= {name: asking.mask(value) if value else value for name, value in read.items()}
            if missing := [name for name, value in read.items() if value is None]:
                reasons.append(("failed", f"no usable value of {', '.join(missing)}"))
    if not reasons:
        return Extracted(values, "answered", "", seen)
    state, reason = min(reasons)  # "failed" before "refused": it may do better another time
    return Extracted(values, state, reason, seen)
