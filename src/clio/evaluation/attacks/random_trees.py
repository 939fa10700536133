"""Random trees of made-up conversations with all that makes withholding hard, for the gate to publish."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio.evaluation.attacks.published import Truth
from clio.privacy.accounts import Accounts
from clio.privacy.policy import Policy

# says nothing of anyone, so it needs no support; and what nobody ever said
_NAME, _UNSUPPORTED = "Explain the idea", "Zyzzyva quolls"
_POLICIES = ((2, 2, 2, 2), (3, 5, 3, 5), (3, 5, 2, 3), (4, 8, 3, 8), (5, 15, 5, 15), (6, 12, 3, 5))
_UNKNOWN = 0.1  # how often something is unknown, where it is at all


@dataclass(frozen=True, slots=True)
class RandomTree:
    """What ``gate`` takes, and where everything is."""

    candidates: pa.Table = field(repr=False)
    members: pa.Table = field(repr=False)
    policy: Policy
    truth: Truth


def random_tree(rng: np.random.Generator) -> RandomTree:
    """Two to four levels, clusters from one conversation to a hundred, of accounts few or many, some with very many conversations.

    Some conversations stand in no cluster, are copies of one another, or of nobody known; some clusters fail the audit or have a name
    that nobody supports. Facets have rare values, follow the clusters or do not, and are partly unknown; one of them is weeks.
    """
    rules = Policy("random", *_POLICIES[rng.integers(len(_POLICIES))], 3, None, "made up", sensitive=False)
    nodes, leaves = _nodes(rng)
    sizes = _sizes(rng, len(leaves), rules)
    loose = int(rng.choice(np.asarray([0, rng.integers(1, 4), rng.integers(1, 3 * rules.min_conversations)])))
    place = np.concatenate([np.repeat(np.arange(len(leaves)), sizes), np.full(loose, -1)])
    n = len(place)
    user, group = _users(rng, place, rules), _groups(rng, n)
    cluster = [leaves[i] if i >= 0 else None for i in place.tolist()]
    facets = {f"facet {i}" if i else "week": _values(rng, place, n) for i in range(int(rng.integers(2, 4)))}
    audits = np.where(rng.random(len(nodes)) < 0.1, 2, 5).tolist()
    named = rng.random(len(nodes)) >= 0.1
    rows: list[dict[str, Any]] = [
        {
            "id": node,
            "parent": parent,
            "level": level,
            "name": _NAME if is_named else _UNSUPPORTED,
            "description": "",
            "audit": audit,
            "x": 0.0,
            "y": 0.0,
        }
        for (node, parent, level), audit, is_named in zip(nodes, audits, named.tolist(), strict=True)
    ]
    members = pa.table(
        {
            "cluster": pa.array(cluster, pa.string()),
            "user": pa.array([f"u{i}" if i >= 0 else None for i in user.tolist()], pa.string()),
            "duplicate": pa.array(group, pa.int32()),
            **{name: pa.array(values, pa.string()) for name, values in facets.items()},
        }
    )
    parents = {node: parent for node, parent, _ in nodes}
    reasons = _reasons(rows, parents, cluster, members, rules)
    truth = Truth(cluster, parents, user, group, facets, reasons)
    return RandomTree(pa.Table.from_pylist(rows), members, rules, truth)


def _nodes(rng: np.random.Generator) -> tuple[list[tuple[str, str | None, int]], list[str]]:
    """Nodes as (id, parent, level), a parent before its children, and the ids of the deepest."""
    levels = int(rng.integers(2, 5))
    widest = 5 if levels < 4 else 3
    nodes: list[tuple[str, str | None, int]] = []
    above: list[str | None] = [None]
    for level in range(1, levels + 1):
        made: list[str] = []
        for parent in above:
            for _ in range(int(rng.integers(1, widest + 1))):
                made.append(f"{level}.{len(made)}")
                nodes.append((made[-1], parent, level))
        above = list(made)
    return nodes, [node for node in above if node]


def _sizes(rng: np.random.Generator, count: int, rules: Policy) -> NDArray[np.int64]:
    """From one conversation to a hundred, many near the threshold."""
    least = rules.min_conversations
    kinds = np.stack(
        [
            rng.integers(1, 4, count),
            rng.integers(max(1, least - 2), least + 4, count),
            rng.integers(least, 3 * least, count),
            rng.integers(least, 100, count),
        ]
    )
    weights = rng.dirichlet([1.0, 1.5, 1.5, 0.4])
    return np.asarray(kinds[rng.choice(4, count, p=weights), np.arange(count)], np.int64)


def _users(rng: np.random.Generator, place: NDArray[np.int64], rules: Policy) -> NDArray[np.int32]:
    """Accounts: shared by all clusters or keeping to one, even or with few who write most; -1 for nobody known."""
    n = len(place)
    many = int(rng.integers(2 * rules.min_users, max(n, 2 * rules.min_users + 1)))
    kind = rng.integers(3)
    if kind == 0:
        user = rng.integers(0, many, n)
    elif kind == 1:  # a few write most
        weights = 1.0 / np.arange(1, many + 1) ** rng.uniform(0.3, 1.5)
        user = rng.choice(many, n, p=weights / weights.sum())
    else:  # each keeps to a cluster
        own = int(rng.integers(rules.min_users, 4 * rules.min_users))
        user = (place + 1) * own + rng.integers(0, own, n)
    if rng.random() < 0.3:
        user = np.where(rng.random(n) < _UNKNOWN, -1, user)
    return np.asarray(user, np.int32)


def _groups(rng: np.random.Generator, n: int) -> NDArray[np.int32]:
    """Near-duplicate groups, named after their first row; often each row is its own."""
    group = np.arange(n)
    if rng.random() < 0.4:
        for _ in range(int(rng.integers(1, 5))):
            copies = np.sort(rng.choice(n, min(n, int(rng.integers(2, 8))), replace=False))
            group[copies] = group[copies[0]]
        # a copy of a copy
        while (group != group[group]).any():
            group = group[group]
    return np.asarray(group, np.int32)


def _values(rng: np.random.Generator, place: NDArray[np.int64], n: int) -> list[str | None]:
    """Values of a facet, the first common and the last rare; partly following the clusters, partly unknown."""
    many = int(rng.integers(2, 7))
    weights = 1.0 / np.arange(1, many + 1) ** rng.uniform(0.0, 2.5)
    value = rng.choice(many, n, p=weights / weights.sum())
    if rng.random() < 0.5:
        value = np.where(rng.random(n) < rng.random(), (place + 1) % many, value)
    unknown = rng.random(n) < (_UNKNOWN if rng.random() < 0.4 else 0.0)
    return [None if is_unknown else f"v{i}" for i, is_unknown in zip(value.tolist(), unknown, strict=True)]


def _reasons(
    rows: list[dict[str, Any]],
    parents: dict[str, str | None],
    cluster: list[str | None],
    members: pa.Table,
    rules: Policy,
) -> dict[str, str]:
    """Why each candidate may not be shown, in the order in which the gate asks; the others can only be folded with a sibling."""
    accounts = Accounts.of(members, "field")
    inside: dict[str, list[int]] = {}
    for row, node in enumerate(cluster):
        while node is not None:
            inside.setdefault(node, []).append(row)
            node = parents[node]
    found = {}
    for candidate in rows:
        held = np.asarray(inside.get(candidate["id"], []), np.int64)
        if not accounts.enough_users(held, rules.min_users):
            found[candidate["id"]] = "too few users"
        elif not accounts.enough_conversations(held, rules.min_conversations):
            found[candidate["id"]] = "too few conversations"
        elif candidate["audit"] < rules.audit_min:
            found[candidate["id"]] = "failed audit"
        elif candidate["name"] != _NAME:
            found[candidate["id"]] = "unsupported text"
        else:
            found[candidate["id"]] = "folded with a small sibling"
    return found
