"""Public chat data: WildChat (with hashed addresses, countries and times) and LMSYS-Chat-1M (with neither)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clio.conversation import Conversation
from clio.sources import common

_FLAGS = ("toxic", "redacted", "turn")


def is_wildchat(record: Mapping[str, Any]) -> bool:
    """WildChat: ``conversation_hash``, or the first release's ``conversation_id`` with a time."""
    return isinstance(record.get("conversation"), list) and (
        "conversation_hash" in record or "timestamp" in record
    )


def is_lmsys(record: Mapping[str, Any]) -> bool:
    """LMSYS: ``conversation_id`` with ``conversation`` and no time."""
    return isinstance(record.get("conversation"), list) and "conversation_id" in record


def read(record: Mapping[str, Any]) -> Conversation:
    """Read either; the user is the hashed address, which the run hashes again with its own key."""
    turns = record["conversation"]
    said = common.messages(turns, "conversation")
    head = next((turn for turn in turns if isinstance(turn, Mapping) and turn.get("role") == "user"), {})
    user = common.first(record, ("hashed_ip",)) or head.get("hashed_ip")
    return common.conversation(
        record,
        said,
        ("hashed_ip", "state"),
        id=common.word(common.first(record, ("conversation_hash", "conversation_id"))) or "",
        user=common.word(user),
        country=common.word(common.first(record, ("country",)) or head.get("country")),
        created_at=common.moment(common.first(record, ("timestamp",)) or head.get("timestamp")),
        metadata={key: record[key] for key in _FLAGS if isinstance(record.get(key), bool | int)},
    )
