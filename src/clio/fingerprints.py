"""Hashes of a run: what a stage depends on, what the inputs and a table hold, and what a user is known by."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pyarrow as pa


def key_of(*parts: Any) -> str:
    """A stage's key: a hash of what it depends on (JSON values)."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def fingerprint(paths: list[Path], opened: Callable[[Path], IO[bytes]] | None = None) -> str:
    """A hash of the inputs: names without folders, sizes and contents, read in blocks; ``opened`` opens one in place of ``open``."""
    found = hashlib.sha256()
    for path in paths:
        found.update(f"{path.name}\0".encode())
        size = 0
        with opened(path) if opened else path.open("rb") as file:
            while block := file.read(1 << 20):
                found.update(block)
                size += len(block)
        found.update(f"\0{size}\0".encode())
    return found.hexdigest()[:32]


def content_hash(table: pa.Table) -> str:
    """A hash of a table's values."""
    found = hashlib.sha256()
    for batch in table.combine_chunks().to_batches(max_chunksize=1 << 16):
        found.update(batch.serialize())
    return found.hexdigest()[:32]


def hashed_user(salt: bytes, user: str) -> str:
    """A user id as the run knows it: 16 hexadecimal digits of HMAC-SHA256 with the run's salt."""
    return hmac.new(salt, user.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:16]
