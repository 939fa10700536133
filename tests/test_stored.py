"""Conversations come back from the private zone as they were written."""

from __future__ import annotations

import gc

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from clio.process import seldom_collected
from clio.stored import own_turns, turns_of

TURNS = st.lists(
    st.tuples(st.sampled_from(["user", "assistant", "tool"]), st.text("aé\n", max_size=3)), max_size=4
)


@settings(deadline=None)
@given(st.lists(TURNS, max_size=6), st.integers(0, 3))
def test_turns_and_those_of_the_user_are_read_in_order(
    conversations: list[list[tuple[str, str]]], skipped: int
) -> None:
    """Every conversation has its own turns, in a whole batch and in a part of one."""
    kind = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    rows = [[{"role": role, "content": text} for role, text in turns] for turns in conversations]
    batch = pa.record_batch({"messages": pa.array(rows, kind)}).slice(skipped)
    kept = conversations[skipped:]
    assert turns_of(batch) == kept
    assert own_turns(batch) == [[text for role, text in turns if role == "user"] for turns in kept]


def test_cycles_are_searched_for_as_before_when_a_run_has_ended() -> None:
    """While the block lasts Python searches less often, and after it as often as it did, even if the block failed."""
    before = gc.get_threshold()
    try:
        with seldom_collected():
            assert gc.get_threshold()[0] > before[0]
            raise KeyError
    except KeyError:
        assert gc.get_threshold() == before
