"""The whole run with chat models over real HTTP: what it says beforehand, what it pays, what it survives, what it keeps to itself."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import clio
from clio import demo, pipeline, run_notes
from clio.testing import Fault, Server, model_server

KEY = "sk-very-secret-key"
#: each passing fault, 30% in all
FAULTS: dict[Fault, float] = dict.fromkeys(
    ("429", "500", "503", "529", "drop", "truncate", "garble", "empty", "refuse", "cut", "prose"), 0.3 / 11
)
HOW: dict[str, Any] = {"min_conversations": 5, "min_users": 3, "embedder": "minilm", "concurrency": 32}


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fifth of the sample."""
    path = tmp_path_factory.mktemp("logs") / "chats.jsonl"
    with gzip.open(demo.path(), "rt", encoding="utf-8") as file:
        path.write_text("".join(list(file)[::5]), "utf-8")
    return path


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    for vendor in ("OPENAI", "ANTHROPIC"):
        monkeypatch.setenv(f"{vendor}_API_KEY", KEY)
        monkeypatch.delenv(f"{vendor}_BASE_URL", raising=False)


@pytest.fixture(scope="module")
def calm(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undisturbed run."""
    out = tmp_path_factory.mktemp("calm") / "run"
    with model_server() as server:
        clio.run(logs, out, model=openai(server), **HOW)
        assert server.duplicates == 0
    return out


def openai(server: Server) -> str:
    return f"openai:m@{server.url}"


def published(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((out / "insights").iterdir())}


def test_every_conversation_is_accounted_for_and_a_second_run_pays_nothing(logs: Path, calm: Path) -> None:
    """States add up, and a finished run is not asked again."""
    facts = run_notes.summary(calm)
    read = facts["read_by_model"]
    assert read["answered"] + read["refused"] + read["failed"] == facts["conversations"]
    assert read["answered"] == facts["conversations"]
    before = published(calm)
    with model_server() as server:
        clio.run(logs, calm, model=openai(server), **HOW)
        assert server.requests == 0
    assert published(calm) == before
    assert run_notes.summary(calm)["model"] == facts["model"]


def test_faults_of_every_kind_change_no_byte_and_pay_nothing_twice(
    logs: Path, calm: Path, tmp_path: Path
) -> None:
    """At 30% faults the insights are those of an undisturbed run."""
    with model_server(faults=FAULTS, seed=5) as server:
        clio.run(logs, tmp_path / "run", model=openai(server), **HOW)
        assert server.duplicates == 0
        assert set(server.met) == set(FAULTS)
    assert run_notes.summary(tmp_path / "run")["read_by_model"]["answered"] == len(
        logs.read_text().splitlines()
    )
    assert published(tmp_path / "run") == published(calm)


def test_a_run_that_is_killed_pays_again_only_for_what_was_in_flight(
    logs: Path, calm: Path, tmp_path: Path
) -> None:
    """kill -9 five times, at any call; then the same bytes, and few answers paid twice."""
    out = tmp_path / "run"
    flags = [word for name, value in HOW.items() for word in ("--set", f"{name}={value}")]
    with model_server(latency=0.02) as server:
        command = [sys.executable, "-m", "clio", "run", str(logs), "--out", str(out), "--quiet"]
        command += ["--model", openai(server), *flags]
        for more in (20, 90, 60, 100, 130):
            wanted = server.calls + more
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            while process.poll() is None and server.calls < wanted:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            process.wait()
        clio.run(logs, out, model=openai(server), **HOW)
        assert server.duplicates <= 5 * HOW["concurrency"]
    assert published(out) == published(calm)


def single_and_batched(out: Path) -> tuple[int, int]:
    """Facet calls of a run: made singly, and by batch jobs."""
    rows = [row for row in run_notes.summary(out)["model"]["stages"] if row["stage"] == "facets"]
    calls = {row["batch"]: row["calls"] for row in rows}
    return calls.get(False, 0), calls.get(True, 0)


@pytest.mark.parametrize("vendor", ["openai", "anthropic"])
def test_a_server_that_knows_no_schema_costs_no_batch_its_discount(
    logs: Path, calm: Path, tmp_path: Path, vendor: str
) -> None:
    """A single call finds out how the server wants to be asked, so that the lines of the job are understood."""
    with model_server(faults={"no_schema": 1.0}) as server:
        url = server.url if vendor == "openai" else server.anthropic_url
        clio.run(logs, tmp_path / "run", model=f"{vendor}:m@{url}", batch=True, **HOW)
        left = len(server.files) + len(server.anthropic_jobs)
    assert left == 0, "texts of people do not stay at the vendor"
    single, batched = single_and_batched(tmp_path / "run")
    assert single == 1
    assert single + batched == sum(single_and_batched(calm))


@pytest.mark.parametrize("vendor", ["openai", "anthropic"])
def test_a_batch_job_outlives_the_run_that_submitted_it(
    logs: Path, calm: Path, tmp_path: Path, vendor: str
) -> None:
    """Killed between submit and fetch, the job is picked up: one job, no call paid twice, the same facets."""
    out = tmp_path / "run"
    with model_server(batch_delay=4) as server:
        url = server.url if vendor == "openai" else server.anthropic_url
        flags = [word for name, value in HOW.items() for word in ("--set", f"{name}={value}")]
        command = [sys.executable, "-m", "clio", "run", str(logs), "--out", str(out), "--quiet", "--batch"]
        command += ["--model", f"{vendor}:m@{url}", *flags]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while process.poll() is None and not server.batches:
            time.sleep(0.01)
        time.sleep(0.5)
        process.send_signal(signal.SIGKILL)
        process.wait()
        clio.run(logs, out, model=f"{vendor}:m@{url}", batch=True, **HOW)
        assert server.batches == 1
        assert server.duplicates == 0
    assert single_and_batched(out)[0] == 1
    values = [pq.read_table(run / "private" / "facets.parquet")["request"].to_pylist() for run in (out, calm)]
    assert values[0] == values[1]


def test_the_limit_of_cost_stops_a_run_before_it_is_passed_and_more_money_goes_on(
    logs: Path, calm: Path, tmp_path: Path
) -> None:
    """What was answered is kept and not paid again."""
    prices = tmp_path / "prices.toml"
    prices.write_text('["openai:m"]\ninput = 1.0\noutput = 4.0\n')
    out = tmp_path / "run"
    with model_server() as server:
        told = {"model": openai(server), "prices": str(prices), **HOW}
        with pytest.raises(clio.ModelError, match=r"max_cost.*same command again"):
            clio.run(logs, out, max_cost=0.2, **told)
        paid = len(server.paid)
        assert paid > 20
        clio.run(logs, out, max_cost=20, **told)
        assert server.duplicates == 0
        used = run_notes.summary(out)["model"]
        assert used["cost"] == pytest.approx((used["input_tokens"] + 4 * used["output_tokens"]) / 1e6)
        assert used["cost"] > 0.2
        each = used["cost"] / used["calls"]
        assert paid * each <= 0.2
    one, other = (json.loads(published(run).pop("insights.json")) for run in (out, calm))
    # with a price the estimate tells what it comes to; a model on this machine is free
    assert one["about"].pop("estimate")["cost"] > 0.2
    assert other["about"].pop("estimate")["cost"] == 0
    assert one == other


def test_a_model_without_a_price_cannot_be_bounded(logs: Path, tmp_path: Path) -> None:
    """One line says where to put the price; nothing is sent."""
    with pytest.raises(clio.ModelError, match=r"no price is known for openai:unheard-of.*prices"):
        clio.run(logs, tmp_path / "run", model="openai:unheard-of", max_cost=1.0, **HOW)


def test_each_role_has_its_model_or_none(logs: Path, tmp_path: Path) -> None:
    """Cheap for facets, strong for naming, none for auditing."""
    with model_server() as server:
        models = {
            "facets": f"openai:cheap@{server.url}",
            "naming": f"anthropic:strong@{server.anthropic_url}",
        }
        insights = clio.run(logs, tmp_path / "run", models=models, **HOW)
    used = {row["stage"]: row["model"] for row in run_notes.summary(tmp_path / "run")["model"]["stages"]}
    assert used["facets"] == "openai:cheap"
    assert used["describe"] == used["assign"] == "anthropic:strong"
    assert "audit" not in used
    assert insights.about["models"] == {
        "facets": "openai:cheap",
        "naming": "anthropic:strong",
        "auditing": None,
    }


def test_neither_key_nor_address_nor_text_is_told_to_anyone(
    logs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not in the insights, run.toml, the store, stdout or stderr; not when calls fail either."""
    out = tmp_path / "run"
    with model_server() as server:
        clio.run(logs, out, model=openai(server), **HOW)
        port = server.url.split(":")[2].split("/")[0]
    with model_server(faults={"401": 1.0}) as server, pytest.raises(clio.ModelError) as error:
        clio.run(logs, tmp_path / "failing", model=openai(server), **HOW)
    said = capfd.readouterr()
    everything = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    everything += [said.out.encode(), said.err.encode(), str(error.value).encode()]
    assert not any(KEY.encode() in content for content in everything)
    assert not any(port.encode() in content for content in published(out).values())


def test_an_estimate_needs_no_key_calls_nobody_and_comes_close(
    logs: Path, calm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Input tokens and calls within 10% of what was measured."""
    monkeypatch.delenv("OPENAI_API_KEY")
    forecast = pipeline.estimated(logs, tmp_path / "run", model="openai:gpt-5-nano", **HOW)
    used = run_notes.summary(calm)["model"]
    assert forecast.input_tokens == pytest.approx(used["input_tokens"], rel=0.1)
    # how many clusters there are to name shows only when they are made
    assert forecast.calls == pytest.approx(used["calls"], rel=0.1)
    assert forecast.hosts == ["api.openai.com"]
    assert forecast.cost
    assert forecast.priced
    (half,) = [
        pipeline.estimated(logs, tmp_path / "run", model="openai:gpt-5-nano", batch=True, **HOW).steps[0]
    ]
    assert half.cost == pytest.approx((forecast.steps[0].cost or 0) / 2)


def test_an_estimate_obeys_the_border_of_offline(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CLIO_OFFLINE=1 refuses the vendor's address already here."""
    monkeypatch.setenv("CLIO_OFFLINE", "1")
    with pytest.raises(clio.ModelError, match="CLIO_OFFLINE"):
        pipeline.estimated(logs, tmp_path / "run", model="openai:gpt-5-nano", **HOW)
    assert pipeline.estimated(logs, tmp_path / "run", **HOW).calls == 0


def test_what_a_model_failed_to_answer_is_asked_again_when_wanted(
    logs: Path, calm: Path, tmp_path: Path
) -> None:
    """A finished run keeps its failures until it is told to ask again; then only these are paid for, and the result is the calm one."""
    out = tmp_path / "run"
    with model_server(faults={"413": 0.1}, seed=2) as server:
        clio.run(logs, out, model=openai(server), **HOW)
    first = run_notes.summary(out)
    assert first["read_by_model"]["failed"] > 10
    assert sum(first["read_by_model"]["reasons"].values()) == first["read_by_model"]["failed"]
    with model_server() as server:
        clio.run(logs, out, model=openai(server), **HOW)
        assert server.calls == 0
        clio.run(logs, out, model=openai(server), retry_failed=True, **HOW)
        stages = {row["stage"]: row["calls"] for row in first["model"]["stages"]}
        assert 0 < server.calls < stages["facets"] / 2
    assert run_notes.summary(out)["read_by_model"]["failed"] == 0
    assert published(out) == published(calm)


def test_one_failed_prompt_of_a_stage_with_one_does_not_stop_the_run() -> None:
    """The list of proposals stands as it is where nobody can shorten it."""
    from clio.clustering.with_model import deduplicate
    from clio.models import chat_model
    from clio.models.answers import Answers

    with model_server(faults={"413": 1.0}) as server, Answers() as answers:
        model = chat_model(openai(server))
        assert deduplicate(["Bake bread", "Bake Bread", "File taxes"], 2, model, answers) == [
            "Bake bread",
            "File taxes",
        ]


def test_a_sample_is_read_by_the_model_alone_and_every_share_has_an_interval(
    logs: Path, tmp_path: Path
) -> None:
    """Only what was drawn is sent; the rest counts in the population."""
    total = len(logs.read_text().splitlines())
    with model_server() as server:
        insights = clio.run(
            logs, tmp_path / "run", model=openai(server), sample=150, sample_by="model", **HOW
        )
        facets = [
            row for row in run_notes.summary(tmp_path / "run")["model"]["stages"] if row["stage"] == "facets"
        ]
        assert facets[0]["calls"] <= 150
    assert insights.sample
    assert (insights.sample.population, insights.sample.conversations) == (total, 150)
    low, high = insights.interval(insights.clusters[0].conversations) or (1, 0)
    assert low < insights.clusters[0].share < high


def test_conversations_of_other_languages_are_clustered_by_the_models_english(calm: Path) -> None:
    """The model's summaries are English, so the language of the log does not set them apart."""
    facets = pq.read_table(calm / "private" / "facets.parquet")
    assert len(set(facets["language"].to_pylist())) > 3
    from clio.facets import table

    assert set(table.text_languages(facets)) == {"en"}


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "clio", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_estimate_and_dry_run_print_the_same_and_leave_no_text_behind(logs: Path, tmp_path: Path) -> None:
    """``clio estimate`` keeps nothing, ``run --dry-run`` keeps what it read for the run; both tell price and host."""
    said = command("estimate", logs, "--model", "anthropic:claude-haiku-4-5", "--quiet")
    assert said.returncode == 0, said.stderr
    assert "api.anthropic.com" in said.stdout
    assert "nothing has left yet" in said.stdout
    dry = command(
        "run",
        logs,
        "--out",
        tmp_path / "run",
        "--dry-run",
        "--json",
        "--quiet",
        "--model",
        "openai:gpt-5-nano",
    )
    facts = json.loads(dry.stdout)
    assert facts["hosts"] == ["api.openai.com"]
    assert facts["cost"] > 0
    assert not (tmp_path / "run" / "insights").exists()
    assert (tmp_path / "run" / "private" / "conversations.parquet").exists()


def test_the_end_of_a_run_shows_what_was_paid_beside_the_estimate(logs: Path, tmp_path: Path) -> None:
    """The table fits a terminal of 80 columns."""
    with model_server() as server:
        flags = [word for name, value in HOW.items() for word in ("--set", f"{name}={value}")]
        done = command("run", logs, "--out", tmp_path / "run", "--model", openai(server), *flags)
    assert done.returncode == 0, done.stderr
    assert "estimate" in done.stderr
    assert "identifiers masked" in done.stderr
    assert "measured (estimated)" in done.stdout
    assert "answered, 0 refused, 0 failed" in done.stdout
    rows = [line for line in done.stdout.splitlines() if line.startswith(("facets", "describe", "all"))]
    assert len(rows) == 3
    assert all(len(line) <= 80 for line in rows)


def test_embeddings_of_a_server_are_estimated_and_counted_too(logs: Path, tmp_path: Path) -> None:
    """Their host stands in the estimate, their tokens in the sums, with or without a chat model."""
    prices = tmp_path / "prices.toml"
    prices.write_text('["openai:e"]\ninput = 1.0\noutput = 0.0\n')
    how = {**HOW, "prices": str(prices)}
    with model_server() as server:
        how["embedder"] = f"openai:e@{server.url}"
        clio.run(logs, tmp_path / "run", **how)
        facts = run_notes.summary(tmp_path / "run")
        assert facts["estimate"]["hosts"] == [server.url.split("/")[2]]
        assert server.embedded > 300
    (row,) = facts["model"]["stages"]
    assert (row["stage"], row["model"]) == ("embed", "openai:e")
    assert row["cost"] == pytest.approx(row["input_tokens"] / 1e6, abs=1e-6)
    assert facts["estimate"]["input_tokens"] > 0
