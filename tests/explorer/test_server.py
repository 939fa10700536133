"""The explorer answers this machine only, shows insights only, and treats every name as text."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
import uvicorn

from clio.errors import RunError
from clio.explorer.server import _listener, app, serve
from clio.insights import Cell, Group, Insight, Insights

HOSTILE = "</script><img src=x onerror=alert(1)>"


def insights() -> Insights:
    cell = Cell("language", "ja", 20, 0.2, 0.1)
    clusters = (
        Insight("1.1", None, 1, "Cards", "All about cards.", 100, "50-99", 0.5, 5, 0.1, 0.2, (cell,)),
        Insight("2.1", "1.1", 2, HOSTILE, "", 60, "10-49", 0.3, 5, 0.1, 0.1),
    )
    return Insights(
        clusters,
        (Group("1.1", 40, "10-49"), Group(None, 100, "50-99")),
        (cell,),
        200,
        "100-499",
        {"failed audit": 100},
        {},
    )


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    listener = _listener("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app({"run": insights()}), log_level="warning"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(5)
    listener.close()


def get(url: str, **headers: str) -> tuple[int, dict[str, str], str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, dict(answer.headers.items()), answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers.items()), error.read().decode()


def test_every_answer_forbids_what_the_page_does_not_need(address: str) -> None:
    """A strict content security policy, no sniffing, no referrer, on page and data alike."""
    for path in ("/", "/api/v1/runs", "/nothing"):
        _, headers, _ = get(address + path)
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_other_hosts_are_refused(address: str) -> None:
    """A name that was rebound to this machine gets nothing."""
    assert get(address + "/api/v1/runs", Host="evil.example")[0] == 403


def test_runs_clusters_and_details_come_as_json(address: str) -> None:
    """Coverage, columns, breakdown and what is not shown."""
    run = json.loads(get(address + "/api/v1/runs")[2])[0]
    assert run["coverage"] == pytest.approx(0.3)
    data = json.loads(get(address + "/api/v1/runs/run/clusters")[2])
    assert data["clusters"]["name"] == ["Cards", HOSTILE]
    detail = json.loads(get(address + "/api/v1/runs/run/clusters/1.1")[2])
    assert (detail["other"], detail["breakdown"][0]["lift"]) == (40, 2.0)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/runs/other/clusters",
        "/api/v1/runs/run/clusters/9.9",
        "/../server.py",
        "/%2e%2e/server.py",
        "/docs",
    ],
)
def test_nothing_else_is_served(address: str, path: str) -> None:
    """Unknown runs, clusters and paths out of the page's folder are 404."""
    assert get(address + path)[0] == 404


def test_the_page_loads_nothing_from_elsewhere_and_never_writes_markup(address: str) -> None:
    """No third-party address; no way from a name to markup."""
    for path in ("/", "/app.js", "/style.css"):
        text = get(address + path)[2].replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text
        assert "https://" not in text
        for door in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert door not in text


def test_only_this_machine_can_be_listened_on() -> None:
    """A public address is refused with what to do."""
    with pytest.raises(RunError, match="this machine only"):
        serve({"run": insights()}, host="0.0.0.0")


def test_a_taken_port_gives_the_next(address: str) -> None:
    """Twenty ports are tried."""
    taken = int(address.rsplit(":", 1)[1])
    listener = _listener("127.0.0.1", taken)
    assert listener.getsockname()[1] != taken
    listener.close()
