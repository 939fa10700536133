"""What the explorer answers: one run's insights as the documents of its page. Each is computed when first asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from math import isnan
from typing import Any

import orjson
from numpy.typing import NDArray

from clio.explorer import documents as made
from clio.insights import Cell, Insight, Insights
from clio.insights import comparison as comparing
from clio.insights.intervals import share_interval
from clio.insights.statistics import Statistics
from clio.insights.store import share_bounds
from clio.insights.text import each_text, one_line
from clio.version import __version__

# built-in facets that are ordered, whatever their values look like
_ORDINAL = frozenset({"concern", "turns", "length"})
_NUMBER = re.compile(r"\d[\d,]*")
_GROWTH = ("growth", "growth_low", "growth_high", "growth_q")


class Answers:
    """All that the explorer says of one run, every text on one line and without what cannot be seen."""

    def __init__(self, name: str, insights: Insights) -> None:
        self.name = name
        self.insights = _plain(insights)
        self.statistics = Statistics(self.insights)
        # parents before their children: columns of all documents come in this order
        clusters = self.insights.clusters
        self._order = sorted(range(len(clusters)), key=lambda row: clusters[row].level)

    @cached_property
    def tag(self) -> str:
        """A digest of everything that the answers depend on."""
        content = orjson.dumps(self.insights, option=orjson.OPT_SORT_KEYS, default=dict)
        return sha256(__version__.encode() + self.name.encode() + content).hexdigest()[:32]

    @cached_property
    def run(self) -> made.Run:
        """The run: everything about it but its clusters."""
        insights, sample = self.insights, self.insights.sample
        low, high = insights.coverage_interval or (None, None)
        about = dict(insights.about)
        policy = about.pop("policy", None)
        growth = comparing.growth(self.statistics)
        drawn = sample and made.Sampled(
            population=sample.population, conversations=sample.conversations, by=sample.by
        )
        return made.Run(
            id=self.name,
            title=one_line(self.name),
            conversations=insights.conversations,
            counted=insights.counted,
            users=insights.users,
            coverage=insights.coverage,
            coverage_low=low,
            coverage_high=high,
            levels=list(insights.levels),
            sample=drawn,
            facets=[self._facet_values(name) for name in self.statistics.facets],
            comparisons=[_offered(one) for one in self.comparisons.values()],
            growth=growth.id if growth else None,
            withheld=dict(insights.withheld),
            policy=dict(policy) if isinstance(policy, Mapping) else {},
            about=about,
        )

    @cached_property
    def comparisons(self) -> Mapping[str, comparing.Comparison]:
        """The comparisons that are offered, by id."""
        return {one.id: one for one in comparing.offered(self.statistics)}

    @cached_property
    def clusters(self) -> made.Clusters:
        """All clusters by column."""
        insights = self.insights
        clusters = [insights.clusters[row] for row in self._order]
        same = (
            "id",
            "parent",
            "level",
            "name",
            "description",
            "conversations",
            "share",
            "users",
            "audit",
            "x",
            "y",
        )
        columns: dict[str, list[Any]] = {name: [getattr(c, name) for c in clusters] for name in same}
        bounds = [share_bounds(insights, cluster.conversations) for cluster in clusters]
        columns |= {name: [ends[name] for ends in bounds] for name in ("share_low", "share_high")}
        columns["concern"] = [self.statistics.concern[row] for row in self._order]
        columns |= {name: [None] * len(clusters) for name in _GROWTH}
        if growth := comparing.growth(self.statistics):
            found = comparing.compare(self.statistics, growth.facet, growth.a, growth.b)
            own = (found.difference, found.low, found.high, found.q)
            columns |= {name: self._column(column) for name, column in zip(_GROWTH, own, strict=True)}
        rest = [
            made.Rest(
                parent=group.parent,
                conversations=group.conversations,
                share=group.conversations / max(1, insights.conversations),
            )
            for group in insights.other
        ]
        return made.Clusters(**columns, other=rest)

    def detail(self, id_: str) -> made.Detail:
        """One cluster in full.

        Raises:
            KeyError: if no shown cluster has the id.
        """
        row = self.statistics.row[id_]
        cluster = self.insights.clusters[row]
        group = self.insights.other_of(id_)
        return made.Detail(
            id=id_,
            path=self._path(cluster),
            children=self._children.get(id_, []),
            other=group.conversations if group else 0,
            facets=[self._of_cluster(cluster, name) for name in self.statistics.facets],
            trend=self._weeks(row),
            nearest=[made.Near(id=near.id, similarity=near.similarity) for near in cluster.nearest],
        )

    def overlay(self, facet: str, value: str) -> made.Overlay:
        """The lift of a facet's value in every cluster.

        Raises:
            KeyError: for a value that is not published.
        """
        if value not in self.statistics.facets[facet].values:
            raise KeyError(value)
        lift: list[float | None] = []
        mark: list[made.Mark | None] = []
        for row in self._order:
            cluster = self.insights.clusters[row]
            place = next(
                (i for i, c in enumerate(cluster.breakdown) if (c.facet, c.value) == (facet, value)), None
            )
            lift.append(None if place is None else cluster.breakdown[place].lift)
            mark.append(None if place is None else self.statistics.measures[cluster.id][place].mark)
        return made.Overlay(facet=facet, value=value, lift=lift, mark=mark)

    def comparison(self, id_: str) -> made.Compared:
        """An offered comparison.

        Raises:
            KeyError: if none has the id.
        """
        return self._compared(self.comparisons[id_])

    def compare(self, facet: str, a: Sequence[str], b: Sequence[str]) -> made.Compared:
        """A comparison of any two sets of values of one facet.

        Raises:
            KeyError: for a value that is not published.
            ValueError: if a side is empty or a value stands on both.
        """
        a_title, b_title = ", ".join(a), ", ".join(b)
        title = f"{a_title} against {b_title}"
        return self._compared(comparing.Comparison("", facet, title, a_title, b_title, tuple(a), tuple(b)))

    def _compared(self, chosen: comparing.Comparison) -> made.Compared:
        found = comparing.compare(self.statistics, chosen.facet, chosen.a, chosen.b)
        return made.Compared(
            comparison=_offered(chosen),
            a_conversations=found.a_conversations,
            b_conversations=found.b_conversations,
            a=self._column(found.a),
            b=self._column(found.b),
            diff=self._column(found.difference),
            low=self._column(found.low),
            high=self._column(found.high),
            q=self._column(found.q),
        )

    def _facet_values(self, name: str) -> made.FacetValues:
        cells = [cell for cell in self.insights.base if cell.facet == name]
        found = self.statistics.ranges(self.statistics.facets[name], [[cell.value] for cell in cells])
        values = [
            made.Value(
                value=cell.value,
                conversations=cell.conversations,
                share=cell.share,
                share_low=self._interval(cell.conversations)[0],
                share_high=self._interval(most)[1],
            )
            for cell, most in zip(cells, found.most[-1].tolist(), strict=True)
        ]
        kind = self._kinds[name]
        return made.FacetValues(
            facet=name,
            kind=kind,
            values=sorted(values, key=lambda v: _place(kind, v.value, v.conversations)),
            withheld=max(0, self.insights.conversations - sum(cell.conversations for cell in cells)),
        )

    def _of_cluster(self, cluster: Insight, name: str) -> made.Facet:
        kind = self._kinds[name]
        cells = [
            made.Against(
                value=cell.value,
                conversations=cell.conversations,
                share=cell.share,
                share_low=measure.share_low,
                share_high=measure.share_high,
                base=cell.base,
                lift=cell.lift,
                lift_low=measure.lift_low,
                lift_high=measure.lift_high,
                q=measure.q,
                mark=measure.mark,
            )
            for cell, measure in zip(cluster.breakdown, self.statistics.measures[cluster.id], strict=True)
            if cell.facet == name
        ]
        cells.sort(key=lambda cell: _place(kind, cell.value, cell.conversations))
        known = set(self.statistics.facets[name].values) - {cell.value for cell in cells}
        withheld = max(0, cluster.conversations - sum(cell.conversations for cell in cells))
        return made.Facet(facet=name, kind=kind, cells=cells, hidden=len(known), withheld=withheld)

    def _weeks(self, row: int) -> list[made.Week]:
        trend = self._trend
        columns = (column[row].tolist() for column in (trend.counts, trend.share, trend.low, trend.high))
        return [
            made.Week(
                week=week,
                conversations=count if count >= 0 else None,
                share=_shown(share),
                share_low=_shown(low),
                share_high=_shown(high),
            )
            for week, count, share, low, high in zip(trend.weeks, *columns, strict=True)
        ]

    def _interval(self, conversations: int) -> tuple[float, float]:
        """The interval of a share of all: of what the sample was drawn from, else of what such logs might have held."""
        insights = self.insights
        return insights.interval(conversations) or share_interval(
            conversations, max(1, insights.conversations)
        )

    @cached_property
    def _trend(self) -> comparing.Trend:
        return comparing.trend(self.statistics)

    @cached_property
    def _kinds(self) -> Mapping[str, made.Kind]:
        return {name: _kind(name, facet.values) for name, facet in self.statistics.facets.items()}

    @cached_property
    def _children(self) -> Mapping[str, list[str]]:
        """Ids of the children by parent, the largest first."""
        found: dict[str, list[str]] = {}
        for cluster in sorted(self.insights.clusters, key=lambda c: (-c.conversations, c.id)):
            if cluster.parent is not None:
                found.setdefault(cluster.parent, []).append(cluster.id)
        return found

    def _path(self, cluster: Insight) -> list[str]:
        """Ids from the top down to a cluster's parent."""
        path: list[str] = []
        parent = cluster.parent
        while parent in self.statistics.row and parent not in path:
            path.append(parent)
            parent = self.insights.clusters[self.statistics.row[parent]].parent
        return path[::-1]

    def _column(self, values: NDArray[Any]) -> list[float | None]:
        """A column in the documents' order, None for NaN."""
        return [_shown(value) for value in values[self._order].tolist()]


