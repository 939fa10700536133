"""The ledger of releases in runs and on the command line: what is refused leaves everything as it was."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import clio
from clio import demo
from clio.errors import PrivacyError
from clio.privacy.ledger import Ledger
from clio.testing import Words

HOW = {"min_users": 3, "min_conversations": 5}


def run(place: Path, lines: Sequence[str], out: str, **settings: object) -> clio.Insights:
    log = place / f"{len(lines)}.jsonl"
    log.write_text("".join(lines), "utf-8")
    return clio.run(log, place / out, encoder=Words(), **{**HOW, **settings})


def published(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "insights").iterdir())}


def command(*arguments: str | Path, given: str | None = None, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "clio", "ledger", *map(str, arguments)],
        input=given,
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """A sixth of the sample."""
    with gzip.open(demo.path(), "rt", encoding="utf-8") as file:
        return list(file)[::6]


@pytest.fixture(scope="module")
def finished(lines: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run, "run", and its ledger."""
    place = tmp_path_factory.mktemp("ledger")
    run(place, lines, "run")
    return place


@pytest.fixture
def place(finished: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(finished, tmp_path / "place")


def runs(place: Path) -> list[str]:
    return [entry.run for entry in Ledger(place / "clio-ledger").entries()]


def test_the_same_log_may_be_released_again(place: Path, lines: list[str]) -> None:
    """A run that is repeated adds nothing, here or in another folder; other settings make a release of their own."""
    assert runs(place) == ["run"]
    run(place, lines, "run")
    run(place, lines, "again")
    assert runs(place) == ["run"]
    run(place, lines, "run", seed=1, cluster_size=15, top=5)
    assert runs(place) == ["run", "run"]


def test_a_log_without_one_conversation_is_refused_and_nothing_changes(place: Path, lines: list[str]) -> None:
    """What the folder published stays, and the same run goes on once the earlier release is forgotten."""
    ledger, before = Ledger(place / "clio-ledger"), published(place / "run")
    [first] = ledger.entries()
    with pytest.raises(PrivacyError, match=f"run run, id {first.id}"):
        run(place, lines[1:], "run")
    assert published(place / "run") == before
    assert ledger.entries() == [first]
    ledger.forget(first.id)
    assert run(place, lines[1:], "run").conversations == len(lines) - 1
    assert published(place / "run") != before
    assert [entry.conversations for entry in ledger.entries()] == [len(lines) - 1]


def test_where_it_is_off_or_elsewhere_nothing_is_compared(place: Path, lines: list[str]) -> None:
    """ "off" neither looks nor records, another ledger knows nothing of this one, and policy safety needs none."""
    run(place, lines[1:], "other", ledger="off")
    run(place, lines[2:], "other", ledger=str(place / "team" / "ledger"))
    run(place, lines[3:], "other", policy="safety", min_users=None, min_conversations=None)
    assert runs(place) == ["run"]
    assert [entry.run for entry in Ledger(place / "team" / "ledger").entries()] == ["other"]


def test_releases_are_listed(place: Path) -> None:
    """As a table without colour in a pipe, and as JSON."""
    table = command(cwd=place)
    listed = json.loads(command("clio-ledger", "--json", cwd=place).stdout)["releases"]
    [one] = listed
    assert (one["run"], one["policy"]) == ("run", "internal")
    for shown in (one["id"], one["time"][:10], "run", "internal", f"{one['conversations']}"):
        assert shown in table.stdout
    assert "\x1b" not in table.stdout


def test_a_release_is_forgotten_only_when_that_is_confirmed(place: Path) -> None:
    """No leaves it, yes takes it out; one that is not there, and a missing ledger, are one line and exit code 2."""
    [first] = Ledger(place / "clio-ledger").entries()
    unknown = command("--forget", "x", cwd=place)
    assert (unknown.returncode, len(unknown.stderr.splitlines())) == (2, 1)
    assert command("--forget", first.id, given="n\n", cwd=place).returncode == 130
    assert runs(place) == ["run"]
    assert command("--forget", first.id, given="y\n", cwd=place).returncode == 0
    assert runs(place) == []
    assert "no release is recorded" in command(cwd=place).stdout
    missing = command("nowhere", cwd=place)
    assert (missing.returncode, len(missing.stderr.splitlines())) == (2, 1)
