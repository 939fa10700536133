"""Logs whose conversations somebody else has labelled: the truth that clusters are measured against."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from clio import sources
from clio.conversation import Conversation
from clio.errors import SourceError
from clio.evaluation.ground import Row

#: labels that say that a conversation has none
_NONE = frozenset({"", "oos"})


@dataclass(frozen=True, slots=True)
class Labelled:
    """A labelled log: its rows, and by conversation id the label, the label above it and the language (each where there is one)."""

    rows: Sequence[Row] = field(repr=False)
    label: dict[str, str] = field(repr=False)
    above: dict[str, str] = field(repr=False)
    language: dict[str, str] = field(repr=False)

    def sample(self, size: int, seed: int = 0) -> Labelled:
        """So many of its conversations at random, in random order; all if there are no more."""
        order = np.random.default_rng(seed).permutation(len(self.rows))[:size]
        return replace(self, rows=[self.rows[i] for i in order])


def read(logs: Sequence[str | Path], label: str = "label", above: str = "parent_label") -> Labelled:
    """Read a log with labels; conversations without one, or labelled "oos" (out of scope), are left out.

    Args:
        logs: paths, globs and folders.
        label: name of the log's column with the label.
        above: name of the column with the label of the level above; may be missing in the log.

    Raises:
        SourceError: no conversation has a label.
    """
    found = Labelled([], {}, {}, {})
    rows: list[Row] = []
    for one in sources.open(logs):
        if not isinstance(one, Conversation):
            continue
        said = str(one.metadata.get(label, ""))
        if said in _NONE:
            continue
        row: dict[str, Any] = {
            "id": one.id,
            "user_id": one.user,
            "created_at": one.created_at.isoformat() if one.created_at else None,
            "messages": [{"role": m.role, "content": m.content} for m in one.messages],
        }
        rows.append(row)
        found.label[one.id] = said
        if over := str(one.metadata.get(above, "")):
            found.above[one.id] = over
        if one.language:
            found.language[one.id] = one.language
    if not rows:
        raise SourceError(f"no conversation has a label in the column '{label}'; name it with --label")
    return Labelled(rows, found.label, found.above, found.language)


def in_words(label: str) -> str:
    """A label as words: "HassClimateGetTemperature" and "hass_climate-get temperature" are "hass climate get temperature"."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", label)
    return " ".join(re.split(r"[\W_]+", parted.lower())).strip()
