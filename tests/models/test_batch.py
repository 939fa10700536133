"""Batch jobs: submitted once, found again after any end, fetched into the store, and what they do not answer asked singly."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import AsyncIterator, Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from clio.errors import ModelError
from clio.models import batch, chat_model
from clio.models.answers import Answers
from clio.models.prices import Budget, BudgetError, Price
from clio.models.protocols import Answer, Failure, Job, Prompt, Transient, Usage
from clio.models.store import Spent, Store, key
from clio.testing import Fault, Server, model_server

pytestmark = pytest.mark.usefixtures("quick")

At = Callable[[Server], str]
WORDS = "xyzzy-private"
PROMPTS = [Prompt((("system", "You describe."), ("user", f"say {WORDS} {n}")), cached=1) for n in range(30)]
#: list price, of which a batch costs half
PRICE = Price(input=1.0, output=10.0, cached=0.1, written=1.25)


def texts(found: Sequence[Answer | Failure]) -> list[str]:
    return [answer.text for answer in found if isinstance(answer, Answer)]


def fetched(answers: Answers, model: Any) -> list[Answer | Failure | None]:
    """What the store holds of the prompts."""
    return [answers.store.get(key(model.name, prompt)) for prompt in PROMPTS]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.sqlite"


# --- without incidents ---


def test_a_job_answers_what_single_calls_answer_and_nothing_is_asked_twice(at: At, path: Path) -> None:
    """One job, no single call, the same answers, the price of a batch in the books; each prompt is told as done."""
    with model_server() as server, Answers() as singly:
        expected = texts(singly.complete(chat_model(at(server)), PROMPTS))
    done: list[int] = []
    with model_server(batch_delay=0.1) as server, Answers(path) as answers:
        model = chat_model(at(server))
        assert answers.prefetch(model, [*PROMPTS, *PROMPTS], stage="facets", progress=done.append) == 0
        assert server.batches == 1
        assert server.calls == len(PROMPTS)
        assert texts(answers.complete(model, PROMPTS, stage="facets")) == expected
        assert server.calls == len(PROMPTS)
        assert server.duplicates == 0
        (spent,) = answers.store.spent()
        assert (spent.stage, spent.batch, spent.calls) == ("facets", True, len(PROMPTS))
        assert spent.usage.output > 0
        assert answers.prefetch(model, PROMPTS) == 0
        assert server.batches == 1
    assert sum(done) == len(PROMPTS)


def test_only_what_the_store_lacks_is_submitted(at: At, path: Path) -> None:
    """Prompts that single calls have answered are in no job."""
    with model_server() as server, Answers(path) as answers:
        model = chat_model(at(server))
        answers.complete(model, PROMPTS[:20])
        assert answers.prefetch(model, PROMPTS) == 0
        assert server.calls == len(PROMPTS)
        assert server.duplicates == 0
        assert [spent.calls for spent in answers.store.spent()] == [20, 10]


def test_no_prompts_are_no_job(at: At) -> None:
    """Nothing to ask submits nothing."""
    with model_server() as server, Answers() as answers:
        assert answers.prefetch(chat_model(at(server)), []) == 0
        assert server.batches == server.requests == 0


def test_jobs_are_split_by_requests_and_by_bytes(at: At, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No job holds more than the vendor takes, all prompts are in one, and a prompt above the bound has a job of its own."""
    with model_server(record=True) as server, Answers(path) as answers:
        model: Any = chat_model(at(server))
        monkeypatch.setattr(model, "most_requests", 8)
        assert answers.prefetch(model, PROMPTS) == 0
        assert server.batches == 4
        monkeypatch.setattr(model, "most_requests", 1000)
        monkeypatch.setattr(model, "most_bytes", 20_000)
        long = [Prompt((("user", f"{n} " + "long é" * size),)) for n, size in enumerate([900] * 6 + [9000])]
        assert server.bodies is not None
        server.bodies.clear()
        assert answers.prefetch(model, long) == 0
        jobs = [body for body in server.bodies if "long" in body]
        assert len(jobs) == server.batches - 4 > 3
        assert sum(len(body.encode()) > 20_000 for body in jobs) == 1
        assert server.duplicates == 0


