"""A run is a folder: ``run.toml``, one file a stage in ``private/``, and ``insights/`` that alone may be shared.

A stage is done when its file is there and its key (inputs, settings, code) matches; otherwise it is made again. Files appear whole or not
not at all: each is written beside its place and renamed. One process at a time works in a folder.

``private/`` and all in it is for its owner only from the first byte, and encrypted if there is a key (``clio.encryption``): it is read and
written through ``RunFolder`` alone.
"""

from __future__ import annotations

import fcntl
import io
import os
import secrets
import shutil
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
import tomli_w

from clio import encryption
from clio.encryption import Cipher
from clio.errors import ClioError, RunError
from clio.process import no_core_dumps, seldom_collected

_SALT_BYTES = 32
_PIECE = 4 << 20  # bytes of standard input that are encrypted at a time
_NO_TEXT = frozenset(
    {"lock", "since", f".{encryption.HEADER}.part"}
)  # what may be there before there is a key
_RESULTS = {".parquet", ".sqlite"}  # files that are worth going on from
_ENCRYPTED = b"PARE"  # how an encrypted Parquet file begins


class RunFolder:
    """One run's folder and its stages. Nothing in it is named after a person's text.

    ``key_command`` prints the key that encrypts its private zone; without it that is CLIO_KEY, if set.
    """

    def __init__(self, path: Path, key_command: str | None = None) -> None:
        self.path = path
        self.private = path / "private"
        self.insights = path / "insights"
        self.key_command = key_command

    @cached_property
    def cipher(self) -> Cipher | None:
        """What encrypts the private zone, None if it was made without a key.

        Raises:
            RunError: the key is missing or wrong.
        """
        return encryption.unlocked(self.private, self.key_command)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Make the folder if it is missing, and hold it for this process while it works on it.

        Raises:
            RunError: as ``create`` and ``lock``; the key is missing or wrong, or the private zone holds what was written without one.
        """
        no_core_dumps()
        made = not self.path.exists()
        self.create()
        try:
            with self.lock(), seldom_collected():
                self._begin()
                yield
        except ClioError:
            # nothing came of it: a wrong path or setting leaves no folder behind
            if made and not any(path.suffix in _RESULTS for path in self.private.glob("[!.]*")):
                shutil.rmtree(self.path)
            raise

    def create(self) -> None:
        """Make the folders; ``private`` is for its owner only.

        Raises:
            RunError: if a file is in the way or the place cannot be written.
        """
        if self.path.exists() and not self.path.is_dir():
            raise RunError(f"{self.path}: is a file, not a run folder; choose another --out")
        if (
            self.path.is_dir()
            and any(self.path.iterdir())
            and not (self.private.is_dir() or (self.path / "run.toml").exists())
        ):
            raise RunError(f"{self.path}: is not empty and no run folder; choose another --out")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.private.mkdir(mode=0o700, exist_ok=True)
            self.private.chmod(0o700)
        except OSError as error:
            raise RunError(
                f"{self.path}: cannot be written ({error.strerror}); choose another --out"
            ) from None

    def _begin(self) -> None:
        """Bring the private zone in order: its modes, since when there is one, and its key."""
        for folder, inner, files in os.walk(self.private):  # a copy may have got other modes
            for name in (*inner, *files):
                path = Path(folder, name)
                if not path.is_symlink():
                    path.chmod(0o700 if name in inner else 0o600)
        header = self.private / encryption.HEADER
        # a command may ask its owner something: it is run once
        if not header.exists() and (phrase := encryption.passphrase(self.key_command)):
            if any(entry.name not in _NO_TEXT for entry in self.private.iterdir()):
                raise RunError(
                    f"{self.private}: was written without a key; clio purge {self.path} to start anew with one, "
                    f"or go on without (no {encryption.VARIABLE}, no encryption_key_command)"
                )
            content, cipher = encryption.begun(phrase)
            self.write_bytes(header, content)
            self.cipher = cipher
        # a key that does not fit is told before anything is read
        if not self.cipher and any((p / encryption.HEADER).is_file() for p in self.path.resolve().parents):
            raise RunError(
                f"{self.path}: lies in an encrypted folder and would not be encrypted itself; set {encryption.VARIABLE}"
            )
        if not (self.private / "since").exists():
            self.write_bytes(self.private / "since", datetime.now(UTC).date().isoformat().encode())

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for one process; a killed process's hold ends with it.

        Raises:
            RunError: if another process works in it.
        """
        path = self.private / "lock"
        with os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600), "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # one that a purge has deleted in between holds nothing
                held = path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno()))
            except OSError:
                held = False
            if not held:
                raise RunError(
                    f"{self.path}: another run works in this folder; wait for it or choose another --out"
                )
            yield

    def salt(self) -> bytes:
        """The key that hashes user ids: made once, kept while the run is unfinished."""
        path = self.private / "salt"
        if not path.exists():
            made = secrets.token_bytes(_SALT_BYTES)
            self.write_bytes(path, self.cipher.seal(made, b"salt") if self.cipher else made)
        kept = path.read_bytes()
        return self.cipher.unseal(kept, b"salt") if self.cipher else kept

    def forget_salt(self) -> None:
        """Throw the salt away, after which nobody can link a hashed id to a person."""
        (self.private / "salt").unlink(missing_ok=True)

    def stage(self, name: str, key: str, make: Callable[[], pa.Table]) -> pa.Table:
        """The table of a stage: read if it was made with this key, otherwise made and stored."""
        if not self.is_done(name, key):
            table = make()
            self.write_table(name, key, table)
        return self.read(name)

    def file(self, name: str) -> Path:
        """Where a stage keeps its table."""
        return self.private / f"{name}.parquet"

    def restrict(self) -> None:
        """Make the insights of a restricted run their owner's only."""
        self.insights.chmod(0o700)
        for path in self.insights.iterdir():
            path.chmod(0o600)

    def move(self, name: str, to: str) -> None:
        """Give a stage's file another name, in the place of one that has it."""
        self.file(name).replace(self.file(to))

    def is_done(self, name: str, key: str) -> bool:
        """Whether a stage's file is there and was made with this key."""
        try:
            with self._parquet(self.file(name)) as file:
                metadata = file.schema_arrow.metadata or {}
        except (OSError, pa.ArrowInvalid):
            return False
        return bool(metadata.get(b"clio.key") == key.encode())

    def parquet(self, name: str) -> Any:
        """A stage's file, a ``pyarrow.parquet.ParquetFile``, to read it piece by piece; to be closed.

        Raises:
            RunError: it is missing or cannot be read.
        """
        try:
            return self._parquet(self.file(name))
        except (OSError, pa.ArrowInvalid):
            raise self._unreadable(name) from None

    def read(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """A stage's table, or some of its columns.

        Raises:
            RunError: it is missing or cannot be read.
        """
        try:
            with self._parquet(self.file(name)) as file:
                return file.read(columns=None if columns is None else list(columns))
        except (OSError, pa.ArrowInvalid):
            raise self._unreadable(name) from None

    def rows(self, name: str) -> int:
        """How many rows a stage's table has."""
        with self.parquet(name) as file:
            return int(file.metadata.num_rows)

    def write_table(self, name: str, key: str, table: pa.Table) -> None:
        """Store a stage's table with its key."""
        with self.writer(name, key, table.schema) as writer:
            writer.write_table(with_key(table.schema, key, table))

    @contextmanager
    def writer(self, name: str, key: str, schema: pa.Schema) -> Iterator[Any]:
        """A ``pyarrow.parquet.ParquetWriter`` of a stage's file, which takes its place once all is written."""
        schema = schema.with_metadata({**(schema.metadata or {}), b"clio.key": key.encode()})
        # vectors have nothing to look up or compare, and looking takes longer than a fast embedder
        words = not any(pa.types.is_fixed_size_list(field.type) for field in schema)
        with (
            self.replacing(self.file(name)) as path,
            self._parquet_writer(path, schema, words) as writer,
        ):
            yield writer

    def _parquet_writer(self, path: Path, schema: pa.Schema, words: bool) -> Any:
        """A writer with a dictionary and statistics of the columns, or without."""
        return pq.ParquetWriter(
            path,
            schema,
            compression="zstd",
            use_dictionary=words,
            write_statistics=words,
            encryption_properties=self._writing(),
        )

    def keep(self, name: str, stream: IO[bytes]) -> Path:
        """Keep a stream of bytes in the private zone; returns its path, which ``open`` opens."""
        path = self.private / name
        with self.replacing(path) as beside:
            if self.cipher:
                schema = pa.schema([("piece", pa.binary())])
                # no statistics, which would hold the first and last piece once more
                with self._parquet_writer(beside, schema, words=False) as writer:
                    while piece := stream.read(_PIECE):
                        writer.write_table(pa.table({"piece": [piece]}, schema))
            else:
                with beside.open("wb") as file:
                    shutil.copyfileobj(stream, file)
        return path

    def open(self, path: Path) -> IO[bytes]:
        """A file to read, decrypted if it is one that was kept in this private zone."""
        if path.parent != self.private or not self.cipher:
            return path.open("rb")
        return io.BufferedReader(encryption.Pieces(self._parquet(path), _PIECE))

    def _writing(self) -> Any:
        return self.cipher.writing() if self.cipher else None

    def _parquet(self, path: Path) -> Any:
        """Raises OSError or ArrowInvalid where the file is missing, damaged or not encrypted as it should be."""
        if not self.cipher:
            return pq.ParquetFile(path)
        with path.open("rb") as file:
            if file.read(len(_ENCRYPTED)) != _ENCRYPTED:  # which pyarrow would read without a word
                raise OSError("not encrypted")
        return pq.ParquetFile(path, decryption_properties=self.cipher.reading())

    def _unreadable(self, name: str) -> RunError:
        return RunError(
            f"{self.file(name)}: is missing or cannot be read; delete it and run the same command again"
        )

    @contextmanager
    def replacing(self, path: Path) -> Iterator[Path]:
        """A path to write to, there and its owner's only, which takes the place of ``path`` once it is whole."""
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700)
            path.parent.chmod(0o700)  # whatever the umask
        beside = path.with_name(f".{path.name}.part")
        beside.unlink(missing_ok=True)
        made = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        os.fchmod(made, 0o600)
        os.close(made)
        yield beside
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(path)

    def write_bytes(self, path: Path, content: bytes) -> None:
        """Write a small file whole."""
        with self.replacing(path) as beside:
            beside.write_bytes(content)

    def note(self, facts: Mapping[str, Any]) -> None:
        """Write ``run.toml``: settings, versions, counts, seconds; never a text of a person."""
        path = self.path / "run.toml"
        with self.replacing(path) as beside:
            beside.write_text(tomli_w.dumps(_toml(facts)), "utf-8")

    def facts(self) -> dict[str, Any]:
        """What ``run.toml`` says, empty if there is none.

        Raises:
            RunError: it cannot be read.
        """
        path = self.path / "run.toml"
        try:
            return tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            raise RunError(f"{path}: not TOML; delete it and run the same command again") from None


