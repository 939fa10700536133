"""The request facet without a chat model: the user's own words, cut to the sentences that ask, with identifiers masked.

It stays in the private zone: it is embedded, and its words are counted across users; it is never published itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from clio.privacy.pii import mask
from clio.text import ENGLISH_STOP_WORDS, has_cjk

MAX_CHARACTERS = 400

_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_SPACE = re.compile(r"\s+")
_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]*")
_WORD = re.compile(r"[^\W\d_]+")
#: what a text asks by, in some languages
ASKS = re.compile(
    r"[?？]|\b(?:please|can you|could you|would you|help me|i need|i want|i'd like|i would like|how (?:do|can|to)|what|why|which|"
    r"write|explain|create|make|give|tell|find|show|generate|translate|summari[sz]e|suggest|list|describe|fix|convert)\b|"
    r"请|帮|如何|怎么|什么|为什么|ください|教えて|por favor|puedes|cómo|qué|bitte|kannst|wie|s'il|peux|comment|pouvez|você|como",
    re.IGNORECASE,
)


# what opens a conversation and asks for nothing: embedded, it would gather those who greet alike
_GREETING = re.compile(
    r"(?:\W*(?:hello(?!,? world)|hi|hey|hiya|greetings|good (?:morning|afternoon|evening|day)(?=\s*(?:[,.!?;:\n]|$))|"
    r"how are you(?: doing)?(?: today)?|"
    r"hallo|guten (?:tag|morgen|abend)|bonjour|bonsoir|salut|hola|buen[oa]s(?: d[ií]as| tardes| noches)?|ciao|buongiorno|"
    r"ol[áa]|oi|bom dia|boa (?:tarde|noite)|hej|cześć|merhaba|selam|привет|здравствуйте|добрый день)(?: there| everyone| all)?(?![\w\-'’])"
    r"|\W*(?:你好(?!吗)|您好|안녕하세요|こんにちは))+[\s,.!?;:，。！？、~]*",
    re.IGNORECASE,
)


def says_something(text: str) -> bool:
    """Whether a turn says more than a greeting: at least two words that are no function words."""
    if not text.isascii() and has_cjk(text):
        return len(text.strip()) >= 5
    said = 0
    for word in _WORD.finditer(text.casefold()):
        said += word.group() not in ENGLISH_STOP_WORDS
        if said == 2:
            return True
    return False


def _cut(text: str) -> str:
    """At most 400 characters: the first sentence, the last, and of those between the ones that ask, in their order."""
    if len(text) <= MAX_CHARACTERS:
        return text
    sentences = [s for found in _SENTENCE.findall(text[:2000] + "\n" + text[-2000:]) if (s := found.strip())]
    order = sorted(
        range(len(sentences)),
        key=lambda i: (i != 0, ASKS.search(sentences[i][:300]) is None, i != len(sentences) - 1, i),
    )
    kept, room = [], MAX_CHARACTERS
    for i in order:
        if room <= 20:
            break
        kept.append((i, sentences[i][:room]))
        room -= len(sentences[i]) + 1
    return " ".join(sentence for _, sentence in sorted(kept))


def extract(turns: Iterable[str], mask: Callable[[str], str] = mask) -> str:
    """What the user asks for, from the texts of the user's turns in order.

    The first turn that says more than a greeting decides; shorter turns before it are kept as its beginning. Greetings are left out
    where anything else is said, long turns are cut to the sentences that ask (at most 400 characters), code blocks are left out where
    prose stands beside them, and identifiers are masked.

    Returns:
        The request, masked; empty if no turn says anything.
    """
    said: list[str] = []
    greeted: list[str] = []
    for turn in turns:
        text = _CODE.sub(" ", turn) if "```" in turn else turn
        enough = says_something(text)
        if not enough and text is not turn:
            text, enough = turn, says_something(turn)
        if text := text.strip():
            if _GREETING.match(text):
                text = mask(_cut(text))  # a name behind a greeting is known by it
            greeting = _GREETING.match(text)
            rest = text[greeting.end() :] if greeting else text
            (said if rest else greeted).append(rest or text)
        if len(said) + len(greeted) == 4 or enough:
            break
    return mask(_SPACE.sub(" ", _cut("\n".join(said or greeted))).strip())
