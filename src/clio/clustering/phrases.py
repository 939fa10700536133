"""Actions and things in requests: "how do i report my lost card?" holds the action *report* and the thing *lost card*.

No parser and no tagger: requests are written in few frames ("can you …", "i want to …", "how do i …", an imperative),
and what follows a frame is a base-form verb and its object. Words are found by closed lists (function words, verbs);
anything else that stands in object position is a thing.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import NamedTuple

from clio.text import ENGLISH_STOP_WORDS, has_cjk, lemma, stop_words, tokens, word_list

_TOKEN = re.compile(r"[a-z0-9]+(?:['’.+#/-][a-z0-9+#]+)*[+#]*|[.!?;:,()\n\"“”]|[^\s\w]")
_BREAK = frozenset('.!?;:,()\n"“”')
_DETERMINERS = word_list("determiners")
_POSSESSIVES = word_list("possessives")
_INDIRECT = word_list("indirect_objects")
_PREPOSITIONS = word_list("prepositions")
_JOINS = word_list("joiners")
QUESTION_WORDS = word_list("question_words")
#: prepositions that may stand inside a name
LINKS = word_list("links")
_PARTICLES = word_list("particles")
_POLITE = word_list("polite")
_VAGUE = word_list("vague")
_FILLERS = word_list("fillers")
#: verbs that follow a thing rather than belong to it, and words that no thing ends in
ENDING_VERBS, _NOT_HEADS = word_list("ending_verbs"), word_list("not_heads")
# words that no thing ends in
_NOT_A_THING = (
    ENGLISH_STOP_WORDS
    | _VAGUE
    | _PREPOSITIONS
    | _JOINS
    | _FILLERS
    | frozenset(["please", "thanks", "something", "anything"])
)

_SENTENCES = re.compile(r"(?<=[.!?\n;])\s*|,\s+(?:and|then|but|so)\s+")
# frames that lead to a verb in its base form
_FRAMES = re.compile(
    r"\b(?:(?:can|could|would|will|may|should|must|shall|do|did|might) (?:you|i|we|u|it)(?: please| kindly| also| just)?"
    r"(?: be able to| help me(?: to)?| tell me how(?: i can)? to)?"
    r"|(?:want|need|wanted|like|love|wish|trying|try|going|able|have|hoping|looking|planning|plan|help|how|ready|wanna|gonna"
    r"|required|request|asked|you|possible|way|ways|best way|steps)(?: you| me| us)? to"
    r"|wanna|gonna|help me(?: please)?|let's|lets|let me|i'll|i'd|please)\s+(?=[a-z])"
)
_QUESTION = re.compile(
    r"\b(?:what|which|who|where|when|why|how)(?:'s|'re| is| are| was| were| do| does| did| about| can| would"
    r"| (?:long|many|much|far|often|old|busy|big|tall|fast|good|hard|easy|hot|cold|late|early|soon)\b)*\b"
)
_DO = re.compile(r"\b(?:do|does|did|can|would)\b")
_SEEK = {
    "looking for": "find",
    "look for": "find",
    "search for": "search for",
    "searching for": "search for",
    "interested in": "learn about",
    "i need": "get",
    "i want": "get",
    "need help with": "get help with",
    "help with": "get help with",
    "tell me about": "learn about",
    "know about": "learn about",
    "information about": "learn about",
    "information on": "learn about",
    "info on": "learn about",
    "difference between": "compare",
}
_SEEK_FRAME = re.compile(r"\b(" + "|".join(sorted(_SEEK, key=len, reverse=True)) + r")\s+(?=[a-z0-9])")
_TELLS = word_list("telling_verbs")
#: characters of a request in which words are counted
BEGINNING = 300
#: what a question about a thing is called when no verb is said
ASK = "ask about"


@cache
def verbs() -> frozenset[str]:
    """Base forms of the verbs that requests begin with."""
    lines = files("clio.clustering").joinpath("verbs.txt").read_text("utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


class Action(NamedTuple):
    """What one request asks: a verb phrase, and the words of its object as they were said, without determiners.

    ``thing`` is at most four tokens with the head last; ``link`` and ``tail`` hold one prepositional phrase after it: "for",
    ("two", "people").
    """

    verb: str
    thing: tuple[str, ...]
    article: str
    link: str
    tail: tuple[str, ...]


def _thing(words: list[str], start: int) -> tuple[tuple[str, ...], str, int]:
    """The noun phrase at a position: its words, its determiner, and where it ends."""
    i, article = start, ""
    while (
        i < len(words)
        and words[i] in _INDIRECT
        and not (words[i] == "her" and i + 1 < len(words) and words[i + 1] not in _NOT_A_THING)
    ):
        i += 1
    if i < len(words) and words[i] in {"with", "about"} and i > start:
        i += 1
    while i < len(words) and (words[i] in _DETERMINERS or words[i] in _FILLERS):
        if words[i] in {"a", "an", "the"} or words[i] in _POSSESSIVES:
            article = words[i] if words[i] not in _POSSESSIVES else "my"
        i += 1
    begin = i
    while (
        i < len(words)
        and words[i] not in _BREAK
        and words[i] not in _NOT_A_THING
        and words[i][0].isalnum()
        and not (i > begin and words[i] in ENDING_VERBS)
        and i - begin < 6
    ):
        i += 1
    last = i
    while last > begin and words[last - 1] in _NOT_HEADS:
        last -= 1
    return tuple(words[max(begin, last - 4) : last]), article, i


def _after(words: list[str], verb: str, start: int) -> Action | None:
    """The action of a verb whose object starts here; None if nothing is said of it."""
    i = start
    if i < len(words) and words[i] in _PARTICLES and i + 1 < len(words) and words[i + 1] not in {"in", "at"}:
        verb, i = f"{verb} {words[i]}", i + 1
    thing, article, end = _thing(words, i)
    link, tail = "", tuple[str, ...]()
    if not thing and end < len(words) and words[end] in _PREPOSITIONS:
        # "apply for a card", "look at flights"
        thing, article, after = _thing(words, end + 1)
        if thing:
            verb, end = f"{verb} {words[end]}", after
    if thing and end < len(words) and words[end] in _PARTICLES:
        verb, end = f"{verb} {words[end]}" if " " not in verb else verb, end + 1
    if thing and end < len(words) and words[end] in _PREPOSITIONS:
        tail, _, _ = _thing(words, end + 1)
        link = words[end] if tail else ""
    if verb == "help" and thing and thing[0] in verbs():
        return None  # "help me prepare": the verb after it is found by its frame
    verb = ASK if verb in _TELLS else "get help with" if verb == "help" else verb
    return Action(verb, thing, article, link, tail) if thing else None


def actions(request: str) -> list[Action]:
    """The actions of an English request, the clearest first; at most six.

    Frames before a verb count first, then imperatives at the start of a sentence, then what is sought or asked about.
    """
    text = request.casefold().replace("’", "'")
    known = verbs()
    found: list[Action] = []
    rest: list[Action] = []
    for sentence in _SENTENCES.split(text)[:12]:
        starts: list[tuple[int, str | None]] = [(m.end(), None) for m in _FRAMES.finditer(sentence)]
        starts += [(m.end(), _SEEK[m.group(1)]) for m in _SEEK_FRAME.finditer(sentence)]
        begins = next(
            (
                at
                for at in _TOKEN.finditer(sentence)
                if at.group() not in _POLITE and at.group() not in _BREAK
            ),
            None,
        )
        if begins and (verb := begins.group()) in known:
            words = _TOKEN.findall(sentence[begins.end() :])
            if words and words[0] not in {"is", "are", "was", "of"}:
                action = _after(words, verb, 0)
                if action:
                    found.append(action)
        for at, seek in starts:
            ahead = _TOKEN.findall(sentence[at : at + 160])
            if not ahead:
                continue
            if seek:
                action = _after(ahead, seek, 0)
                # "i need to find a flight" is a frame of its own, not a wish for something
                if action and ahead[0] != "to" and ahead[0] not in known:
                    rest.append(action)
            else:
                while ahead and (
                    ahead[0] in _POLITE
                    or (
                        ahead[0] in {"help", "me", "to", "you"}
                        and len(ahead) > 1
                        and (ahead[1] in known or ahead[1] in {"me", "to"})
                    )
                ):
                    ahead = ahead[1:]
                verb = ahead[0] if ahead else ""
                if verb in known:
                    action = _after(ahead, verb, 1)
                    if action:
                        found.append(action)
        question = _QUESTION.search(sentence) if "wh" in sentence or "how" in sentence else None
        if question:
            words = _TOKEN.findall(sentence[question.end() : question.end() + 160])
            thing, article, end = _thing(words, 0)
            if len(thing) > 1 and thing[-1] in known and _DO.search(question.group()):
                thing = thing[:-1]  # "how does the car start": the verb ends what is asked about
            if (
                len(thing) == 1
                and not article
                and (lemma(thing[0]) in known or thing[0] in _VAGUE or thing[0].endswith("ing"))
            ):
                thing = ()  # "how long does it take": no thing is named
            # "who won the cup": what is asked about is after the verb
            if thing and thing[0] != lemma(thing[0]) and lemma(thing[0]) in known and end < len(words):
                thing, article, end = (thing[1:], article, end) if len(thing) > 1 else _thing(words, end)
            if thing:
                tail, _, _ = (
                    _thing(words, end + 1)
                    if end < len(words) and words[end] in _PREPOSITIONS
                    else ((), "", 0)
                )
                rest.append(Action(ASK, thing, article, words[end] if tail else "", tail))
    unique = dict.fromkeys(found + rest)
    return list(unique)[:6]


def lemmas(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words by which two phrases count as the same."""
    return tuple(lemma(word) for word in words)


