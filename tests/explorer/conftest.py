"""What the explorer's tests share: insights with hostile texts, and a server of them on this machine."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest
import uvicorn

from clio.explorer.guard import Door
from clio.explorer.server import _listener, app
from clio.insights import Cell, Group, Insight, Insights
from clio.insights.model import Near

HOSTILE = "</script><img src=x onerror=alert(1)>"
WEEKS = [f"2026-W{week}" for week in range(28, 36)]


def example() -> Insights:
    """Three clusters on two levels with languages, ratings and eight weeks; one name and one value are hostile."""
    counts = {"ja": 60, "en": 100, HOSTILE: 40}
    weeks = {week: 20 + i for i, week in enumerate(WEEKS)}
    base = (
        *(Cell("language", v, n, n / 400, n / 400) for v, n in (("en", 220), ("ja", 120), (HOSTILE, 60))),
        *(Cell("concern", v, n, n / 400, n / 400) for v, n in (("1", 350), ("3", 50))),
        *(Cell("week", v, 2 * n, n / 200, n / 200) for v, n in weeks.items()),
    )
    rates = {(cell.facet, cell.value): cell.share for cell in base}
    shown = (
        *(Cell("language", v, n, n / 200, rates["language", v]) for v, n in counts.items()),
        *(Cell("concern", v, n, n / 200, rates["concern", v]) for v, n in (("1", 160), ("3", 40))),
        *(Cell("week", v, n, n / 200, rates["week", v]) for v, n in weeks.items()),
    )
    clusters = (
        Insight("1.1", None, 1, "Cards", "All about cards.", 200, "50-99", 0.5, 5, 0.1, 0.2, shown),
        Insight("2.1", "1.1", 2, HOSTILE, HOSTILE, 100, "10-49", 0.25, 5, 0.1, 0.1, (), (Near("2.2", 0.85),)),
        Insight(
            "2.2",
            "1.1",
            2,
            "Lost\u202e card\n",
            "",
            60,
            "10-49",
            0.15,
            4,
            -0.1,
            0.1,
            (),
            (Near("2.1", 0.85),),
        ),
    )
    about = {"seed": 0, "policy": {"min_users": 5}, "caveats": [HOSTILE, "two\nlines"]}
    other = (Group("1.1", 40, "10-49"), Group(None, 200, "50-99"))
    return Insights(clusters, other, base, 400, "100-499", {"failed audit": 200}, about)


@dataclass(frozen=True)
class Answer:
    """What a server said: the body as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


Get = Callable[..., Answer]


@pytest.fixture(scope="session")
def insights() -> Insights:
    return example()


@pytest.fixture(scope="session")
def serving() -> Iterator[Callable[[Mapping[str, Insights], Door | None], Get]]:
    """Start a server of some runs behind a door; gives a function that asks it."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(runs: Mapping[str, Insights], door: Door | None = None) -> Get:
        listener = _listener("127.0.0.1", 0)
        server = uvicorn.Server(uvicorn.Config(app(runs, door), log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        running.append((server, thread))
        while not server.started:
            time.sleep(0.01)
        port = listener.getsockname()[1]

        def get(path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
            asked = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            try:
                asked.request(method, path, headers=dict(headers or {}))
                answer = asked.getresponse()
                return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
            finally:
                asked.close()

        return get

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(5)


@pytest.fixture(scope="session")
def get(serving: Callable[..., Get], insights: Insights) -> Get:
    """Ask a server of one run, "run"."""
    return serving({"run": insights}, None)