def test_prompts_are_taken_on_the_callers_thread() -> None:
    """A source of prompts may itself ask for answers: nothing waits for itself."""
    with model_server() as server, Answers() as answers:
        model = chat_model(f"openai:m@{server.url}")

        def deeper() -> Iterator[Prompt]:
            assert threading.current_thread() is threading.main_thread()
            for number, _ in enumerate(answers.stream(model, PROMPTS[:3])):
                yield Prompt((("user", f"deeper {number}"),))

        assert answers.prefetch(model, deeper()) == 0


def test_a_model_without_batches_says_so() -> None:
    """The error names the setting to leave out."""

    class Single:
        name, host = "single", "here"

        async def complete(self, prompt: Prompt) -> Answer:
            raise AssertionError

    with Answers() as answers, pytest.raises(ModelError, match="takes no batch jobs"):
        answers.prefetch(Single(), PROMPTS)


# --- lines that fail ---


@pytest.mark.parametrize("fault", ["500", "400", "drop", "empty", "429"])
def test_lines_that_fail_are_asked_singly(fault: Fault, at: At, path: Path) -> None:
    """Errored, expired and empty lines are counted as unanswered, cost what they cost, and the single calls after them answer all."""
    with model_server(faults={fault: 0.4}, seed=3) as server, Answers(path) as answers:
        model = chat_model(at(server))
        left = answers.prefetch(model, PROMPTS)
        assert left == sum(answer is None for answer in fetched(answers, model))
        assert 5 < left < 25
        server.faults = {}
        assert len(texts(answers.complete(model, PROMPTS))) == len(PROMPTS)
        assert server.batches == 1
        assert server.duplicates == 0
        batched, single = sorted(answers.store.spent(), key=lambda spent: not spent.batch)
        assert single.calls == left
        assert batched.calls == len(PROMPTS) - left + (left if fault == "empty" else 0)


def test_a_refusal_in_a_job_is_kept_with_what_it_cost(at: At, path: Path) -> None:
    """It is not asked again, and its tokens are in the books."""
    with model_server(faults={"refuse": 1.0}) as server, Answers(path) as answers:
        model = chat_model(at(server))
        assert answers.prefetch(model, PROMPTS) == 0
        found = answers.complete(model, PROMPTS)
        assert all(isinstance(answer, Failure) and answer.refused for answer in found)
        assert server.calls == len(PROMPTS)
        (spent,) = answers.store.spent()
        assert spent.usage.input == sum(answer.usage.input for answer in found) > 0


def test_a_job_whose_lines_all_fail_costs_nothing_and_ends(at: At, path: Path) -> None:
    """Nothing is kept, and the next prefetch submits a new job."""
    with model_server(faults={"500": 1.0}) as server, Answers(path) as answers:
        model = chat_model(at(server))
        assert answers.prefetch(model, PROMPTS) == len(PROMPTS)
        assert answers.store.open_jobs(model.name) == []
        assert answers.store.spent() == []
        server.faults = {}
        assert answers.prefetch(model, PROMPTS) == 0
        assert server.batches == 2


# --- ends and new beginnings ---


class StopError(BaseException):
    """Stands for whatever ends a run."""


@contextmanager
def ending(step: str, *, after: bool = False, at_call: int = 1) -> Iterator[None]:
    """A step of the store, or what would come after it, ends the run."""
    original, calls = getattr(Store, step), 0

    def once(self: Store, *told: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls < at_call:
            return original(self, *told, **more)
        if after:
            original(self, *told, **more)
        raise StopError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, step, once)
        with pytest.raises(StopError):
            yield


