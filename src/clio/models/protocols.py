"""The two things a model can do for us: answer a prompt, and turn texts into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Prompt:
    """One call: chat messages (role, text), and how to sample. Its text never shows in a repr."""

    messages: tuple[tuple[str, str], ...] = field(repr=False)
    temperature: float = 0.2
    max_tokens: int = 400


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and what it cost in tokens."""

    text: str = field(repr=False)
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """A prompt that got no answer, and why, without a word of the prompt."""

    reason: str


class ChatModel(Protocol):
    """Answers one prompt; raises ``clio.errors.ModelError`` where it cannot. Safe to call many times at once.

    ``name`` is what answers are kept under: another model must have another name. An ``async close()`` is
    awaited at the end, if there is one.
    """

    name: str

    async def complete(self, prompt: Prompt) -> Answer:
        """Answer one prompt."""
        ...


class Embedder(Protocol):
    """Turns texts into vectors of unit length; the same texts in the same order give the same bytes."""

    name: str
    dimensions: int

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed n texts: float32, shape (n, dimensions), rows of unit length."""
        ...
