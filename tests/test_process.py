"""What a run sets of its process is as it was once the run is over."""

from __future__ import annotations

import gc
from contextlib import ExitStack

from clio.process import seldom_collected


def test_blocks_that_overlap_leave_the_collector_as_it_was() -> None:
    """Two runs in threads: the first to begin may be the first to end."""
    before = gc.get_threshold()
    one, other = ExitStack(), ExitStack()
    one.enter_context(seldom_collected())
    other.enter_context(seldom_collected())
    one.close()
    assert gc.get_threshold() != before
    other.close()
    assert gc.get_threshold() == before
