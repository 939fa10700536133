"""Runs of the restricted policy: shown without thresholds, to their owner only, each use noted."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

import clio
from clio.cli import main


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A log of two accounts, twenty conversations each, under two policies."""
    rows = [
        {"user": f"u{i % 2}", "messages": [{"role": "user", "content": f"Book a flight to place number {i}"}]}
        for i in range(40)
    ]
    folder = tmp_path_factory.mktemp("runs")
    clio.run(pa.Table.from_pylist(rows), folder / "safety", policy="safety")
    clio.run(pa.Table.from_pylist(rows), folder / "open", policy="public-data", min_users=1)
    return {name: folder / name for name in ("safety", "open")}


def used(folder: Path) -> list[str]:
    log = folder / "access.log"
    return [json.loads(line)["verb"] for line in log.read_text().splitlines()] if log.exists() else []


def test_uses_of_a_restricted_run_are_noted(
    runs: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Showing and exporting leave a line each; a run of another policy has no log."""
    for verb in ("show", "export"):
        for folder in runs.values():
            with pytest.raises(SystemExit) as ended:
                main([verb, str(folder)])
            assert ended.value.code == 0
    assert used(runs["safety"]) == ["show", "export"]
    assert used(runs["open"]) == []
    assert "restricted" in capsys.readouterr().err


def test_restricted_insights_are_their_owners_only_and_have_no_thresholds(runs: dict[str, Path]) -> None:
    """Two accounts are shown under the restricted policy; its files are nobody else's to read."""
    insights = clio.Insights.load(runs["safety"])
    assert len(insights) > 0
    assert insights.about["policy"]["restricted"] is True
    assert (runs["safety"] / "insights").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (runs["safety"] / "insights").iterdir())


def test_a_use_that_cannot_be_noted_is_refused(runs: dict[str, Path], tmp_path: Path) -> None:
    """Where the log cannot be written nothing is shown."""
    (tmp_path / "access.log").mkdir()
    (tmp_path / "insights").symlink_to(runs["safety"] / "insights")
    with pytest.raises(SystemExit) as ended:
        main(["show", str(tmp_path)])
    assert ended.value.code == 2
