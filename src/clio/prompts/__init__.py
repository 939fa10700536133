"""The prompts: one Markdown file each, filled with data that can never end its own block.

A file has a title, notes, how to sample (``- temperature: 0.2``, ``- max_tokens: 300``), how many of its first messages begin
other prompts too (``- cached: 1``), then its messages, each under a heading ``## user``, ``## assistant`` or ``## system``.
``{{privacy}}`` is replaced by privacy.md when the file is loaded, every other ``{{placeholder}}`` when the prompt is filled. A folder
of one's own files may replace any of them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from clio.errors import SettingsError
from clio.models.protocols import Answer, Prompt

#: what a placeholder is filled with: a text, or (tag, text) pairs, each shown in a block of its own
Data = str | Sequence[tuple[str, str]]

_ROLE = re.compile(r"^## (user|assistant|system)[ \t]*$", re.MULTILINE)
_SETTING = re.compile(r"^- (temperature|max_tokens|cached): *([0-9.]+)[ \t]*$", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\{\{([a-z_]+)\}\}")
_TAG = re.compile(r"</?([a-z_]+)>")
_GAP = r"[\s\u00ad\u200b-\u200f\u2060\ufeff]*"
# marks by which chat models tell turns apart; a local server may obey them even inside a message
_TURN_MARKS = rf"<(?={_GAP}[|｜]|/?s>|<SYS>|</SYS>|(?:start|end)_of_turn>)|\[(?=/?INST\])"


@dataclass(frozen=True)
class Template:
    """One prompt file: its messages with placeholders, and how to sample."""

    name: str
    messages: tuple[tuple[str, str], ...] = field(repr=False)
    temperature: float = 0.2
    max_tokens: int = 400
    cached: int = 0

    @cached_property
    def placeholders(self) -> frozenset[str]:
        """What has to be filled in."""
        return frozenset(found for _, text in self.messages for found in _PLACEHOLDER.findall(text))

    @cached_property
    def tags(self) -> frozenset[str]:
        """The tags that mark blocks in this prompt."""
        return frozenset(found for _, text in self.messages for found in _TAG.findall(text))


def load(name: str, folder: Path | None = None) -> Template:
    """The prompt of a name ("facet", "describe", …), from ``folder`` if it holds ``name.md``, else the
    built-in one.

    Raises:
        SettingsError: no such prompt, or a file without messages or with a placeholder that the built-in one
            does not have.
    """
    own = folder / f"{name}.md" if folder is not None else None
    if own is None or not own.is_file():
        return _built_in(name)
    template = _parse(name, _text(own), privacy=_privacy(folder))
    unknown = template.placeholders - _built_in(name).placeholders
    if unknown:
        known = ", ".join(sorted(_built_in(name).placeholders))
        raise SettingsError(f"prompt {own}: unknown placeholder {sorted(unknown)[0]}; it may use: {known}")
    return template


def hashes(folder: Path | None = None, *names: str) -> dict[str, str]:
    """SHA-256 of the prompt files of these names (all if none is given) as used, sorted: what a run notes and is keyed by."""
    found = {}
    for entry in sorted(files("clio.prompts").iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".md") and (not names or entry.name.removesuffix(".md") in names):
            own = folder / entry.name if folder is not None else None
            text = _text(own) if own is not None and own.is_file() else entry.read_text("utf-8")
            found[entry.name.removesuffix(".md")] = hashlib.sha256(text.encode()).hexdigest()
    return found


def fill(
    template: Template,
    data: Mapping[str, Data],
    *,
    schema: Mapping[str, Any] | None = None,
    max_tokens: int | None = None,
) -> Prompt:
    """A prompt ready to be asked. Data stays data: a tag of the prompt in it loses its bracket.

    Args:
        template: the prompt's file.
        data: what its placeholders are filled with.
        schema: JSON schema of the answer.
        max_tokens: of the answer, instead of the file's.

    Raises:
        KeyError: a placeholder is not given.
    """
    tags = template.tags | {tag for value in data.values() if not isinstance(value, str) for tag, _ in value}
    marks = _marks(frozenset(tags))

    def shown(value: Data) -> str:
        if isinstance(value, str):
            return quoted(value, marks)
        return "\n".join(f"<{tag}>{quoted(text, marks)}</{tag}>" for tag, text in value)

    blocks = {name: shown(data[name]) for name in template.placeholders}
    messages = tuple(
        (role, _PLACEHOLDER.sub(lambda found: blocks[found[1]], text)) for role, text in template.messages
    )
    return Prompt(messages, template.temperature, max_tokens or template.max_tokens, schema, template.cached)


def repaired(prompt: Prompt, answer: Answer, wrong: str, folder: Path | None = None) -> Prompt:
    """The prompt that asks again after an answer that cannot be used, and says what is wrong with it."""
    (asked,) = fill(load("repair", folder), {"wrong": wrong}).messages
    messages = (*prompt.messages, ("assistant", quoted(answer.text, _marks(frozenset()))), asked)
    return replace(prompt, messages=messages)


def quoted(text: str, marks: re.Pattern[str]) -> str:
    """A text whose marks have lost their bracket; what UTF-8 cannot hold (a lone surrogate) becomes "?"."""
    shown = marks.sub(lambda found: "‹" if found[0] == "<" else "⁅", text)
    return shown.encode(errors="replace").decode()


@cache
def _marks(tags: frozenset[str]) -> re.Pattern[str]:
    """The opening brackets that data may not have: of these tags, opening or closing, and of turn marks."""
    names = "|".join(sorted(tags)) or r"(?!)"
    return re.compile(rf"<(?={_GAP}/?{_GAP}(?:{names})\b)|{_TURN_MARKS}", re.IGNORECASE)


@cache
def _built_in(name: str) -> Template:
    path = files("clio.prompts") / f"{name}.md"
    if not re.fullmatch(r"[a-z_]+", name) or not path.is_file():
        raise SettingsError(f"no prompt {name!r}; there are: {', '.join(hashes())}")
    return _parse(name, path.read_text("utf-8"), privacy=_privacy(None))


def _privacy(folder: Path | None) -> str:
    """The rules that {{privacy}} stands for: privacy.md without its title and notes."""
    own = folder / "privacy.md" if folder is not None else None
    text = (
        _text(own)
        if own is not None and own.is_file()
        else (files("clio.prompts") / "privacy.md").read_text("utf-8")
    )
    return text.strip().split("\n\n", 2)[-1]


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"prompt {path}: cannot be read as UTF-8 text ({type(error).__name__})") from None


def _parse(name: str, text: str, *, privacy: str) -> Template:
    head, *sections = _ROLE.split(text)
    messages = tuple(
        (role, body.strip().replace("{{privacy}}", privacy))
        for role, body in zip(sections[::2], sections[1::2], strict=True)
    )
    if not any(role == "user" and body for role, body in messages):
        raise SettingsError(f"prompt {name}.md has no message: put its text under a line `## user`")
    settings = dict(_SETTING.findall(head))
    try:
        return Template(
            name,
            messages,
            float(settings.get("temperature", 0.2)),
            int(settings.get("max_tokens", 400)),
            int(settings.get("cached", 0)),
        )
    except ValueError:
        raise SettingsError(
            f"prompt {name}.md: temperature must be a number, max_tokens and cached whole numbers"
        ) from None
