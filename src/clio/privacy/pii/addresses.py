"""Postal addresses: a house number beside a word for a street, boxes, military post, and what stands right behind them.

The core is found by form, or after a word such as "lives at"; flat, town, state and postcode behind it belong to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from clio.privacy.pii.spans import UPPER, Span, Traits, compiled, words

_CAP = rf"(?:[{UPPER}][\w'’\-]*|[{UPPER}][a-z]{{0,2}}\.)"
_OF = words("of")
_PART = rf"(?:{_OF}\b|{_CAP})"
_NUMBER = r"\d{1,5}(?:\s?[A-Za-z]\b)?(?:\s?[/\-]\s?\d{1,4}[A-Za-z]?)?"
_HAN = r"(?:(?![在于是址到去住])[\u4e00-\u9fff])"  # of a place, not of the words that lead to it
_STOP = re.compile(r"(?:[a-z]{5}|\d)\.$")  # the end of a sentence and not of an abbreviation
# a number before a street's name, that may have one behind it too
_FIRST = re.compile(r"(?<![\w.,])\d{1,6}\s$")

_CORES: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(needs.split()), pattern)
    for needs, pattern in (
        # 12 Baker Street
        (
            "digit capital",
            rf"(?<![\w.,/])\d{{1,6}}[A-Za-z]?,?\s(?:(?:{_PART}|[NSEW]\.?|\d{{1,4}})\s+){{0,4}}(?:{_CAP}|\d{{1,3}}(?:st|nd|rd|th))\s+"
            rf"(?:(?i:{words('street')})|{words('street_name')})\b\.?(?:\s(?:North|South|East|West|NE|NW|SE|SW|[NSEW])\b\.?)?",
        ),
        # 12 baker street
        (
            "street_low digit",
            rf"(?<![\w.,/:])\d{{1,6}}[a-z]?\s(?:(?!{words('not_street')}\b)[a-z0-9'’.\-]+\s){{1,3}}"
            r"(?:street|avenue|ave|road|rd|boulevard|blvd|lane|drive|highway|parkway|court|st(?=[.,?!]|$))\b\.?",
        ),
        # Musterstraße 12, Lange Gasse 3, Kossuth utca 5
        (
            "digit capital",
            rf"\b[{UPPER}](?:[\w\-]*-|[^\W\d_]{{2,}})(?i:{words('street_end')})\s{{1,2}}{_NUMBER}",
        ),
        ("street_after digit capital", rf"\b(?:{_CAP}\s){{1,3}}(?i:{words('street_after')})\s{_NUMBER}\.?"),
        # rue de la Paix 5, ul. Miła 53
        (
            "street_before digit capital",
            rf"(?<!\w)(?i:{words('street_before')})\s?(?:(?:{_PART}|\d{{1,2}})\s+){{0,4}}(?:(?:d'|l')?{_CAP}|{_OF}),?\s"
            rf"(?i:n[º°o]?\.?\s?|nr\.?\s?|no\.?\s?|д\.\s?|br\.\s?)?{_NUMBER}",
        ),
        # 5 rue de la Paix
        (
            "street_before digit capital",
            r"\b\d{1,5}(?:\s?(?:bis|ter))?,?\s(?i:rue|avenue|av\.|boulevard|bd|place|chemin|allée|impasse|quai|route|cours)\s"
            rf"(?:(?:{_PART}|d'|l')\s?){{0,4}}(?:d'|l')?{_CAP}",
        ),
        ("box digit", rf"(?i:\b{words('box')}\s(?:#|n[º°o]\.?\s?)?\d{{1,6}}\b)"),
        # military post
        (
            "military digit",
            r"(?i:\b(?:psc|cmr|unit)\s\d{1,4},?\sbox\s\d{1,5}(?:[\s,]{1,4}[afd]po\sa[aep]\s\d{5})?)",
        ),
        (
            "military digits4",
            r"(?i:(?:\b(?:uss|usns|usnv|uscgc)\s[^\n]{2,30}?[\s,]{1,4})?\b[afd]po\sa[aep]\s\d{5})",
        ),
        # a flat, with a number and a name before it or alone
        (
            "flat digit",
            rf"(?<![\w.,/:])\d{{1,6}}(?:\s[^\W\d_][\w'’.\-]*){{1,5}}(?:\s{_NUMBER}\.?,?)?(?=\s+(?i:apt|suite)\.?\s#?\d{{1,5}}\b)",
        ),
        (
            "flat digit",
            r"\b(?i:apt)\.?\s#?\d{1,5}[A-Za-z]?\b|(?:(?<=\n)|(?<=[,>]\s)|(?<=\n\s))(?i:suite)\s\d{2,5}\b",
        ),
        (
            "corner",
            rf"(?i:\b(?:the )?corner of\s(?:[\w'’.\-]+\s){{1,5}}(?:and|&))(?: {_CAP}){{1,4}}(?: \d{{1,4}})?",
        ),
        # 北京市海淀区中关村大街27号, 東京都千代田区丸の内1-1-1, 서울시 강남구 테헤란로 152
        (
            "han digit",
            rf"{_HAN}{{2,24}}(?<=[路街道巷弄同])\d{{1,5}}[号號弄](?:[\d-]{{0,5}}{_HAN}{{0,2}}(?:室|楼|号|栋|单元|樓|號)){{0,3}}",
        ),
        (
            "han digit",
            rf"{_HAN}{{1,4}}(?<=[都道府県]){_HAN}{{1,10}}(?<=[区市町村郡])[\u3040-\u30ff\u4e00-\u9fff]{{0,12}}\d{{1,4}}(?:(?:丁目|番地|番|号|-)\d{{0,4}}){{1,3}}",
        ),
        (
            "hangul digit",
            r"(?:[가-힣]{1,7}[시도구군]\s){1,3}(?:[가-힣\d]{1,11}[동읍면로길]\s?){1,2}\d{1,4}(?:-\d{1,4})?(?:\s?\d{1,4}[동호]){0,2}",
        ),
        # after "lives at": a number and capitalised words, in either order
        (
            "lives digit capital",
            rf"(?i:(?<!\w){words('lives')}\s+)(?P<x>\d{{1,6}}(?:\s(?:{_PART}|\d{{1,5}}(?=\s))){{1,6}}(?:\s\d{{1,5}}[A-Za-z]?\b\.?)?"
            rf"|{_CAP}(?:\s{_PART}){{0,5}}\s\d{{1,5}}[A-Za-z]?\b\.?)",
        ),
    )
)
_TOWN = rf"{_CAP}(?:[ ](?:{_OF}\b|{_CAP}|[(]\S+[)])){{0,4}}"
_GAP = r"(?:[ ]?,[ ]?|[ ]?,?[ ]?\n[> ?]{0,8}|[ ])"
_POSTCODE = r"(?:\d{3}[ ]\d{2}|[A-Z]\d[A-Z] \d[A-Z]\d|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|\d{2}-\d{3}|\d{4,6}(?:-\d{3,4})?)(?!\w|[.,]\d| \d)"
_UNITS = rf"(?:{_GAP}{{1,3}}(?i:{words('unit')}))"
# flats; then towns and a postcode, or towns behind commas, or behind a flat towns alone
_TAIL = (
    rf"{_UNITS}*(?:{_GAP}{{1,3}}{_TOWN}){{0,4}}(?:[ ]?,)?{_GAP}{{1,3}}{_POSTCODE}"
    rf"|{_UNITS}+(?:(?:[ ]?\n[> ?]{{0,8}}|,?[ ]){_TOWN}){{0,3}}"
    rf"|(?:,[ ]?{_TOWN}){{1,3}}(?=[ ]?(?:[.,;?!)\n]|$))"
)


def addresses(text: str, traits: Traits) -> Iterator[Span]:
    """Addresses, each with what stands behind it of flat, town and postcode."""
    for core in _tried(traits):
        for found in core.finditer(text):
            start, end = found.span("x" if "x" in core.groupindex else 0)
            if first := _FIRST.search(text, max(0, start - 8), start):
                start = first.start()
            tail = compiled(_TAIL).match(text, end)
            if tail:
                end = tail.end()
            elif _STOP.search(text, start, end):
                end -= 1
            yield Span(start, end, "address")


@lru_cache(maxsize=4096)
def _tried(traits: Traits) -> tuple[re.Pattern[str], ...]:
    """The cores worth trying on a text of these traits."""
    return tuple(compiled(core) for needs, core in _CORES if needs <= traits)
