"""The auditor: rates texts about to be published for how far they could point at someone, 1 (identifies) to 5 (does not) (paper G.8, 2.2).

Two routes. Offline some rules, which see how a text is written and say what they cannot judge (``CAVEAT``). With a chat model the paper's
scale, by ``prompts/auditor.md``; an answer that cannot be read counts as 1: what nobody vouched for is not shown. How far either can be
trusted is measured on a labelled set (``clio.evaluation.calibration``, ``benchmarks/auditor.py``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from clio.models.protocols import Answer, ChatModel, Prompt
from clio.privacy.rules import Rating, rate
from clio.progress import Advance, silent
from clio.prompts import Template, fill, load, repaired

if TYPE_CHECKING:
    from clio.models.answers import Answers

#: what readers of an offline audit are told
CAVEAT = (
    "rated by rules, which see forms only: identifiers, names written with capitals or in another script, organisations, dates, a few "
    "turns of phrase; rules cannot judge whether a circumstance is rare, and miss most names in lower case and most unusual events"
)

_RATING = re.compile(r"<rating>\s*([1-5])\s*(?:<|$)", re.IGNORECASE)


def audit(texts: Sequence[str]) -> list[Rating]:
    """Rate English texts "name: description" by rules.

    1 an identifier, an account, or a person after a cue; 2 the form of a name, an organisation, a site, a small group, an exact date, one
    particular person by a turn of phrase, or several rare traits together; 3 a single capitalised word that is not widely known; otherwise
    5. A 5 says only that no rule fired (see ``CAVEAT``); support by many users is checked by the gate besides.
    """
    return [rate(text) for text in texts]


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
    judged = judge(texts, model, answers, folder=folder, progress=progress)
    return [min(pair, key=lambda r: r.score) for pair in zip(judged, audit(texts), strict=True)]


def judge(
    texts: Sequence[str],
    model: ChatModel,
    answers: Answers,
    *,
    folder: Path | None = None,
    progress: Advance = silent,
) -> list[Rating]:
    """What a chat model alone says; 1 where its answer holds no rating. Arguments as of ``audit_with_model``."""

    def again(prompt: Prompt, answer: Answer) -> Prompt | None:
        if _RATING.search(answer.text):
            return None
        return repaired(prompt, answer, "it holds no rating", folder)

    prompts = [audit_prompt(load("auditor", folder), text) for text in texts]
    found = answers.stream(model, prompts, stage="audit", again=again, progress=progress)
    marks = [_RATING.search(answer.text) if isinstance(answer, Answer) else None for answer in found]
    return [Rating(int(m[1]), "judged by model") if m else Rating(1, "no readable rating") for m in marks]


def audit_prompt(template: Template, text: str) -> Prompt:
    """The prompt that rates one text."""
    return fill(template, {"text": [("cluster", text)]})
