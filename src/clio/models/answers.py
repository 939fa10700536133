"""The one place where chat models are called: every answer is asked for once and kept, calls keep the server's pace, and what they may
cost is bounded beforehand.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Self, TypeVar

from clio.encryption import Cipher
from clio.errors import ModelError
from clio.models import batch
from clio.models.pace import Pace
from clio.models.prices import Budget, BudgetError
from clio.models.protocols import (
    Answer,
    BatchModel,
    ChatModel,
    Failure,
    Prompt,
    Refused,
    Transient,
    Unusable,
    Usage,
)
from clio.models.store import Store, StoreError, key
from clio.progress import Advance, silent

CONCURRENCY = 16
MAX_FAILURES = 0.2
_FEW = 20  # below so many prompts a share of failures says little
_BLOCK = 64  # prompts handed to the calling thread at a time
_REFUSALS = 3  # tries of a prompt that is declined: at a temperature above zero the next answer may differ
_REPAIRS = 2  # times that a prompt is asked anew because its answer cannot be used

_Result = TypeVar("_Result")
_Asked = tuple[Prompt, Future[Answer | Failure]]

#: what follows an answer that cannot be used: a prompt that asks again and says what was wrong, or None if it can be used
Again = Callable[[Prompt, Answer], Prompt | None]


@dataclass(slots=True)
class _Tally:
    """How one stream of prompts goes; a single prompt that fails says nothing of the others."""

    done: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def error(self, name: str, limit: float, last: bool) -> ModelError | None:
        """The error that ends a stream: too large a share failed, or all of it."""
        failed = self.reasons.total()
        if not failed or not (
            (failed > limit * self.done and self.done >= _FEW) or (last and 1 < failed == self.done)
        ):
            return None
        reason = self.reasons.most_common(1)[0][0].removeprefix(f"{name}: ")
        return ModelError(
            f"{name}: {failed} of {self.done} prompts failed, most often because {reason}. Answers so "
            "far are kept: run the same command again to go on"
        )


@dataclass(slots=True)
class _Stream:
    """One stream under way: who answers, what for, and what to do with unusable answers."""

    model: ChatModel
    pace: Pace
    stage: str
    again: Again | None
    progress: Advance
    tally: _Tally = field(default_factory=_Tally)
    error: Exception | None = None  # what ended it
    queue: asyncio.Queue[_Asked] = field(default_factory=asyncio.Queue)

    def put(self, block: Iterable[_Asked]) -> None:
        """Have prompts answered."""
        for asked in block:
            self.queue.put_nowait(asked)


class Answers:
    """Asks chat models and keeps what they say; a context manager.

    ``path`` is the file of the store (None: in memory), ``concurrency`` the most calls at a time, ``per_minute`` the most calls begun
    in a minute, ``max_failures`` the share of prompts that may fail before a stream is given up, ``budget`` what may be spent,
    ``cipher`` encrypts the file. Not for
    use by several threads or processes at a time.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        concurrency: int = CONCURRENCY,
        per_minute: int | None = None,
        max_failures: float = MAX_FAILURES,
        budget: Budget | None = None,
        cipher: Cipher | None = None,
    ) -> None:
        self.store = Store(path, cipher)
        self._concurrency = concurrency
        self._per_minute = per_minute
        self._max_failures = max_failures
        self._budget = budget
        self._models: list[ChatModel | BatchModel] = []
        self._paces: dict[str, Pace] = {}
        self._flying: dict[bytes, asyncio.Future[Answer | Failure | None]] = {}
        self._reserved = 0  # calls under way that money is set aside for
        self._reserving = asyncio.Lock()
        self._released = asyncio.Event()
        if budget:
            for spent in self.store.spent():
                budget.pay(spent.model, spent.usage, batch=spent.batch)
        # a loop of its own: calls work from a script, a notebook and a server alike, and connections stay
        # open between streams
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="clio-answers", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def complete(
        self,
        model: ChatModel,
        prompts: Iterable[Prompt],
        *,
        stage: str = "",
        again: Again | None = None,
        progress: Advance = silent,
    ) -> list[Answer | Failure]:
        """Answer all prompts, in their order; see ``stream``."""
        return list(self.stream(model, prompts, stage=stage, again=again, progress=progress))

    def stream(
        self,
        model: ChatModel,
        prompts: Iterable[Prompt],
        *,
        stage: str = "",
        again: Again | None = None,
        progress: Advance = silent,
    ) -> Iterator[Answer | Failure]:
        """Answer prompts in their order. They are taken from ``prompts`` while others are being answered, and only so many ahead that
        memory does not grow with their number: 8 for each call at a time, at least 1,024.

        Args:
            model: who answers what the store does not hold.
            prompts: any number; equal ones are asked once.
            stage: what the answers are for; spending is told by it.
            again: looks at each answer, and may ask twice more where it cannot be used.
            progress: called with the number of prompts done since its last call (from another thread).

        Raises:
            ModelError: more than ``max_failures`` of the prompts failed, or all of them, or the budget is used up; what was
                answered is kept.
        """
        stream = _Stream(model, self._pace(model), stage, again, progress)
        workers = self._wait(self._start(stream))
        ahead: deque[Future[Answer | Failure]] = deque()
        source = iter(prompts)
        try:
            while True:
                while len(ahead) < max(1024, 8 * self._concurrency):
                    block = [(prompt, Future[Answer | Failure]()) for prompt in islice(source, _BLOCK)]
                    if not block:
                        break
                    ahead.extend(future for _, future in block)
                    self._loop.call_soon_threadsafe(stream.put, block)
                if not ahead:
                    break
                yield ahead.popleft().result()
            if error := stream.tally.error(model.name, self._max_failures, last=True):
                raise error
        finally:
            with suppress(RuntimeError):  # the loop is closed, and with it the workers are gone
                self._loop.call_soon_threadsafe(_cancel, workers)

    def prefetch(
        self, model: ChatModel, prompts: Iterable[Prompt], *, stage: str = "", progress: Advance = silent
    ) -> int:
        """Have prompts answered by batch jobs, at the vendors' lower price; the answers are kept for ``stream``.

        Args:
            model: who answers; it must be a ``BatchModel``.
            prompts: those that the store holds are left out. Jobs of an earlier session are waited for first.
            stage: what the answers are for.
            progress: called with the number of prompts done.

        Returns:
            How many prompts found no answer: they are asked singly when they are streamed.

        Raises:
            ModelError: the model takes no batches, a job cannot be submitted, or the budget is used up.
        """
        if not isinstance(model, BatchModel):
            raise ModelError(f"{model.name}: takes no batch jobs; leave out the setting 'batch'")
        asked: set[bytes] = set()
        jobs = batch.Batches(model, self.store, self._pace(model), self._budget, progress)
        # first what an earlier session has submitted and not fetched
        for job in self.store.open_jobs(model.name):
            self._wait(jobs.finish(job))
        # prompts are taken on the caller's thread, as everywhere
        for submitted in [self._wait(jobs.submit(room, stage)) for room in jobs.rooms(prompts, asked)]:
            self._wait(jobs.finish(*submitted))
        return sum(self.store.get(name) is None for name in asked)

    def paid(self, model: str, usage: Usage, *, stage: str) -> None:
        """Count what was paid for elsewhere, such as embeddings, among what this run has spent."""
        self.store.paid(usage, stage=stage, model=model)
        self._pay(model, usage)

    def close(self) -> None:
        """Give up calls under way; close the models that were called, the loop and the file."""
        if self._loop.is_closed():
            return
        try:
            self._wait(self._end())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self.store.close()

    def _pace(self, model: ChatModel | BatchModel) -> Pace:
        """How fast a model is called; it is closed at the end."""
        if not any(known is model for known in self._models):
            self._models.append(model)
        if model.name not in self._paces:
            self._paces[model.name] = Pace(self._concurrency, self._per_minute)
        return self._paces[model.name]

    def _wait(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """The sync door: run a coroutine on our loop; an interrupt here (Ctrl-C) ends it there."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def _end(self) -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        _cancel(left)
        await asyncio.gather(*left, return_exceptions=True)
        closing = [model.close() for model in self._models if hasattr(model, "close")]
        await asyncio.gather(*closing, return_exceptions=True)
        await self._loop.shutdown_asyncgens()

    async def _start(self, stream: _Stream) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(self._work(stream)) for _ in range(self._concurrency)]

    async def _work(self, stream: _Stream) -> None:
        """Answer prompts of the queue one after another, until cancelled."""
        while True:
            prompt, future = await stream.queue.get()
            try:
                if stream.error:
                    raise stream.error
                found = await self._settle(stream, prompt)
                stream.tally.done += 1
                if isinstance(found, Failure) and not found.refused:
                    stream.tally.reasons[found.reason] += 1
                    if error := stream.tally.error(stream.model.name, self._max_failures, last=False):
                        raise error
                stream.progress(1)
                future.set_result(found)
            except asyncio.CancelledError:
                future.cancel()
                raise
            except Exception as error:  # noqa: BLE001 - it ends the stream, in the thread that waits for it
                stream.error = error
                future.set_exception(error)

    async def _settle(self, stream: _Stream, prompt: Prompt) -> Answer | Failure:
        """The answer to a prompt, asked anew where it cannot be used; the last answer that there is."""
        found = await self._once(stream, prompt)
        for _ in range(_REPAIRS):
            if not stream.again or isinstance(found, Failure) or not (after := stream.again(prompt, found)):
                break
            mended = await self._once(stream, after)
            if isinstance(mended, Failure):
                break
            prompt, found = after, mended
        return found

    async def _once(self, stream: _Stream, prompt: Prompt) -> Answer | Failure:
        """From the store, from an equal prompt under way, or from the model."""
        name = key(stream.model.name, prompt)
        while (other := self._flying.get(name)) is not None:
            # None where that call was given up: then it is ours
            if (found := await asyncio.shield(other)) is not None:
                return found
        if (kept := self.store.get(name)) is not None:
            return kept
        flying = self._flying[name] = self._loop.create_future()
        asked: Answer | Failure | None = None
        try:
            asked = await self._ask(stream, prompt, name)
            return asked
        finally:
            del self._flying[name]
            flying.set_result(asked)

    async def _ask(self, stream: _Stream, prompt: Prompt, name: bytes) -> Answer | Failure:
        """Call the model at its pace, and again where it declines."""
        try:
            for last in (*[False] * (_REFUSALS - 1), True):
                with suppress(Refused):
                    return await stream.pace.call(partial(self._call, stream, prompt, name, last))
        except (BudgetError, StoreError):
            raise
        except ModelError as error:
            return Failure(str(error))
        except Exception as error:  # noqa: BLE001 - a plug-in may raise anything
            # its message may quote the prompt: only the kind is told
            return Failure(f"{stream.model.name}: {type(error).__name__}")
        raise AssertionError("the last refusal is an answer")

    async def _call(self, stream: _Stream, prompt: Prompt, name: bytes, last: bool) -> Answer | Failure:
        """One call, within the budget; what was paid for is kept, and what was paid in vain is counted."""
        model, stage = stream.model.name, stream.stage
        useless: Usage | None = None
        reserved = await self._reserve(model, prompt)
        try:
            found: Answer | Failure = await stream.model.complete(prompt)
        except (Refused, Transient, Unusable) as error:
            useless = error.usage
            if not isinstance(error, Refused) or not last:
                raise
            found, useless = Failure(str(error), True, error.usage or Usage()), None
        finally:
            self._release(reserved)
            if useless:
                self.store.paid(useless, stage=stage, model=model)
                self._pay(model, useless)
        self.store.keep(name, found, stage=stage, model=model)
        self._pay(model, found.usage)
        return found

    async def _reserve(self, model: str, prompt: Prompt) -> float:
        """Set aside what a call may cost; where that would pass the limit, wait for others that may cost less than is set aside."""
        if not self._budget:
            return 0.0
        async with self._reserving:
            while True:
                self._released.clear()
                try:
                    amount = self._budget.reserve(model, [prompt])
                except BudgetError:
                    if not self._reserved:
                        raise
                    await self._released.wait()
                else:
                    self._reserved += 1
                    return amount

    def _release(self, reserved: float) -> None:
        if self._budget:
            self._budget.release(reserved)
            self._reserved -= 1
            self._released.set()

    def _pay(self, model: str, usage: Usage) -> None:
        if self._budget:
            self._budget.pay(model, usage)


def _cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