def _offered(one: comparing.Comparison) -> made.Offered:
    return made.Offered(
        id=one.id,
        facet=one.facet,
        title=one.title,
        a_title=one.a_title,
        b_title=one.b_title,
        a=list(one.a),
        b=list(one.b),
    )


def _kind(facet: str, values: Sequence[str]) -> made.Kind:
    if facet == comparing.TIME:
        return "time"
    ordered = facet in _ORDINAL or all(value[:1].isdecimal() for value in values)
    return "ordinal" if ordered else "category"


def _place(kind: made.Kind, value: str, conversations: int) -> tuple[float, float, str]:
    """By what a facet's values are sorted: weeks by date, ordered ones by first number ("under 20" before "20-99"), others by count."""
    if kind == "category":
        return -conversations, 0, value
    number = _NUMBER.search(value)
    if kind == "time" or number is None:
        return float("inf"), 0, value
    return int(number[0].replace(",", "")), number.start() == 0, value


def _shown(value: float) -> float | None:
    return None if isnan(value) else value


def _plain(insights: Insights) -> Insights:
    """Insights of which every text is on one line: those of a gate are, those of another's file may not be."""

    def cells(some: tuple[Cell, ...]) -> tuple[Cell, ...]:
        return tuple(replace(cell, facet=line[cell.facet], value=line[cell.value]) for cell in some)

    everywhere = (insights.base, *(cluster.breakdown for cluster in insights.clusters))
    line = {text: one_line(text) for some in everywhere for cell in some for text in (cell.facet, cell.value)}
    same = all(text == shown for text, shown in line.items())
    clusters = tuple(
        replace(
            cluster,
            name=one_line(cluster.name),
            description=one_line(cluster.description),
            users=one_line(cluster.users),
            breakdown=cluster.breakdown if same else cells(cluster.breakdown),
        )
        for cluster in insights.clusters
    )
    sample = insights.sample
    return replace(
        insights,
        clusters=clusters,
        base=insights.base if same else cells(insights.base),
        users=one_line(insights.users),
        withheld=each_text(insights.withheld, one_line),
        about=each_text(insights.about, one_line),
        sample=replace(sample, by=one_line(sample.by)) if sample and sample.by else sample,
    )
