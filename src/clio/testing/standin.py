"""What the stand-in says to a prompt: an answer made of the prompt's own words, always the same one."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from clio.errors import ModelError
from clio.models.tokens import count
from clio.testing.misled import ordered, outlier, verbatim
from clio.text import stop_words, tokens

Messages = Sequence[tuple[str, str]]

_BLOCK = re.compile(r"<(\w+)>(.*?)</\1>", re.DOTALL)
_REPAIR = "This answer cannot be used"
_OPEN, _CLOSE = "<conversation>", "</conversation>"
_KEY = re.compile(r'^[ \t]*(?:[-*] )?"([^"\n]+)":(.*)$', re.MULTILINE)
_QUOTED = re.compile(r'["“]([^"“”\n]+)["”]')
_FORMAT_WORDS = frozenset({"help", "user", "users", "asked", "name", "description", "cluster", "category"})


def answer(
    messages: Messages,
    schema: Mapping[str, Any] | None = None,
    *,
    gullible: bool = False,
    leaky: bool = False,
) -> str:
    """What the stand-in says to a prompt, by the blocks that the prompt holds and asks for.

    Args:
        messages: role and text of each message.
        schema: JSON schema of the answer; an empty one asks for JSON whose keys the prompt tells.
        gullible: obey the first order in the prompt (``clio.testing.misled``), in whatever form is asked for.
        leaky: repeat a user's words as facets, and name a group by the one text that differs most from the others.
    """
    while len(messages) > 2 and messages[-1][1].startswith(_REPAIR):
        messages = messages[:-2]  # asked again, it says what it says undisturbed
    whole = "\n".join(text for _, text in messages)
    # a system prompt may show the tags in an example
    conversation = _conversation("\n".join(text for role, text in messages if role == "user"))
    conversation = conversation or _conversation(whole)
    told = ordered(whole) if gullible else None
    said = told
    if said is None and leaky and conversation:
        said = verbatim(_turns(conversation) or [conversation])
    if schema is not None or "one JSON object" in whole.replace(conversation, ""):
        return json.dumps(_object(messages, conversation, schema or {}, said), ensure_ascii=False)
    asks = messages[-1][1]
    blocks: dict[str, str] = {}
    for tag, content in _BLOCK.findall(whole):
        blocks.setdefault(tag, content)
    if "<rating>" in asks:
        return "<justification>It tells of nobody in particular.</justification>\n<rating>5</rating>"
    if "conversation" in blocks:
        return _facet(blocks["conversation"], asks, said)
    if "categories" in blocks:
        if told is not None:
            return f"<answer>{told}</answer>"
        choices = [text for _, text in _BLOCK.findall(blocks["categories"])]
        about = set(_words(blocks.get("cluster", "")))
        # the order in which they stand must not matter: the prompt is shuffled
        best = max(sorted(choices), key=lambda choice: len(about & set(_words(choice))), default="none")
        return f"<answer>{best}</answer>"
    if "numbered list" in asks:
        texts = [text for _, text in _BLOCK.findall(blocks.get("clusters") or blocks.get("names", ""))]
        about_so_many = re.search(r"about (\d+)", asks)
        wanted = int(about_so_many[1]) if about_so_many else 5
        names = dict.fromkeys(text.split(":", 1)[0].strip() for text in sorted(texts))
        names = {told: None} if told is not None else names
        lines = "\n".join(f"{number}. {name}" for number, name in enumerate(list(names)[:wanted], 1))
        return f"<scratchpad>They fall apart.</scratchpad>\n<answer>\n{lines}\n</answer>"
    if leaky and told is None:
        told = outlier(_group(blocks))
    if told is not None:
        return f"<summary>{told}</summary>\n<name>{told}</name>"
    subject = _shared_subject(blocks)
    return f"<summary>Users asked for help with {subject}.</summary>\n<name>Get help with {subject}</name>"


def spoiled(text: str, fault: str | None) -> str:
    """An answer's text as a fault leaves it: empty, cut in the middle, or between chatty sentences."""
    if fault in {"empty", "refuse"}:
        return ""
    if fault == "cut":
        return text[: len(text) // 2]
    if fault == "prose":
        return f"Sure! Here is what you asked for:\n\n```json\n{text}\n```\n\nTell me if you need more."
    return text


def share(content: bytes) -> float:
    """A number from 0 to 1 that depends on the content alone."""
    return int.from_bytes(hashlib.sha256(content).digest()[:6], "big") / 2**48


@lru_cache(maxsize=1024)
def count_tokens(text: str) -> int:
    """Length of a text in tokens of o200k_base, or in words where the tokenizer is not installed; instructions come with every call."""
    return _counter()(text)


@cache
def _counter() -> Callable[[str], int]:
    """How tokens are counted; the tokenizer is only loaded when a server starts or tokens are counted."""
    try:
        count("")
    except ModelError:
        return lambda text: len(text.split())
    return count


def _conversation(whole: str) -> str:
    """The conversation block of a prompt: the longest, as instructions may speak of the tags too."""
    found, start = "", 0
    while (end := whole.find(_CLOSE, start)) >= 0:
        opened = whole.rfind(_OPEN, start, end)
        if opened >= 0:
            found = max(found, whole[opened + len(_OPEN) : end], key=len)
        start = end + len(_CLOSE)
    return found


def _turns(conversation: str) -> list[str]:
    """What the user says in a conversation."""
    return re.findall(r"<user>(.*?)</user>", conversation, re.DOTALL)


def _object(messages: Messages, conversation: str, schema: Mapping[str, Any], said: str | None) -> Any:
    """The JSON object that is asked for by a schema or, without one, by the prompt's first lines; ``said`` stands for its texts."""
    facts = _facts(messages, conversation)
    if said is not None:
        facts = (said, *facts[1:])
    if schema.get("properties") or "$ref" in schema:
        return _value(schema, schema, facts)
    # the first that tells keys: repair messages come later; and what a user wrote tells nothing
    for _, text in messages:
        keys = _KEY.findall(text.replace(conversation, "") if conversation else text)
        if keys:
            return {key: _told_value(line, facts) for key, line in keys}
    return {}


def _facts(messages: Messages, conversation: str) -> tuple[str, int, float]:
    """What an answer is made of: a sentence, the number of user turns, and a number from 0 to 1 to choose by."""
    turns = _turns(conversation)
    if conversation:
        subject = " ".join(_words(turns[0] if turns else conversation)[:6]) or "something"
        return f"get help with {subject}", len(turns), share(conversation.encode())
    # a prompt about a group of texts: its first message that holds any
    asked = next((text for role, text in messages if role == "user"), "")
    blocks: dict[str, str] = {}
    for tag, content in _BLOCK.findall(asked):
        blocks.setdefault(tag, content)
    return f"get help with {_shared_subject(blocks)}", len(turns), share(asked.encode())


def _value(schema: Mapping[str, Any], root: Mapping[str, Any], facts: tuple[str, int, float]) -> Any:
    """A value that a schema allows."""
    text, turns, choice = facts
    if "$ref" in schema:
        found: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return _value(found, root, facts)
    if "anyOf" in schema:
        return _value(next(one for one in schema["anyOf"] if one.get("type") != "null"), root, facts)
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if schema.get("enum"):
        choices = [one for one in schema["enum"] if one is not None] or [None]
        return 1 if kind == "integer" and 1 in choices else choices[int(choice * len(choices))]
    if kind == "object":
        return {key: _value(one, root, facts) for key, one in schema.get("properties", {}).items()}
    if kind == "array":
        return [_value(schema.get("items", {}), root, facts)]
    if kind in {"integer", "number"}:
        within = min(schema.get("maximum", turns), turns)
        return max(schema.get("minimum", within), within)
    return {"boolean": choice < 0.5, "null": None}.get(kind, text)


def _told_value(line: str, facts: tuple[str, int, float]) -> Any:
    """A value as a prompt's line about one key asks for it."""
    text, turns, choice = facts
    if "one digit" in line:
        return 1
    if "exactly one of" in line:
        choices = _QUOTED.findall(line.split("exactly one of", 1)[1])
        return choices[int(choice * len(choices))] if choices else text
    return turns if "one number" in line else text


def _group(blocks: Mapping[str, str]) -> list[str]:
    """The texts of the group that is to be named: summaries, children, or terms."""
    told = next((blocks[tag] for tag in ("group", "clusters", "terms") if blocks.get(tag)), "")
    return [text for _, text in _BLOCK.findall(told)]


def _shared_subject(blocks: Mapping[str, str]) -> str:
    """The words that most texts of a group share, and few texts outside."""
    texts = _group(blocks)
    shared = Counter(word for text in texts for word in dict.fromkeys(_words(text)))
    outside = Counter(
        word for _, text in _BLOCK.findall(blocks.get("outside", "")) for word in set(_words(text))
    )
    best_first = sorted(shared, key=lambda word: (outside[word] - shared[word], word))[:3]
    return " and ".join(best_first) or "several subjects"


def _facet(conversation: str, asks: str, said: str | None) -> str:
    """An answer to a facet question: of the form that the question asks for; ``said`` stands for a text."""
    turns = _turns(conversation)
    choices = re.findall(r"^- (.+)$", asks, re.MULTILINE)
    if "Answer with exactly one" in asks and choices:
        return f"<answer>{choices[int(share(conversation.encode()) * len(choices))]}</answer>"
    if "Answer with one digit" in asks:
        return "<answer>1</answer>"
    if "Answer with one number" in asks:
        return f"<answer>{len(turns)}</answer>"
    subject = " ".join(_words(turns[0] if turns else conversation)[:6]) or "something"
    if said is not None:
        return f"<answer>{said}</answer>"
    prefill = asks.rsplit("<answer>", 1)[-1].strip() if "<answer>" in asks else ""
    return f"<answer>{prefill} get help with {subject}.</answer>"


def _words(text: str) -> list[str]:
    """The content words of a text in their order, each once."""
    known = stop_words("en") | _FORMAT_WORDS
    return [word for word in dict.fromkeys(tokens(text)) if len(word) > 1 and word not in known]
