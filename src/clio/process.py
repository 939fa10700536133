"""What a run sets of its process while it works."""

from __future__ import annotations

import gc
import resource
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# objects more than before at which Python searches the young ones for cycles, and how often the older ones too
_SELDOM = (50_000, 50, 10)
# blocks of seldom_collected at this moment, and what was set before the first
_blocks, _before = 0, gc.get_threshold()
_lock = threading.Lock()


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Have Python search for cycles seldom until the block ends: a run makes millions of short-lived values and hardly a cycle.

    Of several blocks at a time, in threads, the first begins it and the last ends it.
    """
    global _blocks, _before
    with _lock:
        if not _blocks:
            _before = gc.get_threshold()
            gc.set_threshold(*_SELDOM)
        _blocks += 1
    try:
        yield
    finally:
        with _lock:
            _blocks -= 1
            if not _blocks:
                gc.set_threshold(*_before)


def no_core_dumps() -> None:
    """Have the system write no image of this process's memory, which holds texts of people, if it crashes; children inherit it."""
    # on Linux 1 instead of 0: as small, and the kernel then starts no program that core_pattern pipes dumps to, whatever that would obey
    wanted = 1 if sys.platform == "linux" else 0
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(
        resource.RLIMIT_CORE, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most)
    )
