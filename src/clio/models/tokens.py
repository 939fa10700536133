"""Counting and cutting texts in tokens of o200k_base, the tokenizer of OpenAI's models since GPT-4o; what others make of a text is
estimated from it (``Price.ratio`` in ``clio.models.prices``).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any

from clio.errors import ModelError
from clio.models.protocols import Prompt

_NAME = "o200k_base"
_PIECE = (
    50_000  # characters at once: the tokenizer refuses over 200,000 tokens, and a character may be 4 of them
)


def count(text: str) -> int:
    """Length of a text in tokens, at about 15 MB a second; a text over 50,000 characters is counted in pieces, to within a few tokens.

    Raises:
        ModelError: the tokenizer is not installed; says the exact command.
    """
    encode = _encoder()
    return sum(len(encode(piece)) for piece in _pieces(text))


def of_prompt(prompt: Prompt) -> int:
    """Tokens that a prompt's messages are counted as: their texts, 4 more for each message, and 3 that begin the answer."""
    return sum(count(text) + 4 for _, text in prompt.messages) + 3


def head(text: str, tokens: int) -> str:
    """The beginning of a text: as much as its first so many tokens hold, never half a character; the whole text if it has no more."""
    encode = _encoder()
    first: list[int] = []
    for piece in _pieces(text):
        first += encode(piece)
        if len(first) > tokens:
            break
    else:
        return text
    # cut off from what follows it, a beginning may take a token more than it did within the text
    for kept in range(tokens, 0, -1):
        found = _whole(first[:kept])
        if count(found) <= tokens:
            return found
    return ""


def tail(text: str, tokens: int) -> str:
    """The end of a text: as much as its last so many tokens hold, never half a character; the whole text if it has no more."""
    encode = _encoder()
    last: list[int] = []
    for end in range(len(text), 0, -_PIECE):
        last = encode(text[max(0, end - _PIECE) : end]) + last
        if len(last) > tokens:
            break
    else:
        return text
    for kept in range(tokens, 0, -1):
        found = _whole(last[-kept:])
        if count(found) <= tokens:
            return found
    return ""


def _pieces(text: str) -> Iterator[str]:
    return (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))


def _whole(tokens: list[int]) -> str:
    """The text of tokens without what they hold of characters that begin before them or end after them."""
    read: bytes = _encoding().decode_bytes(tokens)
    return read.decode("utf-8", errors="ignore")


@cache
def _encoder() -> Callable[[str], list[int]]:
    """What makes tokens of a text of up to 50,000 characters, loaded where tokens are first counted.

    The tokenizer alone: its package around it reads the tables of three, for half a second or more.
    """
    package = find_spec("bpe_openai")
    places = package.submodule_search_locations if package else None
    found = PathFinder.find_spec("bpe_openai._bindings", places) if places else None
    if found is None or found.loader is None:
        whole: Callable[[str], list[int]] = _encoding().encode_ordinary
        return whole
    module = module_from_spec(found)
    found.loader.exec_module(module)
    encode = module.tokenizer_for_encoding(_NAME).encode

    def encoded(text: str) -> list[int]:
        try:
            return list(encode(text))
        except UnicodeEncodeError:  # lone halves of surrogate pairs, which the package reads so too
            return list(encode(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")))

    return encoded


@cache
def _encoding() -> Any:
    """The tokenizer and its table, which is read (in about a second) where a text is first cut."""
    with warnings.catch_warnings():
        # it reads its tables by a function that Python 3.11 and 3.12 call deprecated
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return import_module("bpe_openai").get_encoding(_NAME)
        except ImportError:
            raise ModelError(
                "counting tokens needs a tokenizer: run `pip install 'clio-insights[openai]'`"
            ) from None
