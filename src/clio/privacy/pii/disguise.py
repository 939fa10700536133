"""Text as it reads, for searching: look-alike digits and letters made plain, invisible characters left out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

# the zeros of the scripts whose digits people type, each followed by its nine others
_ZEROS = "٠۰߀०০੦૦୦௦౦೦൦෦๐໐༠၀០᠐"
_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63"
# soft hyphens, joiners, marks of direction, variation selectors: they show nothing
_UNSEEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]")


@cache
def _plain() -> dict[int, str]:
    """One ASCII character for each that looks like it: full-width, mathematical and circled ones, digits, spaces and dashes."""
    table = {
        code: form
        for first, last in ((0x2460, 0x24F0), (0xFF01, 0xFF5F), (0x1D400, 0x1D800))
        for code in range(first, last)
        if len(form := unicodedata.normalize("NFKC", chr(code))) == 1 and form.isascii()
    }
    table |= {ord(zero) + digit: str(digit) for zero in _ZEROS for digit in range(10)}
    table |= dict.fromkeys(map(ord, _SPACES), " ") | dict.fromkeys(map(ord, _DASHES), "-")
    return table | {ord("﹫"): "@", ord("․"): ".", ord("﹒"): "."}


def plain(text: str) -> tuple[str, Sequence[int] | None]:
    """The text to search, and for each of its characters where it stands in the one given (None: at the same place)."""
    if text.isascii():
        return text, None
    shown = text.translate(_plain())
    if _UNSEEN.search(shown) is None:
        return shown, None
    unseen = {found.start() for found in _UNSEEN.finditer(shown)}
    places = [i for i in range(len(shown)) if i not in unseen]
    return "".join([shown[i] for i in places]), places
