"""Phone numbers: international, of North America, beside a word such as "call", and what ``phonenumbers`` takes for valid."""

from __future__ import annotations

import re
from collections.abc import Iterator

from clio.privacy.pii.spans import Span, words

_EXTENSION = r"\s?(?:x|ext\.?|extension)\s?\d{1,6}"
# digits with at most three marks between two of them
_RUN = re.compile(
    r"(?<![\w.@=#$€£¥%])(?<!\d[:/,])[+(]{0,2}\d(?:[ \-./()]{0,3}\d){5,}"
    rf"(?:(?i:{_EXTENSION}))?(?!\w|[.,:%]\d|\s?%)"
)
_ENDING = re.compile(rf"{_EXTENSION}$", re.IGNORECASE)
_YEAR = r"(?:19|20)\d\d"
_NO_PHONE = re.compile(
    r"\d{1,4}[./\-]\d{1,2}[./\-]\d{1,4}(?: \d\d?)?"  # a date
    rf"|{_YEAR}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])(?:\d{{6}})?|{_YEAR} ?[\-/] ?{_YEAR}"
    r"|\d{1,3}(?:\.\d{1,3}){3}"  # an address of a machine
    r"|[1-9]\d{3}-\d{4}|[1-9]\d{4}-\d{5}|[1-9]\d{5}-\d{6}|[1-9]\d{2}-\d{3}"  # from … to
)
_BEFORE = re.compile(rf"(?i:{words('phone')})[^\d\n]{{0,24}}(?:\n\s*)?$")
_AFTER = re.compile(
    r"[\s\-,(]{0,3}(?:office|fax|mobile|cell|home phone|work phone|landline|desk)\b", re.IGNORECASE
)
_WINDOW = 48  # characters before a run in which a word may say that it is a phone number
_NORTH_AMERICAN = re.compile(
    r"(?:(?:\+|00)?1[ .\-]?)?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .\-])\d{3}[ .\-]\d{4}"
    r"|(?:(?:\+|00)?1[ .\-]?)?\(?\d{3}\)?[ .\-]?\d{3}[.\-]\d{4}"
)
# with the zero that leads it inside its country, in groups
_NATIONAL = re.compile(
    r"\(?0\d{1,4}\)?(?:[ .\-/]{1,2}\d{2,4}){2,4}|\(?0\d{2,4}\)?[ \-/]{1,3}\d{5,8}|00\d{1,3}(?:[ \-]\d{1,5}){2,5}"
)
_REGIONS = ("US", "GB", "DE", "FR", "ES", "IN", "CN", "JP", "BR", "PL")
_BARE = ("US", "IN", "CN")  # where numbers are long enough to be known by their digits alone


def phones(text: str) -> Iterator[Span]:
    """The phone numbers of a text, an extension included."""
    for run in _RUN.finditer(text):
        shown, start = _ENDING.sub("", run.group()), run.start()
        if shown.startswith("(") and ")" not in shown:
            shown, start = shown[1:], start + 1
        digits = re.sub(r"\D", "", shown)
        if len(digits) > 15:  # several in a row
            for found in _NORTH_AMERICAN.finditer(shown):
                yield Span(start + found.start(), start + found.end(), "phone")
        elif not _NO_PHONE.fullmatch(shown) and (
            _BEFORE.search(text, max(0, start - _WINDOW), start)
            or _AFTER.match(text, run.end())
            or _formed(shown, digits)
        ):
            yield Span(start, run.end(), "phone")


def _formed(shown: str, digits: str) -> bool:
    """Whether a run of digits has the form of a phone number, with nothing around it that says so."""
    if shown.startswith(("+", "(+")):
        return len(digits) >= 8
    if _NORTH_AMERICAN.fullmatch(shown):
        return True
    if any(len(group) < 2 for group in shown.split(".")):
        return False
    if len(digits) <= 13 and _NATIONAL.fullmatch(shown):
        return True
    return (
        9 <= len(digits) <= 13
        and len(set(digits)) > 2
        and _valid(shown, _BARE if shown == digits else _REGIONS)
    )


def _valid(shown: str, regions: tuple[str, ...]) -> bool:
    """Whether it is a valid number in one of the countries."""
    import phonenumbers  # large tables, loaded only when needed

    for region in regions:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(shown, region)):
                return True
        except phonenumbers.NumberParseException:
            return False
    return False
