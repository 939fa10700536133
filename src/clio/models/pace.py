"""How fast a server is called: as many calls at once as it bears, fewer as soon as it pushes back, none while it asks for rest.

The number of calls at once grows steadily and falls in proportion to the calls that are pushed back (Chiu and Jain 1989; Alizadeh
et al. 2010, "Data Center TCP"): a server that refuses one call in a hundred is not overloaded, one that refuses half of them is. A call
that fails in passing is tried again after an exponential wait with full jitter (Brooker 2015, "Exponential backoff and jitter").
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import count
from typing import TypeVar

from clio.models.protocols import Transient

_Result = TypeVar("_Result")

ATTEMPTS = 8
_FIRST_WAIT = 0.25  # seconds; doubles with each attempt
_LONGEST_WAIT = 60.0
_DECREASE = 0.5  # what a call that is pushed back takes from the limit: where all are, it halves
_LATE = 0.01  # seconds by which a call may begin late without those after it beginning later too
_INCREASE = 0.05  # share of the limit that a full round of good answers adds, at least one call


class Pace:
    """Calls to one server.

    ``most`` bounds the calls at once; ``per_minute`` the calls begun in a minute, where the account has such a limit. For use on
    one event loop.
    """

    def __init__(self, most: int, per_minute: int | None = None) -> None:
        self.limit = float(most)
        self._most = most
        self._gap = 60.0 / per_minute if per_minute else 0.0
        self._next = 0.0  # when the next call may begin
        self._running = 0
        self._answered = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._gate = asyncio.Lock()
        self._random = random.Random(0)  # noqa: S311 - jitter is no secret

    async def call(self, work: Callable[[], Awaitable[_Result]], *, attempts: int = ATTEMPTS) -> _Result:
        """Do a piece of work when there is room, and again when it fails in passing.

        Args:
            work: makes one call; raises ``Transient`` where another try may help.
            attempts: tries in all. One that the server only puts off is not counted while it answers others.

        Raises:
            ModelError: what the last try ended with.
        """
        failed, answered = 0, self._answered
        for doublings in count(1):
            await self._enter()
            try:
                await self._wait_for_turn()
                result = await work()
            except Transient as error:
                put_off = error.overloaded and error.retry_after is not None
                failed += not (put_off and self._answered > answered)
                answered = self._answered
                if error.overloaded:
                    self._pushed_back(error)
                if failed >= attempts:
                    raise
                wait = self._random.uniform(0, min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(doublings, 30)))
                if error.retry_after:
                    wait = min(_LONGEST_WAIT, error.retry_after) * self._random.uniform(1, 1.25)
            else:
                self._answered += 1
                self.limit = min(self._most, self.limit + max(1.0, _INCREASE * self.limit) / self.limit)
                return result
            finally:
                self._leave()
            await asyncio.sleep(wait)
        raise AssertionError("there is always another try")

    async def _enter(self) -> None:
        """Wait for a place among the running calls; places are given in the order in which they are asked for."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._wake()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()  # it was given to us in the same moment
            raise

    def _leave(self) -> None:
        self._running -= 1
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self._running < max(1, int(self.limit)):
            turn = self._waiting.popleft()
            if not turn.done():
                self._running += 1
                turn.set_result(None)

    async def _wait_for_turn(self) -> None:
        """Wait until the server may be called: after its rest, and so long after the call before as ``per_minute`` wants."""
        async with self._gate:
            while (wait := self._next - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            self._next = max(self._next, time.monotonic() - _LATE) + self._gap

    def _pushed_back(self, error: Transient) -> None:
        self.limit = max(1.0, self.limit - _DECREASE)
        if error.retry_after:
            self._next = max(self._next, time.monotonic() + min(error.retry_after, _LONGEST_WAIT))