@pytest.mark.parametrize(
    ("step", "after", "jobs"),
    [
        ("submitting", False, 1),  # nothing was sent
        ("submitting", True, 1),  # the job never came to be
        ("submitted", False, 1),  # it is at the vendor, its name is not known here
        ("submitted", True, 1),
        ("keep", True, 1),  # in the midst of fetching
        ("fetched", False, 1),
        ("fetched", True, 1),
    ],
)
def test_wherever_a_run_ends_the_next_one_goes_on_with_the_same_job(
    step: str, after: bool, jobs: int, at: At, path: Path
) -> None:
    """A new session on the same file submits nothing that was submitted, and pays for nothing twice."""
    with model_server(batch_delay=0.05) as server:
        with Answers(path) as answers, ending(step, after=after):
            answers.prefetch(chat_model(at(server)), PROMPTS, stage="facets")
        with Answers(path) as answers:
            model = chat_model(at(server))
            assert answers.prefetch(model, PROMPTS, stage="other") == 0
            assert len(texts(answers.complete(model, PROMPTS))) == len(PROMPTS)
            assert answers.store.open_jobs(model.name) == []
            stages = {spent.stage for spent in answers.store.spent()}
        assert server.batches == jobs
        assert server.calls == len(PROMPTS)
        assert server.duplicates == 0
        # the job is booked on what it was submitted for
        assert stages == ({"other"} if step == "submitting" else {"facets"})


KILLED = """
import sys
from pathlib import Path
from clio.models import batch, chat_model
from clio.models.answers import Answers
from clio.models.protocols import Prompt
batch._FIRST_POLL = 0.01
with Answers(Path(sys.argv[2])) as answers:
    prompts = [Prompt((("system", "You describe."), ("user", f"say xyzzy-private {n}")), cached=1) for n in range(30)]
    answers.prefetch(chat_model(sys.argv[1]), prompts)
"""


def test_a_job_outlives_kill_9(at: At, path: Path) -> None:
    """Killed while it waits, the next run fetches the job, which has gone on meanwhile."""
    with model_server(batch_delay=1.0) as server:
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(KILLED), at(server), str(path)]
        ) as process:
            while not server.batches:
                assert process.poll() is None
                time.sleep(0.01)
            time.sleep(0.1)
            process.kill()
        with Answers(path) as answers:
            assert answers.prefetch(chat_model(at(server)), PROMPTS) == 0
        assert server.batches == 1
        assert server.calls == len(PROMPTS)


def test_of_two_jobs_of_one_size_the_one_whose_name_is_unknown_is_found(at: At, path: Path) -> None:
    """A vendor that keeps no tag tells jobs by time and size alone: those that are known by name are not taken for the lost one."""
    with model_server(batch_delay=0.05) as server:
        with Answers(path) as answers, ending("submitted", at_call=2):
            model: Any = chat_model(at(server))
            model.most_requests = 10
            answers.prefetch(model, PROMPTS)
        with Answers(path) as answers:
            model = chat_model(at(server))
            model.most_requests = 10
            assert answers.prefetch(model, PROMPTS) == 0
        assert server.batches == 3
        assert server.duplicates == 0


def test_a_job_that_vendors_no_longer_keep_is_forgotten(at: At, path: Path) -> None:
    """After a month its answers are gone: it stops no run for ever."""
    with model_server() as server, Answers(path) as answers:
        model = chat_model(at(server))
        answers.store.submitting("old", model.name, "facets", 3)
        answers.store.submitted("old", "batch_gone")
        with pytest.raises(ModelError, match="404"):
            answers.prefetch(model, PROMPTS)
        answers.store._db.execute("UPDATE jobs SET submitted = submitted - 30 * 24 * 3600")
        assert answers.prefetch(model, PROMPTS) == 0
        assert answers.store.open_jobs(model.name) == []


def test_an_interrupt_while_waiting_leaves_the_job_for_the_next_run(at: At, path: Path) -> None:
    """Ctrl-C in the midst of polling ends the wait at once, without a warning."""
    with model_server(batch_delay=30) as server:
        main = threading.get_ident()

        def interrupt() -> None:
            while server.requests < 5:
                time.sleep(0.01)
            signal.pthread_kill(main, signal.SIGINT)

        with Answers(path) as answers:
            model = chat_model(at(server))
            thread = threading.Thread(target=interrupt)
            thread.start()
            begun = time.monotonic()
            with pytest.raises(KeyboardInterrupt):
                answers.prefetch(model, PROMPTS)
            thread.join()
        assert time.monotonic() - begun < 5
        with Answers(path) as answers:
            (job,) = answers.store.open_jobs(model.name)
            assert job.job is not None
        assert server.batches == 1


