"""The whole run: the same bytes each time, resumed after a kill at any moment, nothing of a person outside the private zone."""

from __future__ import annotations

import gzip
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import clio
from clio import demo, run_notes
from clio.evaluation.agreement import score
from clio.pipeline import estimated
from clio.progress import Lines
from clio.run_folder import RunFolder, purge

LABELS = Path(__file__).parent / "golden" / "sample_labels.json"


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A third of the sample: enough for two levels."""
    path = tmp_path_factory.mktemp("logs") / "chats.jsonl"
    with gzip.open(demo.path(), "rt", encoding="utf-8") as file:
        path.write_text("".join(list(file)[::3]), "utf-8")
    return path


@pytest.fixture(scope="module")
def finished(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "run"
    clio.run(logs, out)
    return out


def published(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((out / "insights").iterdir())}


def test_the_sample_clusters_by_meaning(finished: Path) -> None:
    """Base clusters agree with the intents that the sample was made of, and most conversations are shown under a name."""
    truth = {id_: intent for id_, (_, intent) in json.loads(LABELS.read_text()).items()}
    assignments = pq.read_table(finished / "private" / "assignments.parquet").to_pylist()
    pairs = [(truth[row["id"]], row["cluster"]) for row in assignments if row["cluster"]]
    assert score([t for t, _ in pairs], [c for _, c in pairs]).ami > 0.6
    insights = clio.Insights.load(finished)
    assert insights.coverage > 0.8
    assert len(insights.levels) == 2
    names = [cluster.name for cluster in insights]
    assert len(set(names)) > 0.95 * len(names)


def test_the_same_input_and_settings_give_the_same_bytes(logs: Path, finished: Path, tmp_path: Path) -> None:
    """Another folder, another salt, the same insights."""
    clio.run(logs, tmp_path / "again")
    assert published(tmp_path / "again") == published(finished)


def test_a_run_can_be_killed_at_any_moment_and_resumed(logs: Path, finished: Path, tmp_path: Path) -> None:
    """kill -9 as soon as each stage's file is there, then the same command: the same bytes as an undisturbed run."""
    out = tmp_path / "killed"
    for name in (
        "salt",
        "conversations.parquet",
        "duplicates.parquet",
        "facets.parquet",
        "embeddings",
        "labels.parquet",
        "candidates.parquet",
        "clusters.parquet",
    ):
        process = subprocess.Popen(
            [sys.executable, "-m", "clio", "run", str(logs), "--out", str(out), "--quiet"],
            stdout=subprocess.DEVNULL,
        )
        while process.poll() is None and not (out / "private" / name).exists():
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
    clio.run(logs, out)
    assert published(out) == published(finished)


def test_done_stages_are_not_done_again(logs: Path, finished: Path) -> None:
    """A second run touches no stage's file."""
    before = {p.name: p.stat().st_mtime_ns for p in (finished / "private").glob("*.parquet")}
    clio.run(logs, finished)
    assert {p.name: p.stat().st_mtime_ns for p in (finished / "private").glob("*.parquet")} == before


def test_the_private_zone_is_its_owners_only_and_users_are_hashed(finished: Path) -> None:
    """0700, no raw user id, and the salt is gone."""
    assert (finished / "private").stat().st_mode & 0o777 == 0o700
    assert all(p.stat().st_mode & 0o077 == 0 for p in (finished / "private").glob("*.parquet"))
    users = pq.read_table(finished / "private" / "conversations.parquet")["user"].to_pylist()
    assert not any(user and user.startswith("user-") for user in users)
    assert not (finished / "private" / "salt").exists()


def test_the_summary_has_what_a_script_needs(finished: Path) -> None:
    """Every documented key is there, and the parts add up."""
    facts = run_notes.summary(finished)
    assert {
        "version",
        "out",
        "conversations",
        "users",
        "rejected",
        "coverage",
        "withheld",
        "levels",
        "seconds",
        "model",
    } <= set(facts)
    assert set(facts["model"]) == {"calls", "input_tokens", "output_tokens", "cost", "stages"}
    assert facts["estimate"] is None
    assert {"read", "facets", "embed", "cluster", "describe", "audit", "gate"} <= set(facts["seconds"])


