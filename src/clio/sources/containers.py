"""Files to records: JSON Lines, JSON, CSV and Parquet; plain, gzip, Zstandard or zip. Memory is bounded by one record."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import ijson
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from clio.errors import SourceError

_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip", b"PAR1": "parquet"}
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SKIPPED = frozenset(
    {
        "user.json",
        "users.json",
        "message_feedback.json",
        "model_comparisons.json",
        "shared_conversations.json",
        "projects.json",
        "memories.json",
    }
)
# keys under which one object holds all conversations of a file
_LISTS = frozenset({"data", "conversations", "chats", "rows", "items", "records", "results", "logs"})
ENDINGS = (".jsonl", ".json", ".ndjson", ".csv", ".tsv", ".parquet", ".gz", ".zst", ".zip")


@dataclass(frozen=True, slots=True)
class Limits:
    """What is set aside as too much: characters and messages of a conversation, bytes of a record, characters of a text column."""

    max_characters: int = 400_000
    max_messages: int = 10_000
    max_record_bytes: int = 64 << 20


@dataclass(frozen=True, slots=True)
class Broken:
    """A record that could not be read, and why, in words of ours."""

    reason: str


Item = dict[str, Any] | Broken


def records(
    path: Path, limits: Limits, opened: Callable[[Path], IO[bytes]] | None = None
) -> Iterator[tuple[str, Iterator[Item]]]:
    """The tables of a file, each with its name: one, or one a member of a zip; ``opened`` opens it in place of ``Path.open``.

    Raises:
        SourceError: if the file cannot be opened or is of no known container.
    """
    with _opened(path, opened) as raw:
        kind = _kind(raw)
        if kind == "zip":
            try:
                with zipfile.ZipFile(raw) as archive:
                    for info in archive.infolist():
                        name = Path(info.filename).name
                        if info.is_dir() or name in _SKIPPED or not name.lower().endswith(ENDINGS):
                            continue
                        with archive.open(info) as member:
                            stream: Any = io.BufferedReader(member)
                            yield f"{path.name}/{name}", _items(stream, name, _kind(stream), limits)
            except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError):
                raise SourceError(f"{path}: a broken or locked zip; export it again") from None
        else:
            yield path.name, _items(raw, path.name, kind, limits)


@contextmanager
def _opened(path: Path, opened: Callable[[Path], IO[bytes]] | None) -> Iterator[IO[bytes]]:
    try:
        file = opened(path) if opened else path.open("rb")
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({(error.strerror or 'error').lower()})") from None
    with file:
        yield file


def _kind(stream: IO[bytes]) -> str:
    head = stream.peek(8)[:8] if hasattr(stream, "peek") else b""
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "plain")


def _items(stream: Any, name: str, kind: str, limits: Limits) -> Iterator[Item]:
    try:
        if kind == "gzip":
            inner = io.BufferedReader(gzip.GzipFile(fileobj=stream))
            yield from _plain(inner, name.removesuffix(".gz"), limits)
        elif kind == "zstd":
            unpacked = pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd")
            yield from _plain(io.BufferedReader(_Readable(unpacked)), name.removesuffix(".zst"), limits)
        elif kind == "parquet":
            yield from _parquet(stream if stream.seekable() else io.BytesIO(stream.read()))
        else:
            yield from _plain(stream, name, limits)
    except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, OSError, pa.ArrowException):
        # what was read so far stands; the rest of a broken archive is one broken record
        yield Broken("broken archive")


class _Readable(io.RawIOBase):
    """An Arrow stream as Python's buffered readers want it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._stream.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _plain(stream: Any, name: str, limits: Limits) -> Iterator[Item]:
    head = stream.peek(4096)[:4096]
    if _kind(stream) == "parquet":
        yield from _parquet(io.BytesIO(stream.read()))
        return
    bom = next((encoding for mark, encoding in _BOMS if head.startswith(mark)), None)
    if bom == "utf-8-sig":
        stream.read(3)
    elif bom == "utf-16":
        with _text(stream, "utf-16", "replace") as text:
            yield from _plain(io.BufferedReader(_Encoded(text)), name, limits)
        return
    head = stream.peek(1 << 16)[: 1 << 16].lstrip()
    if not head:
        return
    if name.lower().endswith((".csv", ".tsv")) or head[:1] not in b"[{":
        if not name.lower().endswith((".csv", ".tsv")) and b"," not in head.split(b"\n", 1)[0]:
            yield Broken("broken JSON")
            return
        yield from _csv(stream, "\t" if name.lower().endswith(".tsv") else ",", limits)
    elif head[:1] == b"[":
        yield from _array(stream, "item")
    elif (key := _list_key(head)) and (_is_one_object(head) or b"\n" not in head.strip()):
        yield from _array(stream, f"{key}.item")
    elif _is_one_object(head):
        content = stream.read(limits.max_record_bytes + 1)
        yield Broken("too long") if len(content) > limits.max_record_bytes else _parsed(content)
    else:
        yield from _lines(stream, limits)


