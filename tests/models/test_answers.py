"""Where chat models are called: each prompt once, in order, at the server's pace, within the budget, and whatever happens."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from clio.errors import ModelError
from clio.models.answers import Answers
from clio.models.pace import ATTEMPTS
from clio.models.prices import Budget, BudgetError, Price
from clio.models.protocols import Answer, Failure, Prompt, Refused, Transient, Usage
from clio.models.store import Spent, StoreError

WORDS = "xyzzy-private"


def prompt(text: str, **settings: Any) -> Prompt:
    return Prompt((("user", text),), **settings)


class Echo:
    """Answers with the prompt's text; fails where it says so; counts."""

    host = "here"

    def __init__(self, name: str = "echo") -> None:
        self.name = name
        self.calls: list[str] = []
        self.at_once = self.most_at_once = 0
        self.closed = 0

    async def complete(self, prompt: Prompt) -> Answer:
        text = prompt.messages[-1][1]
        self.calls.append(text)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(60 if "slow" in text else 0.001)
        finally:
            self.at_once -= 1
        if "fail" in text:
            raise ModelError(f"{self.name}: it timed out")
        if "decline" in text:
            raise Refused("the model declines", Usage(len(text), 1))
        if "empty" in text:
            raise Transient("the answer is empty", usage=Usage(len(text), 0))
        if "crash" in text:
            raise ValueError(text)
        return Answer(text.upper(), Usage(len(text), 2))

    async def close(self) -> None:
        self.closed += 1


# --- each prompt once, in order ---


def test_answers_come_in_the_order_of_prompts_and_each_is_asked_once() -> None:
    """Equal prompts are one call, at once or later, and no more run at a time than allowed."""
    model = Echo()
    with Answers(concurrency=4) as answers:
        texts = [f"text {number % 30}" for number in range(100)]
        found = answers.complete(model, map(prompt, texts))
        assert [answer.text for answer in found if isinstance(answer, Answer)] == [
            text.upper() for text in texts
        ]
        assert sorted(model.calls) == sorted(set(texts))
        assert model.most_at_once == 4
        assert answers.complete(model, map(prompt, texts)) == found
        assert len(model.calls) == 30
        assert answers.store.spent() == [Spent("", "echo", False, 30, Usage(sum(map(len, set(texts))), 60))]
    assert model.closed == 1


def test_a_prompt_asked_twice_at_once_in_two_streams_is_called_once() -> None:
    """The second stream gets the answer of the first."""
    model = Echo()
    with Answers() as answers:
        one = answers.stream(model, map(prompt, ["a", "b", "c"]))
        other = answers.stream(model, map(prompt, ["c", "b", "a"]))
        assert [next(one), next(other), *one, *other] == [
            Answer(text, Usage(1, 2)) for text in ("A", "C", "B", "C", "B", "A")
        ]
        assert sorted(model.calls) == ["a", "b", "c"]


def test_what_a_given_up_stream_was_asking_another_asks_itself() -> None:
    """A stream that waits for another's call is not lost with it."""

    class First(Echo):
        async def complete(self, prompt: Prompt) -> Answer:
            if prompt.messages[0][1] == "a" and "lost" not in self.calls:
                self.calls.append("lost")
                await asyncio.sleep(60)
            return await super().complete(prompt)

    model = First()
    with Answers() as answers:
        one = answers.stream(model, map(prompt, ["x", "a"]))
        assert next(one) == Answer("X", Usage(1, 2))
        other = answers.stream(model, map(prompt, ["b", "a"]))
        assert next(other) == Answer("B", Usage(1, 2))
        assert model.calls == ["x", "lost", "b"]
        one.close()  # type: ignore[attr-defined]
        assert next(other) == Answer("A", Usage(1, 2))
    assert model.calls == ["x", "lost", "b", "a"]


def test_prompts_are_taken_as_they_are_needed_and_progress_adds_up() -> None:
    """However many there are, only some ahead are held, and each is told as done once."""
    taken = 0

    def many() -> Iterator[Prompt]:
        nonlocal taken
        for number in range(6000):
            taken += 1
            yield prompt(f"text {number % 5000}")

    done: list[int] = []
    given = 0
    with Answers(concurrency=8) as answers:
        for _ in answers.stream(Echo(), many(), progress=done.append):
            given += 1
            assert taken - given <= 1024 + 64
    assert given == sum(done) == 6000


