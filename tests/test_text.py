"""Words: their lemmas, and whether they are English."""

from __future__ import annotations

from itertools import pairwise

import pytest

from clio.text import WORD_FORMS, is_english, lemma


@pytest.mark.parametrize(
    ("token", "base"),
    [
        ("cards", "card"),
        ("went", "go"),
        ("children", "child"),
        ("card", "card"),
        ("zorbles", "zorbles"),  # in no dictionary
        ("as", "as"),
        ("anna's", "anna"),
        ("cafés", "cafés"),  # only words of a to z have others as lemmas
        ("karten", "karten"),
    ],
)
def test_forms_of_a_word_have_one_lemma(token: str, base: str) -> None:
    """English forms have their dictionary form, all else is as it is."""
    assert lemma(token) == base


@pytest.mark.parametrize(
    ("word", "known"), [("cards", True), ("card", True), ("paris", True), ("zorble", False), ("", False)]
)
def test_english_words_are_known(word: str, known: bool) -> None:
    """A case-folded word is known as a form, as a base, or where it has a capital; nothing else is."""
    assert is_english(word) is known


def test_the_dictionary_is_sorted() -> None:
    """Words are found by bisection: each half of the file must stand in the order in which Python compares."""
    head, *parts = WORD_FORMS.read_text("utf-8").split("\n\n")
    assert "Open Database License" in head
    assert len(parts) == 2
    for part in parts:
        lines = part.split("\n")
        assert len(lines) > 50_000
        assert all(before < after for before, after in pairwise(lines))
