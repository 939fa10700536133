"""Whether enough accounts stand behind some rows is decided fast, and never otherwise than by looking at each of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from clio.privacy.accounts import Accounts

TRUST = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=6, max_size=6)


@settings(deadline=None)
@given(
    st.lists(st.integers(-1, 5), max_size=14),
    TRUST,
    st.sampled_from([0, 0.5, 1, 2, 2.5, 3]),
    st.integers(0, 6),
)
def test_enough_is_what_is_left_without_any_one_account(
    users: list[int], trust: list[float], min_users: float, min_conversations: int
) -> None:
    """Rows are enough exactly if, whichever account is left out, the trust and the conversations of the others suffice."""
    user = np.asarray(users, np.int32)
    accounts = Accounts(user >= 0, user, np.asarray(trust))
    left_out = set(users) - {-1} or {-1}
    expected = all(
        sum(trust[other] for other in left_out - {one, -1}) >= min_users - 1e-9
        and sum(user != one and user >= 0 for user in users) >= min_conversations
        for one in left_out
    )
    assert accounts.enough(np.arange(len(users)), min_users, min_conversations) == expected
