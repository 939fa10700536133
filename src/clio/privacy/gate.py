"""The gate: the one door from the private to the published zone. Only here are ``Insights`` made of conversations.

Five rules (docs/privacy.md): enough accounts and conversations behind every cluster, whichever account is left out; no differencing between
what is shown; the same for every breakdown cell; every text audited, free of identifiers and supported by enough accounts, more of
them where its subject is sensitive; what is withheld is counted by reason.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio.clustering.parents import CHILDREN, lower
from clio.errors import PrivacyError
from clio.insights import Cell, Group, Insight, Insights, Near
from clio.insights.intervals import Sample
from clio.insights.text import inert
from clio.privacy import pii, sensitive
from clio.privacy.accounts import Accounts, Rows
from clio.privacy.fold import Folded, Scope, counted_cuts, fold_tree, numbered, tree_cut
from clio.privacy.policy import Policy
from clio.privacy.subtraction import TREE, Partition, Released
from clio.privacy.support import generalised, hear, needed, runs_of, unsupported

_BANDS = (1, 5, 10, 50, 100, 500, 1000, 5000, 10_000, 50_000, 100_000, 500_000, 1_000_000)
_OWN_COLUMNS = frozenset({"cluster", "user", "part_of", "duplicate", "trust_weight"})
# where a candidate's texts stand, the preferred first
_TEXTS = ("", "rewritten_", "fallback_")
_LOOSE = "not clustered"
_ALL = "all"
_MAX_NAME, _MAX_DESCRIPTION = 120, 600
# children that a parent's description names
_NAMED = 5
# clusters near one that are named, and how finely is told how near
_NEAREST, _STEP = 5, 0.05
_PLACES = 3  # decimals of a place on the map


def band(users: int) -> str:
    """A number of users as a band, the only form in which it is shown: "10-49"."""
    at = bisect_right(_BANDS, users)
    if at == 0:
        return "0"
    return f"{_BANDS[at - 1]:,}-{_BANDS[at] - 1:,}" if at < len(_BANDS) else f"{_BANDS[-1]:,}+"


def gate(
    candidates: pa.Table,
    members: pa.Table,
    texts: Sequence[str],
    policy: Policy,
    *,
    users: Literal["field", "conversation"] = "field",
    about: Mapping[str, Any] | None = None,
    sample: Sample | None = None,
) -> Insights:
    """Publish what the policy allows of some candidates; arguments and errors as ``gated``."""
    return gated(candidates, members, texts, policy, users=users, about=about, sample=sample)[0]


def gated(
    candidates: pa.Table,
    members: pa.Table,
    texts: Sequence[str],
    policy: Policy,
    *,
    users: Literal["field", "conversation"] = "field",
    about: Mapping[str, Any] | None = None,
    sample: Sample | None = None,
) -> tuple[Insights, Released]:
    """What the policy allows of some candidates, and for the ledger which conversations are counted together in it.

    Args:
        candidates: one row a cluster: id, parent (null at the top), level (1 is the top), name, description, audit (1..5), x, y;
            optionally near (ids of its level, the nearest first) with similarity (cosines), and the three texts with ``rewritten_``
            and ``fallback_`` before them, which stand in, in this order, where the first may not be shown.
        members: one row a conversation: cluster (base cluster's id, null: none), user (null: unknown), duplicate (int32, number of its
            near-duplicate group), optionally trust_weight (0..1, how far the user counts); every further string column is a facet
            (null: unknown).
        texts: for each conversation the words that may support a name; private.
        policy: thresholds.
        users: "conversation" counts each conversation as a user of its own where the log has no users.
        about: JSON values that describe the run, published as they are.
        sample: of how many the conversations were drawn, published as it is; None if they are all.

    Raises:
        PrivacyError: no users in the data, or too few of them to show even the total.
    """
    accounts = Accounts.of(members, users)
    everything = np.arange(len(members), dtype=np.int64)

    def enough(some: Rows) -> bool:
        return accounts.enough(some, policy.min_users, policy.min_conversations)

    if not enough(everything):
        raise PrivacyError(
            f"too few to publish anything: whichever account is left out, policy '{policy.name}' needs {policy.min_users} others"
            f" and {policy.min_conversations} conversations that are no duplicates; give more logs, or lower min_users and"
            " min_conversations if the data is yours to see"
        )
    tree = _Tree.of(candidates, members)
    judged = _judge(tree, candidates, texts, accounts, policy)
    rows = tree.rows
    loose = np.flatnonzero(tree.base < 0)
    folded = fold_tree(tree.children, rows, loose, lambda node: node not in judged.failed, enough)
    cells, base, partitions = _breakdowns(folded, tree, members, accounts, policy)
    total = len(members)
    shown = set(folded.shown)
    clusters = []
    for row in candidates.to_pylist():
        if row["id"] in shown:
            name, description, audit = judged.texts[row["id"]]
            inside = rows[row["id"]]
            clusters.append(
                Insight(
                    id=row["id"],
                    parent=row["parent"],
                    level=row["level"],
                    name=name,
                    description=_with_children(description, tree, shown, judged, row["id"]),
                    conversations=len(inside),
                    users=band(accounts.users(inside)),
                    share=len(inside) / total,
                    audit=audit,
                    x=round(row["x"], _PLACES),
                    y=round(row["y"], _PLACES),
                    breakdown=cells.get(row["id"], ()),
                    nearest=_nearest(row, shown),
                )
            )
    withheld, reasons = _withheld(folded, tree, judged.failed, enough)
    partitions["withheld"] = Partition(reasons, *policy.times(1, cells=True))
    insights = Insights(
        clusters=tuple(clusters),
        other=tuple(
            Group(parent, len(some), band(accounts.users(some))) for parent, some in folded.other.items()
        ),
        base=base,
        conversations=total,
        users=band(accounts.users(everything)),
        withheld=withheld,
        about={**(about or {}), "policy": _as_dict(policy)},
        sample=sample,
    )
    return insights, Released(accounts, partitions)


@dataclass(frozen=True, slots=True)
class _Tree:
    """The candidates' tree and the conversations under each node."""

    children: dict[str | None, list[str]]
    rows: dict[str, Rows] = field(repr=False)
    leaves: dict[str, list[int]]
    base: NDArray[np.int32] = field(repr=False)

    @staticmethod
    def of(candidates: pa.Table, members: pa.Table) -> _Tree:
        """Build it; base clusters are the nodes that members name."""
        ids, parents = candidates["id"].to_pylist(), candidates["parent"].to_pylist()
        children: dict[str | None, list[str]] = {}
        for node, parent in zip(ids, parents, strict=True):
            children.setdefault(parent, []).append(node)
        place = {node: i for i, node in enumerate(ids)}
        codes = members["cluster"].combine_chunks().dictionary_encode()
        names = np.asarray([place[name] for name in codes.dictionary.to_pylist()] or [0], np.int32)
        numbers = codes.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        base = np.where(numbers >= 0, names[numbers], -1).astype(np.int32)
        order = np.argsort(base, kind="stable")
        bounds = np.searchsorted(base[order], np.arange(len(ids) + 1))
        rows: dict[str, Rows] = {}
        leaves: dict[str, list[int]] = {}
        # a parent stands before its children, so backwards every child is there when its parent comes
        for i in reversed(range(len(ids))):
            own = children.get(ids[i], [])
            parts = [order[bounds[i] : bounds[i + 1]], *(rows[child] for child in own)]
            rows[ids[i]] = np.asarray(np.sort(np.concatenate(parts)), np.int64)
            leaves[ids[i]] = [i, *(leaf for child in own for leaf in leaves[child])]
        return _Tree(children, rows, leaves, base)


