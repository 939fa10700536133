"""Raw logs to conversations: opens any container, finds the format by looking, and sets aside what cannot be used."""

from __future__ import annotations

import glob
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from clio.conversation import Conversation
from clio.errors import SourceError
from clio.run_folder import is_run
from clio.sources import containers, exports, messages, wildchat
from clio.sources.common import Unfit
from clio.sources.containers import Broken, Item, Limits
from clio.text import word_list

__all__ = ["FORMATS", "Limits", "Rejected", "expand", "open"]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that was set aside: which input and which record of it (both from 0), and why. Never its text."""

    source: int
    position: int
    reason: str


@dataclass(frozen=True, slots=True)
class _Shape:
    name: str
    description: str
    example: str
    fits: Callable[[Mapping[str, Any]], bool]
    read: Callable[[Mapping[str, Any]], Conversation]


# the more particular before the more general
_SHAPES = (
    _Shape(
        "chatgpt",
        "ChatGPT data export (the zip, or conversations.json)",
        "clio run chatgpt-export.zip --set users=conversation",
        exports.is_chatgpt,
        exports.read_chatgpt,
    ),
    _Shape(
        "claude",
        "claude.ai data export (the zip, or conversations.json)",
        "clio run claude-export.zip --set users=conversation",
        exports.is_claude,
        exports.read_claude,
    ),
    _Shape(
        "wildchat",
        "WildChat-1M and -4.8M",
        "clio run 'wildchat/*.parquet'",
        wildchat.is_wildchat,
        wildchat.read,
    ),
    _Shape(
        "lmsys",
        "LMSYS-Chat-1M",
        "clio run 'lmsys/*.parquet' --set users=conversation",
        wildchat.is_lmsys,
        wildchat.read,
    ),
    _Shape(
        "sharegpt",
        "ShareGPT: conversations with from and value",
        "clio run sharegpt.json",
        messages.is_sharegpt,
        messages.read_sharegpt,
    ),
    _Shape(
        "kura",
        "Kura dump: chat_id and messages",
        "clio run conversations.json",
        messages.is_kura,
        messages.read_kura,
    ),
    _Shape(
        "messages",
        "OpenAI and Hugging Face: messages with role and content",
        "clio run logs.jsonl",
        messages.is_messages,
        messages.read_messages,
    ),
    _Shape(
        "pairs",
        "prompt and response (or completion) as plain text",
        "clio run prompts.csv",
        messages.is_pair,
        messages.read_pair,
    ),
)
_CLAUDE_CODE = (
    "claude-code",
    "Claude Code sessions, one file each",
    "clio run ~/.claude/projects --set users=conversation",
)
#: (name, description, example) of each format
FORMATS = (*((shape.name, shape.description, shape.example) for shape in _SHAPES), _CLAUDE_CODE)
_BY_NAME = {shape.name: shape for shape in _SHAPES}


def expand(logs: Iterable[str | Path]) -> list[Path]:
    """The files behind paths, globs and folders (searched through, in order of their names).

    Raises:
        SourceError: for a path where there is nothing, or a folder without logs.
    """
    return [path for path, _ in _expanded(logs)]


def _expanded(logs: Iterable[str | Path]) -> list[tuple[Path, bool]]:
    """The files, each with whether it was named itself; run folders are passed over, whose conversations would count twice."""
    found: list[tuple[Path, bool]] = []
    for log in logs:
        path = Path(log).expanduser()
        if path.is_dir():
            if is_run(path):
                raise SourceError(f"{log}: is a run folder, not a log; look at it with: clio show {log}")
            inside = list(_inside(path))
            if not inside:
                raise SourceError(
                    f"{log}: a folder without logs; looked for files ending in {', '.join(containers.ENDINGS)}"
                )
            found += [(p, False) for p in inside]
        elif path.exists():
            found.append((path, True))
        else:
            matches = [Path(p) for p in sorted(glob.glob(str(path), recursive=True)) if Path(p).is_file()]
            if not matches:
                raise SourceError(
                    f"{log}: no such file; give a file, a folder, a glob in quotes, or - for standard input"
                )
            found += [(p, False) for p in matches if not any(map(is_run, p.parents))]
    return found


def _inside(folder: Path) -> Iterator[Path]:
    """The log files of a folder and of those in it, in order of their names."""
    for path in sorted(folder.iterdir()):
        ledger = (path / "key").is_file() and (path / "lock").is_file()
        if path.is_dir() and not (path.is_symlink() or ledger or is_run(path)):
            yield from _inside(path)
        elif path.is_file() and path.name.lower().endswith(containers.ENDINGS):
            yield path


def open(
    logs: Sequence[str | Path] | Any,
    *,
    format: str = "auto",
    columns: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    opened: Callable[[Path], IO[bytes]] | None = None,
) -> Iterator[Conversation | Rejected]:
    """Read conversations from logs, one at a time.

    Args:
        logs: paths, globs and folders, or a frame with ``__arrow_c_stream__``.
        format: a name of ``FORMATS``; "auto" looks at each record.
        columns: for a format of one's own: where messages (or text, or prompt and response), id, user, created_at, model, country, language
            stand, as dotted paths; without the first, where the others stand in records of a known format.
        limits: what is too much.
        opened: opens a file in place of ``Path.open``.

    Yields:
        Conversations, and what was set aside. Each id comes once.

    Raises:
        SourceError: for an unknown format, a missing file, or logs of which nothing can be used.
    """
    if format not in {"auto", "claude-code", *_BY_NAME}:
        near = get_close_matches(format, [*_BY_NAME, "claude-code"], 1)
        raise SourceError(
            f"no format '{format[:20]}'{f'; did you mean {near[0]}?' if near else ''} (clio sources lists them)"
        )
    return _read(logs, format, columns or {}, limits or Limits(), opened)


def _read(
    logs: Any,
    format_: str,
    columns: Mapping[str, str],
    limits: Limits,
    opened: Callable[[Path], IO[bytes]] | None,
) -> Iterator[Conversation | Rejected]:
    seen: set[bytes] = set()
    if hasattr(logs, "__arrow_c_stream__"):
        table = containers.rows(pa.RecordBatchReader.from_stream(logs))
        yield from _Reader(0, "the frame", format_, columns, limits, seen).read(table, must=True)
        return
    files = _expanded(logs)
    usable, reader = 0, None
    for number, (path, named) in enumerate(files):
        inside = 0
        for name, items in containers.records(path, limits, opened):
            reader = _Reader(
                number,
                str(path) if name == path.name else f"{path}/{Path(name).name}",
                format_,
                columns,
                limits,
                seen,
            )
            yield from reader.read(items, must=False)
            inside += reader.usable
        usable += inside
        if named and not inside:
            raise (
                reader.nothing()
                if reader
                else SourceError(
                    f"{path}: holds no logs; looked for files ending in {', '.join(containers.ENDINGS)}"
                )
            )
    if not usable and reader:
        raise reader.nothing()


class _Reader:
    """Reads the records of one table, trying the shape that fitted last first."""

    def __init__(
        self,
        source: int,
        name: str,
        format_: str,
        columns: Mapping[str, str],
        limits: Limits,
        seen: set[bytes],
    ) -> None:
        self.usable = 0
        self._source, self._name, self._limits, self._seen = source, name, limits, seen
        own = not messages.SAID.isdisjoint(columns)
        # of a format that is known, these are where its readers do not look
        self._beside = {} if own else columns
        if own:
            reads = partial(messages.read_columns, columns=columns)
            self._shapes = [_Shape("columns", "", "", lambda _record: True, reads)]
        else:
            self._shapes = [_BY_NAME[format_]] if format_ in _BY_NAME else list(_SHAPES)
        self._fold = format_ == "claude-code" or (format_ == "auto" and not own)
        self._reasons: Counter[str] = Counter()
        self._mismatch: tuple[int, str, list[str]] | None = None

    def read(self, items: Iterable[Item], *, must: bool) -> Iterator[Conversation | Rejected]:
        """Read all records; with ``must``, raise if none can be used."""
        lines: list[Mapping[str, Any]] = []
        position = -1
        for position, item in enumerate(items):
            if isinstance(item, Broken):
                yield self._aside(position, item.reason)
            elif self._fold and (
                exports.is_claude_code(item) or (lines and "type" in item and "messages" not in item)
            ):
                lines.append(item)
            elif self._fold and item.get("type") == "summary" and "leafUuid" in item:
                continue
            else:
                yield self._conversation(position, item)
        for found in exports.fold_claude_code(lines):
            yield self._checked(position, found)
        if must and not self.usable:
            raise self.nothing()

    def _conversation(self, position: int, record: Mapping[str, Any]) -> Conversation | Rejected:
        for i, shape in enumerate(self._shapes):
            if not shape.fits(record):
                continue
            try:
                found = shape.read(record)
            except Unfit as misfit:
                self._mismatch = self._mismatch or (position, misfit.path, _key_names(record))
                return self._aside(position, "unknown shape")
            if i:
                self._shapes.insert(0, self._shapes.pop(i))
            if self._beside:
                metadata = {k: v for k, v in found.metadata.items() if k not in self._beside.values()}
                found = replace(found, metadata=metadata, **messages.told(record, self._beside))
            return self._checked(position, found)
        self._mismatch = self._mismatch or (position, "", _key_names(record))
        return self._aside(position, "unknown shape")

    def _checked(self, position: int, found: Conversation) -> Conversation | Rejected:
        if (
            len(found.messages) > self._limits.max_messages
            or sum([len(m.content) for m in found.messages]) > self._limits.max_characters
        ):
            return self._aside(position, "too long")
        if not any(m.role == "user" and m.content.strip() for m in found.messages):
            return self._aside(position, "no user message" if found.messages else "empty")
        if not found.id:
            found = replace(found, id=f"{self._source}-{position}")
        mark = hashlib.blake2b(found.id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        if mark in self._seen:
            return self._aside(position, "duplicate id")
        self._seen.add(mark)
        self.usable += 1
        return found

    def _aside(self, position: int, reason: str) -> Rejected:
        self._reasons[reason] += 1
        return Rejected(self._source, position, reason)

    def nothing(self) -> SourceError:
        """The error of a table of which nothing can be used; names the first place that did not fit."""
        if self._mismatch:
            position, path, keys = self._mismatch
            shown = f"; its keys: {', '.join(keys)}" if keys else ""
            what = f"does not fit at {path}" if path else "is of no known format"
            return SourceError(
                f"{self._name}: record {position} {what}{shown}. "
                "Say --format NAME, or map its columns: --set columns.messages=KEY (clio sources lists formats)"
            )
        if not self._reasons:
            return SourceError(f"{self._name}: is empty")
        counts = ", ".join(f"{n:,} {reason}" for reason, n in self._reasons.most_common(4))
        return SourceError(
            f"{self._name}: no record can be used ({counts}); clio sources lists the formats that are understood"
        )


# parts of a key: "chat_turns", "userId"
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def _key_names(record: Mapping[str, Any]) -> list[str]:
    """Up to six keys made of words that columns are named with; a key may be anything, even a person's name."""
    from clio.privacy.support import free_words  # only where something went wrong

    known = free_words() | word_list("column_words")
    return [
        key
        for key in record
        if isinstance(key, str)
        and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.\-]{0,39}", key)
        and known.issuperset(part.casefold() for part in _PARTS.findall(key))
    ][:6]
