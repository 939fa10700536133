import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from clio.errors import ModelError
from clio.models import chat_model
from clio.models.answers import Answers, Totals, key
from clio.models.protocols import Answer, Failure, Prompt
from clio.testing import openai_server


def prompt(text: str) -> Prompt:
    return Prompt((("user", text),))


class Echo:
    """Answers with the prompt's text; fails where it says so; counts."""

    def __init__(self, name: str = "echo") -> None:
        self.name = name
        self.calls: list[str] = []
        self.at_once = self.most_at_once = 0
        self.closed = False

    async def complete(self, prompt: Prompt) -> Answer:
        text = prompt.messages[-1][1]
        self.calls.append(text)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.001)
        self.at_once -= 1
        if "fail" in text:
            raise ModelError(f"{self.name}: it timed out")
        if "crash" in text:
            raise ValueError(text)
        return Answer(text.upper(), len(text), 2)

    async def close(self) -> None:
        self.closed = True


def test_answers_come_in_the_order_of_prompts_and_each_is_asked_once() -> None:
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
        assert answers.totals == Totals(30, sum(map(len, set(texts))), 60)
    assert model.closed


def test_a_prompt_with_other_settings_or_another_model_is_another_prompt() -> None:
    base = Prompt((("user", "a"),))
    keys = {
        key("m", base),
        key("n", base),
        key("m", Prompt((("user", "a"),), temperature=1.0)),
        key("m", Prompt((("user", "a"),), max_tokens=1)),
        key("m", Prompt((("system", "a"),))),
        key("m", Prompt((("user", "a"), ("user", "")))),
    }
    assert len(keys) == 6
    assert all(len(name) == 32 for name in keys)


def test_failures_are_told_apart_and_do_not_stop_the_others() -> None:
    texts = [f"text {number}" for number in range(30)] + ["fail 1", "crash with private words"]
    model = Echo()
    with Answers() as answers:
        found = answers.complete(model, map(prompt, texts))
        assert found[30:] == [Failure("echo: it timed out"), Failure("echo: ValueError")]
        assert all(isinstance(answer, Answer) for answer in found[:30])
        answers.complete(model, map(prompt, texts))
        assert len(model.calls) == 34, "only what failed is asked again"
        assert answers.totals.calls == 30


def test_too_many_failures_end_the_batch_early_and_what_was_answered_is_kept() -> None:
    model = Echo()
    with Answers(max_failures=0.2, concurrency=2) as answers:
        texts = [f"text {number}" for number in range(15)] + [f"fail {number}" for number in range(1000)]
        with pytest.raises(
            ModelError, match=r"echo: 5 of 20 prompts failed, .* it timed out\. .*same command again"
        ):
            answers.complete(model, map(prompt, texts))
        assert len(model.calls) <= 22
        assert answers.totals.calls == 15


def test_a_few_failures_in_a_small_batch_are_no_error_but_no_answer_at_all_is() -> None:
    with Answers() as answers:
        assert isinstance(answers.complete(Echo(), map(prompt, ["a", "fail", "fail too"]))[1], Failure)
        with pytest.raises(ModelError, match="2 of 2"):
            answers.complete(Echo(), map(prompt, ["fail", "fail too"]))


def test_stored_answers_count_in_the_share_of_failures(tmp_path: Path) -> None:
    texts = [f"text {number}" for number in range(60)]
    with Answers(tmp_path / "a.sqlite") as answers:
        answers.complete(Echo(), map(prompt, texts))
        found = answers.complete(Echo(), map(prompt, [*texts, "fail 1", "fail 2"]))
    assert [type(answer) for answer in found[-2:]] == [Failure, Failure]


def test_prompts_are_taken_as_they_are_needed_and_progress_adds_up() -> None:
    taken = 0

    def many() -> Iterator[Prompt]:
        nonlocal taken
        for number in range(3000):
            taken += 1
            yield prompt(f"text {number % 2500}")

    done: list[int] = []
    with Answers(concurrency=8) as answers:
        stream = answers.stream(Echo(), many(), progress=done.append)
        next(stream)
        assert taken <= 1024
        assert sum(1 for _ in stream) == 2999
    assert sum(done) == 3000


