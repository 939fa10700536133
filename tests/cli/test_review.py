"""``clio evaluate review`` as its owner meets it, and ``clio evaluate LOGS`` beside it."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import clio
from clio import demo
from clio.cli import main
from clio.cli.evaluate import evaluate
from clio.testing import Words


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a third of the sample."""
    place = tmp_path_factory.mktemp("review")
    with gzip.open(demo.path(), "rt", encoding="utf-8") as file:
        (place / "chats.jsonl").write_text("".join(list(file)[::3]), "utf-8")
    clio.run(place / "chats.jsonl", place / "run", encoder=Words(), ledger="off")
    return place / "run"


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(finished, tmp_path / "run")


def review(*arguments: str | Path) -> int:
    """The exit code."""
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "review", *map(str, arguments)])
    return int(ended.value.code or 0)


def uses(run: Path) -> list[str]:
    return [json.loads(line)["verb"] for line in (run / "access.log").read_text().splitlines()]


def test_from_a_run_to_figures(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sheet is made, two raters fill its table, and the figures say that one of them knows; each use is noted, whatever the policy."""
    assert review(run, "--clusters", "6") == 0
    said = capsys.readouterr()
    html, table, key = map(Path, said.out.splitlines())
    assert html.parent == run / "private" / "review"
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (html, table, key))
    assert len(said.err.splitlines()) == 1
    assert "people's text" in said.err
    [truths] = json.loads(key.read_text())["sheets"].values()
    rng = np.random.default_rng(0)
    for name, knows in (("alice", True), ("bob", False)):
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            truth = truths[row["item"]]
            if not knows:
                row["answer"] = str(rng.choice(list("ABCDE" if truth["kind"] == "members" else "12345")))
            elif truth["kind"] == "members":
                row["answer"] = truth["answer"]
            else:
                row["answer"] = "4" if truth.get("shown", truth["cluster"]) == truth["cluster"] else "2"
        rows[0]["answer"] = "" if knows else "9"
        with (tmp_path / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    alice, bob = tmp_path / "alice.csv", tmp_path / "bob.csv"
    assert review(run, "--filled", alice, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["raters"] == 1
    assert found["answers"] == {"asked": 18, "missing": 1, "invalid": 0}
    values = {(figure["part"], figure["figure"]): figure for figure in found["figures"]}
    assert values["members", "intruders found"]["value"] == 1
    assert values["names", "pairs ranked right (AUC)"]["value"] == 1
    assert review(run, "--filled", alice, "--filled", bob) == 0
    shown = capsys.readouterr()
    assert shown.out.count(" alpha)") == 3
    assert "\x1b" not in shown.out
    assert shown.err.splitlines() == ["2 raters, 36 answers asked for: 1 missing, 1 invalid, both left out"]
    assert uses(run) == ["evaluate review"] * 3


def test_requests_are_on_the_sheet_and_nowhere_else(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is printed, and the key, hold none of the texts that the sheet holds."""
    assert review(run, "--out", tmp_path / "desk", "--json") == 0
    said = capsys.readouterr()
    facts = json.loads(said.out)
    assert "purge" in said.err
    with Path(facts["files"][1]).open(newline="", encoding="utf-8-sig") as file:
        texts = [text for row in csv.DictReader(file) for name in "ABCDE" if len(text := row[name]) > 20]
    assert len(texts) > 50
    elsewhere = said.out + said.err + Path(facts["key"]).read_text() + (run / "access.log").read_text()
    assert not any(text in elsewhere for text in texts)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing"], "no such run folder"),
        (["RUN", "--filled", "missing.csv"], "no sheet of this run"),
        (["RUN", "--filled", "a.csv", "--filled", "a.csv"], "given twice"),
        (["RUN", "--filled", "a.csv", "--seed", "1"], "without what makes one"),
        (["RUN", "--members", "2"], "3<=x<=9"),
        (["RUN", "--out", "RUN/insights"], "holds people's text"),
        ([], "Missing argument"),
    ],
)
def test_a_mistake_is_one_line(
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    """Exit code 2, one line on stderr, nothing on stdout."""
    monkeypatch.chdir(tmp_path)
    assert review(*[argument.replace("RUN", str(run)) for argument in arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err
    assert len(said.err.splitlines()) == 1


def test_a_use_that_cannot_be_noted_is_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No sheet is made where the log cannot be written."""
    (run / "access.log").mkdir()
    assert review(run) == 2
    assert "uses are noted" in capsys.readouterr().err
    assert not (run / "private" / "review").exists()


def test_a_purged_run_has_nothing_to_rate_and_the_sheet_went_with_it(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Purging takes sheet and key too."""
    assert review(run) == 0
    clio_purge = subprocess.run(
        [sys.executable, "-m", "clio", "purge", str(run), "--yes"], capture_output=True, check=True
    )
    assert b"deleted" in clio_purge.stderr
    assert not (run / "private").exists()
    assert review(run) == 2
    assert "was deleted" in capsys.readouterr().err


def test_logs_are_evaluated_as_before(capsys: pytest.CaptureFixture[str]) -> None:
    """What is not ``review`` is a log or a flag; help and mistakes are those of the evaluation of logs."""
    runner = CliRunner()
    for arguments in ([], ["--seeds", "2"]):
        assert "Missing argument 'LOGS...'" in runner.invoke(evaluate, arguments).output
    with pytest.raises(clio.SourceError, match=r"missing\.jsonl"):
        runner.invoke(evaluate, ["missing.jsonl", "--quiet"], catch_exceptions=False)
    with pytest.raises(SystemExit, match="0"):
        main(["evaluate", "--help"])
    told = capsys.readouterr().out
    assert told.startswith("Usage: clio evaluate [OPTIONS] LOGS...")
    assert "clio evaluate review RUN" in told
    with pytest.raises(SystemExit, match="0"):
        main(["evaluate", "review", "-h"])
    assert capsys.readouterr().out.startswith("Usage: clio evaluate review [OPTIONS] RUN")