@dataclass(frozen=True, slots=True)
class _Judged:
    """``failed``: the reason by node; ``texts``: name, description and audit of the others, as they may be shown."""

    failed: dict[str, str]
    texts: dict[str, tuple[str, str, int]] = field(repr=False)


def _judge(
    tree: _Tree, candidates: pa.Table, texts: Sequence[str], accounts: Accounts, policy: Policy
) -> _Judged:
    """Hold every candidate against thresholds, audit, identifiers and support."""
    rows = candidates.to_pylist()
    options = {row["id"]: _options(row) for row in rows}
    written = [text for some in options.values() for pair in some for text in pair[:2]]
    words = {word for text in written for word in needed(text)}
    runs = {run for text in written for run in runs_of(text)}
    heard = hear(words, texts, tree.base, accounts.user, runs)
    failed: dict[str, str] = {}
    passed: dict[str, tuple[str, str, int]] = {}
    for row in rows:
        node = row["id"]
        inside, leaves = tree.rows[node], tree.leaves[node]
        # what the conversations are about counts too: a harmless name must not lower what a sensitive detail needs
        about = heard.subjects_of(leaves, accounts.users(inside)) if policy.sensitive else frozenset()

        def holds(
            text: str, inside: Rows = inside, leaves: list[int] = leaves, about: frozenset[str] = about
        ) -> bool:
            """Whether a text may stand over these conversations."""
            factor = sensitive.factor_of_text(text) if policy.sensitive else 1.0
            if needed(text):
                factor = max(factor, sensitive.factor(about))
            return (
                (factor == 1 or accounts.enough(inside, *policy.times(factor)))
                and not pii.find(text)
                and not (
                    policy.support and unsupported(text, leaves, heard, accounts, factor * policy.min_users)
                )
            )

        if not accounts.enough_users(inside, policy.min_users):
            failed[node] = "too few users"
        elif not accounts.enough_conversations(inside, policy.min_conversations):
            failed[node] = "too few conversations"
        elif not (audited := [option for option in options[node] if option[2] >= policy.audit_min]):
            failed[node] = "failed audit"
        elif (chosen := _chosen(audited, holds)) is None:
            failed[node] = "unsupported text"
        else:
            passed[node] = chosen
    return _Judged(failed, passed)


