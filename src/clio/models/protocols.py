"""What a model can do for us: answer a prompt, answer many of them as one job, turn texts into vectors.

A chat model tells what went wrong by the kind of its error, never in a server's own words, since these may quote the prompt:

    ModelError       this prompt gets no answer: the request itself is refused, or the answer cannot be read
    ├── Transient    trying again later may help (limits, time-outs, lost connections, empty answers)
    ├── Refused      the model declines to answer
    └── Unusable     the answer is of no use, and another would be no better
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from clio.errors import ModelError


@dataclass(frozen=True, slots=True)
class Prompt:
    """One call: chat messages (role, text), and how to sample. Its text never shows in a repr.

    ``schema`` is the JSON schema that the answer must follow, where the server can hold a model to one. The first ``cached``
    messages begin other prompts too: a server may keep what it read of them.
    """

    messages: tuple[tuple[str, str], ...] = field(repr=False)
    temperature: float = 0.2
    max_tokens: int = 400
    schema: Mapping[str, Any] | None = field(default=None, repr=False)
    cached: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call: ``input`` is all that was read, of which ``cached`` came from the server's cache and ``written`` went into it."""

    input: int = 0
    output: int = 0
    cached: int = 0
    written: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and what it cost in tokens; ``cut`` where it ends at the limit of tokens.

    What UTF-8 cannot hold (half a character, where a server cuts between its tokens) becomes "?".
    """

    text: str = field(repr=False)
    usage: Usage = Usage()
    cut: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", self.text.encode(errors="replace").decode())


@dataclass(frozen=True, slots=True)
class Failure:
    """A prompt that got no answer, and why, without a word of the prompt; ``usage`` where that cost something nonetheless."""

    reason: str
    refused: bool = False
    usage: Usage = Usage()


class Transient(ModelError):  # noqa: N818 - told apart by what they say of the next try
    """Trying again may help.

    ``overloaded`` says that the server wants fewer calls, ``retry_after`` how many seconds it wants to be left alone, ``usage`` what
    the answer cost that could not be used.
    """

    def __init__(
        self,
        message: str,
        *,
        overloaded: bool = False,
        retry_after: float | None = None,
        usage: Usage | None = None,
    ) -> None:
        super().__init__(message)
        self.overloaded = overloaded
        self.retry_after = retry_after
        self.usage = usage


class Refused(ModelError):  # noqa: N818 - as above
    """The model declines to answer; ``usage`` is what that cost."""

    def __init__(self, message: str, usage: Usage | None = None) -> None:
        super().__init__(message)
        self.usage = usage


class Unusable(ModelError):  # noqa: N818 - as above
    """The answer is of no use, and another would be no better; ``usage`` is what it cost."""

    def __init__(self, message: str, usage: Usage | None = None) -> None:
        super().__init__(message)
        self.usage = usage


#: why an answer that reached its limit of tokens may be empty
WORDLESS = (
    "the answer reached its limit of tokens before its first word: a model that thinks first needs a larger one, "
    "or less thought (setting options)"
)


class ChatModel(Protocol):
    """Answers one prompt; raises ``ModelError`` where it cannot. Safe to call many times at once.

    ``name`` is what answers are kept under: another model must have another name. ``host`` is where texts go. An ``async close()``
    is awaited at the end, if there is one.
    """

    name: str
    host: str

    async def complete(self, prompt: Prompt) -> Answer:
        """Answer one prompt."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """How a batch job stands: ``done`` once there is nothing more to wait for, with ``finished`` of its requests answered."""

    done: bool
    finished: int


@runtime_checkable
class BatchModel(Protocol):
    """A chat model that also takes many prompts as one job, answered within a day at a lower price."""

    name: str
    #: requests and bytes that fit one job
    most_requests: int
    most_bytes: int

    async def submit(self, requests: Sequence[tuple[str, Prompt]], tag: str) -> str:
        """Start a job of (id of at most 64 characters, prompt); returns the job's name. ``tag`` lets ``find`` know it again."""
        ...

    async def find(self, tag: str, since: float, count: int, known: Container[str]) -> str | None:
        """The name of a job that was submitted with a tag, at or after a Unix time and with ``count`` requests, and that is not
        ``known``, if there is one.
        """
        ...

    async def poll(self, job: str) -> Job:
        """How a job stands."""
        ...

    async def forget(self, job: str) -> None:
        """Delete what a job whose answers are all here has left at the vendor, where that can be done; never raises."""
        ...

    def fetch(self, job: str) -> AsyncIterator[tuple[str, Answer | Failure]]:
        """The answers of a finished job by the id of their request, in any order. What has none is left out, or is a ``Failure`` that
        is no refusal, where it cost something: both are asked singly.
        """
        ...


class Embedder(Protocol):
    """Turns texts into vectors of unit length; the same texts in the same order give the same bytes."""

    name: str
    dimensions: int

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed n texts: float32, shape (n, dimensions), rows of unit length."""
        ...
