"""Identifiers of people in text: found by form and checksum, and masked so that the sentence stays readable.

Some twenty kinds, with words of more than twenty languages around them. A number with a checksum or a form of its own stands alone; another
counts only after a word that says what it is. Names are found only where something beside them gives them away; ``clio.privacy.names``
finds more. What is found and what is missed is measured by ``benchmarks/pii.py`` and said in ``docs/privacy.md``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from clio.privacy.pii import forms, numbers
from clio.privacy.pii.addresses import addresses
from clio.privacy.pii.disguise import plain
from clio.privacy.pii.people import given_names, low_given_names, names
from clio.privacy.pii.phones import phones
from clio.privacy.pii.spans import Form, Span, Traits, heads, merged

__all__ = ["KINDS", "Span", "find", "mask", "merged"]

_FORMS = (*numbers.FORMS, *forms.FORMS)
#: the words that stand in brackets for an identifier
KINDS = tuple(dict.fromkeys([*(form.kind for form in _FORMS), "iban", "phone", "address", "name"]))

# a text in lower case without digits holds nothing that is sought but for one of these; most requests end at this search
_WORTH = re.compile(
    r"[@\dA-Z]|[^\x00-\x7f]|://|www\.|\sdot\s|[\[({<] ?at|name|call(?:s|ed)? |passw|corner of|me llamo|me dicen|mi chiamo|ich hei|mon nom"
    r"|ik heet|je m'app|me chamo|mi nombre|nazywam|jag heter|jeg he|a nevem|nimeni|numele|jmenuji|zovem|ime mi|t.n t.i|jina langu"
)
_WORD = re.compile(r"[^\W\d_]+")
_NO_LETTERS = {code: " " for code in range(128) if not chr(code).isalpha()}
_DIGIT = re.compile(r"\d")
_COUNTS = (2, 3, 4, 6, 7, 9, 12, 13, 17)
_HEADS = {word: lists.split() for word, lists in heads().items()}
_LISTS = frozenset(trait for lists in _HEADS.values() for trait in lists)
_SPELLED = re.compile(r"[\[({<]\s*(?:at|@|dot)\s*[\])}>]|\sdot\s", re.IGNORECASE)
_RUN = re.compile(r"[\w\-<]{11}")
_LETTERS = re.compile(r"[A-Za-z]{2}\d\d")
_SCRIPTS: dict[str, re.Pattern[str]] = {
    "han": re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]"),
    "cyrillic": re.compile(r"[\u0400-\u04ff]"),
    "hangul": re.compile(r"[\uac00-\ud7a3]"),
    "arabic": re.compile(r"[\u0600-\u06ff]"),
    "hebrew": re.compile(r"[\u05d0-\u05ea]"),
    "indic": re.compile(r"[\u0900-\u0dff]"),
    "thai": re.compile(r"[\u0e00-\u0e7f]"),
}


def _traits(text: str) -> Traits:
    """What can be seen of a text at a glance; most texts lack most of it, and most patterns need not be tried on them."""
    low = text.lower()
    words = low.translate(_NO_LETTERS).split() if low.isascii() else _WORD.findall(low)
    seen = {trait for word in words if word in _HEADS for trait in _HEADS[word]}
    if "://" in low or "www." in low:
        seen.add("link")
    if ("dot" in low or "[" in low or "(" in low or "{" in low or "<" in low) and _SPELLED.search(text):
        seen.add("spelled")
    if _RUN.search(text):
        seen.add("run")
    if not text.isascii():
        seen.add("foreign")
        scripts = {trait for trait, test in _SCRIPTS.items() if test.search(text)}
        seen |= scripts
        if scripts - {"cyrillic"}:  # words of these are not parted, or have endings
            seen |= _LISTS
    seen.update([sign for sign in "@:#" if sign in text])
    if "-" in text or ":" in text:
        seen.add("separator")
    if "\n" in text:
        seen.add("line")
    if text != low:
        seen.add("capital")
        if not (text.isascii() and low_given_names().isdisjoint(words)):
            seen.add("given")
    digits = len(_DIGIT.findall(text))
    if digits:
        seen.add("digit")
        seen.update([f"digits{count}" for count in _COUNTS if digits >= count])
        if _LETTERS.search(text):
            seen.add("letters")
    return frozenset(seen)


@lru_cache(maxsize=4096)
def _tried(traits: Traits) -> tuple[Form, ...]:
    """The forms worth trying on a text of these traits."""
    return tuple(form for form in _FORMS if traits.issuperset(form.needs.split()))


def find(text: str, *, known_names: bool = False) -> list[Span]:
    """The identifiers of a text: spans in order that do not overlap.

    Digits and letters of other widths, invisible characters and spelled out mail addresses are read as what they stand for.

    Args:
        text: any text.
        known_names: common given names are names of people too, with nothing beside them. Not for texts about to be published: they may
            speak of Albert Einstein.
    """
    if not _WORTH.search(text):
        return []
    shown, places = plain(text)
    traits = _traits(shown)
    spans: list[Span] = []
    if "letters" in traits and "digits9" in traits:
        spans += numbers.ibans(shown)
    for form in _tried(traits):
        spans += form.spans(shown)
    spans += names(shown, traits)
    if known_names and "given" in traits:
        spans += given_names(shown)
    if "digit" in traits:
        spans += addresses(shown, traits)
    if "digits6" in traits:
        spans += phones(shown)
    if places is not None:
        spans = [Span(places[span.start], places[span.end - 1] + 1, span.kind) for span in spans]
    return merged(spans) if spans else []


def mask(text: str, more: Sequence[Span] = ()) -> str:
    """The text with each identifier replaced by its kind in brackets: "write to [email]".

    Args:
        text: any text.
        more: spans of this text found elsewhere, such as those of ``clio.privacy.names.find``; masked too, in any order.
    """
    spans = find(text, known_names=True)
    if more:
        spans = merged([*spans, *more])
    if not spans:
        return text
    parts, at = [], 0
    for span in spans:
        parts += [text[at : span.start], f"[{span.kind}]"]
        at = span.end
    return "".join([*parts, text[at:]])
