"""The private folder: its owner's only from the first byte, encrypted with a key if there is one, and nothing of it anywhere else."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import clio
from clio import demo, encryption, pipeline, run_folder, sources, stages
from clio.encryption import Cipher
from clio.errors import RunError
from clio.evaluation import agreement
from clio.fingerprints import fingerprint
from clio.models.protocols import Answer, Failure, Prompt
from clio.models.store import Store, StoreError, key
from clio.run_folder import RunFolder
from clio.testing import model_server

KEY = "correct horse battery staple"
SCRYPT = encryption._SCRYPT  # as it is
PIECE = 12  # bytes of a message that must not be found
HOW: dict[str, Any] = {"min_conversations": 5, "min_users": 3, "embedder": "minilm", "ledger": "off"}
SET = [word for name, value in HOW.items() for word in ("--set", f"{name}={value}")]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sixteenth of the sample: 126 conversations."""
    path = tmp_path_factory.mktemp("logs") / "chats.jsonl"
    with gzip.open(demo.path(), "rt", encoding="utf-8") as file:
        path.write_text("".join(list(file)[::16]), "utf-8")
    return path


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """A key in no time: how slow guesses are is no matter here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encryption, "_SCRYPT", {**SCRYPT, "n": 1 << 10})
        yield


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(encryption.VARIABLE, raising=False)


@pytest.fixture(scope="module")
def runs(quick: None, logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run with a chat model twice, in ``plain`` without a key and in ``sealed`` with one."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch, model_server() as server:
        for name in ("plain", "sealed"):
            if name == "sealed":
                patch.setenv(encryption.VARIABLE, KEY)
            clio.run(logs, folder / name, model=f"openai:m@{server.url}", keep_salt=True, **HOW)
    return folder


def published(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((out / "insights").iterdir())}


def opened(path: Path, *, sealed: bool = True) -> RunFolder:
    """A new run folder, with a key or without; not held."""
    folder = RunFolder(path, f"echo {KEY}" if sealed else None)
    with folder.opened():
        return folder


def loose(private: Path) -> list[str]:
    """What in a private zone anybody but its owner may use, or its owner may not; what goes meanwhile is left out."""
    found = []
    for path in [private, *private.rglob("*")]:
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            continue
        if stat.S_IMODE(mode) != (0o700 if stat.S_ISDIR(mode) else 0o600):
            found.append(f"{path.name} {stat.S_IMODE(mode):o}")
    return found


def pieces_in(private: Path, logs: Path) -> set[str]:
    """The files of a private zone that hold 12 bytes in a row of any user's message."""
    messages = [
        message["content"].encode()
        for line in logs.read_text("utf-8").splitlines()
        for message in json.loads(line)["messages"]
        if message["role"] == "user"
    ]
    pieces = {text[at : at + PIECE] for text in messages for at in range(len(text) - PIECE + 1)}
    assert len(pieces) > 1000
    found = set()
    for path in private.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        if any(content[at : at + PIECE] in pieces for at in range(len(content) - PIECE + 1)):
            found.add(path.name)
    return found


# encryption


def test_no_piece_of_a_message_is_in_an_encrypted_folder(runs: Path, logs: Path) -> None:
    """12 bytes in a row of a user's message are in no file, where without a key they are in Parquet and in the store of answers."""
    assert pieces_in(runs / "sealed" / "private", logs) == set()
    assert {"facets.parquet", "answers.sqlite"} <= pieces_in(runs / "plain" / "private", logs)


def test_encryption_changes_no_published_byte(runs: Path) -> None:
    """The insights are the same with a key and without, and need none to be read."""
    assert published(runs / "sealed") == published(runs / "plain")
    assert clio.Insights.load(runs / "sealed").conversations == 126


def test_every_private_file_is_encrypted_or_says_nothing(runs: Path) -> None:
    """All Parquet files have encrypted footers; besides them only the store, the sealed salt and three files of ours are there."""
    private = runs / "sealed" / "private"
    assert {path.name for path in private.iterdir() if path.suffix != ".parquet"} == {
        "answers.sqlite",
        "embeddings",
        "encryption",
        "lock",
        "salt",
        "since",
    }
    assert len((private / "salt").read_bytes()) == 12 + 32 + 16
    for path in private.rglob("*.parquet"):
        content = path.read_bytes()
        assert content[:4] == content[-4:] == b"PARE"
        assert b"clio.key" not in content
        with pytest.raises(OSError, match="decryption"):
            pq.read_schema(path)
    assert json.loads((private / "encryption").read_text()).keys() == {"version", "salt", "check"}


