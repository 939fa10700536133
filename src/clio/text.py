"""Words: how text is cut into tokens and compared, the same way wherever words are counted, named or checked."""

from __future__ import annotations

import re
import tomllib
from functools import cache, lru_cache
from importlib.resources import files

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


@lru_cache(maxsize=200_000)
def lemma(token: str) -> str:
    """The dictionary form by which two tokens count as the same word ("cards" and "card"); English only, others as they are."""
    if not token.isascii() or not token.isalpha() or len(token) < 3:
        return token.removesuffix("'s")
    import simplemma  # loads a dictionary

    return str(simplemma.lemmatize(token, lang="en")).casefold()


def is_english(word: str) -> bool:
    """Whether a word stands in an English dictionary, as it is or in the other case of its first letter."""
    import simplemma  # loads a dictionary

    return bool(simplemma.is_known(word, lang="en"))
