"""Words: how text is cut into tokens and compared, the same way wherever words are counted, named or checked."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path

#: English words and their lemmas; ``benchmarks/make_word_forms.py`` makes it
WORD_FORMS = Path(__file__).parent / "word_forms.txt"

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_KANA = "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"
# a run of Han and kana, a word of letters (with inner apostrophes, marks and joiners), or a number
_WORD = re.compile(
    rf"[{_HAN}{_KANA}々ー]+|[^\W\d_{_HAN}{_KANA}]+(?:[\u0300-\u036f\u0900-\u0903\u093a-\u094f\u200c\u200d'’]+[^\W\d_{_HAN}{_KANA}]+)*[\u093a-\u094f]*|\d+(?:[.,:/-]\d+)*"
)
_ONLY_HAN = re.compile(rf"[{_HAN}]+")
_HAS_CJK = re.compile(rf"[{_HAN}{_KANA}]")
_HAS_KANA = re.compile(rf"[{_KANA}]")
# Japanese without a dictionary: runs of kanji and of katakana carry the meaning, hiragana the grammar
_JAPANESE_RUN = re.compile(
    r"[\u3400-\u4dbf\u4e00-\u9fff々]+|[\u30a0-\u30ff\u31f0-\u31ffー]+|[\u3040-\u309f]+"
)


@cache
def _lists() -> dict[str, str]:
    return tomllib.loads(files("clio").joinpath("words.toml").read_text("utf-8"))


def word_list(name: str) -> frozenset[str]:
    """A closed word list of ``words.toml`` by its name."""
    return frozenset(_lists()[name].split())


ENGLISH_STOP_WORDS = word_list("stop_words")


@cache
def stop_words(language: str) -> frozenset[str]:
    """Function words of a language (ISO 639-1); empty where no list is known.

    English has a short list of our own, since the common long lists hold content words such as "ask" and "area".
    """
    if language == "en":
        return ENGLISH_STOP_WORDS
    import stopwordsiso  # loads a large table, only when another language turns up

    return frozenset(stopwordsiso.stopwords(language)) if stopwordsiso.has_lang(language) else frozenset()


def has_cjk(text: str) -> bool:
    """Whether the text holds Han characters or kana, which are written without spaces."""
    return not text.isascii() and _HAS_CJK.search(text) is not None


def tokens(text: str, language: str | None = None) -> list[str]:
    """Cut a text into case-folded word tokens; Chinese is segmented with jieba's dictionary, Japanese by script runs.

    Args:
        text: any text.
        language: ISO 639-1 code where it is known; only decides whether Han characters are Chinese or Japanese.

    Returns:
        The tokens in order: words and numbers, no punctuation.
    """
    found: list[str] = _WORD.findall(text.casefold().replace("’", "'"))
    if not has_cjk(text):
        return found
    japanese = language == "ja" or (language is None and _HAS_KANA.search(text) is not None)
    words: list[str] = []
    for word in found:
        if not _HAS_CJK.search(word):
            words.append(word)
        elif japanese or not _ONLY_HAN.fullmatch(word):
            words.extend(_JAPANESE_RUN.findall(word))
        else:
            import rjieba  # builds its dictionary, only when Chinese turns up

            words.extend(rjieba.cut(word))
    return words


@cache
def _word_forms() -> tuple[list[str], list[str]]:
    """Lines of an English form and its lemma, where that is another, and all other known words; both sorted."""
    _, forms, others = WORD_FORMS.read_text("utf-8").split("\n\n")
    # searching sorted lists costs microseconds a word, making dictionaries of them a tenth of a second at each start
    return forms.split("\n"), others.split("\n")


def _lemma_listed(word: str) -> str | None:
    forms, _ = _word_forms()
    place = bisect_left(forms, start := f"{word} ")
    return forms[place].removeprefix(start) if place < len(forms) and forms[place].startswith(start) else None


def has_lemma(token: str) -> bool:
    """Whether a token can have another as its lemma: at least three letters of a to z."""
    return token.isascii() and token.isalpha() and len(token) >= 3


@lru_cache(maxsize=200_000)
def lemma(token: str) -> str:
    """The dictionary form by which two tokens count as the same word ("cards" and "card"); English only, others as they are."""
    if not has_lemma(token):
        return token.removesuffix("'s")
    return _lemma_listed(token) or token


def is_english(word: str) -> bool:
    """Whether a case-folded word stands in an English dictionary, as it is or with a capital."""
    _, others = _word_forms()
    place = bisect_left(others, word)
    return _lemma_listed(word) is not None or (place < len(others) and others[place] == word)
