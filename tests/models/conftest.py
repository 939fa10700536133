"""What the tests of models share: a clean environment, short waits, and a server that says what a test wants."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from clio.models import batch, pace
from clio.testing import Server

# where tests run in the background Ctrl-C is ignored, and a child takes that over; a handler of Python's is reset in a child
signal.signal(signal.SIGINT, signal.default_int_handler)

#: what a scripted server does with a request: status, headers and body of its answer
Script = Callable[["Asked"], tuple[int, dict[str, str], Any]]


@dataclass(frozen=True)
class Asked:
    """A request that reached a scripted server."""

    number: int
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    when: float


@dataclass
class Scripted:
    """A server on this machine, and what it was asked."""

    url: str
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def _serve(script: Script) -> Iterator[Scripted]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_told: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length", 0)))
            try:
                body = json.loads(content)
            except ValueError:
                body = content
            with lock:
                headers = {name.lower(): told for name, told in self.headers.items()}
                asked = Asked(len(running.asked), self.command, self.path, headers, body, time.monotonic())
                running.asked.append(asked)
            status, extra, said = script(asked)
            reply = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            for name, told in {"Content-Type": "application/json", **extra}.items():
                self.send_header(name, told)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        do_GET = do_POST  # noqa: N815 - the library's name

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        running = Scripted(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def scripted() -> Iterator[Callable[[Script], Scripted]]:
    """Starts servers that answer as a script says, until the test ends."""
    with ExitStack() as stack:
        yield lambda script: stack.enter_context(_serve(script))


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, address or proxy of whoever runs the tests."""
    for vendor in ("OPENAI", "ANTHROPIC"):
        for name in ("API_KEY", "BASE_URL", "AUTH_TOKEN"):
            monkeypatch.delenv(f"{vendor}_{name}", raising=False)
    for name in ("CLIO_OFFLINE", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between tries, and between looks at a batch job, that suit a test."""
    monkeypatch.setattr(pace, "_FIRST_WAIT", 0.001)
    monkeypatch.setattr(batch, "_FIRST_POLL", 0.01)
    monkeypatch.setattr(batch, "_SLOWEST_POLL", 0.05)


@pytest.fixture(params=["openai", "anthropic"])
def vendor(request: pytest.FixtureRequest) -> str:
    """Each vendor in turn."""
    return str(request.param)


@pytest.fixture
def at(vendor: str) -> Callable[[Server], str]:
    """The name of the vendor's model at a stand-in server."""
    return lambda server: f"{vendor}:m@{server.url if vendor == 'openai' else server.anthropic_url}"


@pytest.fixture
def sleepless(monkeypatch: pytest.MonkeyPatch) -> Callable[[ModuleType], list[float]]:
    """Lets a module wait no more, and tells how long it wanted to; that module only, for servers of other tests sleep in their threads."""

    def made(module: ModuleType) -> list[float]:
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)

        monkeypatch.setattr(module, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": sleep}))
        return slept

    return made
