"""Numbers that a state, a bank or a card's issuer gives out: by their form with a checksum, or after a word that says what they are.

Checksums are those of ``python-stdnum``, loaded where a number turns up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module

from clio.privacy.pii.spans import Form, Span, words


@cache
def _valid(name: str) -> Callable[[str], bool]:
    valid: Callable[[str], bool] = import_module(f"stdnum.{name}").is_valid
    return valid


def _by(*names: str) -> Callable[[str], bool]:
    """A check that holds if one of the named modules of stdnum takes the number for valid, or if none is named."""

    def holds(text: str) -> bool:
        return not names or any(_valid(name)(text) for name in names)

    return holds


def _card(text: str) -> bool:
    """Whether it is the number of a payment card: an issuer's first digits and the Luhn checksum (ISO/IEC 7812-1)."""
    digits = re.sub(r"\D", "", text)
    issued = digits[0] in "3456" or digits[:2] in {"18", "21", "22", "23", "24", "25", "26", "27"}
    return issued and 13 <= len(digits) <= 19 and len(set(digits)) > 1 and _valid("luhn")(digits)


def _long(text: str) -> bool:
    return 12 <= sum(c.isdigit() for c in text) <= 19


_IBAN = re.compile(r"(?i:\b[A-Z]{2}\d{2}(?:[ \-]?[A-Z0-9]){11,30})")
_SHORTEST_IBAN = 15


def ibans(text: str) -> Iterator[Span]:
    """International bank account numbers (ISO 13616): the longest that holds from where one begins, for words may follow it."""
    valid = None
    for found in _IBAN.finditer(text):
        valid = valid or import_module("stdnum.iban").is_valid
        start, end = found.span()
        while end - start >= _SHORTEST_IBAN:
            whole = not text[end : end + 1].isalnum() and text[end - 1].isalnum()
            if whole and valid(text[start:end], check_country=False):
                yield Span(start, end, "iban")
                break
            end -= 1


_NUMBER = (
    r"(?:numbers?|numéro|número|numero|nummer|numer|номер|no\.?|nr\.?|n°|nº|num|code|id|号码?|番号|번호|संख्या)"
)
_SAID = rf"(?:\s?{_NUMBER})?(?:\s?(?:is|ist|est|es|é|è|to|nó)\b|\s?[:#=是はは는은])\s*|\s?{_NUMBER}\s?#?"
# with nothing between the word and the number it takes six digits, or letters
_PAPER = (
    rf"(?i:{words('paper')}(?:{_SAID}|\s+(?!\d{{1,5}}(?!\w| \d\d))))"
    r"(?P<x>#?(?:(?=[A-Z\-]{0,6}[\d ]*\d)(?:[A-Z0-9][A-Z0-9\-/]{4,24}|\d{2,6}(?:[ .]\d{2,6}){1,5})"
    r"|(?=[a-z\-]*\d[a-z\-]*\d[a-z\-]*\d)[a-z0-9][a-z0-9\-]{5,24}))(?![\w%])"
)
# (what a text must have, form, modules of stdnum of which one must hold, or none)
_NATIONAL: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("digits9", r"(?<![\d\-])\d{3}-\d{2}-\d{4}(?![\d\-])", ()),  # social security of the United States
    ("digits17", r"(?<!\d)\d{17}[\dXx](?!\d)", ("cn.ric",)),
    ("digits7", r"(?i:\b[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]\b)", ("it.codicefiscale",)),
    ("digits7", r"\b[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d\b", ("mx.curp",)),
    ("digits7", r"(?i:\b(?:\d{8}|[XYZ]-?\d{7})-?[A-Z]\b)", ("es.dni", "es.nie")),
    ("digits7", r"\b[STFGM]\d{7}[A-Z]\b", ()),  # Singapore
    (
        "digits4",  # national insurance of Britain
        r"\b(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\s?\d{2}\s?\d{2}\s?\d{2}\s?[A-D]\b",
        (),
    ),
    ("digits4", r"\b[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]\b", ("in_.pan",)),
    ("digits12", r"(?<!\d)(?<!\d )[2-9]\d{3} \d{4} \d{4}(?! ?\d)", ("in_.aadhaar",)),
    ("digits13", r"(?<![\d\-])\d{6}-[1-8]\d{6}(?![\d\-])", ("kr.rrn",)),
    ("digits9", r"(?<![\d.\-])\d{3}\.\d{3}\.\d{3}-\d{2}(?![\d\-])", ("br.cpf",)),
    ("digits13", r"(?<![\d.\-])\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}(?![\d\-])", ("br.cnpj",)),
    ("digits13", r"(?<!\d)[1278] ?\d{2} ?\d{2} ?(?:\d{2}|2[ABab]) ?\d{3} ?\d{3} ?\d{2}(?! ?\d)", ("fr.nir",)),
    # eleven or thirteen digits with a date and check digits
    (
        "digits9",
        r"(?<![\w.,+\-])\d{6} ?\d{5}(?![\w\-])",
        ("pl.pesel", "no.fodselsnummer", "ee.ik", "lt.asmens"),
    ),
    ("digits13", r"(?<![\w.,+\-])\d{13}(?![\w\-])", ("za.idnr", "ro.cnp", "si.emso")),
    # a date and a few digits
    ("digits9", r"(?<![\w\-])(?:19|20)?\d{6}[\-+]\d{4}(?![\w\-])", ("se.personnummer", "dk.cpr")),
    ("digits9", r"(?<![\w\-])\d{6}[\-+A-F]\d{3}[0-9A-FHJ-NPR-Y](?![\w\-])", ("fi.hetu",)),
    ("digits9", r"(?<![\w/])\d{6}/\d{4}(?![\w/])", ("cz.rc",)),
    ("digits12", r"(?<![\w\-])\d{6}-\d{2}-\d{4}(?![\w\-])", ("my.nric",)),
    # groups that are so parted in one country only
    ("digits13", r"(?<![\d.])756\.\d{4}\.\d{4}\.\d{2}(?!\d)", ("ch.ssn",)),
    ("digits9", r"(?<![\d.])\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}(?!\d)", ("be.nn",)),
    ("digits7", r"(?<![\d.])\d{1,2}\.\d{3}\.\d{3}-[\dkK](?!\w)", ("cl.rut",)),
    ("digits9", r"(?<![\d\-])\d{2}-\d{8}-\d(?![\d\-])", ("ar.cuit",)),
    ("digits13", r"(?<![\d\-])\d-\d{4}-\d{5}-\d{2}-\d(?![\d\-])", ("th.pin",)),
    ("digits9", r"(?<![\d\-])\d{3}-\d{3}-\d{3} \d{2}(?![\d\-])", ()),  # Russia's SNILS
)
_VAT = r"\b(?:AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK)[ \-]?[A-Z0-9]{8,12}\b"