@contextmanager
def _text(stream: Any, encoding: str, errors: str) -> Iterator[io.TextIOWrapper]:
    """A byte stream as text; the stream stays its owner's to close."""
    text = io.TextIOWrapper(stream, encoding, errors=errors, newline="")
    try:
        yield text
    finally:
        text.detach()


class _Encoded(io.RawIOBase):
    """A text stream as UTF-8 bytes."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text, self._left = text, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            self._left = self._text.read(8192).encode("utf-8", "surrogatepass")
        chunk, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _is_one_object(head: bytes) -> bool:
    """Whether a file that begins with "{" is one JSON object over several lines rather than one a line."""
    first = head.split(b"\n", 1)[0].strip()
    return first in {b"{"} or (not first.endswith(b"}") and b"\n" in head and not first.endswith(b"}\r"))


def _lines(stream: io.BufferedReader, limits: Limits) -> Iterator[Item]:
    while line := stream.readline(limits.max_record_bytes + 1):
        if len(line) > limits.max_record_bytes and not line.endswith(b"\n"):
            while (more := stream.readline(1 << 20)) and not more.endswith(b"\n"):
                pass
            yield Broken("too long")
        elif line.strip():
            yield _parsed(line)


def _parsed(line: bytes) -> Item:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        said = str(error)
        if "recursion" in said:
            return Broken("nested too deep")
        if "UTF-8" in said or "utf-8" in said:
            return Broken("wrong encoding")
        try:
            # the standard library takes lone surrogates and NaN, which real logs hold
            value = json.loads(line)
        except RecursionError:
            return Broken("nested too deep")
        except ValueError:
            return Broken("broken JSON")
    return value if isinstance(value, dict) else Broken("no object")


def _array(stream: io.BufferedReader, prefix: str) -> Iterator[Item]:
    """The objects of a JSON array, streamed."""
    try:
        for value in ijson.items(stream, prefix, use_float=True):
            yield value if isinstance(value, dict) else Broken("no object")
    except ijson.JSONError as error:
        yield Broken("wrong encoding" if "utf" in str(error).lower() else "broken JSON")
    except RecursionError:
        yield Broken("nested too deep")


def _list_key(head: bytes) -> str | None:
    """The first key of an object that holds a list of objects, if the object is no conversation itself."""
    found = None
    try:
        depth_one = None
        for prefix, event, value in ijson.parse(io.BytesIO(head)):
            if prefix == "" and event == "map_key":
                if value in {"messages", "mapping", "chat_messages", "conversation"}:
                    return None
                depth_one = value
            elif depth_one in _LISTS and prefix == depth_one and event == "start_array":
                found = depth_one
            elif found and prefix == f"{found}.item" and event == "map_key":
                return None if value in {"role", "from"} else found
    except ijson.JSONError:
        return found
    return found


@contextmanager
def cells_up_to(characters: int) -> Iterator[None]:
    """Let a CSV cell be as long as this in what is read meanwhile; csv's own limit is one for the whole process, so it is put back."""
    before = csv.field_size_limit(characters)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _csv(stream: io.BufferedReader, delimiter: str, limits: Limits) -> Iterator[Item]:
    with _text(stream, "utf-8", "surrogateescape") as text:
        rows = csv.DictReader(text, delimiter=delimiter)
        while True:
            try:
                with cells_up_to(limits.max_record_bytes):
                    row = next(rows)
            except StopIteration:
                return
            except csv.Error:
                yield Broken("broken row")
                continue
            if None in row or any(value is None for value in row.values()):
                yield Broken("broken row")
            elif any("\udc80" <= c <= "\udcff" for value in row.values() for c in value if not c.isascii()):
                yield Broken("wrong encoding")
            else:
                yield {key: _cell(value) for key, value in row.items()}


def _cell(value: str) -> Any:
    """A cell that holds a JSON list or object as that; any other as its text."""
    if value[:1] in "[{" and value[-1:] in "]}" and value:
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value or None


def _parquet(file: Any) -> Iterator[Item]:
    yield from rows(pq.ParquetFile(file).iter_batches(512))


def rows(batches: Any) -> Iterator[Item]:
    """The rows of Arrow record batches; text columns that hold JSON lists are read as such."""
    for batch in batches:
        for row in batch.to_pylist():
            yield {
                key: _cell(value) if isinstance(value, str) and value[:1] in "[{" and value else value
                for key, value in row.items()
            }
