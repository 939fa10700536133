"""Identifiers on the net, secrets, devices, places on earth, dates of birth and postcodes, by their form or after a word for them."""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress

from clio.privacy.pii.spans import Form, words

_TLD = (
    r"(?:com|org|net|edu|gov|info|biz|io|co|me|ai|app|dev|uk|de|fr|es|it|nl|pl|ru|br|cn|jp|kr|ca|au|us|eu|ch|at|be|se|no|dk|fi"
    r"|pt|gr|cz|ro|hu|tr|mx|ar|za|ie|nz|sg|hk|tw|ua)"
)
_AT = r"\s*[\[({<]\s*(?:at|@)\s*[\])}>]\s*"
_DOT = r"(?:\s*[\[({<]\s*(?:dot|\.)\s*[\])}>]\s*|\s+dot\s+)"
_IS = r"(?:\s?(?:is|ist|est|es|é|è|är|er|on|to)\b|\s?[:=：#]|[是は為为])"
_MONTH = r"[^\W\d_]{3,12}\.?"
_DAY = (
    rf"(?:\d{{1,4}}[./\-]\d{{1,2}}[./\-]\d{{1,4}}|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}"
    rf"|\d{{1,2}}(?:\.|st|nd|rd|th)? (?:de |of )?{_MONTH},? (?:de )?\d{{4}}"
    r"|\d{4}\s?[年년]\s?\d{1,2}\s?[月월]\s?\d{1,2}\s?[日일])"
)
_BRITISH = r"[A-PR-UWYZ](?:\d[A-HJKPSTUW\d]?|[A-HK-Y]\d[ABEHMNPRVWXY\d]?)"
_STATE = r"(?:A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[TA]|W[AVIY])"


def _mixed(text: str) -> bool:
    """Whether a long run of letters and digits looks drawn at random: a key, a token, an id."""
    return bool(re.search(r"\d", text)) and bool(re.search(r"[a-zA-Z]", text)) and len(set(text)) >= 10


def _ipv6(text: str) -> bool:
    """Whether it is an IPv6 address of three groups or more, which neither a time nor a name in code is."""
    with suppress(ValueError):
        ipaddress.IPv6Address(text)
        return len([group for group in text.split(":") if group]) >= 3 and any(c.isdigit() for c in text)
    return False


def _on_earth(text: str) -> bool:
    """Whether two decimal numbers are a latitude and a longitude, and not parts of a vector near zero."""
    latitude, longitude = (float(part) for part in re.findall(r"[+-]?\d+\.\d+", text)[:2])
    return 1 <= abs(latitude) <= 90 and 1 <= abs(longitude) <= 180


def _after(kind: str, needs: str, cue: str, value: str, between: str = rf"{_IS}?\s*") -> Form:
    """A value that counts after a word of a list of ``words.toml``."""
    return Form(kind, needs, re.compile(rf"(?i:{words(cue)}{between})(?P<x>{value})"))


