"""What two releases tell together: whether adding and subtracting their numbers singles out too few of those who are in only one of them.

A release's numbers are sums over disjoint sets of conversations (``clio.privacy.fold``). A sum with weights over the sets of two releases
gives each conversation the weight of its set here plus that of its set there, 0 where it is not in one of them. Say that no weight is
negative, and that those with a positive one are too few. Then both weights cancel for every group that is itself enough, so that the sets
are worth the same on either side; merged on that ground, and where conversations flow around in circles (which no such sum can tell
apart), what stays unmerged may be singled out (docs/design/0005-ledger.md has the proof).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clio.privacy.accounts import Accounts

#: the partition that every release has
TREE = "tree"


@dataclass(frozen=True, slots=True)
class Partition:
    """Disjoint sets of a release's n conversations whose sums are published, and what a number of its own needs.

    ``cuts``: int32 (n,) for each depth of the tree, the number of a conversation's set, -1 in none; one depth only for the tree itself.
    """

    cuts: tuple[NDArray[np.int32], ...] = field(repr=False)
    min_users: float
    min_conversations: int


@dataclass(frozen=True, slots=True)
class Released:
    """All that is counted in a release: who stands behind its n conversations, and its partitions by name, ``TREE`` among them."""

    accounts: Accounts
    partitions: Mapping[str, Partition]


@dataclass(frozen=True, slots=True)
class Side:
    """One release among n conversations, or several releases that share none.

    ``part``: int32 (n,), the set of each, -1 where it is in none; ``account``: int32 (n,), numbered within each release, -1 where it counts
    for nobody; ``trust``: float64 (n,), 0..1; ``release``: int32 (n,), which release it is in.
    """

    part: NDArray[np.int32] = field(repr=False)
    account: NDArray[np.int32] = field(repr=False)
    trust: NDArray[np.float64] = field(repr=False)
    release: NDArray[np.int32] = field(repr=False)


def singled_out(left: Side, right: Side, min_users: float, min_conversations: int) -> int:
    """How many groups too small to be shown, with someone in them who is on one side only, sums and differences may single out.

    Never 0 if there is such a sum without negative weights; it may be more than 0 though there is none. Conversations that both sides
    hold and only place differently are no matter: nobody can know which these are.

    Args:
        left: a release.
        right: another, of the same conversations row by row.
        min_users: accounts that a group needs besides any one of them.
        min_conversations: conversations that it needs besides those of any one account.
    """
    one_sided = (left.part < 0) | (right.part < 0)
    if not one_sided.any():
        return 0
    # loads much, only when there are two releases
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    # a node for each set of either side, and node 0 for "not in this release"
    first = 1 + int(left.part.max(initial=-1)) + 1
    nodes = first + int(right.part.max(initial=-1)) + 1
    source = np.where(left.part >= 0, left.part.astype(np.int64) + 1, 0)
    target = np.where(right.part >= 0, right.part.astype(np.int64) + first, 0)
    merged = np.arange(nodes)
    count = nodes
    while True:
        apart = merged[source] != merged[target]
        if not (apart & one_sided).any():
            return 0
        source, target, one_sided = source[apart], target[apart], one_sided[apart]
        left, right = _rows(left, apart), _rows(right, apart)
        codes, flow = np.unique(merged[source] * nodes + merged[target], return_inverse=True)
        a, b = codes // nodes, codes % nodes
        # all of a flow are on the left unless it comes from outside, and on the right unless it goes there
        enough = (a != merged[0]) & _enough(flow, len(codes), left, min_users, min_conversations)
        enough |= (b != merged[0]) & _enough(flow, len(codes), right, min_users, min_conversations)
        edges = np.concatenate([a, b[enough]]), np.concatenate([b, a[enough]])
        graph = coo_array((np.ones(len(edges[0]), np.int8), edges), shape=(count, count))
        found, label = connected_components(graph, directed=True, connection="strong")
        merged = label[merged]
        if found == count:
            return len(np.unique(flow[one_sided]))
        count = found


def _rows(side: Side, kept: NDArray[np.bool_]) -> Side:
    return Side(side.part[kept], side.account[kept], side.trust[kept], side.release[kept])


def _enough(
    group: NDArray[np.int64], n: int, side: Side, min_users: float, min_conversations: int
) -> NDArray[np.bool_]:
    """Which of n groups of rows have enough behind them without any one account, as ``Accounts.enough``; bool (n,).

    Accounts of two releases cannot be told to be the same person's, so a group is enough only if its rows in one release are.
    """
    counts = (side.account >= 0) & (side.part >= 0)
    # most groups are far too small, and dropped before anything is sorted
    known = np.flatnonzero(counts & (np.bincount(group[counts], minlength=n) >= min_conversations)[group])
    releases = int(side.release.max(initial=0)) + 1
    accounts = int(side.account.max(initial=0)) + 1
    part = group[known] * releases + side.release[known]
    pairs, first, sizes = np.unique(
        part * accounts + side.account[known], return_index=True, return_counts=True
    )
    part, weight = pairs // accounts, side.trust[known][first]
    users, most_trusted = np.zeros(n * releases), np.zeros(n * releases)
    conversations, most = np.zeros(n * releases, np.int64), np.zeros(n * releases, np.int64)
    np.add.at(users, part, weight)
    np.maximum.at(most_trusted, part, weight)
    np.add.at(conversations, part, sizes)
    np.maximum.at(most, part, sizes)
    enough = (users - most_trusted >= min_users - 1e-9) & (conversations - most >= min_conversations)
    return np.asarray(enough.reshape(n, releases).any(axis=1))
