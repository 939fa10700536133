"""Where a conversation is parted: before another request, and nowhere else."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from clio.conversation import Conversation, Message
from clio.models import embedder
from clio.models.protocols import Embedder
from clio.splitting import EMBEDDER, parts

FLIGHT = (
    "Can you find me a flight from Boston to Denver?",
    "There is a flight to Denver at nine in the morning.",
)
SEATS = (
    "Which airlines fly from Boston to Denver on Friday?",
    "Two airlines fly from Boston to Denver on Friday.",
)
CAKE = ("How do I bake a chocolate cake?", "Mix flour, cocoa, sugar and eggs, and bake the cake for an hour.")
SQL = (
    "Write a SQL query to join customers and orders",
    "SELECT * FROM customers JOIN orders ON customers.id = orders.customer",
)


@pytest.fixture(scope="module")
def static() -> Embedder:
    return embedder(EMBEDDER)


def talk(*exchanges: tuple[str, str] | str, id_: str = "c") -> Conversation:
    said = [(one, "Of course.") if isinstance(one, str) else one for one in exchanges]
    messages = [m for ask, answer in said for m in (Message("user", ask), Message("assistant", answer))]
    return Conversation(id_, tuple(messages), user="u", country="NO")


def beginnings(whole: Conversation, static: Embedder) -> list[str]:
    """What each part begins with."""
    return [part.messages[0].content for part in parts([whole], static)[0]]


def test_another_request_begins_a_part_and_more_on_the_same_does_not(static: Embedder) -> None:
    """Three subjects in five turns are three parts."""
    found = beginnings(talk(FLIGHT, SEATS, CAKE, SQL), static)
    assert found == [FLIGHT[0], CAKE[0], SQL[0]]


@pytest.mark.parametrize(
    "turn",
    [
        "make it shorter",
        "and in French?",
        "yes please",
        "No, that is all. Thanks for your help.",
        "Can you explain your reasoning?",
        "Please write that again as a table",
        "What about these two?",
        "Thank you very much, you are the best assistant",
    ],
)
def test_a_turn_that_goes_on_begins_no_part(turn: str, static: Embedder) -> None:
    """What only makes sense with what was said before belongs to it, however unlike its words are."""
    assert len(beginnings(talk(CAKE, turn), static)) == 1
    assert beginnings(talk(CAKE, turn, SQL), static) == [CAKE[0], SQL[0]]


def test_a_greeting_is_no_part_of_its_own(static: Embedder) -> None:
    """It belongs to the request after it."""
    assert len(beginnings(talk("Good morning dear friend", CAKE), static)) == 1
    assert len(beginnings(talk("hi", "Hello again", CAKE, SQL), static)) == 2


@pytest.mark.parametrize(
    "turns",
    [
        ("¿Cómo hago un pastel de chocolate?", "¿Qué vuelos hay de Madrid a Lima el viernes?"),
        ("Wie backe ich einen Schokoladenkuchen?", "Welche Flüge gibt es am Freitag von Bonn nach Wien?"),
        ("怎么做巧克力蛋糕？", "星期五从北京到上海有什么航班？"),
        ("チョコレートケーキの作り方を教えてください", "金曜日の東京から大阪への便を教えてください"),
    ],
)
def test_other_languages_are_not_parted(turns: tuple[str, str], static: Embedder) -> None:
    """What an English embedder makes of them decides nothing."""
    assert len(beginnings(talk(*turns), static)) == 1


def test_every_message_is_in_one_part_with_the_turn_that_it_answers(static: Embedder) -> None:
    """Parts are the whole in order, and all but the first begin with the user; what is known of the whole is known of each."""
    first = (Message("system", "Be kind."), Message("assistant", "How can I help?"))
    called = Message("tool", "{}")
    body = talk(FLIGHT, CAKE, SQL).messages
    whole = Conversation("c", (*first, *body[:3], called, *body[3:]), user="u", country="NO")
    found = parts([whole], static)[0]
    assert [m for part in found for m in part.messages] == list(whole.messages)
    assert [part.messages[0].role for part in found] == ["system", "user", "user"]
    assert called in found[1].messages
    assert [part.id for part in found] == ["c/1", "c/2", "c/3"]
    assert {(part.user, part.country) for part in found} == {("u", "NO")}


def test_a_conversation_is_parted_alike_whatever_it_is_read_with(static: Embedder) -> None:
    """Else a log read again would hold other requests, and the ledger could not know them again."""
    rng = random.Random(0)
    talks = [
        talk(
            *rng.choices([FLIGHT, SEATS, CAKE, SQL, ("yes please", "Done.")], k=rng.randint(1, 8)), id_=str(n)
        )
        for n in range(60)
    ]
    together = parts(talks, static)
    assert together == [parts([one], static)[0] for one in talks]
    assert len({len(some) for some in together}) > 2


def test_what_cannot_hold_several_requests_is_not_embedded() -> None:
    """A single turn, and turns that ask for nothing else, cost nothing."""

    class Refusing:
        name, dimensions = "refusing", 1

        def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
            assert not texts
            return np.empty((0, 1), np.float32)

    whole = [talk(CAKE), talk(CAKE, "yes please", "make it shorter"), talk("hi", "hello")]
    assert parts(whole, Refusing()) == [[one] for one in whole]


def test_unanswered_turns_are_parted_too(static: Embedder) -> None:
    """A log may hold what users said and nothing else."""
    said = tuple(Message("user", text) for text, _ in (FLIGHT, CAKE, SQL))
    assert len(parts([Conversation("c", said)], static)[0]) == 3