def test_no_prompts_give_no_answers() -> None:
    with Answers() as answers:
        assert answers.complete(Echo(), []) == []
        assert answers.totals == Totals(0, 0, 0)


def test_it_works_inside_a_running_loop_as_in_a_notebook() -> None:
    async def cell() -> list[Answer | Failure]:
        with Answers() as answers:
            return answers.complete(Echo(), [prompt("a")])

    assert asyncio.run(cell()) == [Answer("A", 1, 2)]


def test_the_file_is_for_its_owner_only_and_holds_no_prompt(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    with Answers(path) as answers:
        answers.complete(Echo(), [prompt("Private Words")])
        for file in tmp_path.iterdir():
            assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
            assert b"Private Words" not in file.read_bytes()


def test_a_file_that_is_no_store_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    path.write_bytes(b"not a database, whatever it is" * 100)
    with pytest.raises(ModelError, match=r"answers\.sqlite.*delete it"):
        Answers(path)


def test_an_interrupt_ends_the_calls_and_leaves_the_store_usable(tmp_path: Path) -> None:
    class Slow(Echo):
        async def complete(self, prompt: Prompt) -> Answer:
            if "slow" in prompt.messages[0][1]:
                started.set()
                await asyncio.sleep(60)
            return await super().complete(prompt)

    started = threading.Event()

    with Answers(tmp_path / "a.sqlite", concurrency=2) as answers:
        answers.complete(Slow(), [prompt("quick")])

        class Interrupt(BaseException):
            pass

        original = asyncio.run_coroutine_threadsafe

        def interrupted(coroutine: object, loop: asyncio.AbstractEventLoop) -> object:
            future = original(coroutine, loop)  # type: ignore[arg-type]

            class Broken:
                def result(self) -> None:
                    assert started.wait(10)
                    raise Interrupt

                cancel = future.cancel
                exception = future.exception

            return Broken()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio, "run_coroutine_threadsafe", interrupted)
            with pytest.raises(Interrupt):
                answers.complete(Slow(), [prompt("slow"), prompt("quick too")])
        assert answers.totals.calls >= 1
        assert answers.complete(Slow(), [prompt("quick")]) == [Answer("QUICK", 5, 2)]


KILLED = """
import sys
from pathlib import Path
from clio.models import chat_model
from clio.models.answers import Answers
from clio.models.protocols import Prompt
with Answers(Path(sys.argv[2]), concurrency=4) as answers:
    model = chat_model("openai:stand-in", base_url=sys.argv[1])
    prompts = [Prompt((("user", f"prompt {n}"),)) for n in range(200)]
    print("ready", flush=True)
    answers.complete(model, prompts)
"""


def test_after_a_kill_only_the_calls_in_flight_are_made_again(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    prompts = [Prompt((("user", f"prompt {number}"),)) for number in range(200)]
    with openai_server(latency=0.02) as server:
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(KILLED), server.url, str(path)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            while server.calls < 40:
                assert process.poll() is None
                threading.Event().wait(0.01)
            process.kill()
        model = chat_model("openai:stand-in", base_url=server.url)
        with Answers(path, concurrency=4) as answers:
            kept = answers.totals.calls
            before = server.calls
            found = answers.complete(model, prompts)
            after = server.calls
            totals = answers.totals
        with Answers(concurrency=4) as undisturbed:
            assert undisturbed.complete(model, prompts) == found
            assert undisturbed.totals == totals
    assert 40 - 4 <= kept < 200
    assert before - kept <= 4, "answered but not kept: at most those in flight"
    assert after - before <= 200 - kept + 4  # a request of the killed process may still be counted


def test_a_store_survives_a_reader_beside_it(tmp_path: Path) -> None:
    """WAL: another connection may read the answers while they arrive."""
    path = tmp_path / "a.sqlite"
    with Answers(path) as answers:
        answers.complete(Echo(), [prompt("a")])
        other = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        assert other.execute("SELECT text FROM answers").fetchall() == [("A",)]
        other.close()
