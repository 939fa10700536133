"""Every answer of a chat model is asked for once and kept: a run that was killed pays again only for the
calls in flight.

The store is one SQLite file in the run's private zone. An answer's key is the SHA-256 of the model's name,
the messages and the sampling settings; each answer is committed as it arrives.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Self, TypeVar

from clio.errors import ModelError
from clio.models.protocols import Answer, ChatModel, Failure, Prompt
from clio.progress import Advance, silent

CONCURRENCY = 16
MAX_FAILURES = 0.2
_FEW = 20  # below so many prompts a share of failures says little
_CHUNK = 512  # prompts in memory at a time

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Totals:
    """What all answers of a store cost, earlier sessions included: a resumed run tells the same."""

    calls: int
    input_tokens: int
    output_tokens: int


@dataclass(slots=True)
class _Tally:
    """How one batch of prompts goes."""

    done: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def error(self, name: str, limit: float, last: bool) -> ModelError | None:
        """The error that ends a batch: too large a share failed, or all of it."""
        failed = self.reasons.total()
        if not failed or not (
            (failed > limit * self.done and self.done >= _FEW) or (last and failed == self.done)
        ):
            return None
        reason = self.reasons.most_common(1)[0][0].removeprefix(f"{name}: ")
        return ModelError(
            f"{name}: {failed} of {self.done} prompts failed, most often because {reason}. Answers so "
            "far are kept: run the same command again to go on"
        )


def key(model: str, prompt: Prompt) -> bytes:
    """What an answer is kept under: 32 bytes that tell nothing of the prompt."""
    content = json.dumps([model, prompt.messages, prompt.temperature, prompt.max_tokens])
    return hashlib.sha256(content.encode()).digest()


class Answers:
    """A store of answers, and the one place where chat models are called; a context manager.

    ``path`` is the SQLite file (None: in memory), ``concurrency`` the number of calls at a time,
    ``max_failures`` the share of prompts that may fail before a batch is given up. Not for use by several
    threads or processes at a time.
    """

    def __init__(
        self, path: Path | None = None, *, concurrency: int = CONCURRENCY, max_failures: float = MAX_FAILURES
    ) -> None:
        self._path = path
        self._concurrency = concurrency
        self._max_failures = max_failures
        self._models: dict[int, ChatModel] = {}
        try:
            if path is not None:
                os.close(
                    os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
                )  # nobody else's to read from its first byte
            self._store = sqlite3.connect(
                path or ":memory:", isolation_level=None, check_same_thread=False, timeout=30
            )
            self._store.execute("PRAGMA journal_mode = WAL")
            self._store.execute(
                "PRAGMA synchronous = NORMAL"
            )  # survives kill -9; a power cut may cost the last few answers
            self._store.execute(
                "CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, text TEXT NOT NULL,"
                " input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL)"
                " WITHOUT ROWID"
            )
        except (OSError, sqlite3.Error) as error:
            raise self._broken(error) from None
        # a loop of its own: calls work from a script, a notebook and a server alike, and connections stay
        # open between batches
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="clio-answers", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def complete(
        self, model: ChatModel, prompts: Iterable[Prompt], *, progress: Advance = silent
    ) -> list[Answer | Failure]:
        """Answer all prompts, in their order; see ``stream``."""
        return list(self.stream(model, prompts, progress=progress))

    def stream(
        self, model: ChatModel, prompts: Iterable[Prompt], *, progress: Advance = silent
    ) -> Iterator[Answer | Failure]:
        """Answer prompts in their order, at most 512 or 16 a concurrent call in memory at a time.

        Args:
            model: who answers what the store does not hold.
            prompts: any number; equal ones are asked once.
            progress: called with the number of prompts done since its last call (from another thread).

        Raises:
            ModelError: more than ``max_failures`` of the prompts failed, or all of them; what was answered
                is kept.
        """
        self._models[id(model)] = model
        tally = _Tally()
        source = iter(prompts)
        size = max(_CHUNK, 16 * self._concurrency)
        chunk = list(islice(source, size))
        while chunk:
            following = list(islice(source, size))
            yield from self._wait(self._chunk(model, chunk, tally, progress, last=not following))
            chunk = following

    @property
    def totals(self) -> Totals:
        """Answers kept and the tokens that they cost."""
        row = self._store.execute(
            "SELECT count(*), coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0) FROM answers"
        ).fetchone()
        return Totals(*row)

    def close(self) -> None:
        """Close the models that were called, the loop and the file."""
        if self._loop.is_closed():
            return
        for model in self._models.values():
            close = getattr(model, "close", None)
            if close is not None:
                self._wait(close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._store.close()

    def _wait(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """The sync door: run a coroutine on our loop; an interrupt here (Ctrl-C) ends it there."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            with suppress(CancelledError):
                future.exception()
            raise

    async def _chunk(
        self, model: ChatModel, prompts: Sequence[Prompt], tally: _Tally, progress: Advance, *, last: bool
    ) -> list[Answer | Failure]:
        """Answer one chunk: from the store where it can; ``concurrency`` workers share what is left."""
        keys = [key(model.name, prompt) for prompt in prompts]
        times = Counter(keys)
        found: dict[bytes, Answer | Failure] = dict(self._kept(list(times)))
        open_ones = {name: prompt for name, prompt in zip(keys, prompts, strict=True) if name not in found}
        held = sum(times[name] for name in found)
        tally.done += held
        progress(held)
        queue = iter(open_ones.items())

        async def work() -> None:
            for name, prompt in queue:
                answer = await _ask(model, prompt)
                if isinstance(answer, Answer):
                    self._keep(name, answer)
                else:
                    tally.reasons[answer.reason] += times[name]
                found[name] = answer
                tally.done += times[name]
                progress(times[name])
                if error := tally.error(model.name, self._max_failures, last=False):
                    raise error

        workers = [asyncio.create_task(work()) for _ in range(min(self._concurrency, len(open_ones)))]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        if last and (error := tally.error(model.name, self._max_failures, last=True)):
            raise error
        return [found[name] for name in keys]

    def _kept(self, keys: Sequence[bytes]) -> Iterator[tuple[bytes, Answer]]:
        for name in keys:
            row = self._store.execute(
                "SELECT text, input_tokens, output_tokens FROM answers WHERE key = ?", (name,)
            ).fetchone()
            if row is not None:
                yield name, Answer(*row)

    def _keep(self, name: bytes, answer: Answer) -> None:
        try:
            self._store.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)",
                (name, answer.text, answer.input_tokens, answer.output_tokens),
            )
        except sqlite3.Error as error:
            raise self._broken(error) from None

    def _broken(self, error: Exception) -> ModelError:
        where = self._path.name if self._path else "memory"
        return ModelError(
            f"the store of answers ({where}) cannot be used ({type(error).__name__}): free disk space, "
            "or delete it to ask anew"
        )


async def _ask(model: ChatModel, prompt: Prompt) -> Answer | Failure:
    try:
        return await model.complete(prompt)
    except ModelError as error:
        return Failure(str(error))
    except Exception as error:  # noqa: BLE001 - a plug-in may raise anything
        # its message may quote the prompt: only the kind is told
        return Failure(f"{model.name}: {type(error).__name__}")
