"""``clio purge`` and how long a private folder is kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import clio
from clio import pipeline, retention
from clio.cli.purge import purge
from clio.errors import ClioError, RunError
from clio.progress import Silent
from clio.run_folder import RunFolder

TODAY = datetime.now(UTC).date()


class Heard(Silent):
    """Keeps what a run says."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)


def made(path: Path, expires: int | None = None, key: str | None = None) -> RunFolder:
    """A run folder with something private and something published, to be kept for so many more days."""
    folder = RunFolder(path, f"echo {key}" if key else None)
    with folder.opened():
        folder.write_bytes(folder.private / "stdin", b"what a person wrote")
    folder.insights.mkdir()
    (folder.insights / "insights.json").write_text("{}")
    folder.note({"expires": None if expires is None else (TODAY + timedelta(expires)).isoformat()})
    return folder


def called(*arguments: str | Path, given: str | None = None) -> Result:
    return CliRunner().invoke(purge, list(map(str, arguments)), input=given)


def write_log(path: Path) -> Path:
    rows = [
        {"id": str(n), "user": f"u{n}", "messages": [{"role": "user", "content": f"help with task {n}"}]}
        for n in range(30)
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_it_asks_and_then_deletes_several(tmp_path: Path) -> None:
    """A no leaves all, a yes deletes the private zones of all and nothing else, and promises no more than the file system."""
    folders = [made(tmp_path / name) for name in ("a", "b")]
    refused = called(*(folder.path for folder in folders), given="n\n")
    assert refused.exit_code == 1
    assert all(str(folder.private) in refused.stderr for folder in folders)
    assert all((folder.private / "stdin").exists() for folder in folders)
    done = called(*(folder.path for folder in folders), "--yes")
    assert done.exit_code == 0
    assert done.stderr.count("deleted 3 private files") == 2
    assert "as far as the file system does" in done.stderr
    for folder in folders:
        assert sorted(path.name for path in folder.path.iterdir()) == ["insights", "run.toml"]
    assert "nothing private is left" in called(folders[0].path, "--yes").stderr


def test_neither_key_nor_finished_run_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An encrypted folder whose key is lost, and one that was killed before it wrote anything else, can be purged."""
    monkeypatch.delenv("CLIO_KEY", raising=False)
    sealed = made(tmp_path / "sealed", key="correct horse battery")
    assert (sealed.private / "encryption").exists()
    assert called(sealed.path, "--yes").exit_code == 0
    assert not sealed.private.exists()
    killed = RunFolder(tmp_path / "killed")
    with killed.opened():
        killed.salt()
    assert called(killed.path, "--yes").exit_code == 0
    assert not killed.private.exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """Somebody's own folder named private is not deleted, nor one that a run works in, nor what a link leads to."""
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "diary.txt").write_text("dear")
    with pytest.raises(RunError, match="no run folder"):
        raise called(tmp_path, "--yes").exception or AssertionError
    busy = made(tmp_path / "busy")
    with busy.lock(), pytest.raises(RunError, match="another run works"):
        raise called(busy.path, "--yes").exception or AssertionError
    linked = made(tmp_path / "linked")
    linked.private.rename(tmp_path / "elsewhere")
    linked.private.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="cannot be deleted"):
        raise called(linked.path, "--yes").exception or AssertionError
    assert (tmp_path / "private" / "diary.txt").exists()
    assert (busy.private / "stdin").exists()
    assert (tmp_path / "elsewhere" / "stdin").exists()


def test_expired_deletes_only_what_has_passed(tmp_path: Path) -> None:
    """Without asking: the last day itself is kept, the day after is not; a folder of runs is looked through, links are not."""
    runs = {days: made(tmp_path / "runs" / f"run{days}", days) for days in (-400, -1, 0, 1)}
    kept = made(tmp_path / "runs" / "kept")
    outside = made(tmp_path / "outside", -3)
    (tmp_path / "runs" / "link").symlink_to(outside.path)
    (tmp_path / "runs" / "notes.txt").write_text("mine")
    done = called(tmp_path / "runs", "--expired")
    assert done.exit_code == 0
    assert len(done.stderr.splitlines()) == 2
    assert f"until {TODAY - timedelta(1)}" in done.stderr
    assert [days for days, folder in runs.items() if folder.private.exists()] == [0, 1]
    assert all((folder.insights / "insights.json").exists() for folder in runs.values())
    assert kept.private.exists()
    assert outside.private.exists()
    assert called(outside.path, kept.path, "--expired").exit_code == 0
    assert not outside.private.exists()
    assert called(tmp_path, "--expired").stderr == ""  # nothing left to say


def test_one_that_cannot_be_purged_keeps_no_other_from_it(tmp_path: Path) -> None:
    """A run at work, and a run.toml that is none, are told in a line each, and the rest is purged."""
    busy, late = made(tmp_path / "a-busy", -1), made(tmp_path / "z-late", -1)
    for name, content in (("b-broken", "= ="), ("c-broken", 'expires = "soon"')):
        made(tmp_path / name).path.joinpath("run.toml").write_text(content)
    with busy.lock():
        done = called(tmp_path, "--expired")
    assert isinstance(done.exception, ClioError)
    assert "3 of 4" in str(done.exception)
    assert len(done.stderr.splitlines()) == 4
    assert not late.private.exists()
    assert busy.private.exists()
    with pytest.raises(RunError, match="no such folder"):
        raise called(tmp_path / "missing", "--expired").exception or AssertionError


def test_the_last_day_is_noted_before_anything_is_read_and_counts_from_the_first(tmp_path: Path) -> None:
    """A run that fails at once has it too; going on does not prolong it, another number of days moves it, and none removes it."""
    out = tmp_path / "run"
    out.mkdir()  # one that a failing run leaves alone
    with pytest.raises(clio.SourceError):
        clio.run(tmp_path / "missing.jsonl", out, retention_days=30)
    folder = RunFolder(out)
    assert folder.facts()["expires"] == (TODAY + timedelta(30)).isoformat()
    folder.write_bytes(folder.private / "since", (TODAY - timedelta(10)).isoformat().encode())
    log = write_log(tmp_path / "log.jsonl")
    for days in (30, 90, 10, None):
        pipeline.estimated(log, out, retention_days=days)
        expected = None if days is None else (TODAY + timedelta(days - 10)).isoformat()
        assert folder.facts().get("expires") == expected
        assert folder.facts()["counts"] == {}
        assert "read" in folder.facts()["seconds"]


def test_a_run_in_an_expired_folder_starts_anew_and_says_so(tmp_path: Path) -> None:
    """Nothing of the old private zone is left or used, and the new one has its own days."""
    log, heard = write_log(tmp_path / "log.jsonl"), Heard()
    folder = made(tmp_path / "run", -1)
    pipeline.estimated(log, folder.path, retention_days=7, progress=heard)
    assert not (folder.private / "stdin").exists()
    assert any(f"until {TODAY - timedelta(1)}: deleted 3, starting anew" in line for line in heard.said)
    assert folder.facts()["expires"] == (TODAY + timedelta(7)).isoformat()
    assert folder.is_done("rejected", "") is False
    again = Heard()
    pipeline.estimated(log, folder.path, retention_days=7, progress=again)
    assert not any("deleted" in line for line in again.said)
    assert retention.expired(folder) is None