def _options(row: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    """Name, description and audit of each text that a candidate comes with, the preferred first; none without a name."""
    return [
        (name, _clean(row[f"{kind}description"], _MAX_DESCRIPTION), row[f"{kind}audit"])
        for kind in _TEXTS
        if (name := _clean(row.get(f"{kind}name"), _MAX_NAME))
    ]


def _chosen(
    options: Sequence[tuple[str, str, int]], holds: Callable[[str], bool]
) -> tuple[str, str, int] | None:
    """The first option whose name holds, or else holds when cut short; its description, or another option's, whichever holds as a whole.

    As a whole, for a description judged sentence by sentence would answer many questions at once.
    """
    whole = ((name, audit) for name, _, audit in options if holds(name))
    cut = ((short, audit) for name, _, audit in options if (short := generalised(name, holds)))
    found = next(whole, None) or next(cut, None)
    if found is None:
        return None
    described = ((text, audit) for _, text, audit in options if text and holds(text))
    description, audit = next(described, ("", found[1]))
    # what was cut may begin otherwise, or say nothing any more
    name, said = _clean(found[0], _MAX_NAME), _clean(description, _MAX_DESCRIPTION)
    return name, said if any(map(str.isalnum, said)) else "", min(found[1], audit)


def _with_children(description: str, tree: _Tree, shown: Collection[str], judged: _Judged, node: str) -> str:
    """A parent's description with the names of those of its children that are shown: a hidden one must not stand there either."""
    if CHILDREN not in description:
        return description
    own = [child for child in tree.children.get(node, []) if child in shown]
    names = [judged.texts[c][0] for c in sorted(own, key=lambda c: (-len(tree.rows[c]), c))]
    first = "; ".join(name if name[:2].isupper() else lower(name) for name in names[:_NAMED])
    rest = " and others" if len(names) > _NAMED else ""
    return description.replace(CHILDREN, f"{first}{rest}") if names else ""


def _nearest(row: Mapping[str, Any], shown: Collection[str]) -> tuple[Near, ...]:
    """Of the clusters that lie nearest to a candidate those that are shown."""
    found = zip(row.get("near") or (), row.get("similarity") or (), strict=True)
    rounded = [Near(id_, round(round(s / _STEP) * _STEP, 2)) for id_, s in found if id_ in shown]
    return tuple(rounded[:_NEAREST])


def _clean(text: str | None, most: int) -> str:
    """One line without control, bidi or other invisible characters, in which no spreadsheet sees a formula."""
    return inert(text or "")[:most]


def _breakdowns(
    folded: Folded, tree: _Tree, members: pa.Table, accounts: Accounts, policy: Policy
) -> tuple[dict[str, tuple[Cell, ...]], tuple[Cell, ...], dict[str, Partition]]:
    """The cells of every shown cluster and of all conversations, facet by facet; and what is counted together, in the tree and by facet."""
    root = _scopes(None, folded, tree)
    partitions = {TREE: Partition((tree_cut(root, len(members)),), *policy.times(1, cells=True))}

    cells: dict[str, list[Cell]] = {node: [] for node in folded.shown}
    base: list[Cell] = []
    total = len(members)
    for facet in (name for name in members.column_names if name not in _OWN_COLUMNS):
        column = members[facet].combine_chunks().dictionary_encode()
        values = column.dictionary.to_pylist()
        factor = max(map(sensitive.factor_of_text, (facet, *values))) if policy.sensitive else 1.0

        def enough(some: Rows, factor: float = factor) -> bool:
            return accounts.enough(some, *policy.times(factor, cells=True))

        codes = np.asarray(column.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int32)
        counted, cuts = counted_cuts(root, codes, enough)
        partitions[f"facet {facet}"] = Partition(cuts, *policy.times(factor, cells=True))
        shown = {v for v in counted[None] if _safe_value(values[v])}
        rates = {v: counted[None][v] / total for v in shown}
        base += [
            Cell(facet, values[v], counted[None][v], rates[v], rates[v])
            for v in _ordered(counted[None])
            if v in shown
        ]
        for node in folded.shown:
            size = len(tree.rows[node])
            cells[node] += [
                Cell(facet, values[v], counted[node][v], counted[node][v] / size, rates[v])
                for v in _ordered(counted[node])
                if v in shown
            ]
    return {node: tuple(found) for node, found in cells.items()}, tuple(base), partitions


def _ordered(counts: Mapping[int, int]) -> list[int]:
    """Values by count, the largest first."""
    return sorted(counts, key=lambda value: (-counts[value], value))


def _safe_value(value: str) -> bool:
    """A facet's value is published text too: short, one line, no identifier."""
    return len(value) <= 80 and _clean(value, 80) == value and not pii.find(value)


def _scopes(node: str | None, folded: Folded, tree: _Tree) -> Scope:
    """The shown tree as scopes; an other group is a leaf beside its siblings."""
    shown = set(folded.shown)
    own = [child for child in tree.children.get(node, []) if child in shown]
    if not own:
        return Scope(node, rows=tree.rows[node] if node is not None else folded.other[None])
    inner = [_scopes(child, folded, tree) for child in own]
    if node in folded.other:
        inner.append(Scope(("other", node), rows=folded.other[node]))
    return Scope(node, tuple(inner))


def _withheld(
    folded: Folded, tree: _Tree, failed: Mapping[str, str], enough: Callable[[Rows], bool]
) -> tuple[dict[str, int], tuple[NDArray[np.int32], ...]]:
    """Conversations under no name, by reason, as a breakdown of the nameless groups; what none of its atoms holds has "other reasons".

    Also what is counted together in it, by depth (``fold.counted_cuts``).
    """
    shown = set(folded.shown)
    by_reason: dict[str, list[Rows]] = {}
    for parent in folded.other:
        for child in tree.children.get(parent, []):
            if child not in shown:
                reason = failed.get(child, "folded with a small sibling")
                by_reason.setdefault(reason, []).append(tree.rows[child])
    if None in folded.other and (tree.base < 0).any():
        by_reason[_LOOSE] = [np.flatnonzero(tree.base < 0)]
    names = sorted(by_reason)
    codes = numbered(len(tree.base), [np.concatenate(by_reason[name]) for name in names])
    root = Scope(_ALL, tuple(Scope(parent, rows=rows) for parent, rows in folded.other.items()))
    counted, cuts = counted_cuts(root, codes, enough)
    if _LOOSE in by_reason and names.index(_LOOSE) not in counted[None]:
        # only the run's own group can have it: summed up further, it would tell of the rest of that group
        codes[codes == names.index(_LOOSE)] = -1
        counted, cuts = counted_cuts(root, codes, enough)
    counts = {names[code]: number for code, number in counted[_ALL].items()}
    if left := sum(map(len, folded.other.values())) - sum(counts.values()):
        counts["other reasons"] = left
    # all others are counted too, by what they lack
    return dict(sorted(counts.items())), tuple(
        np.where(cut < 0, cut.max(initial=-1) + 1, cut) for cut in cuts
    )


def _as_dict(policy: Policy) -> dict[str, Any]:
    return {name: getattr(policy, name) for name in Policy.__dataclass_fields__}
