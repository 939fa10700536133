"""A conversation and its messages: what every source yields and every facet reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Role = Literal["user", "assistant", "system", "tool"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn; its text never shows in a repr."""

    role: Role
    content: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation of one user; nothing a person wrote shows in its repr.

    ``user`` is the vendor's raw user id as found in the log: the run replaces it by a keyed hash before anything is
    written. ``created_at`` is timezone-aware (UTC where the log does not say). ``metadata`` holds scalar columns only.
    """

    id: str = field(repr=False)
    messages: tuple[Message, ...] = field(repr=False)
    user: str | None = field(default=None, repr=False)
    created_at: datetime | None = field(default=None, repr=False)
    model: str | None = None
    country: str | None = None
    language: str | None = None
    metadata: Mapping[str, str | int | float | bool] = field(default_factory=dict, repr=False)
