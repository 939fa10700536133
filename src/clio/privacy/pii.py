"""Identifiers of people in text: found by form and checksum, and masked so that the sentence stays readable.

Structured identifiers (mail, phone, card, key …) are found by their form; names and addresses only where a cue stands before them
("my name is …"). What this misses is measured and said in ``docs/privacy.md``; published texts lean on support by many users instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from clio.text import word_list

#: longest text that is searched; what lies beyond is not read
_WORTH = re.compile(
    r"[@\d]|://|www\.|\b(?:[A-Z]{2,}|[Mm]y name|[Ii]'?m |[Ii] am |[Cc]all me|Mr|Mrs|Ms|Dr|[Mm]e llamo"
    r"|[Mm]i nombre|[Ii]ch hei|"
    r"[Mm]ein Name|[Jj]e m'appelle|[Mm]on nom|[Mm]i chiamo|[Mm]eu nome|[Mm]e chamo)|我叫|我是|我的名字|名前|と申し"
    r"|です|зовут|имя|اسمي|मेरा नाम|이름"
)


@dataclass(frozen=True, slots=True)
class Span:
    """Where an identifier stands (``text[start:end]``) and of what kind it is; never the identifier itself."""

    start: int
    end: int
    kind: str


def luhn(digits: str) -> bool:
    """Whether the Luhn checksum of payment cards holds (ISO/IEC 7812-1)."""
    total = 0
    for i, digit in enumerate(reversed(digits)):
        n = int(digit) * (1 + i % 2)
        total += n - 9 if n > 9 else n
    return total % 10 == 0


def iban(text: str) -> bool:
    """Whether the check digits of an IBAN hold (ISO 13616, mod 97)."""
    compact = re.sub(r"\s", "", text).upper()
    number = "".join(str(int(c, 36)) for c in compact[4:] + compact[:4])
    return int(number) % 97 == 1


def chinese_id(text: str) -> bool:
    """Whether the check digit of a Chinese resident id holds (GB 11643)."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return (
        "10X98765432"[sum(int(d) * w for d, w in zip(text[:17], weights, strict=True)) % 11]
        == text[17].upper()
    )


