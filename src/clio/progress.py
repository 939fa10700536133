"""How long a stage still takes: one small callback that every long loop accepts, and a terminal that shows it on stderr."""

from __future__ import annotations

from collections.abc import Callable

#: called with the number of items finished since the last call
Advance = Callable[[int], None]


def silent(_count: int) -> None:
    """Advance that shows nothing; the default of every stage."""
