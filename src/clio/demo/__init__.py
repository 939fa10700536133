"""The bundled sample: made-up conversations of made-up people, ours, Apache-2.0."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def path() -> Path:
    """Where the sample lies: gzipped JSON Lines in the OpenAI messages format, with users, times, models and countries."""
    return Path(str(files("clio.demo").joinpath("sample.jsonl.gz")))