# --- a vendor that misbehaves, without HTTP ---


class Vendor:
    """A batch model that is scripted: what each submit does, and what a job's download says."""

    name, host, most_requests, most_bytes = "vendor", "here", 100, 10**6

    def __init__(self, *submits: Exception | None) -> None:
        self.submits = list(submits)
        self.jobs: dict[str, tuple[str, list[str]]] = {}
        self.found: list[str] = []
        self.forgotten: list[str] = []
        self.polls = 0
        self.downloads: list[list[tuple[str, Answer | Failure] | Exception]] = []

    async def complete(self, prompt: Prompt) -> Answer:
        raise AssertionError("no single call is wanted")

    async def submit(self, requests: Sequence[tuple[str, Prompt]], tag: str) -> str:
        error = self.submits.pop(0) if self.submits else None
        arrived = error is None or "arrived" in str(error)
        if arrived:
            self.jobs[f"job {len(self.jobs)}"] = tag, [name for name, _ in requests]
        if error:
            raise error
        return list(self.jobs)[-1]

    async def find(self, tag: str, since: float, count: int, known: Container[str]) -> str | None:
        assert since <= time.time()
        for name, (its, requests) in self.jobs.items():
            if its == tag and len(requests) == count and name not in known:
                self.found.append(name)
                return name
        return None

    async def poll(self, job: str) -> Job:
        self.polls += 1
        return Job(self.polls > 2, min(self.polls, len(self.jobs[job][1])))

    async def fetch(self, job: str) -> AsyncIterator[tuple[str, Answer | Failure]]:
        lines: list[Any] = [(name, Answer("a", Usage(10, 2))) for name in self.jobs[job][1]]
        for line in self.downloads.pop(0) if self.downloads else lines:
            if isinstance(line, Exception):
                raise line
            yield line

    async def forget(self, job: str) -> None:
        self.forgotten.append(job)


def ids(count: int = 30) -> list[str]:
    return [key("vendor", prompt).hex() for prompt in PROMPTS[:count]]


def test_a_submission_whose_answer_is_lost_is_looked_for_before_it_is_made_again() -> None:
    """It arrived twice unheard of, or not at all: in both cases there is one job."""
    lost, busy = Transient("lost, but arrived"), Transient("busy", overloaded=True)
    for submits, found in (([lost], 1), ([busy, busy], 0), ([busy, lost], 1)):
        vendor = Vendor(*submits)
        with Answers() as answers:
            assert answers.prefetch(vendor, PROMPTS) == 0
        assert len(vendor.jobs) == 1
        assert len(vendor.found) == found


def test_a_submission_that_stays_unanswered_is_looked_for_by_the_next_run(path: Path) -> None:
    """The last try may have arrived: the run ends with an error, and the next one finds the job."""
    vendor = Vendor(*[Transient("no connection")] * 7, Transient("no connection, but arrived"))
    with Answers(path) as answers, pytest.raises(Transient):
        answers.prefetch(vendor, PROMPTS)
    with Answers(path) as answers:
        assert answers.prefetch(vendor, PROMPTS) == 0
    assert (len(vendor.jobs), len(vendor.found)) == (1, 1)


def test_a_submission_that_is_refused_leaves_nothing_behind(path: Path) -> None:
    """A wrong key is no job to be looked for, and the money set aside is free again."""
    vendor = Vendor(ModelError("401"))
    budget = Budget(1.0, {"vendor": PRICE})
    with Answers(path, budget=budget) as answers:
        with pytest.raises(ModelError, match="401"):
            answers.prefetch(vendor, PROMPTS)
        assert answers.store.open_jobs("vendor") == []
        assert budget._reserved == 0
        assert answers.prefetch(vendor, PROMPTS) == 0


