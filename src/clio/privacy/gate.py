"""The gate: the one door from the private to the published zone. Only here are ``Insights`` made of conversations.

Five rules (docs/privacy.md): enough users and conversations behind every cluster; no differencing between what is shown; the same for
every breakdown cell; every text audited, free of identifiers and supported by enough users; what is withheld is counted by reason.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio.errors import PrivacyError
from clio.insights import Cell, Group, Insight, Insights
from clio.insights.intervals import Sample
from clio.privacy import pii
from clio.privacy.fold import Folded, Rows, Scope, breakdown, fold_tree
from clio.privacy.policy import Policy
from clio.privacy.support import needed, supporters, unsupported

_BANDS = (1, 5, 10, 50, 100, 500, 1000, 5000, 10_000, 50_000, 100_000, 500_000, 1_000_000)
_OWN_COLUMNS = frozenset({"cluster", "user", "duplicate"})
_MAX_NAME, _MAX_DESCRIPTION = 120, 600


@dataclass(frozen=True, slots=True)
class _Support:
    """For n conversations: ``counts`` bool (n,), whether one counts towards thresholds; ``user`` int32 (n,), -1 where nobody is known."""

    counts: NDArray[np.bool_] = field(repr=False)
    user: NDArray[np.int32] = field(repr=False)

    def users(self, rows: Rows) -> int:
        """Distinct users behind some rows; a near-duplicate group counts for its first member's user only."""
        found = self.user[rows[self.counts[rows]]]
        return len(np.unique(found[found >= 0]))

    def conversations(self, rows: Rows) -> int:
        """Conversations behind some rows; a near-duplicate group counts once."""
        return int(np.count_nonzero(self.counts[rows]))


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
    """Publish what the policy allows of some candidates.

    Args:
        candidates: one row a cluster: id, parent (null at the top), level (1 is the top), name, description, audit (1..5),
            x, y; optionally fallback_name and fallback_description, which stand in where the name is not supported.
        members: one row a conversation: cluster (base cluster's id, null: none), user (null: unknown), duplicate (int32, number of its
            near-duplicate group); every further string column is a facet (null: unknown).
        texts: for each conversation the words that may support a name; private.
        policy: thresholds.
        users: "conversation" counts each conversation as a user of its own where the log has no users.
        about: JSON values that describe the run, published as they are.
        sample: of how many the conversations were drawn, published as it is; None if they are all.

    Raises:
        PrivacyError: no users in the data, or too few of them to show even the total.
    """
    support = _support(members, users)
    everything = np.arange(len(members), dtype=np.int64)
    if (
        support.users(everything) < policy.min_users
        or support.conversations(everything) < policy.min_conversations
    ):
        raise PrivacyError(
            f"too few to publish anything: policy '{policy.name}' needs {policy.min_users} users and"
            f" {policy.min_conversations} conversations"
            " that are no duplicates; give more logs, or lower min_users and min_conversations if the data is yours to see"
        )
    tree = _Tree.of(candidates, members)
    reasons = _judge(tree, candidates, texts, support, policy)
    rows = tree.rows
    folded = fold_tree(
        tree.children,
        rows,
        np.flatnonzero(tree.base < 0),
        lambda node: node not in reasons.failed,
        lambda some: (
            support.users(some) >= policy.min_users
            and support.conversations(some) >= policy.min_conversations
        ),
    )
    cells, base = _breakdowns(folded, tree, members, support, policy)
    total = len(members)
    shown = set(folded.shown)
    clusters = []
    for row in candidates.to_pylist():
        if row["id"] in shown:
            name, description = reasons.texts[row["id"]]
            inside = rows[row["id"]]
            clusters.append(
                Insight(
                    id=row["id"],
                    parent=row["parent"],
                    level=row["level"],
                    name=name,
                    description=description,
                    conversations=len(inside),
                    users=band(support.users(inside)),
                    share=len(inside) / total,
                    audit=row["audit"],
                    x=row["x"],
                    y=row["y"],
                    breakdown=cells.get(row["id"], ()),
                )
            )
    return Insights(
        clusters=tuple(clusters),
        other=tuple(
            Group(parent, len(some), band(support.users(some))) for parent, some in folded.other.items()
        ),
        base=base,
        conversations=total,
        users=band(support.users(everything)),
        withheld=_withheld(folded, tree, reasons.failed, support, policy),
        about={**(about or {}), "policy": _as_dict(policy)},
        sample=sample,
    )


def require_users(members: pa.Table, users: str) -> None:
    """Refuse data that names no users, unless the owner says that each conversation is another person's.

    Raises:
        PrivacyError: says what to set.
    """
    if users == "field" and members["user"].null_count == len(members):
        raise PrivacyError(
            "the logs name no users, so nothing can be shown to be many people's: map the user column"
            " (--set columns.user=NAME), or, if each conversation is another person's, --set users=conversation"
        )


