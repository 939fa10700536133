"""What the page must not do: run a name, show what is no insight, answer who has no token."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clio.insights.text import one_line

from . import made
from .conftest import CANARY, Watch, goto, serving
from .seen import COLUMNS, SCREENS, TOPS, expect, item

Open = Callable[..., Any]
HARM = """() => document.querySelectorAll(
    'img, iframe, object, embed, base, [onload], [onerror], script:not([src]), a[href^="javascript:"]'
).length"""


@pytest.mark.parametrize("name", made.HOSTILE, ids=range(len(made.HOSTILE)))
def test_a_hostile_name_is_text(page: Open, name: str) -> None:
    """In panel, page, tree, table and search it is read as it was written, and makes no element."""
    cluster = next(i for i, own in enumerate(COLUMNS.name) if one_line(own) == one_line(name))
    here = page(f"c={COLUMNS.id[cluster]}")
    expect(here.locator(".detail-name")).to_have_text(one_line(name))
    expect(item(here, cluster)).to_contain_text(one_line(name))
    assert here.evaluate(HARM) == 0
    here.get_by_role("button", name="Open page").click()
    expect(here.locator(".sheet .detail-name")).to_have_text(one_line(name))
    here.get_by_role("searchbox").fill(one_line(name)[:30])
    expect(here.locator("[role=treeitem]").first).to_be_visible()
    here.get_by_role("button", name="Table", exact=True).click()
    expect(here.locator(".name-cell").filter(has_text=one_line(name)).first).to_be_visible()
    assert here.evaluate(HARM) == 0
    assert here.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_hostile_values_caveats_and_reasons_are_text(page: Open) -> None:
    """So are a facet's values, a caveat, and why something is withheld."""
    here = page("view=run")
    for text in (made.HOSTILE[1], made.HOSTILE[3]):
        expect(here.get_by_role("main")).to_contain_text(text)
    here = page("color=lift%3Amodel%3A" + made.HOSTILE[0].replace("=", "%3D").replace(" ", "%20"))
    expect(here.locator(".legend h2")).to_contain_text(made.HOSTILE[0])
    assert here.evaluate(HARM) == 0


def test_nothing_but_insights_comes_to_the_browser(opened: Watch) -> None:
    """No answer of a tour over all screens and files holds what lies in the run's private part."""
    bodies: dict[str, bytes] = {}
    context = opened.context()

    def passed_on(route: Any) -> None:
        """Kept on its way: the browser drops what a page has asked for as soon as the next is opened."""
        answer = route.fetch()
        if answer.status == 200:
            bodies[route.request.url] = answer.body()
        route.fulfill(response=answer)

    context.route("**/*", passed_on)
    here = context.new_page()
    for screen in SCREENS:
        goto(here, f"{opened.address}?{screen}")
    context.unroute_all(behavior="wait")
    assert len(bodies) > len(SCREENS)
    for name in ("clusters.csv", "breakdowns.csv", "insights.html", "clusters.parquet"):
        bodies[name] = context.request.get(f"{opened.address}api/v1/runs/april/export/{name}").body()
    assert {name for name, body in bodies.items() if CANARY.encode() in body} == set()
    # the search would find what is there
    assert {name for name, body in bodies.items() if COLUMNS.name[TOPS[0]].encode() in body} >= {
        "clusters.csv"
    }
    for path in (
        "private/members.jsonl",
        "run.toml",
        "api/v1/runs/april/private",
        "..%2fprivate%2fmembers.jsonl",
    ):
        assert context.request.get(f"{opened.address}{path}").status == 404


@pytest.fixture(scope="module")
def guarded(installed: Path, runs: list[Path]) -> Iterator[str]:
    """An explorer for others on the network, below a path, behind a token: the address that it prints."""
    with serving(installed, runs[0], "--host", "0.0.0.0", "--token", "--prefix", "/insights") as found:
        yield re.sub(r"//[^:/]+:", "//127.0.0.1:", found)


def test_who_has_the_token_comes_in_and_nobody_else(browser: Any, guarded: str) -> None:
    """The printed address opens the page and leaves the token out of the address bar; without it nothing is answered."""
    address = guarded.partition("?")[0]
    watch = Watch(browser, address)
    stranger = watch.context()
    for path in ("", "app.js", "api/v1/runs", "api/v1/runs/april/export/insights.html"):
        for token in ("", "?token=wrong"):
            assert stranger.request.get(f"{address}{path}{token}").status == 401
    known = watch.context()
    here = known.new_page()
    goto(here, guarded)
    assert "token" in guarded
    assert "token" not in here.url
    item(here, TOPS[0]).click()
    expect(here.locator(".detail-name")).to_have_text(COLUMNS.name[TOPS[0]])
    expect(here.locator(".against").first).to_be_visible()
    here.reload()
    expect(here.locator(".detail-name")).to_have_text(COLUMNS.name[TOPS[0]])
    # the cookie is for the server only
    assert here.evaluate("() => document.cookie") == ""
    for context in watch.contexts:
        context.close()
    assert not watch.troubles


def test_all_addresses_stay_below_the_prefix(browser: Any, guarded: str) -> None:
    """Behind a proxy's path the page asks for nothing outside of it, and its links and files stand below it too."""
    watch = Watch(browser, guarded.partition("?")[0])
    context = watch.context()
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    here = context.new_page()
    goto(here, guarded)
    for screen in SCREENS:
        if not screen.startswith("run="):
            goto(here, f"{watch.address}?{screen}")
    assert len(asked) > 10
    assert {
        url for url in asked if not url.startswith(watch.address) and not url.startswith("data:")
    } == set()
    here.get_by_role("button", name="Copy link").click()
    assert here.get_by_label("Link to this view").input_value().startswith(f"{watch.address}?")
    here.keyboard.press("Escape")
    here.get_by_role("button", name="Export", exact=True).click()
    with here.expect_download() as coming:
        here.locator(".menu a").first.click()
    assert coming.value.url.startswith(watch.address)
    context.close()
    assert not watch.troubles


def test_the_policy_stops_what_the_page_would_never_do(browser: Any, address: str) -> None:
    """Were a name to become code after all, it could make no markup, run nothing and ask nobody; and the tests would see it."""
    watch = Watch(browser, address)
    here = watch()
    assert not watch.troubles
    answered: list[str] = []
    here.on("requestfinished", lambda request: answered.append(request.url))
    tries = {
        "connect-src": "fetch('http://192.0.2.1/').catch(() => 0)",
        "img-src": "document.body.append(Object.assign(new Image(), { src: 'http://192.0.2.1/x.png' }))",
        "style-src-attr": "document.body.setAttribute('style', 'color: red')",
        "require-trusted-types-for": "document.body.innerHTML = '<img src=x onerror=alert(1)>'",
        "frame-src": "document.body.append(Object.assign(document.createElement('iframe'), { src: 'http://192.0.2.1/' }))",
    }
    for directive, attempt in tries.items():
        with here.expect_console_message(
            lambda said, directive=directive: f"policy {directive}" in said.text
        ):
            here.evaluate(f"async () => {{ try {{ await ({attempt}); }} catch {{}} }}")
    assert len(watch.troubles) >= len(tries)
    assert not [one for one in watch.troubles if one.startswith("dialog")]
    assert not answered
    watch.contexts[0].close()
