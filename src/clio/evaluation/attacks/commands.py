"""The real command line and the real page, as a user meets them, with all that they say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from clio.errors import RunError
from clio.evaluation.ground import Row
from clio.settings import Settings

_ADDRESS = re.compile(rb"at (http://\S+)")
#: what an attack decides itself: who answers, how its own log is read, and that it is no release
_OURS = {
    "model",
    "models",
    "options",
    "batch",
    "breakdown",
    "format",
    "columns",
    "sample",
    "sample_by",
    "max_cost",
}


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    stdout: bytes = field(repr=False)
    stderr: bytes = field(repr=False)


def clio(*arguments: object, given: bytes | None = None) -> Said:
    """Run ``python -m clio`` as a process of its own; its debugging is off, for that prints texts on purpose."""
    done = subprocess.run(  # noqa: S603 - ourselves, without a shell
        _command(arguments), input=given, capture_output=True, check=False, env=_environment()
    )
    return Said(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True, slots=True)
class Answered:
    """What the explorer's server answered at a path: its headers (names in lower case) and its body."""

    path: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def explored(*folders: Path) -> list[Answered]:
    """The page of some runs and all of its data, from the real server; what the server printed comes last, as the path "output"."""
    with explorer(*folders) as (address, said):
        found = [
            _get(address, path) for path in ("", "app.js", "app.css", "api/v1/runs", "api/v1/openapi.json")
        ]
        for run in json.loads(found[3].body):
            name = urllib.parse.quote(run["id"])
            found.append(_get(address, f"api/v1/runs/{name}/clusters"))
            ids = json.loads(found[-1].body)["id"]
            found += [_get(address, f"api/v1/runs/{name}/clusters/{one}") for one in ids]
            found += [
                _get(address, f"api/v1/runs/{name}/comparisons/{urllib.parse.quote(one['id'])}")
                for one in run["comparisons"]
            ]
    return [*found, Answered("output", {}, b"".join(said))]


@contextmanager
def explorer(*folders: Path) -> Iterator[tuple[str, list[bytes]]]:
    """Serve the page of some runs until the block ends; gives its address, and what the server printed (all of it after the block)."""
    process = subprocess.Popen(  # noqa: S603 - ourselves, without a shell
        _command(["explore", *folders, "--port", "0", "--no-browser"]),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=_environment(),
    )
    said: list[bytes] = []
    try:
        if process.stdout:  # always, it is a pipe
            said.append(process.stdout.readline())
        found = _ADDRESS.search(b"".join(said))
        # the address is told a moment before the server answers at it
        while not found or not _answers(found[1].decode()):
            if not found or process.poll() is not None:
                raise RunError("the explorer's server did not start; try: clio explore FOLDER")
            time.sleep(0.05)
        yield found[1].decode(), said
    finally:
        process.terminate()
        said.append(process.communicate()[0])


def _answers(address: str) -> bool:
    try:
        return bool(_get(address, "healthz").body)
    except OSError:
        return False


def _get(address: str, path: str) -> Answered:
    with urllib.request.urlopen(address + path) as answer:  # noqa: S310 - our own server
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Answered(path, headers, answer.read())


def write_log(rows: Sequence[Row], path: Path) -> Path:
    """A log as a file of JSON Lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def write_settings(settings: Settings, path: Path, **more: Any) -> Path:
    """Settings as a file for ``--config``, without those that an attack decides itself, and with some of its own."""
    told = {k: v for k, v in settings.as_dict().items() if v is not None and k not in _OURS}
    kept = {**told, **more, "ledger": "off"}
    path.write_text(
        tomli_w.dumps({k: list(v) if isinstance(v, tuple) else v for k, v in kept.items()}), "utf-8"
    )
    return path


def _command(arguments: Sequence[object]) -> list[str]:
    return [sys.executable, "-m", "clio", *map(str, arguments)]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "CLIO_DEBUG"}
