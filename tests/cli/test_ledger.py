"""The ledger of releases on the command line, and in runs: what is refused leaves everything as it was."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from clio import demo


def clio(*arguments: str | Path, given: str | None = None, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "clio", *map(str, arguments)],
        input=given,
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )


def published(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "insights").iterdir())}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with a third of the sample, the same without one conversation, and a finished run of the first."""
    folder = tmp_path_factory.mktemp("ledger")
    with gzip.open(demo.path(), "rt", encoding="utf-8") as file:
        lines = list(file)[::3]
    (folder / "all.jsonl").write_text("".join(lines), "utf-8")
    (folder / "less.jsonl").write_text("".join(lines[:-1]), "utf-8")
    (folder / "other.jsonl").write_text("".join(lines[300:]), "utf-8")
    done = clio("run", "all.jsonl", "--out", "run", "--quiet", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def releases(folder: Path) -> list[dict]:
    return json.loads(clio("ledger", "--json", cwd=folder).stdout)["releases"]


def test_a_run_is_recorded_and_listed(place: Path) -> None:
    """The release stands beside the run folder, with its run, policy and size, as a table and as JSON."""
    [one] = releases(place)
    assert (one["run"], one["policy"], one["conversations"]) == ("run", "internal", 669)
    table = clio("ledger", cwd=place).stdout
    assert one["id"] in table
    assert "669" in table
    assert "\x1b" not in table


def test_the_same_log_may_be_released_again(place: Path) -> None:
    """With the same settings nothing is added, with another seed one release."""
    assert clio("run", "all.jsonl", "--out", "run", "--quiet", cwd=place).returncode == 0
    assert clio("run", "all.jsonl", "--out", "again", "--quiet", cwd=place).returncode == 0
    assert len(releases(place)) == 1
    seed = clio("run", "all.jsonl", "--out", "again", "--quiet", "--set", "seed=1", cwd=place)
    assert seed.returncode == 0, seed.stderr
    assert [one["run"] for one in releases(place)] == ["run", "again"]
    clio("ledger", "--forget", releases(place)[-1]["id"], "--yes", cwd=place)


def test_a_log_without_one_conversation_is_refused_and_nothing_changes(place: Path) -> None:
    """One line, exit code 2, the insights of before; the same command goes on once the earlier release is forgotten."""
    before, [one] = published(place / "run"), releases(place)
    refused = clio("run", "less.jsonl", "--out", "run", "--quiet", cwd=place)
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
    assert f"(run run, id {one['id']})" in refused.stderr
    assert published(place / "run") == before
    assert releases(place) == [one]

    asked = clio("ledger", "--forget", one["id"], given="n\n", cwd=place)
    assert asked.returncode == 130
    assert releases(place) == [one]
    assert clio("ledger", "--forget", one["id"], given="y\n", cwd=place).returncode == 0
    assert releases(place) == []
    assert "no release is recorded" in clio("ledger", cwd=place).stdout
    done = clio("run", "less.jsonl", "--out", "run", "--quiet", cwd=place)
    assert done.returncode == 0, done.stderr
    assert [one["conversations"] for one in releases(place)] == [668]
    assert published(place / "run") != before


def test_no_ledger_is_kept_where_it_is_off(place: Path) -> None:
    """ "off" neither looks nor records; a ledger elsewhere knows nothing of this one."""
    before = releases(place)
    for ledger in ("off", "team/ledger"):
        done = clio("run", "other.jsonl", "--out", "other", "--quiet", "--set", f"ledger={ledger}", cwd=place)
        assert done.returncode == 0, done.stderr
    assert releases(place) == before
    [one] = json.loads(clio("ledger", "team/ledger", "--json", cwd=place).stdout)["releases"]
    assert one["run"] == "other"


def test_a_missing_ledger_and_an_unknown_release_are_one_line(place: Path) -> None:
    """Both say what to do, and exit with 2."""
    missing = clio("ledger", "nowhere", cwd=place)
    assert (missing.returncode, len(missing.stderr.splitlines())) == (2, 1)
    unknown = clio("ledger", "--forget", "x", cwd=place)
    assert unknown.returncode == 2
    assert "lists those there are" in unknown.stderr
