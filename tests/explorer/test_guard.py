"""Who is answered: this machine by its own names, others by a token or a proxy that says who asks, under any prefix."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from signal import SIGINT
from typing import Any

import pytest

from clio.explorer.guard import Door, is_local
from clio.insights import Insights

RUNS = "/api/v1/runs"
SECRET = "a-secret-of-some-length"
Get = Callable[..., Any]
Serving = Callable[..., Get]


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8765", "127.0.0.1", "127.0.0.9:1", "[::1]:8765", "LOCALHOST"]
)
def test_this_machine_is_known_by_its_own_names(get: Get, host: str) -> None:
    """With and without a port, in either family of addresses."""
    assert get(RUNS, {"Host": host}).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8765", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.1.7", "10.0.0.1:80", "", "[::2]"],
)  # fmt: skip
def test_other_names_are_refused(get: Get, host: str) -> None:
    """A name that was rebound to this machine gets nothing, on page and data alike."""
    for path in ("/", RUNS, "/healthz"):
        assert get(path, {"Host": host}).status == 403


def test_a_name_can_be_allowed(serving: Serving, insights: Insights) -> None:
    """The one that is named, in any case of letters, and no other."""
    get = serving({"run": insights}, Door(hosts=frozenset({"insights.example"})))
    assert get(RUNS, {"Host": "Insights.Example:443"}).status == 200
    assert get(RUNS, {"Host": "other.example"}).status == 403


def test_addresses_are_answered_where_it_listens_elsewhere(serving: Serving, insights: Insights) -> None:
    """No name can be rebound to an address that a browser was given as such."""
    get = serving({"run": insights}, Door(any_address=True))
    assert get(RUNS, {"Host": "192.168.1.7:8765"}).status == 200
    assert get(RUNS, {"Host": "evil.example"}).status == 403


@pytest.fixture(scope="module")
def locked(serving: Serving, insights: Insights) -> Get:
    return serving({"run": insights}, Door(token=SECRET))


@pytest.mark.parametrize(
    "path", ["/", "/app.js", RUNS, f"{RUNS}/run/export/insights.html", "/api/v1/openapi.json", "/nothing"]
)
@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?token=%C3%A9", f"?Token={SECRET}"])
def test_without_the_token_nothing_is_answered(locked: Get, path: str, query: str) -> None:
    """Neither page nor data, whatever is given instead."""
    answer = locked(path + query)
    assert answer.status == 401
    assert SECRET.encode() not in answer.body
    assert locked(path + query, {"Cookie": f"{Door(token=SECRET).cookie}=wrong; other"}).status == 401


def test_the_token_becomes_a_cookie_and_leaves_the_address(locked: Get) -> None:
    """The printed address leads to the same without the token, the rest of the query kept; the cookie is for this server alone."""
    answer = locked(f"/?view=map&token={SECRET}&q=a%20b")
    assert answer.status == 303
    assert answer.headers["location"] == "./?view=map&q=a+b"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie
    given = {"Cookie": cookie.partition(";")[0]}
    assert locked("/", given).status == locked(RUNS, given).status == 200
    assert locked(f"{RUNS}?token={SECRET}").headers["location"] == "./runs"


def test_health_needs_no_token(locked: Get) -> None:
    """It tells nothing of a run."""
    assert locked("/healthz").body == b'{"status":"ok"}'


def test_each_token_has_a_cookie_of_its_own() -> None:
    """Cookies do not tell ports apart, so two servers on one machine must not throw each other out."""
    assert Door(token="a").cookie != Door(token="b").cookie


def test_a_proxy_must_say_who_asks(serving: Serving, insights: Insights) -> None:
    """Its header is needed for all but health, and must not be empty."""
    get = serving({"run": insights}, Door(hosts=frozenset({"insights.example"}), identity="X-Forwarded-User"))
    for headers, status in (({}, 401), ({"X-Forwarded-User": " "}, 401), ({"x-forwarded-user": "ada"}, 200)):
        assert get(RUNS, {"Host": "insights.example", **headers}).status == status
        assert get("/", {"Host": "insights.example", **headers}).status == status
    assert get("/healthz").status == 200
    assert get(RUNS, {"Host": "other.example", "X-Forwarded-User": "ada"}).status == 403


@pytest.mark.parametrize("prefix", ["/insights", "/a/b"])
def test_a_prefix_may_be_stripped_or_not(serving: Serving, insights: Insights, prefix: str) -> None:
    """The page and its data are found under the prefix and without it; without its last slash the page is sent there."""
    get = serving({"run": insights}, Door(prefix=prefix))
    for path in ("/", "/app.js", RUNS, f"{RUNS}/run/clusters", "/healthz"):
        assert get(path).status == get(prefix + path).status == 200
        assert get(path).body == get(prefix + path).body
    moved = get(f"{prefix}?view=map")
    assert (moved.status, moved.headers["location"]) == (307, f"./{prefix.rpartition('/')[2]}/?view=map")
    assert get(f"{prefix}x/").status == 404


def test_a_token_works_under_a_prefix(serving: Serving, insights: Insights) -> None:
    """The address that is printed leads to the page, health is answered, all else is not."""
    get = serving({"run": insights}, Door(token=SECRET, prefix="/insights"))
    assert get(f"/insights/?token={SECRET}").headers["location"] == "./"
    assert get("/insights/healthz").status == 200
    assert get("/insights/").status == get("/insights").status == 401


def test_only_own_names_are_local() -> None:
    """What is listened on without a token is this machine alone."""
    assert all(map(is_local, ("127.0.0.1", "localhost", "::1")))
    assert not any(map(is_local, ("0.0.0.0", "::", "192.168.1.7", "example.org", "")))


@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        ([], r"at http://127\.0\.0\.1:\d+/  "),
        (["--token"], r"at http://127\.0\.0\.1:\d+/\?token=[\w-]{40,}  "),
        (["--host", "0.0.0.0", "--prefix", "x/"], r"at http://[\w.-]+:\d+/x/\?token=[\w-]{40,}  "),
        (
            ["--host", "0.0.0.0", "--proxy-header", "X-User", "--allow-host", "a.example"],
            r"at http://[\w.-]+:\d+/  ",
        ),
    ],
)
def test_the_command_prints_its_address_and_ends_at_ctrl_c(
    tmp_path: Path, insights: Insights, options: list[str], pattern: str
) -> None:
    """A token is asked for wherever others can reach it and no proxy says who asks; Ctrl-C ends it without a trace of an error."""
    insights.save(tmp_path / "run")
    started = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "clio",
            "explore",
            str(tmp_path / "run"),
            "--no-browser",
            "--port",
            "0",
            *options,
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stderr is not None
    line = started.stderr.readline()
    assert re.search(pattern, line), line
    time.sleep(1)
    started.send_signal(SIGINT)
    _, rest = started.communicate(timeout=20)
    assert "Traceback" not in rest
    assert started.returncode in (0, 130)


def test_a_folder_without_insights_is_one_line(tmp_path: Path) -> None:
    """What is missing and how to make it."""
    done = subprocess.run(
        [sys.executable, "-m", "clio", "explore", str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "holds no insights" in done.stderr