_MASK = re.compile(r"\[[a-z_ ]+\]")


def without_masks(request: str) -> str:
    """A request without the marks that stand for identifiers in it."""
    return _MASK.sub(" ", request) if "[" in request else request


_CLAUSE = re.compile(r"[，。！？；：、,.!?;:\n\s\"“”《》（）()]+")
_CHINESE_WEAK = word_list("chinese_weak")
_CHINESE_VAGUE = word_list("chinese_vague")


def _chinese(request: str) -> list[Action]:
    """Actions of a Chinese request: in each clause the first verb that says something and the noun phrase that ends it."""
    import rjieba  # builds its dictionary, only when Chinese turns up

    found = []
    for clause in _CLAUSE.split(request)[:12]:
        verb, run, best = "", list[str](), list[str]()
        for word, tag in rjieba.tag(clause):
            if tag[0] == "v" and tag != "vn" and word not in _CHINESE_WEAK:
                verb, run = verb or word, []
            elif tag[0] in "njl" or tag in {"vn", "eng", "i"}:
                run.append(word)
                best = run if word not in _CHINESE_VAGUE or not best else best
            else:
                run = []
        thing = tuple(word.casefold() for word in best[-3:])
        if thing and not (len(thing) == 1 and (len(thing[0]) < 2 or thing[0] in _CHINESE_VAGUE)):
            found.append(Action(verb, thing, "", "", ()))
    return list(dict.fromkeys(found))[:6]