def test_purge_leaves_a_working_run(logs: Path, tmp_path: Path) -> None:
    """Without the private zone the insights still load; another run in the folder starts anew."""
    out = tmp_path / "run"
    first = clio.run(logs, out)
    assert "conversations.parquet" in purge(out)
    assert not (out / "private").exists()
    assert clio.Insights.load(out) == first
    assert clio.run(logs, out) == first


def test_frames_are_read_like_files(tmp_path: Path) -> None:
    """Any object with an Arrow stream is a log."""
    with gzip.open(demo.path(), "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file][:300]
    insights = clio.run(pa.Table.from_pylist(rows), tmp_path / "run", min_conversations=5)
    assert insights.conversations == 300


@pytest.mark.parametrize("logs", [None, 5, {"messages": []}, [{"messages": []}], b"chats.jsonl", [None]])
def test_what_is_no_log_is_refused_in_plain_words(logs: object, tmp_path: Path) -> None:
    """A notebook's user is told what a log may be."""
    with pytest.raises(clio.SourceError, match="a path, a list of paths, or a frame"):
        clio.run(logs, tmp_path / "run")


def test_an_embedder_that_is_not_to_be_had_is_told_of_before_anything_is_read(tmp_path: Path) -> None:
    """By a run and by an estimate, for neither looks at the log first."""
    for begin in (clio.run, estimated):
        with pytest.raises(clio.ModelError, match="no embedder 'minilmm'"):
            begin(tmp_path / "none.jsonl", tmp_path / "run", embedder="minilmm")


def test_a_run_of_which_nothing_came_leaves_no_folder(logs: Path, tmp_path: Path) -> None:
    """A wrong path, an empty log, an unknown embedder. What was read stays, for the same command with one more setting."""
    (tmp_path / "empty.jsonl").write_text("")
    for path, settings in (("none.jsonl", {}), ("empty.jsonl", {}), ("empty.jsonl", {"embedder": "x"})):
        with pytest.raises(clio.ClioError):
            clio.run(tmp_path / path, tmp_path / "run", **settings)
        assert not (tmp_path / "run").exists()
    with pytest.raises(clio.PrivacyError):
        clio.run(logs, tmp_path / "run", columns={"user": "nowhere"})
    assert (tmp_path / "run" / "private" / "conversations.parquet").exists()


def test_a_run_in_a_folder_of_another_log_says_so(
    finished: Path, logs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its insights are replaced; the same log again is not another."""
    out = tmp_path / "run"
    shutil.copytree(finished, out)
    clio.run(logs, out, progress=Lines())
    assert "was of other logs" not in capfd.readouterr().err
    other = tmp_path / "other.jsonl"
    other.write_text(logs.read_text("utf-8")[:-1], "utf-8")
    clio.run(other, out, progress=Lines())
    assert f"{out}: was of other logs, or of these before they changed: made anew" in capfd.readouterr().err


@pytest.mark.parametrize("name", ["request", "task", "trust_weight"])
def test_no_text_of_people_is_published_as_a_facet(logs: Path, tmp_path: Path, name: str) -> None:
    """Not under the policy that has no thresholds either, nor is a column of Clio's own."""
    with pytest.raises(clio.SettingsError, match=f"'breakdown': {name} is"):
        clio.run(logs, tmp_path / "run", policy="safety", breakdown=[name])


def test_two_runs_cannot_work_in_one_folder(logs: Path, tmp_path: Path) -> None:
    """The second is told so; a killed one's hold ends with it."""
    folder = RunFolder(tmp_path / "run")
    folder.create()
    with folder.lock(), pytest.raises(clio.RunError, match="another run"):
        clio.run(logs, tmp_path / "run")


def test_a_folder_with_other_things_is_left_alone(logs: Path, tmp_path: Path) -> None:
    """--out never writes into somebody's documents."""
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(clio.RunError, match="no run folder"):
        clio.run(logs, tmp_path)
    with pytest.raises(clio.RunError, match="is a file"):
        clio.run(logs, tmp_path / "letter.txt")


def test_offline_is_the_default(finished: Path) -> None:
    """No model is called unless one is named."""
    assert run_notes.summary(finished)["model"]["calls"] == 0
