"""Lists of turns under one key: OpenAI and Hugging Face messages, ShareGPT, Kura, and the eight-key records of our data sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clio.conversation import Conversation, Message, Role
from clio.sources import common
from clio.sources.common import Unfit


def is_messages(record: Mapping[str, Any]) -> bool:
    """OpenAI or Hugging Face messages: a list of items with a role."""
    items = _turns(record)
    return isinstance(items, list) and (not items or (isinstance(items[0], Mapping) and "role" in items[0]))


def _turns(record: Mapping[str, Any]) -> Any:
    """The list of turns, under whichever key it stands."""
    if "messages" in record:
        return record["messages"]
    prompt, answer = record.get("prompt"), record.get("completion", record.get("chosen"))
    if isinstance(prompt, list) and isinstance(answer, list):
        return [*prompt, *answer]
    return record.get("chosen")


def read_messages(record: Mapping[str, Any]) -> Conversation:
    """Read ``{"messages": [{"role", "content"}]}``; tool calls without text are left out."""
    return common.conversation(
        record, common.messages(_turns(record), "messages"), ("tools", "prompt", "completion", "chosen")
    )


def is_sharegpt(record: Mapping[str, Any]) -> bool:
    """ShareGPT: a list ``conversations`` with ``from`` and ``value``."""
    items = record.get("conversations")
    return isinstance(items, list) and bool(items) and isinstance(items[0], Mapping) and "from" in items[0]


def read_sharegpt(record: Mapping[str, Any]) -> Conversation:
    """Read ``{"conversations": [{"from", "value"}], "system"?}``."""
    said = common.messages(record["conversations"], "conversations", "from", "value")
    system = record.get("system")
    if isinstance(system, str) and system.strip():
        said = (Message("system", common.clean(system)), *said)
    return common.conversation(record, said, ("system", "tools"))


def is_kura(record: Mapping[str, Any]) -> bool:
    """Kura dump: ``chat_id`` beside ``messages``."""
    return "chat_id" in record and isinstance(record.get("messages"), list)


def read_kura(record: Mapping[str, Any]) -> Conversation:
    """Read ``{"chat_id", "created_at", "messages", "metadata"}``."""
    return common.conversation(record, common.messages(record["messages"], "messages"))


def is_pair(record: Mapping[str, Any]) -> bool:
    """One prompt and one answer as plain text."""
    return isinstance(record.get("prompt"), str) and any(
        isinstance(record.get(key), str) for key in ("response", "completion")
    )


def read_pair(record: Mapping[str, Any]) -> Conversation:
    """Read ``{"prompt": text, "response" or "completion": text}``."""
    answer = record.get("response") if isinstance(record.get("response"), str) else record.get("completion")
    pairs: tuple[tuple[Role, Any], ...] = (("user", record["prompt"]), ("assistant", answer))
    said = tuple(
        Message(who, common.clean(text)) for who, text in pairs if isinstance(text, str) and text.strip()
    )
    return common.conversation(record, said, ("prompt", "response", "completion"))


#: columns that tell what was said; without one of them the others are looked for beside a known format
SAID = frozenset({"messages", "text", "prompt"})


def told(record: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    """What the mapped columns of a record tell of its conversation, but for what was said."""
    known: dict[str, Any] = {
        name: common.word(_at(record, columns[name]))
        for name in ("user", "model", "country", "language")
        if name in columns
    }
    if "id" in columns:
        known["id"] = common.word(_at(record, columns["id"])) or ""
    if "created_at" in columns:
        known["created_at"] = common.moment(_at(record, columns["created_at"]))
    return known


def read_columns(record: Mapping[str, Any], columns: Mapping[str, str]) -> Conversation:
    """Read a record of no known shape by a mapping of columns (dotted paths): messages, or text, or prompt and response; id, user, …"""
    values = {name: _at(record, path) for name, path in columns.items()}
    if "messages" in columns:
        items = values["messages"]
        if not isinstance(items, list):
            raise Unfit(columns["messages"])
        first = items[0] if items and isinstance(items[0], Mapping) else {}
        keys = ("from", "value") if "from" in first else ("role", "content" if "content" in first else "text")
        said = common.messages(items, columns["messages"], *keys)
    else:
        asked = "text" if "text" in columns else "prompt"
        if asked not in columns:
            raise Unfit("columns.messages, columns.text or columns.prompt")
        if not isinstance(values[asked], str):
            raise Unfit(columns[asked])
        pairs: tuple[tuple[Role, Any], ...] = (("user", values[asked]), ("assistant", values.get("response")))
        said = tuple(
            Message(who, common.clean(text)) for who, text in pairs if isinstance(text, str) and text.strip()
        )
    return common.conversation(record, said, columns.values(), **told(record, columns))


def _at(record: Any, path: str) -> Any:
    for part in path.split("."):
        record = record.get(part) if isinstance(record, Mapping) else None
    return record