_NET: tuple[Form, ...] = (
    Form("email", "@", re.compile(r"[\w.+%\-]{1,64}\s?@\s?[\w\-]{1,63}(?:\.[\w\-]{1,63})+")),
    # name (at) host (dot) com, name at host dot com, name@host dot com
    Form(
        "email",
        "spelled",
        re.compile(
            rf"(?i:\b[\w.+%\-]{{1,64}}(?:{_AT}|\s?@\s?|\s+at\s+)[\w\-]{{1,63}}(?:(?:\.|{_DOT})[\w\-]{{1,63}}){{0,3}}{_DOT}{_TLD}\b)"
        ),
    ),
    Form(
        "email", "spelled", re.compile(rf"(?i:\b[\w.+%\-]{{1,64}}{_AT}(?:[\w\-]{{1,63}}\.){{1,4}}{_TLD}\b)")
    ),
    Form(
        "link",
        "link",
        re.compile(r"(?i:(?:https?|ftp)://|www\.)[^\s<>\"'`，。）]*[^\s<>\"'`，。）.,;:!?)\]}*|\\]"),
    ),
    Form(
        "handle",
        "@",
        re.compile(rf"(?<![\w@./\[])@(?!(?i:{words('code')})\b)[A-Za-z]\w{{2,30}}\b(?![/(=.]\w|\()"),
    ),
    Form("handle", "# digits4", re.compile(r"(?<![\w#])[A-Za-z]\w{1,31}#\d{4}\b")),
    _after(
        "handle",
        "handle",
        "handle",
        r"@?(?=[\w.\-]*[\d_.@])[A-Za-z][\w.\-]{2,30}\w\b",
        rf"(?: on \w+)?{_IS}\s*[\"'`]?",
    ),
    Form(
        "ip",
        "digits4",
        re.compile(
            r"(?<![\d.])(?<!version )(?<!\bv)(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?!\.?\d)"
        ),
    ),
    Form(
        "ip", ":", re.compile(r"(?<![\w:.])(?=[0-9A-Fa-f]*:[0-9A-Fa-f:]*:)[0-9A-Fa-f:]{6,39}(?![\w:])"), _ipv6
    ),
    Form("mac", "separator", re.compile(r"\b(?:[0-9A-Fa-f]{2}[:\-]){5}[0-9A-Fa-f]{2}\b")),
)
_SECRETS: tuple[Form, ...] = (
    Form(
        "key",
        "run",
        re.compile(
            r"\b(?:sk|pk|rk)[-_][\w\-]{16,}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_\w{20,}|\bglpat-[\w\-]{16,}|\bhf_\w{20,}"
            r"|\bxox[abpr]-[\w\-]{10,}|\bAIza[\w\-]{30,}|\beyJ[\w\-]{8,}\.[\w\-]{8,}(?:\.[\w\-]*)?"
            r"|\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"
        ),
    ),
    Form(
        "key",
        "separator",
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
    ),
    _after(
        "password",
        "password",
        "password",
        r"(?=\S*[\d!@#$%^&*])(?![{$<\[*(])[^\s\"'`,;]{4,64}?(?=[\"'`,;.。，]*(?:\s|$))",
        rf"(?: (?:to|for|of|für|pour|de) [^\s:=]{{1,20}})?{_IS}\s*[\"'`]?",
    ),
    Form(
        "wallet",
        "digit run",
        re.compile(r"\b(?:bc1[a-z0-9]{25,60}|[13LMT][a-km-zA-HJ-NP-Z1-9]{25,34}|0x[0-9a-fA-F]{40})\b"),
        _mixed,
    ),
    Form(
        "token",
        "digit run",
        re.compile(r"\b(?=[A-Za-z0-9_\-]*\d)(?=[A-Za-z0-9_\-]*[A-Za-z])[A-Za-z0-9_\-]{20,}\b"),
        _mixed,
    ),
)
_FACTS: tuple[Form, ...] = (
    Form(
        "location",
        "digits7",
        re.compile(
            r"(?<![\d.,\w])(?<!\d, )[+-]?\d{1,2}\.\d{3,}°?\s?[NS]?\s?[,;/ ]\s?[+-]?\d{1,3}\.\d{3,}(?:°?\s?[EW]\b)?(?![\d.]|,? ?[+-]?\d)"
        ),
        _on_earth,
    ),
    Form(
        "location",
        "foreign digits4",
        re.compile(
            r"\d{1,2}°\s?\d{1,2}(?:\.\d+)?['′’]\s?(?:\d{1,2}(?:\.\d+)?[\"″”]\s?)?[NS][,\s]{1,3}\d{1,3}°\s?\d{1,2}(?:\.\d+)?['′’]"
            r"\s?(?:\d{1,2}(?:\.\d+)?[\"″”]\s?)?[EW]\b"
        ),
    ),
    Form(
        "plate",
        "plate digit",
        re.compile(
            rf"(?:(?i:\b{words('plate')}(?:\s(?:number|no\.?|is|ist|est|es|é))*\s?:?\s*)|车牌号?码?(?:是|:)?\s?)"
            r"(?P<x>(?=[^\W_a-z]?[^_a-z\n]{0,8}\d)[^\W_a-z]{1,8}(?:[ \-·][A-Z0-9]{1,5}){0,3})\b"
        ),
    ),
    _after("birth", "birth digits3", "birth", _DAY, r"\s*(?:(?:is|ist|est|es|è|é|on)\b|[:=は是])?\s*"),
    _after(
        "postcode",
        "postcode digits2",
        "postcode",
        rf"〒?(?:\d{{3,6}}(?:[ \-]\d{{2,4}})?(?:\s[A-Z]{{2}}\b)?|{_BRITISH} ?\d[A-Z]{{2}}"
        r"|[A-Z]\d[A-Z] ?\d[A-Z]\d|[A-Z]{1,2}-\d{4,5})(?!\w)",
    ),
    Form(
        "postcode",
        "capital digits4",
        re.compile(rf"(?<=[\s,]){_STATE},?\s{{1,3}}(?P<x>\d{{5}}(?:-\d{{4}})?)(?!\w)"),
    ),
    Form(
        "postcode",
        "digits2",
        re.compile(
            rf"\b(?:{_BRITISH} \d[ABD-HJLNP-UW-Z]{{2}}|[ABCEGHJ-NPRSTVXY]\d[A-Z] \d[A-Z]\d)\b|〒\s?\d{{3}}-\d{{4}}"
        ),
    ),
)
FORMS = (*_NET, *_SECRETS, *_FACTS)
