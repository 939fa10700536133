"""None of 520 planted secrets leaves the private zone: not in insights, exports, page data, output, messages or names of files."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
from planted import plant, published_bytes, search, secrets

from clio import demo
from clio.explorer.server import _columns, _detail, _run
from clio.insights import Insights
from clio.testing import model_server


@pytest.fixture(scope="module")
def hidden() -> list[str]:
    return secrets(520)


@pytest.fixture(scope="module")
def logs(hidden: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    with gzip.open(demo.path(), "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    path = tmp_path_factory.mktemp("planted") / "logs.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in plant(rows, hidden)), "utf-8")
    return path


def clio(*arguments: object) -> bytes:
    """What a command prints on stdout and stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "clio", *map(str, arguments)], capture_output=True, check=False
    )
    return done.stdout + done.stderr


def model(url: str) -> list[object]:
    """A run with a chat model of the stand-in server, whose errors quote the prompt."""
    return ["--model", f"openai:m@{url}", "--set", "timeout=5"]


@pytest.mark.parametrize("route", ["embedded", "chat model"])
def test_no_secret_is_published(logs: Path, hidden: list[str], tmp_path: Path, route: str) -> None:
    """A full run, its exports, its page's data, all its output: searched as they are, in other cases, escaped, encoded and in parts.

    The stand-in's summaries repeat the conversation's words, and one call in ten fails with an error that quotes it.
    """
    out = tmp_path / "run"
    with model_server(faults={"413": 0.04, "500": 0.03, "refuse": 0.03}) as server:
        told = model(server.url) if route == "chat model" else []
        said = clio("run", logs, "--out", out, "--set", "breakdown=note", *told)
        assert (server.calls > 1000) == (route == "chat model")
    said += clio("show", out) + clio("show", out, "--json") + clio("export", out) + clio("sources")
    insights = Insights.load(out)
    assert insights.coverage > 0.7
    page = json.dumps(
        [_run("run", insights), _columns(insights), [_detail(insights, c) for c in insights]],
        ensure_ascii=False,
    ).encode()

    def places():
        yield "output", said
        yield "page", page
        yield "run.toml", (out / "run.toml").read_bytes()
        yield from published_bytes(out / "insights")
        yield from published_bytes(out / "export")
        for path in out.rglob("*"):
            yield "file name", path.name.encode()

    assert search(places(), hidden) == []


def test_the_search_finds_what_is_there(logs: Path, hidden: list[str]) -> None:
    """The same search over the private log finds every secret, so it would find a leak."""
    found = search(iter([("log", logs.read_bytes())]), hidden)
    assert {n for _, n in found} == set(range(len(hidden)))


def test_failing_runs_say_no_secret(logs: Path, hidden: list[str], tmp_path: Path) -> None:
    """Broken records, unfit shapes, impossible thresholds and wrong settings are reported without a word of the log."""
    lines = logs.read_text("utf-8").splitlines()
    broken = tmp_path / "broken.jsonl"
    broken.write_text("\n".join(line[: len(line) // 2] for line in lines[:50]), "utf-8")
    unfit = tmp_path / "unfit.jsonl"
    unfit.write_text(
        "\n".join(
            json.dumps({hidden[0]: hidden[1], "text": line}, ensure_ascii=False) for line in lines[:20]
        ),
        "utf-8",
    )
    said = clio("run", broken, "--out", tmp_path / "a")
    said += clio("run", unfit, "--out", tmp_path / "b")
    said += clio("run", logs, "--out", tmp_path / "c", "--set", "min_users=100000")
    said += clio(
        "run", logs, "--out", tmp_path / "d", "--set", "breakdown=note", "--set", "columns.messages=note"
    )
    with model_server(faults={"400": 1.0}) as server:
        said += clio("run", logs, "--out", tmp_path / "e", *model(server.url))
        said += clio("run", logs, "--out", tmp_path / "f", *model(server.url), "--batch")
        assert server.met["400"] > 0
    said += b"".join(
        (tmp_path / name / "run.toml").read_bytes()
        for name in "abcdef"
        if (tmp_path / name / "run.toml").exists()
    )
    assert said
    assert search(iter([("messages", said)]), hidden) == []