@lru_cache(maxsize=1)
def beginning(request: str, language: str) -> tuple[str, ...]:
    """The words at the beginning of a request, kept until the next is asked for: each is asked for twice."""
    return tuple(tokens(request[:BEGINNING], language))


def _by_neighbours(request: str, language: str) -> list[tuple[str, ...]]:
    """Where no grammar is known: pairs of neighbouring content words and the words themselves, as things without a verb."""
    stop = stop_words(language)
    words = [
        w if w not in stop and len(w) > 1 and not w.isdigit() else "" for w in beginning(request, language)
    ]
    if language == "ja":
        words = ["" if all("\u3040" <= c <= "\u309f" for c in w) else w for w in words]
    pairs = [pair for pair in pairwise(words) if all(pair)]
    return list(dict.fromkeys([*pairs, *((word,) for word in words if word)]))[:24]


class Phrase(NamedTuple):
    """A candidate for a name: an action's verb (empty: only a thing), the words of its thing, its determiner, its form.

    ``form`` says how well formed it is: 1 an object of a verb or question, lower for neighbouring words.
    """

    verb: str
    words: tuple[str, ...]
    article: str
    form: float


def _endings(action: Action) -> list[Phrase]:
    """The action with its thing at three lengths, and with what follows it: "new credit card", "credit card", "card"; "card for work"."""
    thing = action.thing
    found = [
        Phrase(action.verb, thing[i:], action.article, 1.0) for i in range(max(0, len(thing) - 3), len(thing))
    ]
    tail_is_clause = action.tail and (action.tail[0] in verbs() or action.tail[0].endswith("ing"))
    if action.link in LINKS and action.tail and not tail_is_clause:
        # "translate … into spanish", "add … to playlist": what is between differs from person to person
        found += [
            Phrase(f"{action.verb} {action.link}", action.tail[j:], "", 0.6)
            for j in range(max(0, len(action.tail) - 2), len(action.tail))
            if action.verb not in {ASK, "get"}
        ]
        for i in range(max(0, len(thing) - 2), len(thing)):
            found += [
                Phrase(action.verb, (*thing[i:], action.link, *action.tail[j:]), action.article, 1.0)
                for j in range(max(0, len(action.tail) - 2), len(action.tail))
            ]
    return found


def find_phrases(request: str, language: str) -> list[Phrase]:
    """All that a request offers for a name, in any language; where its grammar is not known, neighbouring words without a verb.

    Args:
        request: one text, identifiers masked.
        language: ISO 639-1 code or "unknown".
    """
    text = without_masks(request)
    if language in {"en", "unknown"} and not has_cjk(text):
        found = [phrase for action in actions(text) for phrase in _endings(action)]
        known = verbs()
        found += [
            Phrase("", thing, "", 0.75 if len(thing) > 1 else 0.35)
            for thing in _by_neighbours(text, "en")
            if thing[-1] not in _NOT_A_THING and thing[0] not in known and lemma(thing[-1]) not in known
        ]
    elif language == "zh":
        found = [phrase for action in _chinese(text) for phrase in _endings(action)]
    else:
        found = [
            Phrase("", thing, "", 1.0 if len(thing) > 1 else 0.7) for thing in _by_neighbours(text, language)
        ]
    return list(dict.fromkeys(found))


_IRREGULAR = word_list("irregular_states")
_NO_STATE = word_list("not_states")


def is_state(word: str) -> bool:
    """Whether an English word says what happened to a thing: "lost", "declined", "damaged"."""
    return word in _IRREGULAR or (
        word.endswith("ed") and len(word) > 5 and word not in _NO_STATE and lemma(word) in verbs()
    )


def is_thing(key: tuple[str, ...]) -> bool:
    """Whether a phrase names a thing: no number, no question, and no single word for an act ("finding", "interested")."""
    word = key[0]
    act = len(key) == 1 and (word.endswith(("ing", "ed")) or word in ENDING_VERBS)
    return not act and not any(part[0].isdigit() or part in QUESTION_WORDS for part in key)
