"""A run of requests is told as one, wherever it is shown."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

import clio
from clio import demo
from clio.cli import main
from clio.evaluation.attacks import differencing, suite
from clio.explorer.answers import Answers
from clio.run_folder import RunFolder


def told(*arguments: str | Path) -> str:
    """What a command prints, both streams."""
    done = subprocess.run(
        [sys.executable, "-m", "clio", *map(str, arguments)], capture_output=True, text=True, check=True
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run of 100 conversations, half of them of two subjects, and what it printed."""
    folder = tmp_path_factory.mktemp("requests")
    with gzip.open(demo.path(), "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in list(file)[:100]]
    soup = [
        {"role": "user", "content": "Can you suggest a good recipe for pumpkin soup with ginger?"},
        {"role": "assistant", "content": "Roast the pumpkin, fry ginger and onion, and puree the soup."},
    ]
    for row in rows[:50]:
        row["messages"] = soup + row["messages"]
    (folder / "chats.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    settings = ("count=requests", "users=conversation", "embedder=static", "ledger=off", "min_users=3")
    pairs = [word for one in (*settings, "min_conversations=6") for word in ("--set", one)]
    return folder / "run", told("run", folder / "chats.jsonl", "--out", folder / "run", *pairs)


def test_summary_tree_cluster_and_exports_speak_of_requests(run: tuple[Path, str], tmp_path: Path) -> None:
    """The noun stands where a count is told; only how many conversations they are of names these."""
    folder, said = run
    insights = clio.Insights.load(folder)
    total = insights.conversations
    assert total > 100
    assert insights.counted == "requests"
    assert f"found {total} requests in 100 conversations; 100 users" in said
    assert f"{total} requests in 100 conversations of 100 users" in said
    assert "of requests stand under a name" in said
    assert f"{total} requests, " in told("show", folder)
    assert f"{insights.children()[0].conversations} requests, " in told(
        "show", folder, insights.children()[0].id
    )
    assert json.loads(told("show", folder, "--json"))["counted"] == "requests"
    assert repr(insights).startswith(f"<Insights: {total} requests")
    told("export", folder, "--out", tmp_path)
    assert f"{total} requests, coverage" in (tmp_path / "insights.md").read_text("utf-8")
    assert json.loads((tmp_path / "insights.json").read_text("utf-8"))["counted"] == "requests"
    assert Answers("run", insights).run.counted == "requests"


def test_attacks_on_such_a_run_know_whose_its_parts_are(run: tuple[Path, str]) -> None:
    """What is attacked is the log with its conversations whole, and the parts of one are one account's."""
    folder, _ = run
    ground = suite.of_run(RunFolder(folder))
    assert len(ground.rows) == 100
    assert ground.settings.count == "requests"
    truth = differencing.truth_of(clio.Insights.load(folder), folder)
    assert len(truth.user) > 100
    assert len(set(truth.user.tolist())) == 100


def test_a_run_counts_conversations_unless_told(tmp_path: Path) -> None:
    """By default nothing is parted, and everything is called as ever."""
    with gzip.open(demo.path(), "rt", encoding="utf-8") as file:
        (tmp_path / "chats.jsonl").write_text("".join(list(file)[:150]), "utf-8")
    small = ["--set", "min_conversations=6", "--set", "min_users=3", "--set", "embedder=static"]
    summary = told("run", tmp_path / "chats.jsonl", "--out", tmp_path / "run", *small)
    assert "150 conversations of " in summary
    assert "requests in" not in summary
    assert "of conversations stand under a name" in summary
    assert clio.Insights.load(tmp_path / "run").counted == "conversations"


@pytest.mark.parametrize("command", [["evaluate", "logs"], ["run", "--sample", "50"]])
def test_what_cannot_be_done_with_requests_says_so(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line for labels, which are of whole conversations, and for a sample."""
    with pytest.raises(SystemExit) as ended:
        main([*command, str(tmp_path / "chats.jsonl"), "--set", "count=requests"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "whole conversations" in said
    assert said.count("\n") == 1
