"""How fast a server is called: places, limits, rests and tries."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest

from clio.errors import ModelError
from clio.models import pace as module
from clio.models.pace import ATTEMPTS, Pace
from clio.models.protocols import Transient


def run(work: Callable[[], Awaitable[Any]]) -> Any:
    async def bounded() -> Any:
        return await asyncio.wait_for(work(), 20)

    return asyncio.run(bounded())


class Service:
    """Counts calls at once; refuses those above its capacity, and every so many-th."""

    def __init__(self, capacity: int = 10**6, every: int = 0, takes: float = 0.002) -> None:
        self.capacity, self.every, self.takes = capacity, every, takes
        self.calls = self.at_once = self.most_at_once = self.refused = 0

    async def call(self) -> int:
        self.calls += 1
        number = self.calls
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        over = self.at_once > self.capacity or (self.every and number % self.every == 0)
        try:
            await asyncio.sleep(self.takes)
            if over:
                self.refused += 1
                raise Transient("too many", overloaded=True)
        finally:
            self.at_once -= 1
        return number


def test_no_more_calls_run_at_once_than_allowed_and_so_many_do() -> None:
    """Of a hundred calls exactly ``most`` run at a time."""

    async def work() -> Service:
        service, pace = Service(), Pace(7)
        await asyncio.gather(*(pace.call(service.call) for _ in range(100)))
        return service

    service = run(work)
    assert (service.most_at_once, service.calls) == (7, 100)


def test_a_server_that_bears_less_is_found_out_and_called_as_it_bears(quick: None) -> None:
    """With 64 workers and room for 8 the refused calls stay few, and every call is answered."""

    async def work() -> tuple[Service, Pace]:
        service, pace = Service(capacity=8), Pace(64)
        todo = iter(range(1500))

        async def worker() -> None:
            for _ in todo:
                await pace.call(service.call, attempts=50)

        await asyncio.gather(*(worker() for _ in range(64)))
        return service, pace

    service, pace = run(work)
    assert service.calls - service.refused == 1500
    assert pace.limit < 16
    assert service.refused < 0.25 * service.calls


def test_the_limit_recovers_when_the_server_does(quick: None) -> None:
    """After a time of refusals the full number of calls runs at once again."""

    async def work() -> tuple[float, float, int]:
        service, pace = Service(capacity=0), Pace(32)
        failing = (pace.call(service.call, attempts=4) for _ in range(64))
        found = await asyncio.gather(*failing, return_exceptions=True)
        assert all(isinstance(error, Transient) for error in found)
        low = pace.limit
        service.capacity, service.most_at_once = 10**6, 0
        await asyncio.gather(*(pace.call(service.call) for _ in range(1000)))
        return low, pace.limit, service.most_at_once

    low, high, at_once = run(work)
    assert low < 8
    assert high == 32
    assert at_once == 32


def test_a_refusal_now_and_then_slows_nothing(quick: None) -> None:
    """One call in fifty that is pushed back is no overload: the limit stays near its top."""

    async def work() -> Pace:
        service, pace = Service(every=50), Pace(64)
        await asyncio.gather(*(pace.call(service.call) for _ in range(2000)))
        return pace

    assert run(work).limit > 56


def test_places_are_given_in_the_order_in_which_they_are_asked_for() -> None:
    """A worker that comes again at once does not overtake those who wait: with one place, four workers take turns."""

    async def work() -> list[int]:
        pace, order = Pace(1), list[int]()

        async def worker(number: int) -> None:
            for _ in range(5):

                async def one() -> None:
                    order.append(number)
                    await asyncio.sleep(0)

                await pace.call(one)

        await asyncio.gather(*map(worker, range(4)))
        return order

    assert run(work) == [0, 1, 2, 3] * 5


def test_a_call_that_is_cancelled_anywhere_leaves_its_place(quick: None) -> None:
    """Cancelled while waiting, resting, calling or about to begin: afterwards as many calls run at once as before."""

    async def work() -> tuple[int, Service]:
        pace = Pace(4, per_minute=60_000)
        service, chance = Service(every=5), random.Random(1)
        tasks = [asyncio.create_task(pace.call(service.call)) for _ in range(300)]
        while not all(task.done() for task in tasks):
            for task in chance.sample(tasks, 10):
                task.cancel()
            await asyncio.sleep(chance.choice((0, 0, 0.001, 0.003)))
        cancelled = sum(task.cancelled() for task in tasks)
        after = Service()
        pace.limit = 4.0
        await asyncio.gather(*(pace.call(after.call) for _ in range(40)))
        return cancelled, after

    cancelled, after = run(work)
    assert 100 < cancelled < 300
    assert (after.calls, after.most_at_once) == (40, 4)


def test_all_calls_rest_while_the_server_asks_for_it() -> None:
    """After Retry-After no call begins until the time has passed, those of others neither."""

    async def work() -> tuple[float, list[float]]:
        pace, begun = Pace(4), list[float]()
        refused = 0.0

        async def one() -> None:
            nonlocal refused
            begun.append(time.monotonic())
            if len(begun) == 1:
                refused = time.monotonic()
                raise Transient("wait", overloaded=True, retry_after=0.3)
            await asyncio.sleep(0.02)

        await asyncio.gather(*(pace.call(one) for _ in range(12)))
        return refused, begun

    refused, begun = run(work)
    assert len(begun) == 13
    assert all(later >= refused + 0.3 for later in begun[4:])


def test_a_wait_that_the_server_names_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that wants a day of rest does not stop the run for a day."""
    monkeypatch.setattr(module, "_LONGEST_WAIT", 0.05)
    tries = 0

    async def one() -> int:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise Transient("tomorrow", overloaded=True, retry_after=86_400)
        return tries

    assert run(lambda: Pace(1).call(one)) == 2


