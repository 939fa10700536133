"""Answers over HTTP, with the vendors' own SDKs: every fault, limits, ends from outside, and what it all costs."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clio.models import chat_model
from clio.models.answers import Answers
from clio.models.pace import ATTEMPTS
from clio.models.prices import Budget, BudgetError, Price
from clio.models.protocols import Answer, Failure, Prompt, Usage
from clio.models.store import key
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


# --- faults and limits ---


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


# --- ends from outside ---

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


@pytest.mark.parametrize("ended", ["INT", "KILL"])
def test_after_an_end_from_outside_only_the_calls_in_flight_are_made_again(
    ended: str, at: At, tmp_path: Path
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
            process.send_signal(getattr(signal, f"SIG{ended}"))
            _, errors = process.communicate(timeout=30)
        if ended == "INT":
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