def test_no_prompts_give_no_answers() -> None:
    """Nothing is asked, and nothing is wrong."""
    with Answers() as answers:
        assert answers.complete(Echo(), []) == []
        assert answers.store.spent() == []


def test_it_works_inside_a_running_loop_as_in_a_notebook() -> None:
    """Who calls from a coroutine gets the answers all the same."""

    async def cell() -> list[Answer | Failure]:
        with Answers() as answers:
            return answers.complete(Echo(), [prompt("a")])

    assert asyncio.run(cell()) == [Answer("A", Usage(1, 2))]


def test_prompts_may_be_made_of_answers() -> None:
    """A source of prompts may itself ask: it runs on the caller's thread, not on the one that calls."""
    model = Echo()
    with Answers() as answers:

        def deeper() -> Iterator[Prompt]:
            for answer in answers.stream(model, map(prompt, ["a", "b"])):
                assert isinstance(answer, Answer)
                yield prompt(answer.text + "!")

        assert answers.complete(model, deeper()) == [Answer("A!", Usage(2, 2)), Answer("B!", Usage(2, 2))]


# --- what can go wrong ---


def test_failures_are_told_apart_and_do_not_stop_the_others() -> None:
    """Each has its reason; what a plug-in raises is told by its kind alone; only what failed is asked again."""
    texts = [f"text {number}" for number in range(30)] + ["fail 1", f"crash with {WORDS}"]
    model = Echo()
    with Answers() as answers:
        found = answers.complete(model, map(prompt, texts))
        assert found[30:] == [Failure("echo: it timed out"), Failure("echo: ValueError")]
        assert all(isinstance(answer, Answer) for answer in found[:30])
        answers.complete(model, map(prompt, texts))
        assert len(model.calls) == 34


def test_a_prompt_that_is_declined_is_asked_three_times_and_never_again(tmp_path: Path) -> None:
    """A refusal is kept like an answer, its tries are paid for, and refusals are no failures of the run."""
    model = Echo()
    with Answers(tmp_path / "a") as answers:
        assert answers.complete(model, [prompt("decline")]) == [
            Failure("the model declines", True, Usage(7, 1))
        ]
        assert len(model.calls) == 3
    with Answers(tmp_path / "a") as answers:
        (found,) = answers.complete(model, [prompt("decline")])
        assert isinstance(found, Failure)
        assert found.refused
        assert len(model.calls) == 3
        assert answers.store.spent() == [Spent("", "echo", False, 3, Usage(21, 3))]


def test_useless_answers_are_counted_as_spent(quick: None) -> None:
    """Empty answers are tried again, and each is paid for."""
    model = Echo()
    with Answers() as answers:
        found = answers.complete(model, map(prompt, ["empty", "good"]), stage="s")
        assert found == [Failure("the answer is empty"), Answer("GOOD", Usage(4, 2))]
        assert model.calls.count("empty") == ATTEMPTS
        assert answers.store.spent() == [Spent("s", "echo", False, ATTEMPTS + 1, Usage(5 * ATTEMPTS + 4, 2))]


def test_too_many_failures_end_the_stream_early_and_what_was_answered_is_kept() -> None:
    """One line tells how many, why, and that the same command goes on; nothing more is asked."""
    model = Echo()
    with Answers(max_failures=0.2, concurrency=2) as answers:
        texts = [f"text {number}" for number in range(15)] + [f"fail {number}" for number in range(1000)]
        with pytest.raises(
            ModelError, match=r"echo: 5 of 20 prompts failed, .* it timed out\. .*same command again"
        ):
            answers.complete(model, map(prompt, texts))
        assert len(model.calls) <= 22
        (spent,) = answers.store.spent()
        assert spent.calls == 15


def test_an_early_end_does_not_wait_to_be_seen(quick: None) -> None:
    """While the first prompt still takes its time, no more prompts are asked once too many have failed."""

    class Late(Echo):
        async def complete(self, prompt: Prompt) -> Answer:
            if prompt.messages[0][1] == "late":
                await asyncio.sleep(0.5)
            return await super().complete(prompt)

    model = Late()
    with Answers(concurrency=4) as answers:
        stream = answers.stream(model, map(prompt, ["late", *(f"fail {n}" for n in range(900))]))
        assert next(stream) == Answer("LATE", Usage(4, 2))
        with pytest.raises(ModelError, match="20 of 20"):
            list(stream)
    assert len(model.calls) <= 25


