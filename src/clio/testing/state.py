"""What the stand-in server knows of itself: its settings, its counters, and which request meets which fault."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections import Counter
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from clio.testing.standin import share

#: what may go wrong with a request: an error status; a closed connection, a body that ends early or is no
# JSON, silence; and answers that arrive well but are of no use
Fault = Literal[
    "400", "401", "404", "408", "413", "422", "429", "500", "502", "503", "529",
    "drop", "truncate", "garble", "stall",
    "empty", "cut", "refuse", "prose", "no_schema",
]  # fmt: skip
FAULTS: tuple[Fault, ...] = get_args(Fault)
#: faults of the connection: the answer never arrives whole
BROKEN: tuple[Fault, ...] = ("drop", "truncate", "garble", "stall")


class RefusedError(Exception):
    """The request breaks a rule of the protocol: a status, what is wrong, and which parameter."""

    def __init__(self, message: str, *, status: int = 400, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.param = param


@dataclass(frozen=True)
class Request:
    """One HTTP request; the names of its headers are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """One answer to be sent, what it counts for, and how its sending fails."""

    status: int
    said: Mapping[str, Any] | bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    calls: int = 0
    embedded: int = 0
    #: name of the body that a usable chat answer was given to
    paid: str | None = None
    broken: Fault | None = None


@dataclass
class Server:
    """The running stand-in: where it is, how it behaves, and what it was asked."""

    #: base addresses for OpenAI's SDK (ends in /v1) and for Anthropic's
    url: str = ""
    anthropic_url: str = ""
    #: seconds that every answer takes, that a stalled one takes, and that a batch job takes
    latency: float = 0.0
    stall: float = 30.0
    batch_delay: float = 0.0
    faults: Mapping[Fault, float] = field(default_factory=dict)
    seed: int = 0
    #: model calls a second; above that they are answered with 429
    limit_per_second: float | None = None
    #: whether it obeys orders in what it is shown, and whether it repeats what it should not
    gullible: bool = False
    leaky: bool = False
    #: requests that reached it, faults included; chat answers given; texts embedded
    requests: int = 0
    calls: int = 0
    embedded: int = 0
    #: highest number of requests at one time
    most_at_once: int = 0
    #: batch jobs created
    batches: int = 0
    #: usable chat answers delivered, by `name_of` the request's body
    paid: Counter[str] = field(default_factory=Counter, repr=False)
    #: faults that requests met
    met: Counter[str] = field(default_factory=Counter)
    #: raw bodies of POST requests in order of arrival, if asked to record
    bodies: list[str] | None = field(default=None, repr=False)

    #: the vendors' shelves: uploaded and written files, batch jobs, prompt prefixes that are cached
    files: dict[str, tuple[dict[str, Any], bytes]] = field(default_factory=dict, repr=False)
    openai_jobs: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    anthropic_jobs: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    results: dict[str, bytes] = field(default_factory=dict, repr=False)
    cancelled: dict[str, asyncio.Event] = field(default_factory=dict, repr=False)
    prefixes: set[bytes] = field(default_factory=set, repr=False)

    _at_once: int = field(default=0, repr=False)
    _times: Counter[bytes] = field(default_factory=Counter, repr=False)
    _tokens: float = field(default=0.0, repr=False)
    _filled: float = field(default=float("-inf"), repr=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, repr=False)

    @property
    def duplicates(self) -> int:
        """Usable answers beyond the first to the same body: what a careful client never pays."""
        return sum(times - 1 for times in list(self.paid.values()))

    def stats(self) -> dict[str, Any]:
        """The counters as plain values."""
        return {
            "requests": self.requests,
            "calls": self.calls,
            "embedded": self.embedded,
            "most_at_once": self.most_at_once,
            "batches": self.batches,
            "paid": len(self.paid),
            "duplicates": self.duplicates,
            "faults": dict(self.met),
        }

    def arrive(self, request: Request) -> None:
        """Note that a request has come."""
        self.requests += 1
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        if self.bodies is not None and request.method == "POST":
            self.bodies.append(request.body.decode(errors="replace"))

    def leave(self) -> None:
        """Note that a request is dealt with."""
        self._at_once -= 1

    def book(self, reply: Reply) -> None:
        """Count what a delivered reply is worth."""
        self.calls += reply.calls
        self.embedded += reply.embedded
        if reply.paid is not None:
            self.paid[reply.paid] += 1

    def draw(self, body: bytes, *, has_schema: bool = False) -> Fault | None:
        """Draw a request's fault: the same body meets the same faults in the same order."""
        name = hashlib.sha256(body).digest()
        self._times[name] += 1
        place = f"{self.seed} {self._times[name]} ".encode()
        found: Fault | None = None
        # apart from the others: whether a server knows schemas must not depend on how often it fails
        if has_schema and share(place + b"schema " + name) < self.faults.get("no_schema", 0.0):
            found = "no_schema"
        else:
            drawn = share(place + name)
            for fault, rate in self.faults.items():
                if fault == "no_schema":
                    continue
                if drawn < rate:
                    found = fault
                    break
                drawn -= rate
        if found is not None:
            self.met[found] += 1
        return found

    def wait_for_turn(self) -> float | None:
        """Seconds until the rate limit has room again, or None if there is room now (then it is taken)."""
        limit = self.limit_per_second
        if limit is None:
            return None
        now = time.monotonic()
        # a bucket that holds a second's worth, as the vendors' limits do
        self._tokens = min(max(1.0, limit), self._tokens + min(now - self._filled, 3600.0) * limit)
        self._filled = now
        if self._tokens < 1:
            return (1 - self._tokens) / limit
        self._tokens -= 1
        return None

    def work(self, job: Coroutine[Any, Any, None]) -> None:
        """Run a batch job on the side; it is held here, as the event loop alone would lose it."""
        task = asyncio.get_running_loop().create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def tasks(self) -> list[asyncio.Task[None]]:
        """Batch jobs that are not done yet."""
        return list(self._tasks)

    async def rest(self, job: str) -> None:
        """Wait until a batch job is due or cancelled."""
        event = self.cancelled[job]
        try:
            await asyncio.wait_for(event.wait(), self.batch_delay)
        except TimeoutError:
            return  # it is due


def packed(asked: Any) -> bytes:
    """JSON without spaces and with sorted keys, so that equal requests have equal bytes."""
    return json.dumps(asked, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        errors="replace"
    )


def name_of(asked: Any) -> str:
    """Name of a request's body in `Server.paid`: the sha256 of it with sorted keys, so that a line of a batch
    and a single call that ask the same have the same name.
    """
    return hashlib.sha256(packed(asked)).hexdigest()


def quoted(body: bytes) -> str:
    """The beginning of a body, as some servers put it into their errors."""
    return body.decode(errors="replace")[:2000]


def made_id(prefix: str, *parts: object) -> str:
    """An id that looks like a vendor's and depends on its parts alone."""
    return prefix + hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:24]


def page(jobs: list[dict[str, Any]], limit: int, after: str | None) -> tuple[list[dict[str, Any]], bool]:
    """The next so many jobs, newest first, after one of them, and whether there are more."""
    newest = jobs[::-1]
    if after is not None:
        newest = newest[[job["id"] for job in newest].index(after) + 1 :]
    return newest[:limit], len(newest) > limit