def _card(text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and luhn(digits)


def _mixed(text: str) -> bool:
    """Whether a long run of letters and digits looks drawn at random: a key, a token, an id."""
    return bool(re.search(r"\d", text)) and bool(re.search(r"[a-zA-Z]", text)) and len(set(text)) >= 10


def _always(_text: str) -> bool:
    return True


_NAME = r"(?:[A-ZÀ-ÖØ-ÞА-Я][\w'’\-]+)(?:\s+(?:[a-z]{2,3}\s+)?[A-ZÀ-ÖØ-ÞА-Я][\w'’\-]+){0,3}"
# kind, pattern (what is masked is group "x" or all of it), check, what a text must have (see _traits) for it to be worth a try
_FORMS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool], str], ...] = (
    ("email", re.compile(r"[\w.+%\-]{1,64}\s?@\s?[\w\-]{1,63}(?:\.[\w\-]{1,63})+"), _always, "@"),
    ("link", re.compile(r"(?:https?|ftp)://\S+|www\.\S+", re.I), _always, "link"),
    (
        "key",
        re.compile(
            r"\b(?:sk|pk|rk)[-_][\w\-]{16,}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_\w{20,}"
            r"|\bxox[abpr]-[\w\-]{10,}|\bAIza[\w\-]{30,}"
            r"|\beyJ[\w\-]{8,}\.[\w\-]{8,}(?:\.[\w\-]*)?|\b(?:[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})\b"
        ),
        _always,
        "run",
    ),
    ("iban", re.compile(r"\b[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){2,7}(?:\s?[A-Z0-9]{1,3})?\b"), iban, "digit"),
    ("card", re.compile(r"(?<![\d.])(?:\d[ \-]?){12,18}\d(?![\d.])"), _card, "digits13"),
    (
        "wallet",
        re.compile(r"\b(?:bc1[a-z0-9]{25,60}|[13][a-km-zA-HJ-NP-Z1-9]{25,34}|0x[0-9a-fA-F]{40})\b"),
        _mixed,
        "digit run",
    ),
    ("id", re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)"), chinese_id, "digits13"),
    ("id", re.compile(r"(?<![\d\-])\d{3}-\d{2}-\d{4}(?![\d\-])"), _always, "digits9"),
    (
        "id",
        re.compile(
            r"(?i:\b(?:passport|licen[cs]e|account|acct|ssn|nhs|member|policy|case|order|tracking"
            r"|booking|reservation|invoice|id|tax|reference|routing|employee|student|patient"
            r"|medical record|vin|imei|证件|身份证|护照)"
            r"(?:\s+(?:number|no\.?|code|id))?\s*(?:is"
            r"|[:#=])?\s*)(?P<x>#?(?=[A-Z0-9\-]*\d)[A-Z0-9][A-Z0-9\-]{4,24})\b"
        ),
        _always,
        "digit",
    ),
    ("mac", re.compile(r"\b(?:[0-9A-Fa-f]{2}[:\-]){5}[0-9A-Fa-f]{2}\b"), _always, "separator"),
    (
        "ip",
        re.compile(r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.])"),
        _always,
        "digits4",
    ),
    (
        "ip",
        re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){4,7}(?:[0-9A-Fa-f]{1,4}|:)(?![\w:])"),
        _always,
        "colon",
    ),
    ("handle", re.compile(r"(?<![\w@.])@[A-Za-z]\w{2,30}\b"), _always, "@"),
    (
        "address",
        re.compile(
            r"\b\d{1,5}[A-Za-z]?\s+(?:[A-ZÀ-Þ][\w'’.\-]*\s+){1,4}(?:Street|St|Avenue|Ave|Road|Rd"
            r"|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|"
            r"Terrace|Way|Crescent|Close|Highway|Hwy|Parkway|Apt|Suite)\b\.?(?:,?\s+(?:Apt|Suite|Unit|#)\s*\w+)?"
        ),
        _always,
        "digit",
    ),
    (
        "address",
        re.compile(
            r"\b(?:[A-ZÄÖÜ][a-zäöüß]+(?:straße|strasse|str\.|weg|platz|gasse|allee)|(?:rue|avenue"
            r"|boulevard|calle|avenida|via|viale|rua|paseo|plaza|улица"
            r"|ул\.)\s+(?:\w+\s+){0,4}?\w+)\s*,?\s*(?:n[ºo°.]?\s*)?\d{1,4}\b"
            r"|\b\d{1,4}\s*,?\s*(?:rue|avenue|boulevard|place|chemin|allée)\s+(?:\w+['’\s]+){0,4}?[A-ZÀ-Þ]\w+",
            re.I,
        ),
        _always,
        "digit",
    ),
    (
        "address",
        re.compile(
            r"[\u4e00-\u9fff]{2,12}(?:省|市|区|县|镇)[\u4e00-\u9fff\d]{1,20}(?:路|街|道|巷"
            r"|弄)\d{1,5}号?(?:[\d\u4e00-\u9fff]{1,8}(?:室|楼|号|栋|单元))?"
        ),
        _always,
        "digit cjk",
    ),
    (
        "birth",
        re.compile(
            r"(?i:\b(?:born(?:\s+on)?|birthday\s+is|date of birth|dob|geboren am|né[e]? le"
            r"|nacid[oa] el|nato il)\b\s*[:=]?\s*)(?P<x>(?:\d{1,4}[./\-]\d{1,2}[./\-]\d{1,4}"
            r"|\w+ \d{1,2},? \d{4}|\d{1,2}\.? \w+ \d{4}))"
        ),
        _always,
        "digits3",
    ),
    (
        "name",
        re.compile(
            r"(?:\b(?i:my (?:full )?name(?:'s| is)|i am called|call me|this is|me llamo|mi nombre es"
            r"|ich heiße|ich heisse|mein name ist|je m'appelle|mon nom est|mi chiamo|il mio nome è"
            r"|meu nome é|me chamo|"
            r"mijn naam is|ik heet|меня зовут|моё имя|моя фамилия)\s+)(?P<x>"
            + _NAME
            + r"|[^\W\d_]{2,20}(?:\s[^\W\d_]{2,20})?(?=[\s,.!]|$))"
        ),
        _always,
        "",
    ),
    (
        "name",
        re.compile(
            r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Herr|Frau|Sr|Sra|Señor|Señora|Monsieur|Madame|M\.|Mme)\.?\s+(?P<x>"
            + _NAME
            + ")"
        ),
        _always,
        "",
    ),
    ("name", re.compile(r"(?:\bI'?m|\bI am)\s+(?P<x>[A-Z][a-z]+\s+[A-Z][a-z'’\-]+)\b"), _always, "I"),
    (
        "name",
        re.compile(
            r"(?i:\b(?:my (?:wife|husband|son|daughter|boss|friend|brother|sister|mother|father"
            r"|doctor|colleague|boyfriend|girlfriend|neighbou?r|teacher|manager)(?:'s name is"
            r"| is called| is named| named)?)\s+)(?P<x>[A-Z][a-z]+(?:\s+[A-Z][a-z'’\-]+)?)\b"
        ),
        _always,
        "",
    ),
    (
        "name",
        re.compile(r"(?:我叫|我的名字(?:是|叫)|我姓|名叫)(?P<x>[\u4e00-\u9fff]{2,4}?)(?=[，。,.\s！、]|$)"),
        _always,
        "cjk",
    ),
    (
        "name",
        re.compile(
            r"(?:私の名前は|名前は)?(?P<x>[\u4e00-\u9fff\u30a0-\u30ff]{2,8})(?:と申します|といいます|と言います)"
        ),
        _always,
        "cjk",
    ),
    (
        "name",
        re.compile(r"(?:私の名前は)(?P<x>[\u4e00-\u9fff\u30a0-\u30ff・]{2,12})(?=です)"),
        _always,
        "cjk",
    ),
    (
        "name",
        re.compile(r"(?:اسمي|मेरा नाम|제 이름은|내 이름은)\s+(?P<x>[^\s،,.]+(?:\s[^\s،,.]+)?)"),
        _always,
        "foreign",
    ),
    (
        "token",
        re.compile(r"\b(?=[A-Za-z0-9_\-]*\d)(?=[A-Za-z0-9_\-]*[A-Za-z])[A-Za-z0-9_\-]{20,}\b"),
        _mixed,
        "digit run",
    ),
)
_NOT_NAMES = word_list("not_names")
_DIGITS = re.compile(r"\d")
_TRIED = [(kind, pattern, holds, frozenset(needs.split())) for kind, pattern, holds, needs in _FORMS]
_LINK = re.compile(r"://|www\.", re.IGNORECASE)
_RUN = re.compile(r"[\w\-]{11}")
_CJK = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
# a run of digits and what stands between those of a phone number; the matcher is slow and sees only these
_DIALLED = re.compile(r"[+＋(（]{0,2}\d(?:[^\w\n]{0,3}\d){6,}")
_REGIONS = (None, "US", "GB", "DE", "FR", "ES", "IN", "CN", "JP", "BR")
_AROUND = 16  # characters beyond a run, for an extension and for what tells that it is no phone number
_DATE = re.compile(r"\d{1,2}[./\-]\d{1,2}[./\-]\d{4}|\d{8}|\d{4}[./\-]\d{1,2}[./\-]\d{1,2}")
_NORTH_AMERICAN = re.compile(
    r"(?<![\w.])(?:\+?\d{1,3}[\s.\-]?)?\(?\d{3}\)?[\s.\-]\d{3}[\s.\-]\d{4}(?:\s?x\d{1,5})?(?![\w])"
)


