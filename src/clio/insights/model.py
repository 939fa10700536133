"""Insights: all that people ever see of a run. Plain numbers and audited texts; no conversation can be reached from here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from clio.insights.intervals import Sample, share_interval

if TYPE_CHECKING:
    import pyarrow as pa

    from clio.explorer.page import Explorer


@dataclass(frozen=True, slots=True)
class Cell:
    """One published breakdown cell: how often a facet value occurs in a cluster, against its base rate in all conversations.

    ``conversations`` counts (a lower bound: what is withheld is left out), ``share`` and ``base`` lie in 0..1.
    """

    facet: str
    value: str
    conversations: int
    share: float
    base: float

    @property
    def lift(self) -> float:
        """Share over base rate, of what is shown; 0 where the base rate is not shown.

        Both are lower bounds: ``statistics.Measure`` tells on which side of the base rate the value lies whatever is withheld.
        """
        return self.share / self.base if self.base else 0.0


@dataclass(frozen=True, slots=True)
class Near:
    """A cluster of the same level that lies near another: its id, and the cosine of the two centroids in -1..1, in steps of 0.05."""

    id: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Insight:
    """One published cluster. Level 1 is the top; the deepest level holds the base clusters.

    ``users`` is a band ("10-49"), never a count. ``share`` is of all conversations of the run, in 0..1. ``audit`` is the auditor's rating
    1..5. ``x``, ``y`` in -1..1 place the cluster (not its members) on the map. ``nearest`` are the shown clusters of its level that lie
    nearest to it, the nearest first.
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
    breakdown: tuple[Cell, ...] = field(default=(), repr=False)
    nearest: tuple[Near, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Group:
    """Conversations under one parent (None: the whole run) that are counted but not named."""

    parent: str | None
    conversations: int
    users: str


@dataclass(frozen=True, slots=True, repr=False)
class Insights:
    """The published zone as one value. Made by ``clio.privacy.gate`` and by ``Insights.load``, by nothing else.

    ``base`` holds each facet's distribution over all conversations (cells with share == base). ``withheld`` counts conversations that stand
    under no name, by reason. ``about`` describes method and policy (JSON values only). ``sample`` says of how many the conversations were
    drawn, None if they are all. Where ``counted`` says so, all that is called conversations here are single requests.
    """

    clusters: tuple[Insight, ...]
    other: tuple[Group, ...]
    base: tuple[Cell, ...]
    conversations: int
    users: str
    withheld: Mapping[str, int] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    sample: Sample | None = None

    def __iter__(self) -> Iterator[Insight]:
        return iter(self.clusters)

    def __len__(self) -> int:
        return len(self.clusters)

    def __repr__(self) -> str:
        levels = "/".join(str(n) for n in self.levels)
        drawn = f" sampled from {self.sample.population:,}" if self.sample else ""
        return f"<Insights: {self.conversations:,} {self.counted}{drawn}, {levels or 'no'} clusters, coverage {self.coverage:.0%}>"

    @property
    def counted(self) -> Literal["conversations", "requests"]:
        """What is counted: "conversations", or, where each was parted into what it asks for, "requests"."""
        return "requests" if self.about.get("counted") == "requests" else "conversations"

    @property
    def coverage(self) -> float:
        """Share of conversations that stand under a name at the deepest level shown to them, in 0..1."""
        return (
            1 - sum(group.conversations for group in self.other) / self.conversations
            if self.conversations
            else 0.0
        )

    def interval(self, conversations: int, of: int | None = None) -> tuple[float, float] | None:
        """The 95 % interval of a share among all conversations that the sample was drawn from, low and high in 0..1.

        Args:
            conversations: how many of the run's have the property.
            of: how many of the run's are looked at: a cluster's own for its breakdown; None for all.

        Returns:
            None if there was no sample, or nothing to look at.

        Raises:
            ValueError: if ``conversations`` is no part of ``of``.
        """
        size = self.conversations if of is None else of
        if self.sample is None or not size:
            return None
        # how many a part would hold in all logs is unknown: the rate of the draw, the same everywhere, says how many to expect
        population = max(size, round(self.sample.population * size / self.sample.conversations))
        return share_interval(conversations, size, population)

    @property
    def coverage_interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the coverage, were the clusters found here used on all conversations; None without a sample."""
        return self.interval(self.conversations - sum(group.conversations for group in self.other))

    @property
    def levels(self) -> tuple[int, ...]:
        """Number of shown clusters by level, the top first."""
        depth = max((cluster.level for cluster in self.clusters), default=0)
        return tuple(sum(c.level == level for c in self.clusters) for level in range(1, depth + 1))

    def children(self, parent: str | None = None) -> list[Insight]:
        """The shown children of a cluster (None: the top), the largest first."""
        own = [cluster for cluster in self.clusters if cluster.parent == parent]
        return sorted(own, key=lambda cluster: (-cluster.conversations, cluster.id))

    def cluster(self, id_: str) -> Insight:
        """The cluster with an id.

        Raises:
            KeyError: if no shown cluster has it.
        """
        for cluster in self.clusters:
            if cluster.id == id_:
                return cluster
        raise KeyError(id_)

    def other_of(self, parent: str | None = None) -> Group | None:
        """The nameless group under a parent, if there is one."""
        return next((group for group in self.other if group.parent == parent), None)

    def tree(self, depth: int | None = None) -> str:
        """The hierarchy as indented text, shares first; at most ``depth`` levels."""
        from clio.insights.text import tree

        return tree(self, depth)

    def save(self, folder: str | Path) -> None:
        """Write ``clusters``, ``breakdowns`` and ``nearest.parquet`` and ``insights.json``; the same insights give the same bytes."""
        from clio.insights.store import save

        save(self, Path(folder))

    @staticmethod
    def load(folder: str | Path) -> Insights:
        """Read insights from their folder or from the run folder that holds it.

        Raises:
            RunError: if there are none, or they are of another version.
        """
        from clio.insights.store import load

        return load(Path(folder))

    def to_arrow(self) -> pa.Table:
        """The clusters as a table: id, parent, level, name, description, conversations, users, share, audit, x, y, share_low, share_high.

        The last two are the 95 % interval of the share, null without a sample.
        """
        from clio.insights.store import clusters_table

        return clusters_table(self)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The clusters as an Arrow stream, for any frame library."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def explore(self) -> Explorer:
        """The explorer for a notebook: map, tree and every table, in a page of its own."""
        from clio.explorer.page import Explorer

        return Explorer(self)

    def _repr_html_(self) -> str:
        return self.explore()._repr_html_()
