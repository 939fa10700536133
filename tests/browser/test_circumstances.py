"""The page where a browser can less, or its reader wants otherwise: no WebGL, dark, still, small."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import WIDE, Watch, drawn, goto, launched
from .seen import COLUMNS, SCREENS, TOPS, expect, hues, inside, item, place

Open = Callable[..., Any]


def test_without_webgl_the_map_is_drawn_all_the_same(playing: Any, address: str) -> None:
    """Canvas takes over: discs are there and can be chosen."""
    with launched(playing, "--disable-3d-apis") as browser:
        watch = Watch(browser, address)
        here = watch()
        assert here.evaluate("() => window.__map.renderer") == "canvas2d"
        assert hues(here, here.locator(".map-stage").screenshot()) >= 5
        item(here, TOPS[0]).click()
        parent = inside(TOPS[0])[0]
        item(here, parent).click()
        drawn(here)
        leaf = inside(parent)[1]
        here.mouse.click(*place(here, leaf))
        expect(item(here, leaf)).to_have_attribute("aria-selected", "true")
        assert not watch.troubles


def test_a_lost_context_is_made_up_for(page: Open) -> None:
    """When the graphics card is taken away the map is drawn without it, and with it again once it is back."""
    here = page()
    here.evaluate(
        """() => {
            const canvas = [...document.querySelectorAll('.map-stage canvas')].find((one) => one.getContext('webgl2'));
            window.lost = canvas.getContext('webgl2').getExtension('WEBGL_lose_context');
            window.lost.loseContext();
        }"""
    )
    here.wait_for_function("() => window.__map.renderer === 'canvas2d'")
    drawn(here)
    item(here, TOPS[0]).click()
    drawn(here)
    here.evaluate("() => window.lost.restoreContext()")
    here.wait_for_function("() => window.__map.renderer === 'webgl2'")
    drawn(here)


def test_dark_and_light_follow_the_system_or_a_choice(opened: Watch) -> None:
    """The ground is dark where the system is, and what is chosen by hand holds on the next visit."""
    ground = "() => Math.max(...getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number))"
    here = opened(color_scheme="dark")
    assert here.evaluate(ground) < 60
    here.emulate_media(color_scheme="light")
    expect(here.locator("html")).to_have_attribute("data-theme", "light")
    assert here.evaluate(ground) > 200
    here.get_by_role("button", name="Light or dark").click()
    here.get_by_role("button", name="Dark", exact=True).click()
    expect(here.locator("html")).to_have_attribute("data-theme", "dark")
    here.reload()
    expect(here.locator("html")).to_have_attribute("data-theme", "dark")
    drawn(here)


def test_who_wants_no_motion_gets_none(opened: Watch, page: Open) -> None:
    """The map stands at what was chosen at once, instead of flying there."""

    def stops(here: Any) -> int:
        """At how many places a cluster stood, frame by frame, until the map was still."""
        here.evaluate(
            """(cluster) => {
                window.stops = new Set();
                const look = () => {
                    window.stops.add(window.__map.place(cluster).map(Math.round).join());
                    requestAnimationFrame(look);
                };
                look();
            }""",
            TOPS[1],
        )
        item(here, TOPS[0]).click()
        drawn(here)
        return int(here.evaluate("() => window.stops.size"))

    assert stops(opened(reduced_motion="reduce")) == 2
    assert stops(page()) > 2


@pytest.mark.parametrize("width", [320, 720])
def test_small_pages_scroll_one_way_only(opened: Watch, width: int) -> None:
    """At 320 pixels, and at twice the letters' size, no screen is wider than the page, and every part can be reached."""
    here = opened.context(viewport={"width": width, "height": 568 if width == 320 else 450}).new_page()
    wide = """() => [...document.querySelectorAll('body, body *')].filter((one) => {
        const box = one.getBoundingClientRect();
        const hidden = one.closest('.hidden-text, .map-stage, .skip, svg');
        const frame = one.parentElement?.closest('.filters, .tabs, .table-frame, .crumbs, .sides, .kinds, .panel');
        return !hidden && !frame && box.width > 0 && box.right > innerWidth + 1;
    }).map((one) => `${one.tagName}.${one.className}`).slice(0, 5)"""
    for query in SCREENS:
        goto(here, f"{opened.address}?{query}")
        assert here.evaluate("() => document.documentElement.scrollWidth") <= width, query
        assert here.evaluate(wide) == [], query
    goto(here, opened.address)
    here.get_by_role("button", name="Tree", exact=True).click()
    item(here, TOPS[0]).click()
    expect(here.locator(".detail-name")).to_have_text(COLUMNS.name[TOPS[0]])
    here.get_by_role("button", name="Map", exact=True).click()
    expect(here.get_by_role("application")).to_be_visible()
    here.get_by_role("button", name="Table", exact=True).click()
    expect(here.get_by_role("table")).to_be_visible()
    here.get_by_role("button", name="Export", exact=True).click()
    expect(here.locator(".menu")).to_be_in_viewport(ratio=0.99)


def test_large_letters_keep_the_first_screen(opened: Watch) -> None:
    """On a dense display the map is drawn in the display's own pixels."""
    here = opened(viewport=WIDE, device_scale_factor=2)
    widths = here.evaluate(
        "() => [document.querySelector('.map-stage').clientWidth, [...document.querySelectorAll('.map-stage canvas')].at(-1).width]"
    )
    assert widths[1] == 2 * widths[0]