def test_the_key_is_nowhere_in_the_folder(logs: Path, tmp_path: Path) -> None:
    """Neither the passphrase nor the command that prints it is written down."""
    pipeline.estimated(logs, tmp_path / "run", encryption_key_command=f"echo {KEY}")
    files = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert any(path.name == "run.toml" for path in files)
    assert not any(word in path.read_bytes() for path in files for word in (KEY.encode(), b"echo", b"horse"))


def test_a_finished_run_is_read_again_with_its_key(
    runs: Path, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the key every stage counts as done and the labels can be scored; no model is asked."""
    monkeypatch.setenv(encryption.VARIABLE, KEY)
    private = runs / "sealed" / "private"
    before = {path: path.stat().st_mtime_ns for path in private.rglob("*.parquet")}
    with model_server() as server:
        clio.run(logs, runs / "sealed", model=f"openai:m@{server.url}", keep_salt=True, **HOW)
        assert server.requests == 0
    assert {path: path.stat().st_mtime_ns for path in private.rglob("*.parquet")} == before
    ids = RunFolder(runs / "sealed").read("assignments", ["id"])["id"].to_pylist()
    assert agreement.score_run(runs / "sealed", dict.fromkeys(ids, "one")).purity == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "is encrypted and no key is given; set CLIO_KEY"),
        ("another long passphrase", "the key is not the one"),
    ],
)
def test_a_missing_or_wrong_key_is_one_line(
    runs: Path, logs: Path, monkeypatch: pytest.MonkeyPatch, given: str | None, message: str
) -> None:
    """It says what to do, quotes no key, and leaves all files alone."""
    if given:
        monkeypatch.setenv(encryption.VARIABLE, given)
    before = {path: path.read_bytes() for path in (runs / "sealed").rglob("*") if path.is_file()}
    for attempt in (
        lambda: clio.run(logs, runs / "sealed", **HOW),
        lambda: agreement.score_run(runs / "sealed", {}),
        lambda: RunFolder(runs / "sealed").read("facets"),
    ):
        with pytest.raises(RunError, match=message) as error:
            attempt()
        assert "\n" not in str(error.value)
        assert not given or given not in str(error.value)
    assert {path: path.read_bytes() for path in (runs / "sealed").rglob("*") if path.is_file()} == before


def test_a_key_is_not_added_to_what_was_written_without(
    runs: Path, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A half-encrypted folder would look safe; reading it needs no key all the same."""
    monkeypatch.setenv(encryption.VARIABLE, KEY)
    with pytest.raises(RunError, match="was written without a key; clio purge"):
        clio.run(logs, runs / "plain", **HOW)
    assert RunFolder(runs / "plain").rows("facets") == 126


def test_no_plain_run_is_made_inside_an_encrypted_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy of the log that is run there, as attacks do, is encrypted too or not made."""
    inner = opened(tmp_path / "run").private / "attack" / "one"
    with pytest.raises(RunError, match="set CLIO_KEY"), RunFolder(inner).opened():
        pass
    monkeypatch.setenv(encryption.VARIABLE, KEY)
    assert opened(inner, sealed=False).cipher


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("clio-no-such-command", "'encryption_key_command': it failed"),
        ("false", "'encryption_key_command': it failed"),
        ("echo short", "fewer than 12 characters"),
    ],
)
def test_a_key_that_cannot_be_had_is_one_line(tmp_path: Path, command: str, message: str) -> None:
    """Neither a command that fails nor a short key lets a run begin without encryption."""
    with pytest.raises(RunError, match=message) as error, RunFolder(tmp_path / "run", command).opened():
        pass
    assert "\n" not in str(error.value)
    assert "echo" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_without_the_extra_the_command_to_install_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key without ``cryptography`` is refused before anything is written."""
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers.aead", None)
    with pytest.raises(RunError, match=r"pip install 'clio-insights\[encryption\]'"):
        opened(tmp_path / "run")


def test_a_broken_header_is_one_line(tmp_path: Path) -> None:
    """What the key is made from is needed, and no guess is made in its place."""
    folder = opened(tmp_path / "run")
    for content in (b"", b"\xff", b"[]", b'{"version": 2, "salt": "00", "check": ""}', b'{"version": 1}'):
        (folder.private / "encryption").write_bytes(content)
        with pytest.raises(RunError, match="nothing here can be decrypted"):
            _ = RunFolder(folder.path, f"echo {KEY}").cipher


def test_a_plain_or_foreign_file_in_an_encrypted_folder_is_no_result(tmp_path: Path) -> None:
    """Neither a file that somebody put there unencrypted nor one of another run passes for a stage."""
    one, other = opened(tmp_path / "one"), opened(tmp_path / "other")
    table = pa.table({"x": [1, 2]})
    one.write_table("facets", "k", table)
    assert one.is_done("facets", "k")
    assert not one.is_done("facets", "l")
    plain = table.replace_schema_metadata({b"clio.key": b"k"})
    pq.write_table(plain, one.file("facets"))
    other.write_table("labels", "k", table)
    one.file("labels").write_bytes(other.file("labels").read_bytes())
    for name in ("facets", "labels"):
        assert not one.is_done(name, "k")
        with pytest.raises(RunError, match="cannot be read; delete it"):
            one.read(name)


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    """No byte of a column can be changed unseen."""
    folder = opened(tmp_path / "run")
    folder.write_table("facets", "k", pa.table({"x": [f"text {n}" for n in range(1000)]}))
    content = bytearray(folder.file("facets").read_bytes())
    content[200] ^= 1
    folder.file("facets").write_bytes(content)
    with pytest.raises(RunError, match="cannot be read"):
        folder.read("facets")


@pytest.mark.parametrize("sealed", [False, True])
def test_all_that_is_stored_comes_back_piece_by_piece(tmp_path: Path, sealed: bool) -> None:
    """Lists of structs, half floats and times, in row groups that can be read one at a time."""
    folder = opened(tmp_path / "run", sealed=sealed)
    turn = pa.struct([("role", pa.string()), ("content", pa.string())])
    vectors = pa.array(np.arange(5000 * 4, dtype=np.float32).astype(np.float16), pa.float16())
    table = pa.table(
        {
            "messages": pa.array([[{"role": "user", "content": f"é {n}"}] * (n % 3) for n in range(5000)], pa.list_(turn)),
            "at": pa.array(range(5000), pa.timestamp("us", "UTC")),
            "vector": pa.FixedSizeListArray.from_arrays(vectors, 4),
        }
    )  # fmt: skip
    with folder.writer("read", "k", table.schema) as writer:
        for at in range(0, 5000, 2048):
            writer.write_table(table.slice(at, 2048))
    again = RunFolder(folder.path, f"echo {KEY}")
    assert again.is_done("read", "k")
    assert again.rows("read") == 5000
    assert again.read("read").equals(table)
    assert again.read("read", ["at"]).equals(table.select(["at"]))
    with again.parquet("read") as file:
        assert file.num_row_groups == 3
        assert [len(batch) for batch in file.iter_batches(2048, columns=["messages"])] == [2048, 2048, 904]


def test_the_salt_is_the_same_until_it_is_forgotten(tmp_path: Path) -> None:
    """Sealed, it comes back; it is not in its file."""
    folder = opened(tmp_path / "run")
    salt = folder.salt()
    assert len(salt) == 32
    assert RunFolder(folder.path, f"echo {KEY}").salt() == salt
    assert salt not in (folder.private / "salt").read_bytes()


@settings(max_examples=50, deadline=None)
@given(content=st.binary(max_size=200), steps=st.lists(st.tuples(st.integers(-5, 210), st.integers(0, 60))))
def test_what_is_kept_of_standard_input_reads_like_a_file(
    shared: RunFolder, content: bytes, steps: list[tuple[int, int]]
) -> None:
    """Whatever is read from wherever, the encrypted copy gives the same bytes and the same fingerprint as a plain one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_folder, "_PIECE", 32)
        path = shared.keep("stdin", io.BytesIO(content))
        # four bytes may be those that every encrypted file begins with
        assert len(content) < 8 or content not in path.read_bytes()
        plain = io.BytesIO(content)
        with shared.open(path) as file:
            assert file.read() == content
            for place, count in steps:
                whence = os.SEEK_END if place < 0 else os.SEEK_SET
                assert file.seek(max(place, -len(content)), whence) == plain.seek(
                    max(place, -len(content)), whence
                )
                assert file.read(count) == plain.read(count)
        beside = shared.path / "stdin"
        beside.write_bytes(content)
        assert fingerprint([path], shared.open) == fingerprint([beside], shared.open) == fingerprint([beside])


@pytest.fixture(scope="module")
def shared(quick: None, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return opened(tmp_path_factory.mktemp("shared") / "run")


def test_standard_input_of_any_container_is_read_encrypted(shared: RunFolder, logs: Path) -> None:
    """A zip, which must be sought in, and Parquet give the same conversations as their file."""
    rows = [json.loads(line) for line in logs.read_text("utf-8").splitlines()][:50]
    packed, columns = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("chats.jsonl", "\n".join(map(json.dumps, rows)))
    pq.write_table(pa.Table.from_pylist(rows), columns)
    for content in (packed, columns):
        content.seek(0)
        path = shared.keep("stdin", content)
        found = list(sources.open([path], opened=shared.open))
        assert [conversation.id for conversation in found] == [row["id"] for row in rows]


def test_answers_are_kept_under_keyed_hashes_and_sealed(tmp_path: Path) -> None:
    """What was kept comes back, with its surrogates; neither the text nor the hash of a prompt is in the file."""
    path, name = tmp_path / "answers.sqlite", key("m", Prompt((("user", "a secret"),)))
    other = key("m", Prompt((("user", "b"),)))
    answer, refusal = Answer("said \u2028 \ud800 secretly"), Failure("m: declines it", True)
    cipher = Cipher(b"k" * 32)
    store = Store(path, cipher)
    store.keep(name, answer, stage="facets", model="m")
    store.keep(other, refusal, stage="facets", model="m")
    assert store._do("PRAGMA temp_store").fetchone() == (2,)  # in memory
    files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert not any(word in files for word in (name, other, b"secretly", b"declines"))
    store.close()
    store = Store(path, Cipher(b"k" * 32))
    assert (store.get(name), store.get(other)) == (answer, refusal)
    rows = dict(store._do("SELECT key, text FROM answers").fetchall())
    store._do("UPDATE answers SET text = ? WHERE key = ?", rows[cipher.mark(other)], cipher.mark(name))
    with pytest.raises(StoreError, match="delete it to ask anew"):
        store.get(name)  # a text under another's key
    store.close()
    store = Store(path, Cipher(b"l" * 32))
    assert store.get(name) is None
    store.close()


# its owner's only


def run_of(logs: Path, out: Path, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "clio", "run", str(logs), "--out", str(out), "--quiet", *SET],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        umask=0,
    )


def test_nobody_else_may_read_while_it_runs_nor_after_a_kill_and_the_key_goes_on(
    runs: Path, logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the widest umask every file is 0600 and every folder 0700 at each moment; only the key resumes it, to the same bytes."""
    monkeypatch.setattr(encryption, "_SCRYPT", SCRYPT)
    out = tmp_path / "run"
    process = run_of(logs, out, CLIO_KEY=KEY)
    looked = 0
    while process.poll() is None and not (out / "private" / "embeddings" / "000000.parquet").exists():
        if (out / "private").exists():
            assert loose(out / "private") == []
            looked += 1
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert looked > 5
    assert loose(out / "private") == []
    assert pieces_in(out / "private", logs) == set()
    with pytest.raises(RunError, match="no key is given"):
        clio.run(logs, out, **HOW)
    monkeypatch.setenv(encryption.VARIABLE, KEY)
    vectors = (out / "private" / "embeddings" / "000000.parquet").stat().st_mtime_ns
    clio.run(logs, out, **HOW)
    assert (out / "private" / "embeddings" / "000000.parquet").stat().st_mtime_ns == vectors
    assert loose(out / "private") == []
    monkeypatch.delenv(encryption.VARIABLE)
    clio.run(logs, tmp_path / "plain", **HOW)
    assert published(out) == published(tmp_path / "plain")


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_files_are_narrow_before_a_byte_is_in_them(tmp_path: Path, umask: int) -> None:
    """Whatever the umask, and whatever a killed run left in the way."""
    (tmp_path / "run").mkdir()
    old = os.umask(umask)
    try:
        folder = RunFolder(tmp_path / "run")
        with folder.opened():
            left = folder.private / ".facets.parquet.part"
            left.touch()
            left.chmod(0o644)
            with folder.replacing(folder.file("facets")) as beside:
                assert beside.stat().st_size == 0
                assert loose(folder.private) == []
            Store(folder.private / "answers.sqlite").close()
            stages.embed(folder, ["a"], Fixed(), "k")
            folder.salt()
            assert loose(folder.private) == []
            assert len(list(folder.private.rglob("*"))) >= 7
    finally:
        os.umask(old)


class Fixed:
    """An embedder that says the same of everything."""

    name = "fixed"
    dimensions = 2

    def encode(self, texts: Any) -> Any:
        return np.ones((len(texts), 2), np.float32)


def test_a_copy_with_other_modes_is_narrowed_and_links_are_left_alone(tmp_path: Path) -> None:
    """A run that goes on in a copied folder takes back what the copy gave away, and touches nothing outside."""
    folder = opened(tmp_path / "run", sealed=False)
    (folder.private / "embeddings").mkdir(mode=0o755)
    (folder.private / "embeddings" / "000000.parquet").touch(mode=0o644)
    (tmp_path / "mine").touch(mode=0o644)
    (folder.private / "link").symlink_to(tmp_path / "mine")
    with folder.opened():
        (folder.private / "link").unlink()
        assert loose(folder.private) == []
    assert stat.S_IMODE((tmp_path / "mine").stat().st_mode) == 0o644


# crashes and temporary files

CRASH = """
import os, resource, sys
from clio.cli import main
_, most = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, (most, most))
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(resource.getrlimit(resource.RLIMIT_CORE)[0], flush=True)
os.abort()
"""


@pytest.mark.parametrize("verb", ["run", "estimate"])
def test_a_crash_writes_no_image_of_the_memory(tmp_path: Path, verb: str) -> None:
    """Whatever the limit was before: once a run folder was opened there is no room for a core dump, and none is written."""
    out = tmp_path / "run"
    out.mkdir()  # one that a failing command leaves alone
    with (tmp_path / "said").open("w") as said:
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-c", CRASH, verb, "missing.jsonl", "--out", str(out)],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, said.fileno(), n) for n in (1, 2)],
        )
        _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == signal.SIGABRT
    assert not os.WCOREDUMP(status)
    lines = (tmp_path / "said").read_text().splitlines()
    assert (out / "private").is_dir()
    assert int(lines[1]) in {0, 1}, lines


