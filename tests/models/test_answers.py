"""Where chat models are called: each prompt once, in order, at the server's pace, within the budget, and whatever happens."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from clio.errors import ModelError
from clio.models import chat_model
from clio.models.answers import Answers
from clio.models.pace import ATTEMPTS
from clio.models.prices import Budget, BudgetError, Price
from clio.models.protocols import Answer, Failure, Prompt, Refused, Transient, Usage
from clio.models.store import Spent, StoreError, key
from clio.testing import Fault, Server, model_server

At = Callable[[Server], str]
WORDS = "xyzzy-private"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"request": {"type": "string"}, "concern": {"type": "integer", "enum": [1, 2, 3]}},
    "required": ["request", "concern"],
    "additionalProperties": False,
}
#: every fault that passes, or that asking anew mends
PASSING: tuple[Fault, ...] = (
    "408", "429", "500", "502", "503", "529", "drop", "truncate", "garble", "empty", "refuse", "cut", "prose",
)  # fmt: skip


def prompt(text: str, **settings: Any) -> Prompt:
    return Prompt((("user", text),), **settings)


def talk(number: int) -> Prompt:
    """A prompt that a schema holds, with a shared beginning."""
    asks = 'Answer with one JSON object:\n- "request": one sentence\n- "concern": one digit from 1 to 3'
    said = f"<conversation>\n<user>bake {WORDS} number {number}</user>\n</conversation>"
    return Prompt((("system", asks), ("user", said)), schema=SCHEMA, cached=1)


def until_json(asked: Prompt, answer: Answer) -> Prompt | None:
    """Asks again until an answer is JSON and whole."""
    try:
        json.loads(answer.text)
        wrong = answer.cut
    except ValueError:
        wrong = True
    more = (("assistant", answer.text), ("user", "That was no JSON."))
    return Prompt((*asked.messages, *more), schema=asked.schema, cached=asked.cached) if wrong else None


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


CTRL_C = """
import sys
from pathlib import Path
from clio.models import chat_model
from clio.models.answers import Answers
from clio.models.protocols import Prompt
with Answers(Path(sys.argv[2]), concurrency=4) as answers:
    prompts = [Prompt((("user", f"prompt {n}"),)) for n in range(120)]
    print("ready", flush=True)
    answers.complete(chat_model(sys.argv[1]), prompts)
