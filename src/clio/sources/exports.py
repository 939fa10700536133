"""People's own exports: ChatGPT, claude.ai, and the session files of Claude Code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from clio.conversation import Conversation, Message
from clio.sources import common
from clio.sources.common import Unfit


def is_chatgpt(record: Mapping[str, Any]) -> bool:
    """ChatGPT export: a ``mapping`` of message nodes."""
    return isinstance(record.get("mapping"), Mapping)


def read_chatgpt(record: Mapping[str, Any]) -> Conversation:
    """Read the branch that ends at ``current_node``; other branches are edits and regenerations."""
    mapping = record["mapping"]
    node = record.get("current_node")
    if not isinstance(node, str) or node not in mapping:
        # without a current node the last leaf stands for it
        node = next(
            (
                key
                for key in reversed(mapping)
                if isinstance(mapping[key], Mapping) and not mapping[key].get("children")
            ),
            None,
        )
    said: list[Message] = []
    model = None
    seen: set[str] = set()
    while isinstance(node, str) and node in mapping and node not in seen:
        seen.add(node)
        step = mapping[node]
        if not isinstance(step, Mapping):
            raise Unfit("mapping.*")
        message = step.get("message")
        if isinstance(message, Mapping) and message.get("recipient", "all") == "all":
            author, body, extra = message.get("author"), message.get("content"), message.get("metadata")
            extra = extra if isinstance(extra, Mapping) else {}
            if not isinstance(author, Mapping):
                raise Unfit("mapping.*.message.author")
            body = body if isinstance(body, Mapping) else {}
            text = common.content(body.get("parts") or body.get("text"))
            hidden = extra.get("is_user_system_message") or extra.get("is_visually_hidden_from_conversation")
            if text.strip() and not hidden and body.get("content_type") != "user_editable_context":
                said.append(Message(common.role(author.get("role"), "mapping.*.message.author.role"), text))
            model = model or common.word(extra.get("model_slug"))
        node = step.get("parent")
    return common.conversation(
        record,
        tuple(reversed(said)),
        id=common.word(common.first(record, ("id", "conversation_id"))) or "",
        created_at=common.moment(record.get("create_time")),
        model=model or common.word(record.get("default_model_slug")),
        metadata={},
    )


def is_claude(record: Mapping[str, Any]) -> bool:
    """claude.ai export: ``chat_messages``."""
    return isinstance(record.get("chat_messages"), list)


def read_claude(record: Mapping[str, Any]) -> Conversation:
    """Read ``content`` before ``text``; attached files are left out."""
    said = []
    for i, item in enumerate(record["chat_messages"]):
        if not isinstance(item, Mapping):
            raise Unfit(f"chat_messages[{i}]")
        who = common.role(item.get("sender"), f"chat_messages[{i}].sender")
        parts = item.get("content")
        kept = (
            [
                part
                for part in parts
                if isinstance(part, Mapping) and part.get("type") not in {"tool_use", "tool_result"}
            ]
            if isinstance(parts, list)
            else []
        )
        text = common.content(kept) or common.content(item.get("text"))
        if text.strip():
            said.append(Message(who, text))
    account = record.get("account")
    user = account.get("uuid") if isinstance(account, Mapping) else None
    return common.conversation(record, tuple(said), user=common.word(user), metadata={})


def is_claude_code(record: Mapping[str, Any]) -> bool:
    """A line of a Claude Code session: ``sessionId`` with a ``type``; or the title line that some sessions begin with."""
    return "sessionId" in record and isinstance(record.get("type"), str)


def fold_claude_code(lines: Iterable[Mapping[str, Any]]) -> Iterator[Conversation]:
    """One conversation a session, in the order of its lines; side chains, and user lines that only bring a tool's result, are left out."""
    sessions: dict[str, dict[str, Any]] = {}
    for line in lines:
        session = common.word(line.get("sessionId"))
        message = line.get("message")
        if (
            not session
            or line.get("type") not in {"user", "assistant"}
            or line.get("isSidechain")
            or line.get("isMeta")
            or not isinstance(message, Mapping)
        ):
            continue
        known = sessions.setdefault(
            session, {"said": [], "created_at": common.moment(line.get("timestamp")), "model": None}
        )
        parts = message.get("content")
        if isinstance(parts, list):
            parts = [part for part in parts if isinstance(part, Mapping) and part.get("type") == "text"]
        text = common.content(parts)
        if text.strip():
            known["said"].append(Message("user" if line["type"] == "user" else "assistant", text))
        known["model"] = known["model"] or common.word(message.get("model"))
    for session, known in sessions.items():
        yield Conversation(
            id=session, messages=tuple(known["said"]), created_at=known["created_at"], model=known["model"]
        )