def test_a_download_that_breaks_off_starts_anew_and_books_each_line_once() -> None:
    """Answers, refusals and useless answers before the break are neither lost nor paid twice."""
    names = ids(4)
    lines: list[Any] = [
        (names[0], Answer("a", Usage(10, 2))),
        (names[1], Failure("declines", True, Usage(7, 1))),
        (names[2], Failure("empty", False, Usage(5, 0))),
        (names[3], Answer("d", Usage(10, 2))),
    ]
    vendor = Vendor()
    vendor.downloads = [[*lines[:3], Transient("no connection")], lines]
    budget = Budget(1.0, {"vendor": PRICE})
    with Answers(budget=budget) as answers:
        assert answers.prefetch(vendor, PROMPTS[:4], stage="s") == 1
        assert answers.store.spent() == [Spent("s", "vendor", True, 4, Usage(32, 5))]
        assert budget.spent == pytest.approx(PRICE.cost(Usage(32, 5), batch=True))


def test_answers_to_a_strangers_questions_are_left_alone() -> None:
    """Lines of another's job, whatever their ids look like, are no error; what is ours and missing is asked singly."""
    vendor = Vendor()
    vendor.downloads = [
        [
            ("request-1", Answer("x", Usage(9, 9))),
            ("zz" * 32, Answer("x", Usage(9, 9))),
            ("", Answer("x")),
            (ids()[0], Answer("ours", Usage(1, 1))),
        ]
    ]
    with Answers() as answers:
        assert answers.prefetch(vendor, PROMPTS) == len(PROMPTS) - 1
        assert answers.store.spent() == [Spent("", "vendor", True, 1, Usage(1, 1))]


# --- the budget ---


def test_jobs_together_stay_within_the_budget(path: Path) -> None:
    """What submitted jobs may cost is set aside until they are paid: no third job where the limit bears two."""
    vendor = Vendor()
    vendor.most_requests = 10
    # 400 tokens of answer at 10 dollars a million, at half the price: 2 cents for ten prompts, and a little for the input
    with (
        Answers(path, budget=Budget(0.045, {"vendor": PRICE})) as answers,
        pytest.raises(BudgetError, match="max_cost"),
    ):
        answers.prefetch(vendor, PROMPTS)
    assert len(vendor.jobs) == 2
    with Answers(path, budget=Budget(0.045, {"vendor": PRICE})) as answers:
        assert answers.prefetch(vendor, PROMPTS) == 0
        (spent,) = answers.store.spent()
        assert spent.calls == 30
    assert len(vendor.jobs) == 3


def test_what_a_job_cost_is_paid_from_the_budget_at_its_price(at: At, vendor: str, path: Path) -> None:
    """The budget and the books agree, in this session and the next."""
    prices = {f"{vendor}:m": PRICE}
    with model_server() as server:
        budget = Budget(1.0, prices)
        with Answers(path, budget=budget) as answers:
            answers.prefetch(chat_model(at(server)), PROMPTS)
            cost = sum(PRICE.cost(spent.usage, batch=spent.batch) for spent in answers.store.spent())
        assert budget.spent == pytest.approx(cost)
        assert cost > 0
        assert budget._reserved == pytest.approx(0)
        again = Budget(1.0, prices)
        with Answers(path, budget=again):
            assert again.spent == pytest.approx(cost)


def test_waits_between_looks_grow_to_a_minute(
    monkeypatch: pytest.MonkeyPatch, sleepless: Callable[[ModuleType], list[float]]
) -> None:
    """A job that takes a day is looked at seldom."""
    monkeypatch.undo()
    slept = sleepless(batch)
    vendor = Vendor()
    vendor.polls = -30
    with Answers() as answers:
        assert answers.prefetch(vendor, PROMPTS) == 0
    waits = [wait for wait in slept if wait]
    assert waits[0] == batch._FIRST_POLL == 2.0
    assert waits == sorted(waits)
    assert waits[-1] == 60.0
