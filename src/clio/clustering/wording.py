"""How a counted phrase is written: articles, capitals, plurals and lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clio.clustering.lists import Lists, distinct, lists_with
from clio.clustering.phrases import ASK, LINKS, Phrase
from clio.text import has_cjk, lemma, word_list

if TYPE_CHECKING:
    from clio.clustering.counting import Counts, Key

# written with capitals in English whatever people type
_CAPITALS = {word.casefold(): word for word in word_list("capitals")}


_LANGUAGES = dict(pair.split(":") for pair in word_list("languages"))


def language_name(code: str) -> str:
    """English name of an ISO 639-1 code; the code itself where it is not known."""
    return _LANGUAGES.get(code, code)


@dataclass(frozen=True, slots=True)
class Wording:
    """What the whole log teaches of writing: which nouns take "a" (lemmas of heads seen with it)."""

    countable: frozenset[str]

    @staticmethod
    def learn(phrases: Lists[Phrase], rows: Sequence[int] | None = None) -> Wording:
        """Count determiners over the phrases of all requests, or of some."""
        places, which = phrases.places(
            np.arange(len(phrases)) if rows is None else np.asarray(rows, np.int64)
        )
        kinds = phrases.numbers[places]
        heads: dict[str, int] = {}
        once = distinct(kinds)
        head_of = np.full(len(once), -1)
        for i, phrase in enumerate(phrases.things[kind] for kind in once.tolist()):
            if phrase.article in {"a", "an"}:
                head_of[i] = heads.setdefault(phrase.words[_head(phrase.words)], len(heads))
        seen = head_of[np.searchsorted(once, kinds)]
        requests = lists_with(seen[seen >= 0], which[seen >= 0])
        return Wording(frozenset(head for head, number in heads.items() if requests[number] >= 3))

    def thing(self, key: Key, counts: Counts) -> str:
        """A thing as most of its users write it, without an article."""
        return _spell(_surface(key, counts)[1])

    def article(self, article: str, words: tuple[str, ...]) -> str:
        """The article a name takes: none before a plural or a mass noun, "a" for somebody's own, otherwise as people say it."""
        head = words[_head(words)]
        if not head.isascii():
            return ""
        if article == "the" and head not in self.countable:
            return "the "
        if lemma(head) != head or head not in self.countable:
            return ""
        return (
            "an "
            if words[0][0] in "aeiou" and not words[0].startswith(("uni", "use", "usu", "eu", "one"))
            else "a "
        )


def _head(words: Sequence[str]) -> int:
    """The position of the head: the last word, or the one before a preposition."""
    return next((i - 1 for i, word in enumerate(words) if i and word in LINKS), len(words) - 1)


def _surface(key: Key, counts: Counts) -> tuple[str, tuple[str, ...]]:
    """The commonest way in which a thing is written; its words are lemmas where people disagree."""
    surfaces = counts.surfaces[key]
    written: Counter[tuple[str, ...]] = Counter()
    for (_, words), n in surfaces.items():
        written[words] += n
    words = min(written, key=lambda w: (-written[w], w))
    articles: Counter[str] = Counter()
    for (article, said), n in surfaces.items():
        if said == words:
            articles[article] += n
    return min(articles, key=lambda a: (-articles[a], a)), words


def _spell(words: Iterable[str]) -> str:
    words = tuple(words)
    if any(has_cjk(word) for word in words):
        return "".join(words)
    return " ".join(_CAPITALS.get(word, word) for word in words)


def action_name(
    verb: str, key: Key, counts: Counts, wording: Wording, *, first: bool = True, state: str = ""
) -> str:
    """ "Report a lost card": verb, article, thing; only the thing where the verb is empty."""
    article, words = _surface(key, counts)
    spelled = _spell(words)
    if has_cjk(spelled):
        return ("" if verb == ASK else verb) + spelled
    if state and LINKS.isdisjoint(words):
        words = (state, *words)
        spelled = _spell(words)
    text = f"{verb} {wording.article(article, words)}{spelled}" if verb else spelled
    return text[0].upper() + text[1:] if first else text


def join(parts: Sequence[str], last: str = "and") -> str:
    """ "a, b and c"."""
    if not parts:
        return ""
    if any(has_cjk(part) for part in parts):
        return "、".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}" if len(parts) > 1 else parts[0]
