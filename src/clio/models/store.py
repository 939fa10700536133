"""Where the answers of chat models are kept, with what they cost: one SQLite file in a run's private zone.

An answer's key is the SHA-256 of the model's name, the messages, the schema and the sampling settings; each answer is committed as it
arrives, so that a killed run pays again only for the calls in flight. With a cipher the texts are encrypted and the keys are keyed hashes,
on which nobody without it can try whether a text was asked about; models, stages, numbers of tokens and names of jobs stay readable.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from dataclasses import astuple, dataclass
from pathlib import Path

from clio.encryption import Cipher
from clio.errors import ModelError, RunError
from clio.models.protocols import Answer, Failure, Prompt, Usage

_TABLES = """
CREATE TABLE IF NOT EXISTS answers (
    key BLOB PRIMARY KEY, text TEXT NOT NULL, refused INTEGER NOT NULL, cut INTEGER NOT NULL, stage TEXT NOT NULL, model TEXT NOT NULL,
    batch INTEGER NOT NULL, input INTEGER NOT NULL, output INTEGER NOT NULL, cached INTEGER NOT NULL, written INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS paid (
    stage TEXT NOT NULL, model TEXT NOT NULL, batch INTEGER NOT NULL,
    input INTEGER NOT NULL, output INTEGER NOT NULL, cached INTEGER NOT NULL, written INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS jobs (
    tag TEXT PRIMARY KEY, model TEXT NOT NULL, stage TEXT NOT NULL, submitted REAL NOT NULL, requests INTEGER NOT NULL, job TEXT,
    fetched INTEGER NOT NULL
) WITHOUT ROWID;
"""


class StoreError(ModelError):
    """The file cannot be read or written."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one stage has cost with one model, earlier sessions included; ``batch`` calls have the price of a batch."""

    stage: str
    model: str
    batch: bool
    calls: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class Submitted:
    """A batch job under way; ``job`` is None if the run was stopped between submitting it and learning its name."""

    tag: str
    stage: str
    since: float
    requests: int
    job: str | None


def key(model: str, prompt: Prompt) -> bytes:
    """What an answer is kept under: 32 bytes that tell nothing of the prompt."""
    content = json.dumps(
        [model, prompt.messages, prompt.temperature, prompt.max_tokens, prompt.schema], sort_keys=True
    )
    return hashlib.sha256(content.encode()).digest()


class Store:
    """Answers, what was paid for beside them, and batch jobs. ``path`` None: in memory; ``cipher`` None: as plain text."""

    def __init__(self, path: Path | None = None, cipher: Cipher | None = None) -> None:
        self._path, self._cipher = path, cipher
        try:
            if path is not None:
                # nobody else's to read from its first byte
                made = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
                os.fchmod(made, 0o600)
                os.close(made)
            self._db = sqlite3.connect(
                path or ":memory:", isolation_level=None, check_same_thread=False, timeout=30
            )
        except (OSError, sqlite3.Error) as error:
            raise self._broken(error) from None
        try:
            self._do("PRAGMA journal_mode = WAL")
            self._do("PRAGMA temp_store = MEMORY")  # never a file elsewhere
            # survives kill -9; a power cut may cost the last few answers
            self._do("PRAGMA synchronous = NORMAL")
            for table in _TABLES.split(";"):
                self._do(table)
            self._do("SELECT cut FROM answers LIMIT 1")
        except ModelError:
            self._db.close()
            raise

    def get(self, name: bytes) -> Answer | Failure | None:
        """What is kept under a key: an answer, a refusal, or nothing."""
        kept = self._cipher.mark(name) if self._cipher else name
        row = self._do(
            "SELECT text, refused, cut, input, output, cached, written FROM answers WHERE key = ?", kept
        ).fetchone()
        if row is None:
            return None
        text, refused, cut, *used = row
        if self._cipher:
            try:
                text = self._cipher.unseal(text, kept).decode("utf-8", "surrogatepass")
            except (RunError, TypeError) as error:
                raise self._broken(error) from None
        return Failure(text, True, Usage(*used)) if refused else Answer(text, Usage(*used), bool(cut))

    def keep(
        self, name: bytes, found: Answer | Failure, *, stage: str, model: str, batch: bool = False
    ) -> None:
        """Keep an answer, or a refusal, which would cost as much a second time."""
        text: str | bytes = found.text if isinstance(found, Answer) else found.reason
        if self._cipher:
            name = self._cipher.mark(name)
            text = self._cipher.seal(str(text).encode("utf-8", "surrogatepass"), name)
        refused, cut = isinstance(found, Failure), isinstance(found, Answer) and found.cut
        row = (name, text, refused, cut, stage, model, batch, *astuple(found.usage))
        self._do("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *row)

    def paid(self, usage: Usage, *, stage: str, model: str, batch: bool = False) -> None:
        """Note what was paid for that is no answer to keep: one that could not be used, or embeddings."""
        self._do("INSERT INTO paid VALUES (?, ?, ?, ?, ?, ?, ?)", stage, model, batch, *astuple(usage))

    def spent(self) -> list[Spent]:
        """What all calls of this store have cost, by stage, model and kind of call, in the order of the alphabet."""
        rows = self._do(
            "SELECT stage, model, batch, count(*), sum(input), sum(output), sum(cached), sum(written) FROM"
            " (SELECT stage, model, batch, input, output, cached, written FROM answers"
            "  UNION ALL SELECT stage, model, batch, input, output, cached, written FROM paid)"
            " GROUP BY stage, model, batch ORDER BY stage, model, batch"
        )
        return [
            Spent(stage, model, bool(batch), calls, Usage(*used))
            for stage, model, batch, calls, *used in rows
        ]

    def submitting(self, tag: str, model: str, stage: str, requests: int) -> Submitted:
        """Note that a job is about to be submitted."""
        job = Submitted(tag, stage, time.time(), requests, None)
        self._do("INSERT INTO jobs VALUES (?, ?, ?, ?, ?, NULL, 0)", tag, model, stage, job.since, requests)
        return job

    def submitted(self, tag: str, job: str | None) -> None:
        """Note the name of a job, or forget one that never came to be."""
        if job is None:
            self._do("DELETE FROM jobs WHERE tag = ?", tag)
        else:
            self._do("UPDATE jobs SET job = ? WHERE tag = ?", job, tag)

    def fetched(self, tag: str) -> None:
        """Note that a job's answers are all here."""
        self._do("UPDATE jobs SET fetched = 1 WHERE tag = ?", tag)

    def open_jobs(self, model: str) -> list[Submitted]:
        """The jobs of a model whose answers are not here yet, the oldest first."""
        rows = self._do(
            "SELECT tag, stage, submitted, requests, job FROM jobs WHERE model = ? AND NOT fetched"
            " ORDER BY submitted",
            model,
        )
        return [Submitted(*row) for row in rows]

    def known_jobs(self, model: str) -> frozenset[str]:
        """The names of all jobs of a model that are known, fetched ones too."""
        rows = self._do("SELECT job FROM jobs WHERE model = ? AND job IS NOT NULL", model)
        return frozenset(name for (name,) in rows)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _do(self, statement: str, *values: object) -> sqlite3.Cursor:
        try:
            return self._db.execute(statement, values)
        except sqlite3.Error as error:
            raise self._broken(error) from None

    def _broken(self, error: Exception) -> StoreError:
        where = self._path.name if self._path else "memory"
        return StoreError(
            f"the store of answers ({where}) cannot be used ({type(error).__name__}): free disk space, "
            "or delete it to ask anew"
        )