FORMS: tuple[Form, ...] = (
    Form("card", "digits13", re.compile(r"(?<![\d.])(?:\d[ \-]{0,2}){12,18}\d(?!\.?\d)"), _card),
    Form(
        "card",
        "card digits12",
        re.compile(rf"(?i:{words('card')}[^\d\n]{{0,32}})(?P<x>(?:\d[ \-]{{0,2}}){{11,18}}\d)(?!\d)"),
        _long,
    ),
    Form(
        "bank",
        "bank",
        re.compile(
            r"(?i:\b(?:swift|bic)(?:[ /]?(?:code|bic))?(?: is)?\s*[:#=]?\s*)(?P<x>[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)\b"
        ),
    ),
    Form(
        "bank",
        "bank digits6",
        re.compile(r"(?i:\bsort ?code(?: is)?\s*[:#=]?\s*)(?P<x>\d{2}[ \-]?\d{2}[ \-]?\d{2})\b"),
    ),
    Form("id", "paper digits3", re.compile(_PAPER)),
    Form(
        "id",
        "social digits9",
        re.compile(
            r"(?i:\b(?:ssn|social(?: security)?)\b[^\d\n]{0,20})(?P<x>\d(?:[ \-]{0,3}\d){8})(?![\d\-])"
        ),
    ),
    *(Form("id", needs, re.compile(pattern), _by(*modules)) for needs, pattern, modules in _NATIONAL),
    # a passport's machine-readable zone (ICAO 9303)
    Form("passport", "run", re.compile(r"\bP[A-Z<][A-Z]{3}[A-Z<]{20,}\s*[A-Z0-9<]{28,44}")),
    # value added tax of the European Union and of Britain
    Form("vat", "digits7", re.compile(_VAT), _by("eu.vat")),
    Form("vat", "digits9", re.compile(r"\bGB[ \-]?\d{3} ?\d{4} ?\d{2}\b"), _by("gb.vat")),
    Form(
        "vat",
        "vat digits7",
        re.compile(r"(?i:\bvat(?: number| no\.?| id)?(?: is)?\s*[:#=]?\s*)(?P<x>[A-Z]{2}[A-Z0-9]{8,12})\b"),
    ),
)