def test_what_fails_in_passing_is_tried_eight_times_and_what_is_refused_once(quick: None) -> None:
    """The last error is raised; an error that stays, or that is none of a model, is not tried again."""
    for error, tries in (
        (Transient("x"), ATTEMPTS),
        (Transient("y", overloaded=True, retry_after=0.0), ATTEMPTS),
        (ModelError("z"), 1),
        (ValueError("w"), 1),
    ):
        calls = 0

        async def one(raised: Exception = error) -> None:
            nonlocal calls
            calls += 1
            raise raised

        with pytest.raises(type(error)) as caught:
            run(lambda: Pace(2).call(one))
        assert caught.value is error
        assert calls == tries


def test_who_is_put_off_has_not_failed_while_others_are_answered() -> None:
    """200 callers of a server that takes 100 calls a second and tells when it has room: all are answered, though many are put off often."""

    async def work() -> tuple[int, int]:
        pace, refused, room = Pace(200), 0, time.monotonic()

        async def one() -> bool:
            nonlocal refused, room
            now = time.monotonic()
            if now < room:
                refused += 1
                raise Transient("later", overloaded=True, retry_after=room - now)
            room = now + 0.01
            return True

        found = await asyncio.gather(*(pace.call(one) for _ in range(200)))
        return sum(found), refused

    answered, refused = run(work)
    assert answered == 200
    assert refused > 8


@pytest.mark.parametrize(("retry_after", "others"), [(0.002, False), (None, True)])
def test_who_is_put_off_for_ever_or_overloads_alone_has_failed(
    retry_after: float | None, others: bool, quick: None
) -> None:
    """Eight tries where nobody is answered meanwhile, and also where others are but the server does not say when to come back."""

    async def work() -> int:
        pace, tries = Pace(4), 0

        async def one() -> None:
            nonlocal tries
            tries += 1
            raise Transient("later", overloaded=True, retry_after=retry_after)

        async def beside() -> None:
            while others:
                await pace.call(lambda: asyncio.sleep(0.0001))

        task = asyncio.create_task(beside())
        with pytest.raises(Transient):
            await pace.call(one)
        task.cancel()
        return tries

    assert run(work) == ATTEMPTS


def test_waits_double_with_each_try_and_are_spread(
    sleepless: Callable[[ModuleType], list[float]],
) -> None:
    """Full jitter: each wait lies between nothing and a bound that doubles up to a minute."""
    slept = sleepless(module)

    async def one() -> None:
        raise Transient("x")

    pace = Pace(1)

    async def work() -> None:
        for _ in range(200):
            with pytest.raises(Transient):
                await pace.call(one, attempts=12)

    asyncio.run(work())
    for place in range(11):
        waits = slept[place::11]
        bound = min(60.0, 0.5 * 2**place)
        assert max(waits) <= bound
        assert max(waits) > 0.9 * bound
        assert min(waits) < 0.1 * bound


def test_waiting_for_another_try_takes_no_place() -> None:
    """While one call waits for its next try another runs, though only one may at a time."""

    async def work() -> list[str]:
        pace, order = Pace(1), list[str]()

        async def failing() -> None:
            order.append("try")
            if order.count("try") == 1:
                raise Transient("x", retry_after=0.1)

        async def other() -> None:
            order.append("other")

        await asyncio.gather(pace.call(failing), pace.call(other))
        return order

    assert run(work) == ["try", "other", "try"]


def test_calls_begin_no_faster_than_the_minute_allows() -> None:
    """With 1,200 a minute a call begins every 50 ms however many may run at once, tries included."""

    async def work() -> list[float]:
        pace, begun = Pace(50, per_minute=1200), list[float]()

        async def one() -> None:
            begun.append(time.monotonic())
            if len(begun) == 3:
                raise Transient("x", retry_after=0.01)
            await asyncio.sleep(0.2)

        await asyncio.gather(*(pace.call(one) for _ in range(12)))
        return begun

    begun = run(work)
    assert len(begun) == 13
    assert begun[-1] - begun[0] >= 12 * 0.05 - 0.011
    assert all(later - earlier >= 0.03 for earlier, later in pairwise(begun))


def test_a_rest_is_no_credit_for_calls_per_minute() -> None:
    """What was not called during a rest is not called all at once after it."""

    async def work() -> list[float]:
        pace, begun = Pace(50, per_minute=1200), list[float]()

        async def one() -> None:
            begun.append(time.monotonic())
            if len(begun) == 1:
                raise Transient("x", overloaded=True, retry_after=0.4)

        await asyncio.gather(*(pace.call(one) for _ in range(8)))
        return begun

    begun = run(work)
    assert begun[1] - begun[0] >= 0.4
    assert begun[-1] - begun[1] >= 7 * 0.05 - 0.011
