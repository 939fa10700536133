"""What all log formats share: roles, content parts, times, and the usual names of columns."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from clio.conversation import Conversation, Message, Role


class Unfit(Exception):  # noqa: N818 - a signal between readers, not an error of the user's
    """A record is not of the shape; ``path`` names the first place that did not fit, never what stands there."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


_ROLES: dict[str, Role] = {
    **dict.fromkeys(("human", "user", "prompter", "customer"), "user"),
    **dict.fromkeys(("gpt", "assistant", "model", "bot", "ai", "chatgpt", "chatbot"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("tool", "function", "observation", "function_call", "ipython"), "tool"),
}
# what JSON cannot carry on to Arrow or a terminal: NUL and halves of surrogate pairs
_UNCLEAN = re.compile("[\x00\ud800-\udfff]")
_TEXT_KEYS = ("text", "content", "value")

USER_KEYS = ("user", "user_id", "userId", "hashed_ip", "account_id", "customer_id")
ID_KEYS = ("id", "conversation_id", "conversation_hash", "chat_id", "session_id", "uuid", "thread_id")
TIME_KEYS = ("created_at", "timestamp", "create_time", "createdAt", "created", "time", "date", "start_time")
_TAKEN = frozenset({*USER_KEYS, *ID_KEYS, *TIME_KEYS, "model", "country", "language"})
_SECONDS = re.compile(r"\d{9,13}(?:\.\d+)?")


def clean(text: str) -> str:
    """The text without NULs and lone surrogates."""
    if text.isascii() and "\0" not in text:
        return text
    return _UNCLEAN.sub("", text) if _UNCLEAN.search(text) else text


def role(value: Any, path: str) -> Role:
    """The role behind a vendor's word for it; raises ``Unfit``."""
    found = _ROLES.get(value.strip().casefold()) if isinstance(value, str) else None
    if found is None:
        raise Unfit(path)
    return found


def content(value: Any) -> str:
    """The text of a message's content: a string, or parts of which text is kept and anything else becomes a mark like "[image]"."""
    if value is None:
        return ""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return "\n".join(part for item in value if (part := _part(item)))
    return _part(value)


def _part(item: Any) -> str:
    if isinstance(item, str):
        return clean(item)
    if not isinstance(item, Mapping):
        return ""
    kind = item.get("type") or item.get("content_type") or ""
    if not isinstance(kind, str) or kind in {"thinking", "reasoning", "redacted_thinking"}:
        return ""
    if kind in {"", "text", "input_text", "output_text"}:
        text = next((item[key] for key in _TEXT_KEYS if isinstance(item.get(key), str)), "")
        return clean(text)
    name = kind.removeprefix("input_").removesuffix("_url").replace("image_asset_pointer", "image")
    return f"[{name}]" if name.isidentifier() and len(name) <= 30 else "[part]"


def messages(items: Any, path: str, role_key: str = "role", text_key: str = "content") -> tuple[Message, ...]:
    """Messages of a list of turns; turns without text are left out; raises ``Unfit``."""
    if not isinstance(items, list):
        raise Unfit(path)
    found = []
    for i, item in enumerate(items):
        # nearly all are plain: a role as we call it, and a text
        if type(item) is not dict and not isinstance(item, Mapping):
            raise Unfit(f"{path}[{i}]")
        if role_key not in item:
            raise Unfit(f"{path}[{i}].{role_key}")
        said, text = item[role_key], item.get(text_key)
        who = (type(said) is str and _ROLES.get(said)) or role(said, f"{path}[{i}].{role_key}")
        text = clean(text) if type(text) is str else content(text)
        if text and not text.isspace():
            found.append(Message(who, text))
    return tuple(found)


def moment(value: Any) -> datetime | None:
    """A time as an aware UTC datetime: ISO text, seconds or milliseconds since 1970, or a datetime; None where it is none of these."""
    try:
        if isinstance(value, datetime):
            found = value
        elif isinstance(value, bool):
            return None
        elif isinstance(value, int | float):
            found = datetime.fromtimestamp(value / 1000 if abs(value) > 1e11 else value, UTC)
        elif isinstance(value, str) and value.strip():
            text = value.strip()
            if _SECONDS.fullmatch(text):
                return moment(float(text))
            found = datetime.fromisoformat(text.removesuffix(" UTC"))
        else:
            return None
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def first(record: Mapping[str, Any], keys: Iterable[str]) -> Any:
    """The value of the first key that has one."""
    for key in keys:
        if (found := record.get(key)) is not None and found != "":
            return found
    return None


def word(value: Any) -> str | None:
    """A scalar as short text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, float):
        # no number is nobody; 1.0, as a table with gaps writes it, is 1
        if not math.isfinite(value):
            return None
        value = int(value) if value.is_integer() else value
    return clean(str(value))[:200] or None


def scalars(record: Mapping[str, Any], leave: Iterable[str] = ()) -> dict[str, str | int | float | bool]:
    """The columns of a record, and of its ``metadata``, that hold a single short value."""
    inner = record.get("metadata")
    gone = tuple(leave)
    found: dict[str, str | int | float | bool] = {}
    for source in (inner if isinstance(inner, Mapping) else {}, record):
        for key, value in source.items():
            if (
                key not in _TAKEN
                and key not in gone
                and isinstance(value, str | int | float | bool)
                and len(str(value)) <= 200
            ):
                found[clean(str(key))[:80]] = clean(value) if isinstance(value, str) else value
    return found


def conversation(
    record: Mapping[str, Any], said: tuple[Message, ...], leave: Iterable[str] = (), **known: Any
) -> Conversation:
    """A conversation with what the usual keys of its record say; ``known`` overrides."""
    fields: dict[str, Any] = {
        "id": word(first(record, ID_KEYS)) or "",
        "user": word(first(record, USER_KEYS)),
        "created_at": moment(first(record, TIME_KEYS)),
        "model": word(record.get("model")),
        "country": word(record.get("country")),
        "language": word(record.get("language")),
        "metadata": scalars(record, leave),
    }
    return Conversation(messages=said, **{**fields, **known})
