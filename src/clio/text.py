"""Words: how text is cut into tokens and compared, the same way wherever words are counted, named or checked."""

from __future__ import annotations

import re
from functools import cache, lru_cache

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
_JAPANESE_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff々]+|[\u30a0-\u30ff\u31f0-\u31ffー]+|[\u3040-\u309f]+")

ENGLISH_STOP_WORDS = frozenset(
    """a about above across after again against ago ah all almost along already also although always am among an and another any
    anybody anyone anything anyway anywhere are aren't around as at away back be because been before behind being below between both
    but by can can't cannot could couldn't did didn't do does doesn't doing don't done down during each either else enough etc even ever every
    everybody everyone everything few for from further had hadn't has hasn't have haven't having he he'd he'll he's hello her here here's
    hers herself hey hi him himself his how how's however i i'd i'll i'm i've if in into is isn't it it'd it'll it's its itself just kind
    let let's like lot lots made make many may maybe me might mine more most much must my myself near need never no nobody none nor not nothing now
    of off oh ok okay on once one ones only onto or other others our ours ourselves out over own per perhaps please quite rather really
    said same say see she she'd she'll she's should shouldn't since so some somebody someone something somewhere soon still stuff such sure
    than thank thanks that that'd that'll that's the their theirs them themselves then there there's these they they'd they'll they're
    they've thing things this those though through thus till to together too toward towards two under until up upon us very via want wanna was wasn't
    way we we'd we'll we're we've well were weren't what what's whatever when when's where where's whether which while who who's whole whom
    whose why why's will with within without won't would wouldn't yes yet you you'd you'll you're you've your yours yourself yourselves
    gonna gotta dont im ive id thats whats cant pls plz u ur""".split()
)


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
    return _HAS_CJK.search(text) is not None


def tokens(text: str, language: str | None = None) -> list[str]:
    """Cut a text into case-folded word tokens; Chinese is segmented with jieba's dictionary, Japanese by script runs.

    Args:
        text: any text.
        language: ISO 639-1 code where it is known; only decides whether Han characters are Chinese or Japanese.

    Returns:
        The tokens in order: words and numbers, no punctuation.
    """
    found: list[str] = _WORD.findall(text.casefold().replace("’", "'"))
    if not _HAS_CJK.search(text):
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