"""


@pytest.mark.parametrize("signal", ["INT", "KILL"])
def test_after_an_end_from_outside_only_the_calls_in_flight_are_made_again(
    signal: str, at: At, tmp_path: Path
) -> None:
    """Ctrl-C ends the process at once and quietly, kill -9 anyhow; a later run pays for at most four calls twice."""
    path = tmp_path / "answers.sqlite"
    prompts = [Prompt((("user", f"prompt {number}"),)) for number in range(120)]
    with model_server(latency=0.02) as server:
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(CTRL_C), at(server), str(path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            while server.calls < 40:
                assert process.poll() is None
                time.sleep(0.01)
            process.send_signal(getattr(__import__("signal"), f"SIG{signal}"))
            _, errors = process.communicate(timeout=30)
        if signal == "INT":
            assert errors.rstrip().endswith("KeyboardInterrupt")
            assert "never" not in errors
        model = chat_model(at(server))
        with Answers(path, concurrency=4) as answers:
            kept = sum(spent.calls for spent in answers.store.spent())
            before = server.calls
            found = answers.complete(model, prompts)
            after = server.calls
            spent = answers.store.spent()
        assert server.duplicates <= 4
        with Answers(concurrency=32) as undisturbed:
            assert undisturbed.complete(chat_model(at(server)), prompts) == found
            assert undisturbed.store.spent() == spent
    assert 40 - 4 <= kept < 120
    assert before - kept <= 4
    assert after - before <= 120 - kept + 4  # a request of the ended process may still be counted


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


# --- over HTTP, with the vendors' SDKs ---


@pytest.mark.parametrize(
    ("fault", "outcome", "requests"),
    [
        *((fault, "failed", ATTEMPTS) for fault in PASSING[:10]),
        ("stall", "failed", ATTEMPTS),
        *((fault, "failed", 1) for fault in ("400", "401", "404", "413", "422")),
        ("refuse", "refused", 3),
        ("cut", "answered", 1),
        ("prose", "answered", 1),
        ("no_schema", "answered", 0),
    ],
)
def test_every_fault_ends_as_answered_refused_or_failed(
    fault: Fault, outcome: str, requests: int, at: At, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    """With a reason that holds no word of the prompt; what passes is tried again, what does not is not."""
    caplog.set_level(logging.DEBUG)
    asked = talk(1) if fault == "no_schema" else prompt(f"say {WORDS}")
    with model_server(faults={fault: 1.0}, stall=1) as server, Answers() as answers:
        model = chat_model(at(server), timeout=0.15 if fault == "stall" else 10)
        # where nothing is answered the stream itself fails
        answers.store.keep(key(model.name, prompt("kept")), Answer("kept"), stage="", model=model.name)
        found = answers.complete(model, [prompt("kept"), asked])[1]
        # at OpenAI's address there is one simpler way to ask for a schema before none
        assert server.requests == (requests or (3 if at(server).startswith("openai") else 2))
    assert {
        "answered": isinstance(found, Answer) and found.cut == (fault == "cut"),
        "refused": isinstance(found, Failure) and found.refused,
        "failed": isinstance(found, Failure) and not found.refused and "\n" not in found.reason,
    }[outcome]
    assert isinstance(found, Answer) or len(found.reason) > 10
    assert WORDS not in repr(found) + caplog.text


def test_with_three_in_ten_calls_failing_every_answer_is_the_same_and_paid_once(at: At, quick: None) -> None:
    """All passing faults at once, spread evenly: 400 prompts get what they get without, none fails, and no answer is bought twice."""
    prompts = [talk(number) for number in range(400)]
    with model_server() as server, Answers(concurrency=32) as answers:
        expected = answers.complete(chat_model(at(server)), prompts, again=until_json)
        assert server.calls == 400
    faults: dict[Fault, float] = dict.fromkeys(PASSING, 0.28 / len(PASSING))
    faults |= {"stall": 0.01, "no_schema": 0.02}
    with model_server(faults=faults, stall=6, seed=2) as server, Answers(concurrency=32) as answers:
        model = chat_model(at(server), timeout=3)
        found = answers.complete(model, prompts, again=until_json)
        assert set(server.met) == set(faults)
        assert sum(server.met.values()) > 100
        assert server.duplicates == 0
        (spent,) = answers.store.spent()
        refused = server.met["refuse"] + server.met["empty"]
        assert spent.calls == len(server.paid) + refused
    assert [answer.text for answer in found if isinstance(answer, Answer)] == [
        answer.text for answer in expected if isinstance(answer, Answer)
    ]
    assert len(found) == len(expected) == 400


def test_a_rate_limit_is_kept_to_and_nothing_fails(at: At) -> None:
    """A server that takes 40 calls a second gets 120 prompts from 64 workers: in about as long as that takes, few calls in vain."""
    with model_server(limit_per_second=40) as server, Answers(concurrency=64) as answers:
        begun = time.monotonic()
        found = answers.complete(chat_model(at(server)), [prompt(f"text {n}") for n in range(120)])
        took = time.monotonic() - begun
        assert all(isinstance(answer, Answer) for answer in found)
        assert server.duplicates == 0
        assert server.requests < 5 * 120
    assert 1.5 < took < 20


def test_after_retry_after_nobody_calls_until_it_is_over(vendor: str, scripted: Any) -> None:
    """Also those who were not refused rest: no request arrives in the time that the server asked for."""
    good = (
        {"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]}
        if vendor == "openai"
        else {"content": [{"type": "text", "text": "yes"}], "stop_reason": "end_turn"}
    )

    def script(asked: Any) -> Any:
        time.sleep(0.02)
        return (429, {"retry-after": "1"}, {}) if asked.number == 3 else (200, {}, good)

    server = scripted(script)
    with Answers(concurrency=4) as answers:
        found = answers.complete(
            chat_model(f"{vendor}:m@{server.url}"), [prompt(f"text {n}") for n in range(40)]
        )
    assert found == [Answer("yes")] * 40
    refused = server.asked[3].when
    early = [one for one in server.asked[4:] if one.when < refused + 1.0]
    assert len(early) <= 3  # those under way in the same moment
    assert len(server.asked) == 41


def test_many_calls_at_once_keep_a_server_busy(at: At) -> None:
    """128 at once with a second each: so many are under way together, and 256 prompts take little more than two rounds."""
    with model_server(latency=1.0) as server, Answers(concurrency=128) as answers:
        model = chat_model(at(server))
        answers.complete(model, [prompt("first")])
        begun = time.monotonic()
        answers.complete(model, [prompt(f"text {n}") for n in range(256)])
        took = time.monotonic() - begun
        assert server.most_at_once == 128
    assert took < 10


def test_a_beginning_that_prompts_share_is_cached_and_counted(at: At, vendor: str) -> None:
    """At the vendor that caches on request, all but the first prompts read the beginning from the cache, and spending tells it."""
    rules = "A long rule that holds for every conversation. " * 300
    prompts = [Prompt((("system", rules), ("user", f"number {n}")), cached=1) for n in range(20)]
    with model_server() as server, Answers(concurrency=1) as answers:
        answers.complete(chat_model(at(server)), prompts, stage="facets")
        (spent,) = answers.store.spent()
    used = spent.usage
    if vendor == "openai":  # caches by itself, and the stand-in does not
        assert (used.cached, used.written) == (0, 0)
    else:
        assert used.written > 1024
        assert used.cached == 19 * used.written
        assert used.cached + used.written < used.input


# --- spending ---

PRICE = Price(input=1.0, output=10.0, cached=0.1, written=1.25)


def budget(dollars: float | None, name: str) -> Budget:
    return Budget(dollars, {name: PRICE})


def test_a_budget_ends_a_stream_before_it_is_passed_and_a_higher_one_goes_on(
    at: At, vendor: str, tmp_path: Path
) -> None:
    """With 32 calls at once too; what earlier sessions spent counts, and nothing is paid twice."""
    prompts = [prompt(f"say {n} " + "word " * 40, max_tokens=100) for n in range(200)]
    name = f"{vendor}:m"
    path = tmp_path / "a"
    with model_server(latency=0.01) as server:
        limits = [0.01, 0.01, 0.02, None]
        for limit in limits:
            with Answers(path, concurrency=32, budget=budget(limit, name)) as answers:
                stream = answers.stream(chat_model(at(server)), prompts, stage="facets")
                if limit is None:
                    assert all(isinstance(answer, Answer) for answer in stream)
                else:
                    with pytest.raises(BudgetError, match="max_cost"):
                        list(stream)
                spent = sum(PRICE.cost(one.usage) for one in answers.store.spent())
            if limit is not None:
                # at least nine tenths are used, and never more than all
                assert 0.9 * limit < spent <= limit
        assert server.duplicates == 0
        assert server.calls == 200


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


def test_spending_is_told_by_stage_and_model_and_matches_the_server(at: At, tmp_path: Path) -> None:
    """The sums of the store are those of the answers, over sessions."""
    with model_server() as server:
        total = Usage()
        for stage, start in (("facets", 0), ("names", 10), ("facets", 20)):
            with Answers(tmp_path / "a") as answers:
                model = chat_model(at(server))
                found = answers.complete(
                    model, [prompt(f"text {n}") for n in range(start, start + 10)], stage=stage
                )
                used = [answer.usage for answer in found]
                total = Usage(
                    total.input + sum(one.input for one in used),
                    total.output + sum(one.output for one in used),
                )
                spent = answers.store.spent()
        assert [(one.stage, one.model, one.batch, one.calls) for one in spent] == [
            ("facets", model.name, False, 20),
            ("names", model.name, False, 10),
        ]
        assert sum(one.usage.input for one in spent) == total.input
        assert sum(one.usage.output for one in spent) == total.output


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
