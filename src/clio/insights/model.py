"""Insights: all that people ever see of a run. Plain numbers and audited texts; no conversation can be reached from here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Cell:
    """One published breakdown cell: how often a facet value occurs in a cluster, against its base rate in all conversations.

    ``conversations`` counts, ``share`` and ``base`` lie in 0..1, ``lift`` is share / base (0 where base is 0).
    """

    facet: str
    value: str
    conversations: int
    share: float
    base: float

    @property
    def lift(self) -> float:
        """Share over base rate; above 1 the value is over-represented."""
        return self.share / self.base if self.base else 0.0


@dataclass(frozen=True, slots=True)
class Insight:
    """One published cluster. Level 1 is the top; the deepest level holds the base clusters.

    ``users`` is a band ("10-49"), never a count. ``share`` is of all conversations of the run, in 0..1.
    ``audit`` is the auditor's rating 1..5. ``x``, ``y`` in -1..1 place the cluster (not its members) on the map.
    """

    id: str
    parent: str | None
    level: int
    name: str
    description: str
    conversations: int
    users: str
    share: float
    audit: int
    x: float
    y: float
    breakdown: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Conversations under one parent (None: the whole run) that are counted but not named."""

    parent: str | None
    conversations: int
    users: str


@dataclass(frozen=True, slots=True)
class Insights:
    """The published zone as one value. Made by ``clio.privacy.gate`` and by ``Insights.load``, by nothing else.

    ``base`` holds each facet's distribution over all conversations (cells with share == base).
    ``withheld`` counts conversations that stand under no base-level name, by reason. ``about`` describes method and policy
    (JSON values only).
    """

    clusters: tuple[Insight, ...]
    other: tuple[Group, ...]
    base: tuple[Cell, ...]
    conversations: int
    users: str
    withheld: Mapping[str, int] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Insight]:
        return iter(self.clusters)