WATCH = """
import os, sys
kept = []
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
        # tempfile tries whether it could write, with the word "blat"
        if sys._getframe(1).f_code.co_name != "_get_default_tempdir":
            kept.append(os.fsdecode(arguments[0]))
    elif event in ("tempfile.mkstemp", "tempfile.mkdtemp", "os.mkdir"):
        kept.append(os.fsdecode(arguments[0]))
sys.addaudithook(watch)
from clio.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print("\\n".join(sorted(set(map(os.path.abspath, kept)))))
"""


@pytest.mark.parametrize("verb", ["run", "estimate"])
def test_nothing_is_written_outside_the_run_folder(logs: Path, tmp_path: Path, verb: str) -> None:
    """Every file that is opened for writing is in it or, for an estimate without one, in one beside it that is gone at the end."""
    for name in ("temporary", "home"):
        (tmp_path / name).mkdir()
    out = ["--out", str(tmp_path / "run")] if verb == "run" else []
    done = subprocess.run(
        [sys.executable, "-c", WATCH, verb, str(logs), *out, "--quiet", "--json", *SET],
        env={
            **{
                name: value
                for name, value in os.environ.items()
                if name not in {"CI", "ORT_DISABLE_TELEMETRY"}
            },
            "HOME": str(tmp_path / "home"),
            "TMPDIR": str(tmp_path / "temporary"),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    summary, *written = done.stdout.splitlines()
    assert json.loads(summary)["conversations"] == 126
    assert any("conversations.parquet" in path for path in written)
    places = (str(tmp_path / "run"), str(tmp_path / "clio-run-chats.estimate-"))
    assert [path for path in written if path != os.devnull and not path.startswith(places)] == []
    assert {path.name for path in tmp_path.iterdir()} == {
        "home",
        "temporary",
        *(["run"] if verb == "run" else []),
    }
    # nor by a library of another language: onnxruntime would leave an identifier in both
    assert [*(tmp_path / "temporary").rglob("*"), *(tmp_path / "home").rglob("*")] == []


def test_a_purge_in_between_leaves_no_hold_on_nothing(tmp_path: Path) -> None:
    """Two runs cannot both hold a folder, even if its lock was deleted under the first."""
    folder = opened(tmp_path / "run", sealed=False)

    def race() -> Iterator[None]:
        with folder.lock():
            (folder.private / "lock").unlink()
            yield

    for _ in race():
        with folder.lock():
            pass
    with folder.lock(), pytest.raises(RunError, match="another run"), RunFolder(folder.path).lock():
        pass