def _support(members: pa.Table, users: str) -> _Support:
    """Which conversations count towards thresholds, and for whom."""
    groups = members["duplicate"].to_numpy()
    first = np.zeros(len(groups), bool)
    first[np.unique(groups, return_index=True)[1]] = True
    if users == "conversation":
        return _Support(first, np.arange(len(groups), dtype=np.int32))
    require_users(members, users)
    codes = members["user"].combine_chunks().dictionary_encode()
    numbers = codes.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return _Support(first, np.asarray(numbers, np.int32))


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
    """``failed``: the reason by node; ``texts``: name and description of the others, as they may be shown."""

    failed: dict[str, str]
    texts: dict[str, tuple[str, str]]


def _judge(
    tree: _Tree, candidates: pa.Table, texts: Sequence[str], support: _Support, policy: Policy
) -> _Judged:
    """Hold every candidate against thresholds, audit, identifiers and support."""
    rows = candidates.to_pylist()
    options = {
        row["id"]: [
            (_clean(row[n], _MAX_NAME), _clean(row[d], _MAX_DESCRIPTION))
            for n, d in _text_columns(candidates)
        ]
        for row in rows
    }
    words = {word for pairs in options.values() for pair in pairs for text in pair for word in needed(text)}
    said = supporters(words, texts, tree.base, np.where(support.counts, support.user, -1))
    failed: dict[str, str] = {}
    passed: dict[str, tuple[str, str]] = {}
    for row in rows:
        node = row["id"]
        inside = tree.rows[node]
        if support.users(inside) < policy.min_users:
            failed[node] = "too few users"
        elif support.conversations(inside) < policy.min_conversations:
            failed[node] = "too few conversations"
        elif row["audit"] < policy.audit_min:
            failed[node] = "failed audit"
        else:

            def holds(text: str, leaves: list[int] = tree.leaves[node]) -> bool:
                return not pii.find(text) and not unsupported(text, leaves, said, policy.min_users)

            named = next((pair for pair in options[node] if pair[0] and holds(pair[0])), None)
            if named is None:
                failed[node] = "unsupported text"
                continue
            described = next((pair[1] for pair in (named, *options[node]) if pair[1] and holds(pair[1])), "")
            passed[node] = (named[0], described)
    return _Judged(failed, passed)


def _text_columns(candidates: pa.Table) -> list[tuple[str, str]]:
    """Name and description columns, those of the fallback last."""
    pairs = [("name", "description"), ("fallback_name", "fallback_description")]
    return [pair for pair in pairs if pair[0] in candidates.column_names]


def _clean(text: str | None, most: int) -> str:
    """One line without control, bidi or other invisible characters."""
    kept = "".join(
        " " if c in "\n\r\t" else c
        for c in (text or "")
        if c in "\n\r\t" or unicodedata.category(c)[0] != "C"
    )
    return " ".join(kept.split())[:most]


def _breakdowns(
    folded: Folded, tree: _Tree, members: pa.Table, support: _Support, policy: Policy
) -> tuple[dict[str, tuple[Cell, ...]], tuple[Cell, ...]]:
    """The cells of every shown cluster, and of all conversations, facet by facet."""
    root = _scopes(None, folded, tree)

    def enough(rows: Rows) -> bool:
        return (
            support.conversations(rows) >= policy.min_cell_conversations
            and support.users(rows) >= policy.min_cell_users
        )

    cells: dict[str, list[Cell]] = {node: [] for node in folded.shown}
    base: list[Cell] = []
    total = len(members)
    for facet in (name for name in members.column_names if name not in _OWN_COLUMNS):
        column = members[facet].combine_chunks().dictionary_encode()
        values = column.dictionary.to_pylist()
        codes = np.asarray(column.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int32)
        counted = breakdown(root, codes, enough)
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
    return {node: tuple(found) for node, found in cells.items()}, tuple(base)


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
    folded: Folded, tree: _Tree, failed: Mapping[str, str], support: _Support, policy: Policy
) -> dict[str, int]:
    """Conversations under no name, by reason; a reason with too few behind it joins "other reasons", and that takes the smallest along."""
    shown = set(folded.shown)
    by_reason: dict[str, list[Rows]] = {}
    for parent in folded.other:
        for child in tree.children.get(parent, []):
            if child not in shown:
                reason = failed.get(child, "folded with a small sibling")
                by_reason.setdefault(reason, []).append(tree.rows[child])
    if None in folded.other and (tree.base < 0).any():
        by_reason.setdefault("not clustered", []).append(np.flatnonzero(tree.base < 0))
    rows = {reason: np.concatenate(parts) for reason, parts in by_reason.items()}

    def enough(some: Rows) -> bool:
        return (
            support.users(some) >= policy.min_users
            and support.conversations(some) >= policy.min_conversations
        )

    kept = {reason: some for reason, some in rows.items() if enough(some)}
    rest = [some for reason, some in rows.items() if reason not in kept]
    while rest and kept and not enough(np.concatenate(rest)):
        smallest = min(kept, key=lambda reason: (len(kept[reason]), reason))
        rest.append(kept.pop(smallest))
    counts = Counter({reason: len(some) for reason, some in kept.items()})
    if rest:
        counts["other reasons"] = len(np.concatenate(rest))
    return dict(sorted(counts.items()))


def _as_dict(policy: Policy) -> dict[str, Any]:
    return {name: getattr(policy, name) for name in Policy.__dataclass_fields__}
