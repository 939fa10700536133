"""The command line as a user meets it: data on stdout, one line for a mistake, no traceback, no text of a person."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from clio import demo


def clio(
    *arguments: str | Path, given: str | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "clio", *map(str, arguments)],
        input=given,
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a third of the sample, and its JSON summary."""
    folder = tmp_path_factory.mktemp("cli")
    with gzip.open(demo.path(), "rt", encoding="utf-8") as file:
        (folder / "chats.jsonl").write_text("".join(list(file)[::3]), "utf-8")
    done = clio("run", folder / "chats.jsonl", "--out", folder / "run", "--json")
    assert done.returncode == 0, done.stderr
    (folder / "summary.json").write_text(done.stdout)
    return folder / "run"


def test_json_is_one_document_on_stdout(run: Path) -> None:
    """``run --json`` and ``show --json`` print one document each."""
    facts = json.loads((run.parent / "summary.json").read_text())
    assert facts["conversations"] == 669
    shown = json.loads(clio("show", run, "--json").stdout)
    assert {"id", "parent", "level", "name", "description", "conversations", "share"} <= set(
        shown["clusters"][0]
    )
    one = json.loads(clio("show", run, shown["clusters"][0]["id"], "--json").stdout)
    assert [c["id"] for c in one["clusters"]] == [shown["clusters"][0]["id"]]


def test_the_tree_and_a_cluster_are_readable(run: Path) -> None:
    """Names, shares, base rates; no colour codes in a pipe."""
    tree = clio("show", run).stdout
    assert "coverage" in tree
    assert "\x1b" not in tree
    first = json.loads(clio("show", run, "--json").stdout)["clusters"][0]["id"]
    assert "base" in clio("show", run, first).stdout


def test_export_and_purge(run: Path, tmp_path: Path) -> None:
    """Exports are listed on stdout; purge asks first, then deletes."""
    written = clio("export", run, "--out", tmp_path / "out").stdout.split()
    assert all(Path(path).is_file() for path in written)
    assert len(written) == 9
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(run), str(copy)], check=True)
    assert clio("purge", copy, given="n\n").returncode == 130
    assert (copy / "private").exists()
    assert clio("purge", copy, "--yes").returncode == 0
    assert not (copy / "private").exists()
    assert clio("show", copy).returncode == 0


def test_standard_input_is_a_log(tmp_path: Path) -> None:
    """``-`` reads what is piped in."""
    with gzip.open(demo.path(), "rt", encoding="utf-8") as file:
        lines = "".join(list(file)[:200])
    done = clio("run", "-", "--out", tmp_path / "run", "--json", "--set", "min_conversations=5", given=lines)
    assert json.loads(done.stdout)["conversations"] == 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "missing.jsonl"], "no such file"),
        (["run", "LOG", "--format", "sharegtp"], "did you mean sharegpt"),
        (["run", "LOG", "--set", "sed=1"], "did you mean 'seed'"),
        (["run", "LOG", "--set", "policy=strict"], "no policy 'strict'"),
        (["run", "LOG", "--set", "facets=mood"], "no facet 'mood'"),
        (["run", "LOG", "--set", "breakdown=part_of"], "give the log's column another name"),
        (["run", "LOG", "--set", "embedder=magic"], "magic"),
        (["run", "LOG", "--out", "LOG"], "is a file"),
        (["run", "NOUSER"], "users=conversation"),
        (["run", "TINY"], "too few to publish"),
        (["run", "LOG", "--model", "nobody:x"], "nobody"),
        (["show", "missing"], "clio run LOGS"),
        (["explore", "missing"], "clio run LOGS"),
        (["purge", "missing"], "no such run folder"),
        (["export", "missing"], "clio run LOGS"),
        (["frobnicate"], "No such command"),
        (["run"], "Missing argument"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    """Exit code 2, one line on stderr, nothing on stdout, none of the log's words."""
    secret = "xylophone gramophone"
    rows = [
        {
            "id": str(n),
            "user": f"u{n}",
            "messages": [{"role": "user", "content": f"{secret} please help with task {n}"}],
        }
        for n in range(30)
    ]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "nouser.jsonl").write_text(
        "\n".join(json.dumps({k: v for k, v in row.items() if k != "user"}) for row in rows)
    )
    (tmp_path / "tiny.jsonl").write_text(json.dumps(rows[0]))
    places = {"LOG": "log.jsonl", "NOUSER": "nouser.jsonl", "TINY": "tiny.jsonl"}
    quiet = ["--quiet"] if arguments[0] == "run" and len(arguments) > 1 else []
    done = clio(*[places.get(a, a) for a in arguments], *quiet, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not any(word in done.stderr for word in secret.split())


def test_a_bug_is_one_line_without_message_or_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unexpected error may hold text of a person, so only its type and place are said."""
    from clio import cli

    def broken(*_arguments: object, **_options: object) -> None:
        raise ValueError("private words")

    monkeypatch.setattr(cli.cli, "main", broken)
    with pytest.raises(SystemExit, match="70"):
        cli.main([])
    said = capsys.readouterr().err
    assert "private" not in said.split("(CLIO_DEBUG")[0]
    assert "ValueError at test_cli.py" in said


def test_help_and_formats_are_quick_and_complete() -> None:
    """Every verb is listed; every format has an example."""
    text = clio("--help").stdout
    assert all(verb in text for verb in ("run", "demo", "explore", "show", "export", "purge", "sources"))
    formats = json.loads(clio("sources", "--json").stdout)
    assert {f["name"] for f in formats} >= {
        "messages",
        "sharegpt",
        "wildchat",
        "lmsys",
        "chatgpt",
        "claude",
        "claude-code",
        "kura",
    }
    assert clio("--version").stdout.startswith("clio")
