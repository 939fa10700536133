"""What the embedders share: pinned weights (a file that is not the one measured is refused), cores, text."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from clio.errors import ModelError


def check(path: Path, sha256: str, name: str) -> None:
    """Raise ``ModelError`` unless the file's SHA-256 is the pinned one."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(
            f"embedder {name}: its weights cannot be read ({type(error).__name__}): reinstall its package"
        ) from None
    if found != sha256:
        raise ModelError(
            f"embedder {name}: its weights are not the ones pinned (SHA-256 {found[:12]}…, want "
            f"{sha256[:12]}…): reinstall its package"
        )


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def readable(text: str, length: int) -> str:
    """The first ``length`` characters of a text; what UTF-8 cannot hold (a lone surrogate) becomes "?"."""
    return text[:length].encode(errors="replace").decode()
