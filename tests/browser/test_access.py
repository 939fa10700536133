"""For everybody: axe finds nothing on any screen, in both themes, wide and narrow (WCAG 2.2 AA and its best practices)."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import NARROW, WIDE, Watch, drawn, goto
from .seen import SCREENS, TOPS, expect, item

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(opened: Watch, theme: str, size: dict[str, int]) -> None:
    """No violation on any screen, with its menus open and something marked as well."""
    from axe_playwright_python.sync_playwright import Axe

    context = opened.context(viewport=size, color_scheme=theme, reduced_motion="reduce")
    context.add_init_script(Axe().axe_script)
    here = context.new_page()
    found: dict[str, Any] = {}

    def look(name: str) -> None:
        drawn(here)
        run = "(tags) => axe.run({ runOnly: tags, resultTypes: ['violations'] })"
        for violation in here.evaluate(run, TAGS)["violations"]:
            found[f"{name}: {violation['id']}"] = [node["html"][:300] for node in violation["nodes"][:3]]

    for query in SCREENS:
        goto(here, f"{opened.address}?{query}")
        look(query or "start")
    goto(here, f"{opened.address}?color=concern&f=size%3A200")
    if size is NARROW:
        here.get_by_role("button", name="Tree", exact=True).click()
    here.get_by_role("button", name="Filter", exact=True).click()
    look("filters")
    here.keyboard.press("Escape")
    item(here, TOPS[0]).click()
    here.get_by_role("button", name="Mark", exact=True).click()
    here.get_by_role("button", name="Copy link").click()
    look("link")
    here.keyboard.press("Escape")
    here.get_by_role("button", name="Export", exact=True).click()
    expect(here.locator(".menu")).to_be_visible()
    look("export")
    here.keyboard.press("Escape")
    here.get_by_role("button", name="Light or dark").click()
    look("looks")
    assert found == {}
