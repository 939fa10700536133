"""What the explorer's page is given: the answers of its API as types. The page's own types are generated from these.

Columns of one document have the same length and order. Shares lie in 0..1, ``low`` and ``high`` are ends of a 95 % interval, ``q`` is the
false discovery rate at which a difference counts (Benjamini and Hochberg), None stands for what is not shown or cannot be said.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

#: whether a facet's values are in no order, ordered (concern, turns, length), or weeks
Kind = Literal["category", "ordinal", "time"]
#: a value against its base rate, where the difference is no chance at a false discovery rate of 5 %
Mark = Literal["over", "under", "similar"]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Value(_Document):
    """A published value of a facet, over all conversations; ``conversations`` is a lower bound."""

    value: str
    conversations: int
    share: float
    share_low: float
    share_high: float


class FacetValues(_Document):
    """A facet and its published values: weeks and ordered ones ascending, others by share.

    ``withheld``: conversations whose value is not shown; any of them may have any value, so the intervals of shares allow for them.
    """

    facet: str
    kind: Kind
    values: list[Value]
    withheld: int


class Offered(_Document):
    """A comparison that can be asked for: the values of one facet that are A, and those that are B."""

    id: str
    facet: str
    title: str
    a_title: str
    b_title: str
    a: list[str]
    b: list[str]


class Sampled(_Document):
    """Of how many conversations these were drawn."""

    population: int
    conversations: int
    by: str | None


class Run(_Document):
    """One run: everything about it but its clusters. ``counted`` says what all that is called conversations here is.

    ``growth`` is the id of the comparison behind the clusters' growth.
    """

    id: str
    title: str
    conversations: int
    counted: Literal["conversations", "requests"]
    users: str
    coverage: float
    coverage_low: float | None
    coverage_high: float | None
    levels: list[int]
    sample: Sampled | None
    facets: list[FacetValues]
    comparisons: list[Offered]
    growth: str | None
    withheld: dict[str, int]
    policy: dict[str, Any]
    about: dict[str, Any]


class Rest(_Document):
    """Conversations under one parent (None: the run) that are counted but not named."""

    parent: str | None
    conversations: int
    share: float


class Clusters(_Document):
    """All clusters of a run by column, parents before their children. Level 1 is the top; x and y lie in -1..1.

    ``concern`` is the mean of the ratings 1..5 that are shown. ``growth`` is the difference of the cluster's share between the windows of
    the run's comparison ``growth``, with interval and q.
    """

    id: list[str]
    parent: list[str | None]
    level: list[int]
    name: list[str]
    description: list[str]
    conversations: list[int]
    share: list[float]
    share_low: list[float | None]
    share_high: list[float | None]
    users: list[str]
    audit: list[int]
    x: list[float]
    y: list[float]
    concern: list[float | None]
    growth: list[float | None]
    growth_low: list[float | None]
    growth_high: list[float | None]
    growth_q: list[float | None]
    other: list[Rest]


class Against(_Document):
    """A facet's value in a cluster against its base rate: ``lift`` is share over base, its interval that of the ratio to the rest."""

    value: str
    conversations: int
    share: float
    share_low: float
    share_high: float
    base: float
    lift: float
    lift_low: float
    lift_high: float
    q: float
    mark: Mark


class Facet(_Document):
    """One facet of a cluster; ``hidden`` values are published for the run but not here: too few or none.

    ``withheld`` counts the cluster's conversations that no cell holds: intervals and marks allow for them having any value.
    """

    facet: str
    kind: Kind
    cells: list[Against]
    hidden: int
    withheld: int


class Week(_Document):
    """The cluster's share of one week's conversations; None where it is not shown."""

    week: str
    conversations: int | None
    share: float | None
    share_low: float | None
    share_high: float | None


class Near(_Document):
    """A cluster of the same level and how near it is: cosine of the centroids."""

    id: str
    similarity: float


class Detail(_Document):
    """One cluster in full. ``path`` leads from the top to its parent; children by size; ``other`` counts what is under none of them."""

    id: str
    path: list[str]
    children: list[str]
    other: int
    facets: list[Facet]
    trend: list[Week]
    nearest: list[Near]


class Overlay(_Document):
    """The lift of one facet's value in every cluster, in the clusters' order; None where it is not shown."""

    facet: str
    value: str
    lift: list[float | None]
    mark: list[Mark | None]


class Compared(_Document):
    """Every cluster's share of the conversations of A and of those of B, in the clusters' order; ``diff`` is A less B.

    All clusters come of one clustering of all conversations, so that a cluster is the same in A and in B.
    """

    comparison: Offered
    a_conversations: int
    b_conversations: int
    a: list[float | None]
    b: list[float | None]
    diff: list[float | None]
    low: list[float | None]
    high: list[float | None]
    q: list[float | None]


class Recorded(_Document):
    """Everything the page may ask for, by path below ``api/v1/``: what the single file holds."""

    answers: dict[str, Any]