def test_a_few_failures_in_a_small_stream_are_no_error_but_no_answer_at_all_is() -> None:
    """Under twenty prompts a share says little; but where none is answered something is wrong."""
    with Answers() as answers:
        assert isinstance(answers.complete(Echo(), map(prompt, ["a", "fail", "fail too"]))[1], Failure)
        with pytest.raises(ModelError, match="2 of 2"):
            answers.complete(Echo(), map(prompt, ["fail", "fail too"]))


def test_stored_answers_count_in_the_share_of_failures(tmp_path: Path) -> None:
    """A run that goes on is not given up because what is left fails more often."""
    texts = [f"text {number}" for number in range(60)]
    with Answers(tmp_path / "a.sqlite") as answers:
        answers.complete(Echo(), map(prompt, texts))
        found = answers.complete(Echo(), map(prompt, [*texts, "fail 1", "fail 2"]))
    assert [type(answer) for answer in found[-2:]] == [Failure, Failure]


def test_a_store_that_fails_ends_the_stream_at_once(tmp_path: Path) -> None:
    """Answers that cannot be kept are not paid for one after another."""
    model = Echo()
    with Answers(tmp_path / "a", concurrency=2) as answers:
        answers.store._db.execute("DROP TABLE answers")
        with pytest.raises(StoreError, match="cannot be used"):
            answers.complete(model, map(prompt, map(str, range(100))))
    assert len(model.calls) <= 2


def test_what_progress_raises_reaches_the_caller() -> None:
    """An error of the caller's own callback ends the stream in the caller's thread."""

    def broken(_count: int) -> None:
        raise KeyError("bar")

    with Answers() as answers, pytest.raises(KeyError):
        answers.complete(Echo(), [prompt("a")], progress=broken)


# --- asking anew ---


def test_an_answer_that_cannot_be_used_is_asked_for_twice_more() -> None:
    """The last answer is the one that is given, each is kept, and asking again asks nothing anew."""
    model = Echo()

    def longer(least: int, asked: Prompt, answer: Answer) -> Prompt | None:
        return None if len(answer.text) >= least else prompt(asked.messages[-1][1] + "+")

    with Answers() as answers:
        for least, text in ((4, "ABC+"), (5, "ABC++"), (9, "ABC++"), (3, "ABC")):
            assert answers.complete(model, [prompt("abc")], again=partial(longer, least)) == [
                Answer(text, Usage(len(text), 2))
            ]
        assert model.calls == ["abc", "abc+", "abc++"]


def test_a_repair_that_fails_leaves_the_answer_that_there_is() -> None:
    """It is better than none, and no failure."""
    with Answers() as answers:
        assert answers.complete(Echo(), [prompt("a")], again=lambda *_: prompt("fail")) == [
            Answer("A", Usage(1, 2))
        ]


# --- interrupts ---


class Interrupt(BaseException):
    """What Ctrl-C raises, told apart from a real one."""


def test_an_interrupt_ends_the_calls_and_leaves_the_store_usable(tmp_path: Path) -> None:
    """Ctrl-C while waiting for an answer cancels what is under way; what was answered is kept, and a stream after it works."""
    model = Echo()
    with Answers(tmp_path / "a.sqlite", concurrency=2) as answers:
        stream = answers.stream(model, map(prompt, ["quick", "slow", "slow too"]))
        assert next(stream) == Answer("QUICK", Usage(5, 2))
        while model.at_once < 2:
            time.sleep(0.001)
        with pytest.raises(Interrupt):
            stream.throw(Interrupt)  # type: ignore[attr-defined]
        assert answers.complete(model, [prompt("quick"), prompt("more")])[1] == Answer("MORE", Usage(4, 2))
        assert model.at_once == 0
        assert model.calls.count("quick") == 1


