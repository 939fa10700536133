"""Rules that rate a text by its form alone, for the auditor: what in an English text looks as if it named someone, or a few.

They are tuned on the "dev" half of the audit set (``clio.evaluation.calibration``) and measured on its other half.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise

import numpy as np

from clio.privacy.pii import find
from clio.text import is_english, word_list

_PUBLIC_WORDS = 5  # longest entry of the list of public names, in words


@dataclass(frozen=True, slots=True)
class Rating:
    """``score`` 1..5 (5: points at nobody) and the rule or judge it comes from, a fixed phrase."""

    score: int
    reason: str


_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|"
    r"Dec(?:ember)?)"
)
_ORDINAL = r"\d{1,2}(?:st|nd|rd|th)?"
_YEAR = r"(?:199\d|20\d\d)"  # what happened earlier is history
_NUMBER = r"(?:\d{1,3}|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|twenty|thirty|forty|fifty)"
_PERSON = (
    r"(?:person|man|woman|boy|girl|child|baby|teenager|couple|family|widow|widower|mother|father|son|daughter|twins?|patient|nurse|"
    r"teacher|pupil|student|employee|worker|officer|soldier|driver|owner|member|resident|neighbou?r|victim|survivor|witness)"
)
_NO_PERSON = r"(?:way|thing|option|solution|reason|time|place|method|difference|choice|exception|part|kind|type|source|purpose|rule)"
_INSTITUTION = (
    r"(?:school|college|church|mosque|synagogue|chapel|monastery|convent|clinic|hospital|hospice|surgery|practice|pharmacy|museum|"
    r"theatre|theater|club|choir|band|quartet|orchestra|ensemble|council|court|prison|factory|farm|mill|bakery|restaurant|pub|hotel|"
    r"guild|allotments|parish|congregation|bookshop|salon|garage)"
)
_STREET_ENDS = r"(?:straat|laan|weg|gatan?|vägen|vegen|veien|stien|vej|gade|stræde|katu|tie|braut|stræti|utca|straße|strasse|gasse|allee)"

# (reason, score, form): how a text is rated in which a form stands; case counts unless the form says otherwise
_FORMS: tuple[tuple[str, int, str], ...] = (
    ("account", 1, r"(?<!\w)(?:@[\w.]{2,}|u/\w{3,})|\[at\]|\b\w+ at \w+ dot \w+\b"),
    # six digits or more, but no range of numbers or years and no grouped thousands
    (
        "number",
        1,
        r"(?<![\w.,])(?!\d{1,5} ?- ?\d{1,5}(?![ .-]?\d)|(?:19|20)\d\d/(?:19|20)\d\d\b)[(+]?\d(?:[ ./()-]{0,2}\d){5,}(?![\w,])",
    ),
    # letters and digits mixed, but neither an illness (COVID-19) nor a standard (ISO-27001)
    (
        "number",
        1,
        r"\b(?![A-Z]{2,}-?\d{1,5}[A-Z]{0,2}\b)(?=[A-Z\d-]*[A-Z])(?=[A-Z\d-]*\d[A-Z\d-]*\d)[A-Z\d-]{7,}\b",
    ),
    ("number", 1, r"\b[A-Z]{2}\d{2} [A-Z]{3}\b|\b[A-Z]{1,3}-[A-Z]{1,2} ?\d{2,4}\b"),  # plates of cars
    (
        "address",
        1,
        r"(?i:\b(?:flat|apartment|apt\.?|suite|room) (?:no\.? ?|number )?)(?:\d+[A-Za-z]?|[A-Z])\b|\bBox \d{2,}|\b[ADF]PO A[AEP]\b",
    ),
    ("address", 1, rf"\b[A-ZÀ-Þ]\w+{_STREET_ENDS} \d{{1,3}}[a-z]?\b|\b(?:ul|str|av|c)\. [A-ZÀ-Þ]\w+ \d+"),
    ("date", 2, rf"\b(?:{_ORDINAL}(?: of)? {_MONTH}|{_MONTH} {_ORDINAL}),? {_YEAR}\b"),
    ("date", 2, rf"\b(?:{_YEAR}[-./]\d\d?[-./]\d\d?|\d\d?[-./]\d\d?[-./]{_YEAR})\b"),
    (
        "site",
        2,
        r"(?<!\w)r/\w{3,}|\b[a-z][\w-]*\.(?:com|org|net|io|info|co|de|uk|fr|es|it|nl|ru|cn|jp|in|example)\b",
    ),
    (
        "small group",
        2,
        rf"(?i:\b{_NUMBER} (?:inhabitants|residents|villagers|islanders|households|families|parishioners)\b)",
    ),
    ("small group", 2, rf"(?i:\b(?:village|hamlet|town|island|team|staff|firm|company) of {_NUMBER}\b)"),
    ("small group", 2, r"(?i:\bpopulation:? (?:of )?\d{1,3}\b(?![,.]?\d| ?(?:million|billion|thousand|%)))"),
    (
        "one person",
        2,
        rf"(?i:\bthe (?:only|sole|one) (?:\w+ )?{_PERSON} (?:who|whose|to|of|in|from|with)\b)",
    ),
    (
        "one person",
        2,
        rf"(?i:\bthe (?:only|sole) (?!{_NO_PERSON}\b)(?:\w+ ){{1,2}}(?:who|whose|of|in)\b|\bthe one \w+ (?:who|whose)\b)",
    ),
    (
        "one person",
        2,
        rf"(?i:\bthe (?:(?:first|last|oldest|youngest) )?{_PERSON} (?:who|whose)\b|\bthe (?:first|last) {_PERSON} to\b)",
    ),
)
_COMPILED = [(Rating(score, reason), re.compile(form)) for reason, score, form in _FORMS]
# what stands right before a single unknown name and tells what it names
_BEFORE: tuple[tuple[str, int, re.Pattern[str]], ...] = (
    (
        "person",
        1,
        re.compile(
            r"(?i:\b(?:mr|mrs|ms|mx|miss|dr|prof|professor|judge|sister|brother|father|nurse|teacher|coach|patient|defendant|plaintiff|"
            r"tenant|client|employee|colleague|boss|manager|classmate|baby|child|pupil|student|boy|girl|man|woman|son|daughter|wife|"
            r"husband|little|called|named)\.? $)|(?i:\b(?:vicar|mayor|rabbi|priest|imam|sheriff|\d+[- ]year[- ]old) (?:of )?$)"
        ),
    ),
    (
        "place",
        2,
        re.compile(
            r"(?i:\b(?:near|outside|(?:village|hamlet|settlement|parish|town|island)(?: of)?|(?:residents?|people|children|families|"
            r"parents|islanders|villagers) (?:of|in|from)) $)"
        ),
    ),
    ("organisation", 2, re.compile(rf"(?i:\b{_INSTITUTION} (?:(?:of|in|at|near|from) )?(?:the )?$)")),
    (
        "organisation",
        2,
        re.compile(
            r"(?i:\b(?:forum|subreddit|discord server|law office|law firm|group|mailing list|message board|workspace|"
            r"newsletter|guild|clan|team|streamer|gamer|player|blogger|influencer|startup|firm|employer)(?: of the)? $)"
        ),
    ),
)
_AFTER: tuple[tuple[str, int, re.Pattern[str]], ...] = (
    ("person", 1, re.compile(r", (?:aged )?\d| and (?:her|his)\b| v\.? [A-Z]")),
    ("organisation", 2, re.compile(rf" (?:[a-z]+ )?{_INSTITUTION}\b")),
)
_ORGANISATION = re.compile(
    r"(?:Inc|Ltd|LLC|LLP|GmbH|KG|Corp|PLC|AG|BV|Sons|Daughters|Brothers|Associates|Partners|Holdings|University|College|Academy|School|"
    r"Elementary|Kindergarten|Nursery|Hospital|Hospice|Clinic|Surgery|Pharmacy|Dental|Church|Chapel|Cathedral|Abbey|Mosque|Synagogue|"
    r"Bakery|Bistro|Diner|Pub|Inn|Salon|Barbers|Garage|Motors|Builders|Plumbing|Brewery|Vineyard|Theatre|Theater)\Z"
)
# these end names of organisations, and also titles Written Like This
_ORGANISATION_OR_TITLE = re.compile(
    r"(?:Co|Group|Institute|Primary|High|Practice|Parish|Temple|Café|Cafe|Hotel|Cleaners|Cleaning|Services|Solutions|Consulting|"
    r"Logistics|Farm|Library|Museum|Club|Society|Foundation|Council|Choir)\Z"
)
_STREET = re.compile(
    r"(?:Street|Road|Lane|Avenue|Drive|Close|Court|Crescent|Terrace|Row|Way|Yard|Square|Mews|Gardens)\Z"
)
# a name of many words that ends so is of something public: a law, a war, a theorem, a product
_PUBLIC_ENDS = re.compile(
    r"(?:Acts?|Laws?|Amendment|Treaty|Wars?|Revolution|Empire|Dynasty|Age|Era|Theorem|Equations?|Transform|Distribution|Algorithm|Filter|"
    r"Model|Framework|Engine|API|SDK|Protocol|Server|Cloud|Studio|Language|Prize|Awards?|Cup|League|Games|Day|Ocean|Sea|Mountains|"
    r"Syndrome|Disease)\Z"
)
_JOINS = re.compile(r"(?:de|del|della|di|da|das|do|dos|du|van|von|der|den|la|le|el|al|bin|ben|of)\Z")
_SMALL = re.compile(r"(?:an?|the|of|for|and|or|in|on|to|with|from|about|at|by|as|how|via)\Z")
_COURTESY = re.compile(r"(?:Mx|Sister|Brother|Father|Judge|Professor|Nurse|Coach|Aunt|Uncle|Captain|Madam)\Z")
_TOKEN = re.compile(r"[^\W_][\w'’.+#-]*[\w+#]|[^\W_]|&")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_ACCOUNT = re.compile(
    r"(?i:\b(?:user|user ?name|nick ?name|screen name|handle|profile|account|player|gamer|streamer) )(?P<x>[A-Za-z]\w{4,})"
)
_SENTENCE = re.compile(r"(?:^|[.!?:;]\s+|[“\"(•]\s*)\Z")
_IN = re.compile(r"\b(?:in|near|from|to|on) (?:the )?(?:\w+ of )?$")
# traits that many share, and few together; the endings are those of illnesses
_ILL = re.compile(
    r"(?i:\b(?:disease|syndrome|disorder|cancer|tumou?r|transplant|diabetes|dementia|autis\w+|hiv|diagnosed|treated for|"
    r"\w+(?:itis|osis|oma|ae?mia|epsy|phrenia|plegia))\b)"
)
_AGED = re.compile(
    r"(?i:\b(?:[1-9]\d[- ]years?[- ]old|aged? [1-9]\d)\b|(?:\bof|,) [1-9]\d(?=,| in\b| from\b| who\b| with\b))"
)
_KIN = re.compile(r"(?i:\b(?:pregnant|divorced|widowed|adopted|refugee|(?:mother|father|parent) of \w+)\b)")


@cache
def public_names() -> frozenset[str]:
    """Names that point at nobody, case-folded: countries, holidays, famous people, products (``public_names.txt``)."""
    lines = files("clio.privacy").joinpath("public_names.txt").read_text("utf-8").splitlines()
    found = {_plain(name) for line in lines if not line.startswith("#") for name in line.split(",")}
    found |= {"i", "i'm", "i'd", "i've", "i'll"}
    return frozenset(found | {word.casefold() for word in word_list("capitals")}) - {""}


@cache
def given_names() -> frozenset[str]:
    """Common given names, case-folded (``given_names.txt``)."""
    lines = files("clio.privacy").joinpath("given_names.txt").read_text("utf-8").splitlines()
    return frozenset(name.casefold() for line in lines if not line.startswith("#") for name in line.split())


def rate(text: str) -> Rating:
    """Rate one text "name: description" or one without a name; the lowest of all rules that fire counts."""
    if find(text):
        return Rating(1, "identifier")
    found = [rating for rating, form in _COMPILED if form.search(text)]
    name, mark, description = text.partition(": ")
    for part in (name, description) if mark else (text,):
        found += _names(part)
    if _plain_name(text):
        found.append(Rating(1, "person"))
    if _odd_account(text):
        found.append(Rating(1, "account"))
    if _other_script(text):
        found.append(Rating(2, "another script"))
    small_place = any(rating.reason == "unknown place" for rating in found)
    ill, aged, kin = (form.search(text) is not None for form in (_ILL, _AGED, _KIN))
    if ill + aged + kin + small_place >= (2 if small_place else 3):
        found.append(Rating(2, "rare combination"))
    return min(found, key=lambda rating: rating.score, default=Rating(5, "no rule fired"))


def _names(text: str) -> Iterator[Rating]:
    """What the capitalised words of one name or description tell."""
    tokens = list(_TOKEN.finditer(text))
    titled = _is_titled([token.group() for token in tokens])
    for run in _runs(text, tokens):
        if not titled and _SENTENCE.search(text[: run[0].start()]) and _is_common(run[0].group()):
            run = next(iter(_trimmed(run[1:])), [])  # any word may begin a sentence
        words = [_bare(token.group()) for token in run]
        unknown = _unknown(words, titled)
        if not unknown:
            continue
        before, after = text[: run[0].start()], text[run[-1].end() :]
        beside = [Rating(score, reason) for reason, score, form in _BEFORE if form.search(before)]
        beside += [Rating(score, reason) for reason, score, form in _AFTER if form.match(after)]
        if beside:
            yield min(beside, key=lambda rating: rating.score)
        elif len(words) > 1 and any(_is_organisation(word, titled) for word in words):
            yield Rating(2, "organisation")
        elif len(words) > 1 and _STREET.match(words[-1]):
            yield Rating(1, "address")
        elif len(words) > 1 and (
            _COURTESY.match(words[0]) or any(len(w) == 1 and w.isupper() for w in words[1:])
        ):
            yield Rating(1, "person")  # with a title, or with an initial
        elif len(unknown) > 1 and all(_is_common(words[at]) for at in unknown):
            yield Rating(3, "capitals")
        elif len(unknown) > 1 and (not titled or 1 in np.diff(unknown)) and not _PUBLIC_ENDS.match(words[-1]):
            yield Rating(2, "name-like")
        else:
            yield Rating(3, "unknown place" if _IN.search(before) else "unknown name")


def _runs(text: str, tokens: Sequence[re.Match[str]]) -> Iterator[list[re.Match[str]]]:
    """Capitalised words that stand side by side, joined by particles of names ("de")."""
    run: list[re.Match[str]] = []
    for token in tokens:
        word = token.group()
        between = text[run[-1].end() : token.start()] if run else ""
        joined = between in {" ", "-"} or (between == ". " and len(run[-1].group()) == 1)
        if word[0].isupper() and not joined:
            yield from _trimmed(run)
            run = [token]
        elif joined and (word[0].isupper() or _JOINS.match(word)):
            run.append(token)
        else:
            yield from _trimmed(run)
            run = []
    yield from _trimmed(run)


def _trimmed(run: list[re.Match[str]]) -> list[list[re.Match[str]]]:
    """The run without particles at its ends; none if nothing is left."""
    while run and _JOINS.match(run[0].group()):
        run = run[1:]
    while run and _JOINS.match(run[-1].group()):
        run = run[:-1]
    return [run] if run else []


def _unknown(words: Sequence[str], titled: bool) -> list[int]:
    """Which of the words belong to no public name, are no abbreviation and, where every word has a capital, stand in no dictionary."""
    public = public_names()
    plain = [word.casefold() for word in words]
    found, at = [], 0
    while at < len(words):
        sizes = range(min(_PUBLIC_WORDS, len(words) - at), 0, -1)
        size = next((n for n in sizes if " ".join(plain[at : at + n]) in public), 0)
        abbreviation = words[at].isupper() and 1 < len(words[at]) < 6
        if size == 1 and plain[at] in given_names():
            size = 0
        if not (size or _JOINS.match(words[at]) or abbreviation or (titled and _is_common(words[at]))):
            found.append(at)
        at += size or 1
    return found


def _bare(word: str) -> str:
    """A word of a name without possessive ending and without the point of an initial."""
    return re.sub(r"(?:['’]s?|\.)$", "", word)


def _plain(name: str) -> str:
    return " ".join(_bare(word) for word in name.casefold().split())


def _is_organisation(word: str, titled: bool) -> bool:
    return bool(_ORGANISATION.match(word) or (not titled and _ORGANISATION_OR_TITLE.match(word)))


def _is_titled(words: Sequence[str]) -> bool:
    """Whether a text is written Like This, so that capitals tell nothing."""
    public = public_names()
    later = [w for w in words[1:] if not _SMALL.match(w) and w.casefold() not in public and _is_common(w)]
    return sum(word[0].isupper() for word in later) > len(later) / 2


@lru_cache(maxsize=50_000)
def _is_word(word: str) -> bool:
    """Whether each part of a word stands in an English dictionary."""
    return all(not part or is_english(part) for part in re.split(r"[-'’.]", word.casefold()))


def _is_common(word: str) -> bool:
    """Whether a word stands in an English dictionary and is no given name."""
    return word.casefold() not in given_names() and _is_word(word)


def _plain_name(text: str) -> bool:
    """Whether a given name in lower case is followed by a word of no dictionary."""
    words = _WORD.findall(text)
    return any(
        first in given_names() and not _is_word(second) and not {second, f"{first} {second}"} & public_names()
        for first, second in pairwise(words)
    )


def _odd_account(text: str) -> bool:
    """Whether a word that tells of an account is followed by no word of a dictionary."""
    for found in _ACCOUNT.finditer(text):
        word = found["x"]
        if word.casefold() not in public_names() and not _is_word(word):
            return True
    return False


def _other_script(text: str) -> bool:
    """Whether a word in another script than Latin stands in a text that is mostly Latin: a name, as a rule."""
    if text.isascii():
        return False
    marks = [not _is_latin(char) if unicodedata.category(char)[0] in "LM" else None for char in text]
    foreign, latin = marks.count(True), marks.count(False)
    # a single letter is a formula's
    return foreign <= latin and any(one and other for one, other in pairwise(marks))


@cache
def _is_latin(char: str) -> bool:
    return unicodedata.name(char, "").startswith(("LATIN", "COMBINING", "MODIFIER", "FEMININE", "MASCULINE"))
