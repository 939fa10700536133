"""The sheet of a review in a real browser: rated by keys and by clicks, saved without a network, hostile texts without effect."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clio.evaluation.review import Item, Sheet
from clio.evaluation.review_sheet import page as sheet_page

from .conftest import NARROW, Watch
from .made import HOSTILE

TEXTS = [f"{HOSTILE} {n}" for n in range(5)]
SHEET = Sheet(
    "0123456789ab",
    [
        Item("1", "summary", HOSTILE, "", TEXTS[:2]),
        Item("2", "members", "", "", TEXTS),
        Item("3", "name", HOSTILE, HOSTILE, TEXTS),
    ],
    {},
)


@pytest.fixture
def watch(browser: Any, tmp_path: Path) -> Iterator[Watch]:
    """Opens the sheet; in the end nothing may have gone wrong and nothing been asked for."""
    path = tmp_path / "review.html"
    path.write_text(sheet_page(SHEET), "utf-8")
    watching = Watch(browser, path.as_uri())
    yield watching
    for context in watching.contexts:
        context.close()
    assert not watching.troubles


def opened(watch: Watch, context: Any = None, **options: Any) -> Any:
    page = (context or watch.context(accept_downloads=True, **options)).new_page()
    page.goto(watch.address)
    return page


def saved(page: Any) -> list[str]:
    with page.expect_download() as download:
        page.get_by_role("button", name="Save my ratings").first.click()
    return Path(download.value.path()).read_text().splitlines()


def test_keys_rate_and_go_on_and_ratings_are_saved(watch: Watch) -> None:
    """A digit or a letter answers the chosen item and chooses the next; what is saved are the answers alone."""
    page = opened(watch)
    page.locator("fieldset").first.focus()
    for key in ("4", "x", "7", "c"):
        page.keyboard.press(key)
    assert page.locator("#count").inner_text() == "2 of 3"
    assert saved(page) == ["sheet,item,answer", "0123456789ab,1,4", "0123456789ab,2,C", "0123456789ab,3,"]
    assert "1 are still open" in page.locator("#status").inner_text()
    page.keyboard.press("Shift+Tab")
    page.locator("fieldset").last.focus()
    page.keyboard.press("p")
    page.keyboard.press("5")
    assert saved(page)[2] == "0123456789ab,2,E", "members may be chosen by their place, and anew"


def test_a_closed_page_loses_nothing_and_the_next_rater_begins_with_none(watch: Watch) -> None:
    """Answers come back until all are saved, or are thrown away; kept are answers only."""
    page = opened(watch)
    page.locator("label", has_text="3").first.click()
    again = opened(watch, page.context)
    assert again.locator("#count").inner_text() == "1 of 3"
    assert again.evaluate("JSON.stringify({ ...localStorage })").count("canary") == 0
    assert len(again.evaluate("Object.values(localStorage).join()")) < 40
    again.get_by_role("button", name="Start anew").click()
    assert again.locator("input:checked").count() == 0
    again.locator("fieldset").first.focus()
    for key in ("1", "A", "2"):
        again.keyboard.press(key)
    saved(again)
    assert opened(watch, page.context).locator("#count").inner_text() == "0 of 3"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 900}, NARROW])
def test_hostile_texts_are_texts_and_everybody_can_use_it(
    watch: Watch, theme: str, viewport: dict[str, int]
) -> None:
    """Wide and narrow, light and dark: nothing runs, nothing sticks out, and axe finds nothing."""
    from axe_playwright_python.sync_playwright import Axe

    page = opened(watch, color_scheme=theme, viewport=viewport)
    assert page.locator("fieldset img, fieldset script, fieldset a").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate("scrollTo(0, 600)")
    assert page.locator(".header").bounding_box()["y"] == 0, "saving is always in reach"
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