def with_key(schema: pa.Schema, key: str, table: pa.Table) -> pa.Table:
    """The table with its stage's key in the schema's metadata."""
    return table.replace_schema_metadata({**(schema.metadata or {}), b"clio.key": key.encode()})


def _toml(value: Any) -> Any:
    """The value without what TOML cannot say: None is left out."""
    if isinstance(value, Mapping):
        return {str(key): _toml(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [_toml(inner) for inner in value if inner is not None]
    return value


def default_out(logs: Any) -> Path:
    """``clio-run-NAME`` in the working directory, named after the first log's file."""
    first = logs[0] if isinstance(logs, list | tuple) and logs else "-"
    name = Path(str(first)).name.split(".")[0]
    kept = "".join(c for c in name if c.isascii() and (c.isalnum() or c in "-_"))[:40]
    return Path(f"clio-run-{kept}" if kept and str(first) != "-" else "clio-run")


def find(path: str | Path, key_command: str | None = None) -> RunFolder:
    """The run folder at a path; ``key_command`` as in ``RunFolder``.

    Raises:
        RunError: if there is none, or it has nothing published.
    """
    folder = RunFolder(Path(path), key_command)
    if not folder.path.is_dir():
        raise RunError(f"{path}: no such run folder; make one with: clio run LOGS --out {path}")
    if not (folder.insights / "insights.json").is_file():
        raise RunError(f"{path}: has no insights yet; finish it with: clio run LOGS --out {path}")
    return folder


def is_run(path: Path) -> bool:
    """Whether a folder is a run's, finished or not."""
    return any((path / mark).is_file() for mark in ("insights/insights.json", "run.toml", "private/since"))


def purge(path: str | Path) -> list[str]:
    """Delete a run's private zone, all that may hold text of people; the insights stay. Needs no key; an unfinished run will do.

    Returns:
        The names of what was deleted.

    Raises:
        RunError: if there is no run folder, a run works in it, or it cannot be deleted.
    """
    folder = purgeable(path)
    if not folder.private.is_dir():
        return []
    try:
        with folder.lock():
            names = sorted(entry.name for entry in folder.private.iterdir())
            # what a key is made from goes first: whatever is left of the rest is of no use then
            (folder.private / encryption.HEADER).unlink(missing_ok=True)
            shutil.rmtree(folder.private)
    except OSError as error:
        raise RunError(
            f"{folder.private}: cannot be deleted ({error.strerror or 'a link'}); delete it by hand"
        ) from None
    return names


def purgeable(path: str | Path) -> RunFolder:
    """The run folder at a path, finished or not.

    Raises:
        RunError: if there is none.
    """
    folder = RunFolder(Path(path))
    if not folder.path.is_dir():
        raise RunError(f"{path}: no such run folder")
    if not is_run(folder.path):
        raise RunError(f"{path}: is no run folder; give one that clio run has made")
    return folder
