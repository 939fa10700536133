"""What a chat model is shown of a conversation: within a budget of tokens, identifiers masked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from clio.models import tokens
from clio.privacy.pii import mask

#: tokens of a conversation that a model is shown
BUDGET = 6000
_MARGIN = 100  # characters read beyond a cut, so that an identifier is masked before it is cut in two
_LEAST = 50  # tokens of a turn between the first request and the last exchange
_MARK = 8  # tokens that a turn's tags take, or a mark of turns left out

Turns = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Transcript:
    """The (role, text) turns that are shown, and the share of the conversation's characters in them, 0..1."""

    turns: list[tuple[str, str]] = field(repr=False)
    seen: float = 1.0


def transcript(messages: Turns, budget: int = BUDGET, mask: Callable[[str], str] = mask) -> Transcript:
    """A conversation within a budget of tokens (o200k_base), with its identifiers masked.

    What fits is shown whole. Else the first request and the last exchange stay (long turns lose their
    middle), an even sample of the turns between fills the rest, and marks say where turns are left out.

    Args:
        messages: (role, text) in order.
        budget: tokens, at least 200.
        mask: takes the identifiers out of a text.
    """
    turns = [(role, text) for role, text in messages if text.strip()]
    if _fits(turns, budget):
        return Transcript([(role, mask(text)) for role, text in turns])
    first = next((place for place, (role, _) in enumerate(turns) if role == "user"), 0)
    ends = {first, *range(max(0, len(turns) - 2), len(turns))}
    shown = {place: _clip(turns[place][1], budget // 4, mask) for place in ends}
    between = [place for place in range(len(turns)) if place not in ends]
    room = budget - sum(tokens.count(text) + _MARK for text, _ in shown.values())
    if between and room >= _LEAST:
        count = min(len(between), max(1, room // (2 * (_LEAST + _MARK))))
        for step in range(count):
            place = between[(2 * step + 1) * len(between) // (2 * count)]
            shown[place] = _clip(turns[place][1], room // count - 2 * _MARK, mask)
    kept: list[tuple[str, str]] = []
    following = 0
    for place in sorted(shown):
        if place > following:
            kept.append(("omitted", f"{place - following} turns"))
        kept.append((turns[place][0], shown[place][0]))
        following = place + 1
    seen = sum(length for _, length in shown.values()) / sum(len(text) for _, text in turns)
    return Transcript(kept, min(1.0, seen))


def _fits(turns: Turns, budget: int) -> bool:
    """Whether the turns have no more tokens than the budget; most are short enough to know without counting."""
    if sum(len(text.encode("utf-8", "replace")) + _MARK for _, text in turns) <= budget:
        return True
    left = budget
    for _, text in turns:
        # a token is seldom longer than sixteen characters: a text far beyond that need not be counted whole
        left -= tokens.count(text[: 16 * budget]) + _MARK
        if left < 0:
            return False
    return True


def _clip(text: str, budget: int, mask: Callable[[str], str]) -> tuple[str, int]:
    """A masked text of about so many tokens, and how many characters it shows: two thirds from the beginning, one from the end."""
    reach = 16 * budget
    if len(text) <= reach and tokens.count(text) <= budget:
        return mask(text), len(text)
    head = len(tokens.head(text[:reach], budget * 2 // 3))
    tail = len(tokens.tail(text[-reach:], budget // 3))
    before, after = mask(text[: head + _MARGIN]), mask(text[-tail - _MARGIN :])
    # what is left of the margin goes: at its edge half an identifier may stand
    begin = before[: min(head, len(before) - _MARGIN)]
    end = after[max(_MARGIN, len(after) - tail) :]
    return f"{begin} […] {end}", head + tail
