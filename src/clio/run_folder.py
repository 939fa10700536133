"""A run is a folder: ``run.toml``, one file a stage in ``private/``, and ``insights/`` that alone may be shared.

A stage is done when its file is there and its key (inputs, settings, code) matches; otherwise it is made again. Files appear whole or not
at all: each is written beside its place and renamed. One process at a time works in a folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import tomlkit

from clio.errors import RunError

_SALT_BYTES = 32


def key_of(*parts: Any) -> str:
    """A stage's key: a hash of what it depends on (JSON values)."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def fingerprint(paths: list[Path]) -> str:
    """A hash of the inputs: names without folders, sizes and contents, read in blocks."""
    found = hashlib.sha256()
    for path in paths:
        found.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                found.update(block)
    return found.hexdigest()[:32]


def content_hash(table: pa.Table) -> str:
    """A hash of a table's values."""
    found = hashlib.sha256()
    for batch in table.combine_chunks().to_batches(max_chunksize=1 << 16):
        found.update(batch.serialize())
    return found.hexdigest()[:32]


class RunFolder:
    """One run's folder and its stages. Nothing in it is named after a person's text."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.private = path / "private"
        self.insights = path / "insights"

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

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for one process; a killed process's hold ends with it.

        Raises:
            RunError: if another process works in it.
        """
        with (self.private / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise RunError(
                    f"{self.path}: another run works in this folder; wait for it or choose another --out"
                ) from None
            yield

    def salt(self) -> bytes:
        """The key that hashes user ids: made once, kept while the run is unfinished."""
        path = self.private / "salt"
        if not path.exists():
            self.write_bytes(path, secrets.token_bytes(_SALT_BYTES))
        return path.read_bytes()

    def forget_salt(self) -> None:
        """Throw the salt away, after which nobody can link a hashed id to a person."""
        (self.private / "salt").unlink(missing_ok=True)

    def stage(self, name: str, key: str, make: Callable[[], pa.Table]) -> pa.Table:
        """The table of a stage: read if it was made with this key, otherwise made and stored."""
        if not self.is_done(name, key):
            table = make()
            self.write_table(name, key, table)
        return pq.read_table(self.file(name))

    def file(self, name: str) -> Path:
        """Where a stage keeps its table."""
        return self.private / f"{name}.parquet"

    def is_done(self, name: str, key: str) -> bool:
        """Whether a stage's file is there and was made with this key."""
        try:
            metadata = pq.read_schema(self.file(name)).metadata or {}
        except (OSError, pa.ArrowInvalid):
            return False
        return metadata.get(b"clio.key") == key.encode()

    def write_table(self, name: str, key: str, table: pa.Table) -> None:
        """Store a stage's table with its key."""
        with self.replacing(self.file(name)) as path:
            pq.write_table(with_key(table.schema, key, table), path, compression="zstd")

    @contextmanager
    def replacing(self, path: Path) -> Iterator[Path]:
        """A path to write to, which takes the place of ``path`` once it is whole."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.part")
        yield beside
        beside.chmod(0o600)
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
            beside.write_text(tomlkit.dumps(_toml(facts)), "utf-8")

    def facts(self) -> dict[str, Any]:
        """What ``run.toml`` says, empty if there is none."""
        path = self.path / "run.toml"
        return tomlkit.parse(path.read_text("utf-8")).unwrap() if path.is_file() else {}


def with_key(schema: pa.Schema, key: str, table: pa.Table) -> pa.Table:
    """The table with its stage's key in the schema's metadata."""
    return table.replace_schema_metadata({**(schema.metadata or {}), b"clio.key": key.encode()})


def hashed_user(salt: bytes, user: str) -> str:
    """A user id as the run knows it: 16 hexadecimal digits of HMAC-SHA256 with the run's salt."""
    return hmac.new(salt, user.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:16]


def _toml(value: Any) -> Any:
    """The value without what TOML cannot say: None is left out."""
    if isinstance(value, Mapping):
        return {str(key): _toml(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [_toml(inner) for inner in value if inner is not None]
    return value


def find(path: str | Path) -> RunFolder:
    """The run folder at a path.

    Raises:
        RunError: if there is none, or it has nothing published.
    """
    folder = RunFolder(Path(path))
    if not folder.path.is_dir():
        raise RunError(f"{path}: no such run folder; make one with: clio run LOGS --out {path}")
    if not (folder.insights / "insights.json").is_file():
        raise RunError(f"{path}: has no insights yet; finish it with: clio run LOGS --out {path}")
    return folder


def purge(path: str | Path) -> list[str]:
    """Delete a run's private zone, all that may hold text of people; the insights stay.

    Returns:
        The names of what was deleted.

    Raises:
        RunError: if there is no run folder, or a run works in it.
    """
    folder = find(path)
    if not folder.private.is_dir():
        return []
    with folder.lock():
        names = sorted(entry.name for entry in folder.private.iterdir())
        shutil.rmtree(folder.private)
    return names