def test_a_stream_that_is_left_is_given_up_without_a_sound(recwarn: pytest.WarningsRecorder) -> None:
    """Not read to its end, and thrown away before or after the end: no call goes on, no warning, no hang."""
    model = Echo()
    with Answers(concurrency=2) as answers:
        stream = answers.stream(model, map(prompt, ["a", "slow", "slow too"]))
        next(stream)
        del stream
        gc.collect()
        assert answers.complete(model, [prompt("b")]) == [Answer("B", Usage(1, 2))]
        assert model.at_once == 0
        left = answers.stream(model, map(prompt, ["c", "slow", "slow too"]))
        next(left)
    assert model.at_once == 0
    del left
    gc.collect()
    assert not recwarn.list


def test_all_models_that_were_called_are_closed_whatever_they_raise() -> None:
    """Two of one name too, and one whose closing fails does not keep the others open; closing twice is closing once."""

    class Stubborn(Echo):
        async def close(self) -> None:
            await super().close()
            raise OSError(WORDS)

    called = [Stubborn(), Echo("twin"), Echo("twin")]
    unused = Echo()
    answers = Answers()
    for number, model in enumerate(called):
        answers.complete(model, [prompt(str(number))])
    answers.close()
    answers.close()
    assert [model.closed for model in called] == [1, 1, 1]
    assert unused.closed == 0
    assert not answers._thread.is_alive()


def test_a_plug_in_that_cancels_itself_does_not_hang_the_run() -> None:
    """Its stream ends with an error instead of waiting for ever."""

    class Cancelling(Echo):
        async def complete(self, prompt: Prompt) -> Answer:
            raise asyncio.CancelledError

    with Answers(concurrency=1) as answers, pytest.raises(BaseException) as caught:  # noqa: PT011
        answers.complete(Cancelling(), [prompt("a"), prompt("b")])
    assert "Cancelled" in type(caught.value).__name__


def test_a_model_that_raises_nothing_of_ours_leaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """No log record, whatever the level, holds a word of a prompt, though the model's own error does."""
    caplog.set_level(logging.DEBUG)
    with Answers() as answers:
        answers.complete(Echo(), [prompt("a"), prompt(f"crash with {WORDS}")])
        assert WORDS not in caplog.text + repr(answers) + repr(prompt(WORDS))


# --- spending ---


def test_useless_answers_are_paid_from_the_budget_and_held_to_it(quick: None) -> None:
    """A prompt that is declined or empty again and again stops at the limit, not after all its tries."""
    price = Price(input=0.0, output=1_000_000.0, cached=0.0, written=0.0)

    class Costly(Echo):
        async def complete(self, prompt: Prompt) -> Answer:
            self.calls.append(prompt.messages[0][1])
            raise Transient("the answer is empty", usage=Usage(0, 10))

    model = Costly()
    with (
        Answers(budget=Budget(45.0, {"echo": price})) as answers,
        pytest.raises(BudgetError, match=r"\$40\.00 is spent"),
    ):
        answers.complete(model, [prompt("empty", max_tokens=10)])
    assert len(model.calls) == 4


def test_calls_wait_for_each_other_where_only_their_bounds_would_pass_the_limit() -> None:
    """Money that is set aside for calls under way may come back: a run that costs less than its limit is not ended by it."""
    price = Price(input=0.0, output=1_000_000.0, cached=0.0, written=0.0)
    model = Echo()
    with Answers(concurrency=16, budget=Budget(450.0, {"echo": price})) as answers:
        # 200 calls of 2 dollars, each of which might cost 100
        prompts = [prompt(f"text {n}", max_tokens=50 if n % 2 else 100) for n in range(176)]
        found = answers.complete(model, prompts)
        assert all(isinstance(answer, Answer) for answer in found)
    assert 1 < model.most_at_once <= 9


# --- what is left on disk ---


def test_the_files_hold_answers_but_no_prompt(tmp_path: Path) -> None:
    """Neither the database nor what SQLite writes beside it holds a word of a prompt, and others cannot read them."""
    path = tmp_path / "answers.sqlite"

    class Deaf(Echo):
        async def complete(self, prompt: Prompt) -> Answer:
            await super().complete(prompt)
            return Answer("heard nothing", Usage(1, 1))

    with Answers(path) as answers:
        answers.complete(Deaf(), [prompt(WORDS), prompt(f"{WORDS} fail")])
        files = list(tmp_path.iterdir())
        assert any(b"heard nothing" in file.read_bytes() for file in files)
        for file in files:
            assert os.stat(file).st_mode & 0o077 == 0
            assert WORDS.encode() not in file.read_bytes()
