"""Identifiers in disguise are found, ordinary names of clusters are not taken for identifiers, and hostile text does no harm."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from clio.privacy.pii import find, mask
from clio.privacy.pii.spans import _lists, heads

DISGUISED = [
    ("card ４１１１ １１１１ １１１１ １１１１ ok", "card [card] ok"),
    ("it is 4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "it is [card]"),
    ("it is 4111\u20111111\u20111111\u20111111 ok", "it is [card] ok"),
    ("call 4 1 5 5 5 5 0 1 3 2", "call [phone]"),
    ("call ٤١٥ ٥٥٥ ٠١٣٢ now", "call [phone] now"),
    ("call 415\u00a0555\u00a00132 now", "call [phone] now"),
    ("call 𝟒𝟏𝟓-𝟓𝟓𝟓-𝟎𝟏𝟑𝟐 now", "call [phone] now"),
    ("ssn 0 7 8 - 0 5 - 1 1 2 0", "ssn [id]"),
    ("write to ann@exa\u200bmple.com now", "write to [email] now"),
    ("write to a\u00adnn\u2060@\u200dexample.com now", "write to [email] now"),
    ("write to ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ now", "write to [email] now"),
    ("write to ann (at) example (dot) com now", "write to [email] now"),
    ("write to ann [at] example.org now", "write to [email] now"),
    ("write to ann at example dot co dot uk now", "write to [email] now"),
    ("write to ann@example dot com now", "write to [email] now"),
    ("my name is \u202eAnna Example", "my name is [name]"),
    ("D\u200bE89 3704 0044 0532 0130 00", "[iban]"),
]
HOSTILE = [
    "1",
    "A",
    "Aa ",
    "1 ",
    "12 Aa ",
    "@",
    "a@",
    "a.",
    "a1:",
    "A1",
    "市",
    "中街",
    "강구 ",
    "my name is ",
    "lives at ",
    "1 a street ",
    "rue de la ",
    "1 a a a apt ",
    "-1",
    "(1",
    "DE12 ",
    "password is ",
    "account number ",
    "-----BEGIN PRIVATE KEY-----",
    "Аа ",
    "a at a dot ",
    "1 Baker Street, Aa Bb",
    "\n> Aa",
    "\u200b",
]


@pytest.mark.parametrize(("text", "masked"), DISGUISED)
def test_disguised_identifiers_are_masked(text: str, masked: str) -> None:
    """Digits of other widths and scripts, invisible characters, spelled out signs and spaced digits hide nothing."""
    assert re.sub("[\u202e]", "", mask(text)) == masked


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_repeats_are_searched_in_the_end(piece: str) -> None:
    """Text made to be slow (a pattern that tries every way would not return) gives spans in order like any other."""
    text = piece * (3000 // len(piece)) + " 1A"
    end = 0
    for span in find(text, known_names=True):
        assert end <= span.start < span.end <= len(text)
        end = span.end


def test_names_of_clusters_are_no_identifiers() -> None:
    """Of all the tasks and themes of the fixed vocabulary none is refused, nor are some with numbers and capitals."""
    lines = files("clio.clustering").joinpath("topics.txt").read_text("utf-8").splitlines()
    names = [line.strip("[]") for line in lines if line and not line.startswith("#")]
    names += [
        "Report a lost card",
        "Compare iPhone 12 and 13",
        "Write a SQL query",
        "Top 10 Places to Visit",
        "Plan a 7 day trip to New York",
        "Translate Spanish to English",
        "Explain World War II",
        "Solve Project Euler 42",
        "Learn C++ 20 and Python 3.12",
        "Change the billing address",
        "Ask about order 66",
        "Reset a password",
        "Find a zip code",
        "Track an order or a booking",
        "Prepare for IELTS 7.5",
        "Understand ISO 27001 and GDPR",
        "Use Windows 11 on a Dell XPS 13",
    ]
    assert len(names) > 400
    assert [name for name in names if find(name)] == []


def _sign(kind: str, item: object) -> str:
    """One character of a class of a parsed regular expression."""
    if kind == "CATEGORY":
        return {"CATEGORY_SPACE": " ", "CATEGORY_DIGIT": "1"}.get(str(item), "a")
    return chr(item[0] if isinstance(item, tuple) else item)  # type: ignore[call-overload,no-any-return]


def _samples(tree: object) -> list[str]:
    """One text for each alternative of a parsed regular expression, what is optional left out and put in."""
    texts = [""]
    for operation, value in tree:  # type: ignore[attr-defined]
        name = str(operation)
        if name == "LITERAL":
            options = [chr(value)]
        elif name == "BRANCH":
            options = [text for branch in value[1] for text in _samples(branch)]
        elif name == "SUBPATTERN":
            options = _samples(value[3])
        elif name in ("MAX_REPEAT", "MIN_REPEAT"):
            options = ([""] if value[0] == 0 else []) + _samples(value[2])
        elif name == "IN":
            options = [_sign(str(kind), item) for kind, item in value]
        else:
            options = [""]  # borders and the like
        texts = [text + option for text in texts for option in options]
    return texts


@pytest.mark.parametrize("name", sorted((set(_lists()["heads"]) & set(_lists())) - {"human", "kin"}))
def test_every_phrase_holds_a_word_that_starts_the_search(name: str) -> None:
    """A list is tried only on a text with one of its heads, so each of its phrases must hold one."""
    known = {word for word, lists in heads().items() if name in lists.split()}
    for line in _lists()[name].strip().split("\n"):
        for sample in _samples(re._parser.parse(line)):  # type: ignore[attr-defined]
            assert known & set(re.findall(r"[^\W\d_]+", sample.lower())), sample
