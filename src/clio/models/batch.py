"""Batch jobs: many prompts at half the price, answered within a day. A job outlives the run that submitted it.

Before a job is submitted its tag is noted, then its name. A run that was stopped in between finds the job again at the vendor; one that
was stopped later knows it by name. Nothing is submitted twice, and each answer is kept under the same key as that of a single call.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from clio.errors import ModelError
from clio.models.pace import Pace
from clio.models.prices import Budget
from clio.models.protocols import BatchModel, Failure, Prompt, Transient
from clio.models.store import Store, Submitted, key
from clio.progress import Advance

_FIRST_POLL = 2.0  # seconds; grows by half each time
_SLOWEST_POLL = 60.0
_KEPT = 29 * 24 * 3600.0  # seconds for which vendors keep the answers of a job
_ID = re.compile(r"[0-9a-f]{64}")  # of our requests: the key of the answer


@dataclass(frozen=True, slots=True)
class Batches:
    """Batch jobs of one model (see ``Answers.prefetch``)."""

    model: BatchModel
    store: Store
    pace: Pace
    budget: Budget | None
    progress: Advance

    def rooms(self, prompts: Iterable[Prompt], asked: set[bytes]) -> Iterator[dict[bytes, Prompt]]:
        """The prompts that the store holds no answer to, each once, as many together as fit a job; ``asked`` is told their keys."""
        room: dict[bytes, Prompt] = {}
        size = 0
        for prompt in prompts:
            name = key(self.model.name, prompt)
            if name in asked or self.store.get(name) is not None:
                continue
            asked.add(name)
            # as JSON, which escapes what is quoted, and beside it the names that each request repeats
            bytes_ = 1000 + len(json.dumps([prompt.messages, prompt.schema]))
            if room and (len(room) >= self.model.most_requests or size + bytes_ > self.model.most_bytes):
                yield room
                room, size = {}, 0
            room[name], size = prompt, size + bytes_
        if room:
            yield room

    async def submit(self, room: dict[bytes, Prompt], stage: str) -> tuple[Submitted, float]:
        """Submit one job; its tag is noted before, its name after. What it may cost stays reserved."""
        model, tag = self.model, f"clio-{secrets.token_hex(8)}"
        requests = [(name.hex(), prompt) for name, prompt in room.items()]
        known = self.store.known_jobs(model.name)
        reserved = self.budget.reserve(model.name, room.values(), batch=True) if self.budget else 0.0
        noted = self.store.submitting(tag, model.name, stage, len(room))
        sent = False

        async def once() -> str:
            nonlocal sent
            # after a lost connection the job may exist
            found = await model.find(tag, noted.since, len(room), known) if sent else None
            sent = True
            return found or await model.submit(requests, tag)

        try:
            submitted = replace(noted, job=await self.pace.call(once))
        except ModelError as error:
            if self.budget:
                self.budget.release(reserved)
            if not isinstance(error, Transient):
                self.store.submitted(tag, None)  # it was refused for good
            raise
        self.store.submitted(tag, submitted.job)
        return submitted, reserved

    async def finish(self, job: Submitted, reserved: float = 0.0) -> None:
        """Wait for a job and keep its answers."""
        if (name := await self._name(job)) is None:
            return
        wait, shown = _FIRST_POLL, 0
        while not (state := await self.pace.call(lambda: self.model.poll(name))).done:
            self.progress(max(0, state.finished - shown))
            shown = max(shown, state.finished)
            await asyncio.sleep(wait)
            wait = min(_SLOWEST_POLL, wait * 1.5)
        seen: set[str] = set()  # a broken download starts anew
        await self.pace.call(lambda: self._fetch(name, job.stage, seen))
        if self.budget:
            self.budget.release(reserved)
        self.store.fetched(job.tag)
        await self.model.forget(name)  # texts of people need not stay where they were only worked on
        self.progress(max(0, job.requests - shown))

    async def _name(self, job: Submitted) -> str | None:
        """The vendor's name of a job; None, and the job is forgotten, where it never came to be or is long gone."""
        name = None
        if time.time() - job.since < _KEPT:
            if job.job is not None:
                return job.job
            known = self.store.known_jobs(self.model.name)
            name = await self.pace.call(lambda: self.model.find(job.tag, job.since, job.requests, known))
        self.store.submitted(job.tag, name)
        return name

    async def _fetch(self, job: str, stage: str, seen: set[str]) -> None:
        model = self.model.name
        async for request, found in self.model.fetch(job):
            if request in seen or not _ID.fullmatch(request):
                continue
            seen.add(request)
            name = bytes.fromhex(request)
            if isinstance(found, Failure) and not found.refused:
                self.store.paid(found.usage, stage=stage, model=model, batch=True)
            elif self.store.get(name) is None:
                self.store.keep(name, found, stage=stage, model=model, batch=True)
            else:
                continue
            if self.budget:
                self.budget.pay(model, found.usage, batch=True)