def _phones(text: str) -> Iterator[Span]:
    """Phone numbers, searched where digits stand close together."""
    seen: set[int] = set()
    for run in _DIALLED.finditer(text):
        import phonenumbers  # large tables, loaded only when needed

        begin = max(0, run.start() - _AROUND)
        window = text[begin : run.end() + _AROUND]
        for region in _REGIONS:
            for match in phonenumbers.PhoneNumberMatcher(
                window, region, leniency=phonenumbers.Leniency.VALID
            ):
                start = begin + match.start
                if (
                    start not in seen
                    and len(_DIGITS.findall(match.raw_string)) >= 7
                    and not _DATE.fullmatch(match.raw_string)
                ):
                    seen.add(start)
                    yield Span(start, begin + match.end, "phone")
    for found in _NORTH_AMERICAN.finditer(text):
        if found.start() not in seen:
            yield Span(found.start(), found.end(), "phone")


def _traits(text: str) -> set[str]:
    """What can be seen of a text at a glance; most texts lack most of it, and most patterns need not be tried on them."""
    digits = len(_DIGITS.findall(text))
    ascii_only = text.isascii()
    seen = {
        "@": "@" in text,
        "link": _LINK.search(text) is not None,
        "run": _RUN.search(text) is not None,
        "colon": ":" in text,
        "separator": ":" in text or "-" in text,
        "I": "I" in text,
        "foreign": not ascii_only,
        "cjk": not ascii_only and _CJK.search(text) is not None,
        "digit": digits > 0,
        **{f"digits{count}": digits >= count for count in (3, 4, 7, 9, 13)},
    }
    return {trait for trait, holds in seen.items() if holds}


def find(text: str) -> list[Span]:
    """The identifiers of a text: spans in order that do not overlap; where two do, the one that begins first, then the longer."""
    if not _WORTH.search(text):
        return []
    traits = _traits(text)
    spans = [
        Span(*found.span("x" if "x" in pattern.groupindex else 0), kind)
        for kind, pattern, holds, needs in _TRIED
        if needs <= traits
        for found in pattern.finditer(text)
        if holds(found.group("x" if "x" in pattern.groupindex else 0))
        and not (kind == "name" and found.group("x").split()[0].casefold() in _NOT_NAMES)
    ]
    if "digits7" in traits:
        spans += _phones(text)
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


def mask(text: str) -> str:
    """The text with each identifier replaced by its kind in brackets: "write to [email]"."""
    spans = find(text)
    if not spans:
        return text
    parts, at = [], 0
    for span in spans:
        parts += [text[at : span.start], f"[{span.kind}]"]
        at = span.end
    return "".join([*parts, text[at:]])
