"""Who stands behind some conversations: accounts, counted so that no single one decides what is shown.

Every threshold holds *without any one account*: whichever is left out, enough others remain. So whoever commands ``min_users - 1``
accounts cannot learn of one more person by what tips over a threshold (an active attack on k-anonymity; Cliopatra, arXiv 2603.09781).
Near-duplicates count once, for the account of the first. Where the log tells how far an account is trusted, it counts by that much.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio.errors import PrivacyError

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Accounts:
    """For n conversations of m accounts.

    Args:
        counts: bool (n,), whether a conversation counts: the first of its near-duplicates, by a known account of some trust.
        user: int32 (n,), the account's number, -1 where a conversation counts for nobody.
        trust: float64 (m,), 0..1, how far each account counts as a person.
    """

    counts: NDArray[np.bool_] = field(repr=False)
    user: NDArray[np.int32] = field(repr=False)
    trust: NDArray[np.float64] = field(repr=False)

    @staticmethod
    def of(members: pa.Table, users: Literal["field", "conversation"]) -> Accounts:
        """The accounts of a members' table: user (string, null: unknown), duplicate (int32), optionally trust_weight (0..1, null: 0).

        Args:
            members: one row a conversation, or a part of the conversation whose number is in its column part_of (int64).
            users: "conversation" counts each conversation, with all its parts, as an account of its own.

        Raises:
            PrivacyError: if the log names no users and nobody vouched that each conversation is another person's.
        """
        groups = members["duplicate"].to_numpy()
        first = np.zeros(len(groups), bool)
        first[np.unique(groups, return_index=True)[1]] = True
        require_users(members, users)
        if users == "conversation" and "part_of" not in members.column_names:
            user = np.arange(len(groups), dtype=np.int32)
        else:
            column = members["part_of" if users == "conversation" else "user"]
            codes = column.combine_chunks().dictionary_encode().indices
            user = np.asarray(codes.fill_null(-1).to_numpy(zero_copy_only=False), np.int32)
        trust = np.ones(int(user.max(initial=-1)) + 1)
        if "trust_weight" in members.column_names:
            told = np.asarray(
                members["trust_weight"].fill_null(0.0).to_numpy(zero_copy_only=False), np.float64
            )
            trust[:] = 0.0
            known = user >= 0
            # an account grows older: what was told of it last counts
            np.maximum.at(trust, user[known], np.clip(told[known], 0.0, 1.0))
        counts = first & (user >= 0)
        counts[counts] = trust[user[counts]] > 0
        return Accounts(counts, np.where(counts, user, -1).astype(np.int32), trust)

    def users(self, rows: Rows) -> int:
        """Distinct accounts behind some rows, each by its trust, rounded down."""
        return int(self.weight(np.unique(self.user[rows[self.counts[rows]]])) + 1e-9)

    def conversations(self, rows: Rows) -> int:
        """Conversations behind some rows that count."""
        return int(np.count_nonzero(self.counts[rows]))

    def enough(self, rows: Rows, min_users: float, min_conversations: int) -> bool:
        """Whether, whichever one account is left out, ``min_users`` others and ``min_conversations`` of theirs remain."""
        # whoever they are, no account counts for more than one, and one is left out: most sets are too small at once
        most = max(0, len(rows) - 1)
        if most < min_users - 1e-9 or most < min_conversations:
            return False
        users, times = np.unique(self.user[rows[self.counts[rows]]], return_counts=True)
        return (
            self.without_any(users) >= min_users - 1e-9
            and int(times.sum() - times.max(initial=0)) >= min_conversations
        )

    def enough_users(self, rows: Rows, min_users: float) -> bool:
        """Whether ``min_users`` accounts remain without any one of them."""
        return self.without_any(np.unique(self.user[rows[self.counts[rows]]])) >= min_users - 1e-9

    def enough_conversations(self, rows: Rows, min_conversations: int) -> bool:
        """Whether ``min_conversations`` remain without those of any one account."""
        inside = self.user[rows[self.counts[rows]]]
        return len(inside) - int(np.bincount(inside).max(initial=0)) >= min_conversations

    def without_any(self, users: Collection[int] | NDArray[np.int32]) -> float:
        """The weight of some distinct accounts without the weightiest: what surely remains when one is left out."""
        if not len(users):
            return 0.0
        who = users if isinstance(users, np.ndarray) else np.fromiter(users, np.int64, len(users))
        weights = self.trust[who]
        return float(weights.sum() - weights.max())

    def weight(self, users: NDArray[np.int32]) -> float:
        """The summed trust of some distinct accounts."""
        return float(self.trust[users].sum())


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
