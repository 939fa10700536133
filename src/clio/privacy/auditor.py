"""The auditor: rates texts about to be published for how far they could point at someone, 1 (identifies) to 5 (does not) (paper G.8, 2.2).

Two routes. Offline a few rules, which say what they cannot judge. With a chat model the paper's scale, by ``prompts/auditor.md``; an
answer that cannot be read counts as 1: what nobody vouched for is not shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clio.models.answers import Answers
from clio.models.protocols import Answer, ChatModel, Prompt
from clio.privacy.pii import find
from clio.progress import Advance, silent
from clio.prompts import Template, fill, load, repaired
from clio.text import word_list

#: what readers of an offline audit are told
CAVEAT = "rated by rules: identifiers and forms of names only; rules cannot judge whether a rare circumstance points at someone"

_ORGANISATION = re.compile(
    r"\b[A-Z][\w&'’-]+\s+(?:Inc|Ltd|LLC|GmbH|Corp|PLC|AG|SA|BV|Co|University|College|Hospital|Clinic|School|Church|Bakery|Dental)\b"
)
_CAPITALISED = re.compile(r"(?<=[a-z,;] )(?:[A-Z][a-z'’-]+(?: [A-Z][a-z'’-]+)+)")
_RATING = re.compile(r"<rating>\s*([1-5])\s*(?:<|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rating:
    """``score`` 1..5 (5: points at nobody) and the rule or judge it comes from."""

    score: int
    reason: str


def audit(texts: Sequence[str]) -> list[Rating]:
    """Rate texts by rules: 1 an identifier, 2 the form of an organisation, 3 the form of a person's or place's name, otherwise 5.

    A 5 says only that no rule fired (see ``CAVEAT``); support by many users is checked by the gate besides.
    """
    known = {word.casefold() for word in word_list("capitals")}
    found = []
    for text in texts:
        if find(text):
            found.append(Rating(1, "identifier"))
        elif _ORGANISATION.search(text):
            found.append(Rating(2, "organisation"))
        elif any(not {w.casefold() for w in m.group().split()} <= known for m in _CAPITALISED.finditer(text)):
            found.append(Rating(3, "name-like"))
        else:
            found.append(Rating(5, "no rule fired"))
    return found


def audit_with_model(
    texts: Sequence[str],
    model: ChatModel,
    answers: Answers,
    *,
    folder: Path | None = None,
    progress: Advance = silent,
) -> list[Rating]:
    """Rate texts with a chat model; the lower of its rating and the rules' counts.

    Args:
        texts: "name: description" of each cluster.
        model: who rates.
        answers: where answers are kept.
        folder: prompts of one's own.
        progress: called with the number of texts rated.
    """

    def again(prompt: Prompt, answer: Answer) -> Prompt | None:
        if _RATING.search(answer.text):
            return None
        return repaired(prompt, answer, "it holds no rating", folder)

    prompts = [audit_prompt(load("auditor", folder), text) for text in texts]
    found = answers.stream(model, prompts, stage="audit", again=again, progress=progress)
    rated = []
    for answer, rule in zip(found, audit(texts), strict=True):
        mark = _RATING.search(answer.text) if isinstance(answer, Answer) else None
        judged = Rating(int(mark.group(1)), "judged by model") if mark else Rating(1, "no readable rating")
        rated.append(min(judged, rule, key=lambda r: r.score))
    return rated


def audit_prompt(template: Template, text: str) -> Prompt:
    """The prompt that rates one text."""
    return fill(template, {"text": [("cluster", text)]})
