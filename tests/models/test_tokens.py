"""Counting and cutting texts in tokens."""

from __future__ import annotations

import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clio.errors import ModelError
from clio.models import tokens
from clio.models.protocols import Prompt
from clio.testing import standin

# letters of 1 to 4 bytes, joined emoji, line ends: where a cut may fall amid a character
TEXTS = st.text(alphabet="ab Z19.,'\n\t-éßЖ中हु👩🎉\u200d\U00012000", max_size=300)


@pytest.fixture
def without_tokenizer(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setitem(sys.modules, "bpe_openai", None)
    caches = (tokens._encoder, tokens._encoding, standin._counter, standin.count_tokens)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.parametrize(
    ("text", "expected"), [("", 0), ("hello world", 2), ("Hello, world!", 4), ("<|endoftext|>", 7)]
)
def test_counts_are_those_of_o200k_base(text: str, expected: int) -> None:
    """Known texts have the count that the vendor's tokenizer gives, and a special token's name is but a text."""
    assert tokens.count(text) == expected


@pytest.mark.parametrize(
    "text", ["\U00012000" * 120_000, "a" * 300_000, "word " * 100_000, "\ud800 lone" * 9]
)
def test_texts_that_the_tokenizer_refuses_at_once_are_counted(text: str) -> None:
    """A text of any length and of any characters is counted, between one token a word and four a character."""
    assert 0 < tokens.count(text) <= 4 * len(text)


def test_a_long_text_has_about_the_tokens_of_its_parts() -> None:
    """Counting in pieces changes the sum by a token or two a piece at most."""
    line = "The quick brown fox jumps over the lazy dog, then sleeps.\n"
    assert tokens.count(line * 10_000) == pytest.approx(10_000 * tokens.count(line), abs=40)


def test_a_prompt_counts_its_texts_and_a_little_for_each_message() -> None:
    """A prompt has the tokens of its texts, 4 a message and 3 more."""
    prompt = Prompt((("system", "hello world"), ("user", "Hello, world!")))
    assert tokens.of_prompt(prompt) == 2 + 4 + 4 + 4 + 3


@given(TEXTS, st.integers(0, 80))
@settings(deadline=None)
def test_head_and_tail_are_ends_of_the_text_within_the_limit(text: str, limit: int) -> None:
    """What is cut out is a beginning, or an end, of the text, has no more tokens than allowed, and is all of it if all fits."""
    first, last = tokens.head(text, limit), tokens.tail(text, limit)
    assert text.startswith(first)
    assert text.endswith(last)
    assert tokens.count(first) <= limit
    assert tokens.count(last) <= limit
    if tokens.count(text) <= limit:
        assert first == last == text
    assert "\ufffd" not in first + last


@given(TEXTS, st.integers(8, 80))
@settings(deadline=None)
def test_head_and_tail_take_nearly_all_that_is_allowed(text: str, limit: int) -> None:
    """Of a text that is too long no more than the few tokens of one character are given away at the cut."""
    if tokens.count(text) > limit:
        assert tokens.count(tokens.head(text, limit)) >= limit - 7
        assert tokens.count(tokens.tail(text, limit)) >= limit - 7


def test_head_and_tail_of_a_very_long_text_are_found_without_reading_it_all() -> None:
    """The ends of a text of ten million characters come in well under the second that reading it would take."""
    text = "So it goes on, and on. " * 435_000
    begun = time.perf_counter()
    assert tokens.count(tokens.head(text, 1000)) == 1000
    assert tokens.count(tokens.tail(text, 1000)) == 1000
    assert time.perf_counter() - begun < 0.2
    assert tokens.count(tokens.head(text, 60_000)) in range(59_990, 60_001)
    assert tokens.count(tokens.tail(text, 60_000)) in range(59_990, 60_001)


def test_a_missing_tokenizer_is_named_with_the_command_that_brings_it(without_tokenizer: object) -> None:
    """Without the tokenizer there is one line that says what to install."""
    with pytest.raises(ModelError) as told:
        tokens.count("text")
    assert str(told.value) == "counting tokens needs a tokenizer: run `pip install 'clio-insights[openai]'`"


def test_the_stand_in_counts_words_without_a_tokenizer(without_tokenizer: object) -> None:
    """The stand-in server works without the tokenizer, by words."""
    assert standin.count_tokens("three plain words") == 3


def test_the_stand_in_counts_as_the_budget_does() -> None:
    """What the stand-in bills for a text is what we count for it."""
    assert standin.count_tokens("Unbelievable, isn't it?") == tokens.count("Unbelievable, isn't it?")
