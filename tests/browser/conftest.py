"""What the browser's tests share: the page of the installed wheel behind real servers, one browser, and a watch on all that it does."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from . import made

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 390, "height": 844}
#: a text of the private part of a run; it must come out nowhere
CANARY = "canary-5f3a9c-private"
# beside the rules of the console: what the page was kept from doing
_REPORT = "addEventListener('securitypolicyviolation', (event) => console.error('policy', event.violatedDirective, event.blockedURI));"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a browser, and leave it out where there is none."""
    for item in items:
        if Path(__file__).parent in item.path.parents and "playing" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="there is no Chromium on this machine"))


@pytest.fixture(scope="package")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the built and installed wheel of this project and nothing else."""
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    subprocess.run(
        [*pip, "--no-deps", "--no-build-isolation", "--target", str(target), str(ROOT)], check=True
    )
    return target


@pytest.fixture(scope="package")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Run folders: one of 130 clusters with a canary in its private part, one of a single cluster, one that shows nothing."""
    folder = tmp_path_factory.mktemp("runs")
    made_of = {"april": made.made(), "one & only": made.single(), "nothing": made.empty()}
    for name, insights in made_of.items():
        insights.save(folder / name / "insights")
    (folder / "april" / "private").mkdir()
    (folder / "april" / "private" / "members.jsonl").write_text(json.dumps({"text": CANARY}))
    (folder / "april" / "run.toml").write_text(f"# {CANARY}\n")
    return [folder / name for name in made_of]


@contextmanager
def serving(installed: Path, *arguments: str | Path) -> Iterator[str]:
    """``clio explore`` of the installed wheel; gives the address that it prints."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    program = "import clio, sys; sys.stderr.write(clio.__file__ + '\\n'); from clio.cli import main; main()"
    command = [sys.executable, "-c", program, "explore", "--no-browser", "--port", "0", *map(str, arguments)]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, cwd=installed, env=environment
    ) as server:
        assert server.stderr
        try:
            assert server.stderr.readline().startswith(str(installed))
            said = server.stderr.readline()
            found = re.search(r"http://\S+", said)
            assert found, said + server.stderr.read()
            _answering(urlsplit(found[0]).port or 0)
            yield found[0]
        finally:
            server.terminate()


def _answering(port: int) -> None:
    """Wait for a server: its address is printed before it listens."""
    until = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.02)


@pytest.fixture(scope="package")
def address(installed: Path, runs: list[Path]) -> Iterator[str]:
    """The explorer of all runs, the first of them with 130 clusters."""
    with serving(installed, *runs) as found:
        yield found


@pytest.fixture(scope="package")
def playing() -> Iterator[Any]:
    """Playwright, for these tests only: while it runs no other test could start a loop of its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        yield started


def launched(playing: Any, *flags: str) -> Any:
    """This machine's Chromium, never one that Playwright downloads."""
    return playing.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *flags])


@pytest.fixture(scope="package")
def browser(playing: Any) -> Iterator[Any]:
    started = launched(playing)
    yield started
    started.close()


class Watch:
    """Opens pages and keeps what none may do: errors, dialogs, what its policy forbids, requests to anywhere else."""

    def __init__(self, browser: Any, address: str) -> None:
        self.browser = browser
        self.address = address
        self.troubles: list[str] = []
        self.contexts: list[Any] = []

    def context(self, **options: Any) -> Any:
        """A new browser context, watched; Playwright's options."""
        context = self.browser.new_context(**{"viewport": WIDE, "color_scheme": "light", **options})
        context.set_default_timeout(15_000)
        self.contexts.append(context)
        self.attach(context)
        return context

    def attach(self, context: Any) -> None:
        context.add_init_script(_REPORT)
        context.on(
            "console", lambda said: said.type == "error" and self.troubles.append(f"console: {said.text}")
        )
        context.on("weberror", lambda failed: self.troubles.append(f"error: {failed.error}"))
        context.on("request", self._request)
        context.on("dialog", self._dialog)

    def _request(self, request: Any) -> None:
        asked, own = urlsplit(request.url), urlsplit(self.address)
        if asked.scheme not in {"data", "blob", "file", "about"} and (asked.scheme, asked.netloc) != (
            own.scheme,
            own.netloc,
        ):
            self.troubles.append(f"request: {request.url}")

    def _dialog(self, dialog: Any) -> None:
        self.troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def __call__(self, query: str = "", context: Any = None, **options: Any) -> Any:
        """The explorer's page at a query, when it shows its run; in a new context unless one is given."""
        page = (context or self.context(**options)).new_page()
        goto(page, f"{self.address}{query and '?'}{query}")
        return page


def goto(page: Any, address: str) -> None:
    """Open an address and wait for what it shows: a notice, or the content of a screen with its map drawn."""
    page.goto(address)
    # the last to come is what is asked for when the rest is there: one cluster in full, or a comparison
    page.wait_for_function(
        """() => document.querySelector('.facet, .plot-row, .withheld-reasons, .notice')
            ?? (innerWidth <= 900 && document.querySelector('.map-stage, tbody tr'))"""
    )
    drawn(page)


def drawn(page: Any) -> None:
    """Wait until the map, if there is one, stands still."""
    page.evaluate(
        """async () => {
            const frame = () => new Promise((done) => requestAnimationFrame(done));
            for (let last = 0, still = 0; still < 4 && document.querySelector('.map-stage'); await frame()) {
                const now = window.__map?.frames() ?? 0;
                still = now > 0 && now === last ? still + 1 : 0;
                last = now;
            }
        }"""
    )


@pytest.fixture(scope="package")
def _shared(browser: Any, address: str) -> Iterator[tuple[Watch, Any]]:
    watch = Watch(browser, address)
    yield watch, watch.context(accept_downloads=True).new_page()
    watch.contexts[0].close()


@pytest.fixture
def opened(browser: Any, address: str) -> Iterator[Watch]:
    """Opens pages of the explorer; in the end nothing may have gone wrong in any of them."""
    watch = Watch(browser, address)
    yield watch
    for context in watch.contexts:
        context.close()
    assert not watch.troubles


@pytest.fixture
def page(_shared: tuple[Watch, Any], opened: Watch) -> Iterator[Callable[[str], Any]]:
    """One page for many tests, wide and light: opens a query in it."""
    watch, shared = _shared

    def at(query: str = "") -> Any:
        goto(shared, f"{watch.address}{query and '?'}{query}")
        return shared

    watch.troubles.clear()
    yield at
    assert not watch.troubles
