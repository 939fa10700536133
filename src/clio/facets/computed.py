"""Facets that need no model: turns, length and week. Each gives one short categorical value, ready to be counted."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from math import isfinite

_TURNS = (1, 2, 3, 5, 10)
_TURN_NAMES = ("0", "1", "2", "3-4", "5-9", "10+")
_WORDS = (20, 100, 500, 2000)
_WORD_NAMES = ("under 20 words", "20-99 words", "100-499 words", "500-1,999 words", "2,000+ words")


def turns(user_turns: int) -> str:
    """Band of the number of user turns: "1", "2", "3-4", "5-9", "10+"."""
    return _TURN_NAMES[bisect_right(_TURNS, user_turns)]


def length(user_characters: int) -> str:
    """Band of how much the user wrote, at five characters a word."""
    return _WORD_NAMES[bisect_right(_WORDS, user_characters // 5)]


def week(moment: datetime | None) -> str | None:
    """ISO week of a moment ("2026-W09"), None where the log has no time."""
    if moment is None:
        return None
    year, number, _ = moment.isocalendar()
    return f"{year}-W{number:02d}"


def trust(value: object, full: float) -> float | None:
    """How far an account is trusted, 0..1: a number as a share of the one that counts in full; None for what is no number."""
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return min(1.0, max(0.0, found / full)) if isfinite(found) else None
