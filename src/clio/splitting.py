"""Several requests in one conversation: it is parted where its user begins to ask for something else.

TextTiling (Hearst 1997, Computational Linguistics 23:33) over exchanges, a user's turn with what is answered to it: parted is where the
exchanges before and after lie far apart. Unlike there, only a turn that asks, and that refers to nothing said before, can begin a part,
and a conversation is measured by nothing but itself: it is parted alike in every log.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from clio.conversation import Conversation
from clio.facets.language import detect
from clio.facets.request import ASKS, says_something
from clio.models.protocols import Embedder
from clio.text import word_list

#: the embedder whose vectors tell exchanges apart: cheap enough for every turn of a log, and English
EMBEDDER = "static"

# exchanges on either side that are compared, and the cosine from which they are about one thing
_WINDOW, _ALIKE = 2, 0.35
_REFERS_BACK = re.compile(rf"\b(?:{'|'.join(sorted(word_list('back_references')))})\b", re.IGNORECASE)
# characters of a turn in which it must ask, and must not refer back
_ASKED, _REFERRED = 400, 200
_WORDY = 40  # characters from which a turn is no greeting even if it does not seem to ask
_READ = 4000  # characters of a text that are embedded: more than the embedder reads


@dataclass(frozen=True, slots=True)
class _Exchanges:
    """The n exchanges of a conversation: where each begins among its messages, what its user says, what is answered.

    ``says``: whether the user says anything that can be compared; ``wants``: whether it may be a request; ``opens``: another request.
    """

    starts: list[int]
    asked: list[str] = field(repr=False)
    answered: list[str] = field(repr=False)
    says: list[bool]
    wants: list[bool]
    opens: list[bool]

    @staticmethod
    def of(conversation: Conversation) -> _Exchanges:
        """Read them; whatever comes before the first turn of the user belongs to it."""
        messages = conversation.messages
        starts = [at for at, message in enumerate(messages) if message.role == "user"]
        asked = [messages[at].content for at in starts]
        if len(starts) < 2:
            return _Exchanges(starts, asked, [], [], [], [])
        says = [says_something(text) for text in asked]
        wants = [
            said and (len(text) >= _WORDY or _asks(text)) for said, text in zip(says, asked, strict=True)
        ]
        opens = [n > 0 and said and _opens(asked[n]) for n, said in enumerate(says)]
        answered = [""] * len(starts)
        if any(opens):
            ends = [*starts[1:], len(messages)]
            answered = [
                " ".join(m.content for m in messages[a + 1 : b] if m.role == "assistant")[:_READ]
                for a, b in zip(starts, ends, strict=True)
            ]
        return _Exchanges(starts, asked, answered, says, wants, opens)


def parts(conversations: Sequence[Conversation], embedder: Embedder) -> list[list[Conversation]]:
    """Part each of n conversations into those runs of its turns that ask for different things.

    Each part is a conversation with all that is known of the whole but its other turns; where there are several, ``/1``, ``/2``, … stand
    behind the id. Turns in other languages than English begin none. Only of conversations that may have several is anything embedded.

    Args:
        conversations: n conversations.
        embedder: the one named ``EMBEDDER``.

    Returns:
        n lists of at least one.
    """
    read = [_Exchanges.of(conversation) for conversation in conversations]
    vectors = _vectors([exchanges for exchanges in read if any(exchanges.opens)], embedder)
    found, at = [], 0
    for conversation, exchanges in zip(conversations, read, strict=True):
        cuts: list[int] = []
        if any(exchanges.opens):
            own = vectors[at : at + len(exchanges.starts)]
            cuts, at = _cuts(exchanges, own), at + len(own)
        found.append(_parted(conversation, [exchanges.starts[n] for n in cuts]))
    return found


def _asks(text: str) -> bool:
    return ASKS.search(text[:_ASKED]) is not None


def _opens(text: str) -> bool:
    """Whether a turn asks, in English, and refers to nothing said before."""
    return _asks(text) and _REFERS_BACK.search(text[:_REFERRED]) is None and detect([text])[0] == "en"


def _vectors(several: Sequence[_Exchanges], embedder: Embedder) -> NDArray[np.float32]:
    """The vectors of all exchanges, one after the other, float32 (n, d): question and answer weigh the same."""
    asked = embedder.encode([text[:_READ] for exchanges in several for text in exchanges.asked])
    texts = [text for exchanges in several for text in exchanges.answered]
    answered = [n for n, text in enumerate(texts) if text.strip()]
    if answered:
        asked[answered] += embedder.encode([texts[n] for n in answered])
    return np.asarray(asked / np.linalg.norm(asked, axis=1, keepdims=True), np.float32)


def _cuts(exchanges: _Exchanges, vectors: NDArray[np.float32]) -> list[int]:
    """The exchanges before which a conversation is parted; those in which the user says nothing count for nothing before one."""
    cuts: list[int] = []
    before: list[int] = []
    for n, opens in enumerate(exchanges.opens):
        if opens and any(exchanges.wants[m] for m in before):
            one, other = vectors[before[-_WINDOW:]].sum(axis=0), vectors[n : n + _WINDOW].sum(axis=0)
            if one @ other < _ALIKE * np.linalg.norm(one) * np.linalg.norm(other):
                cuts.append(n)
                before = []
        if exchanges.says[n]:
            before.append(n)
    return cuts


def _parted(conversation: Conversation, starts: Sequence[int]) -> list[Conversation]:
    """A conversation parted before some of its messages."""
    if not starts:
        return [conversation]
    bounds = zip([0, *starts], [*starts, len(conversation.messages)], strict=True)
    return [
        replace(conversation, id=f"{conversation.id}/{n}", messages=conversation.messages[a:b])
        for n, (a, b) in enumerate(bounds, 1)
    ]
