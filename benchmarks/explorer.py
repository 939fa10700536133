"""How fast the explorer is with 10,000 clusters, drawn without a graphics card: python benchmarks/explorer.py

A made-up run is served by ``clio explore`` and read in the Chromium of this machine. Printed is each figure with its limit and the ratio
of the two; times are medians of repetitions in one page, and depend on what else the machine does.
"""

from __future__ import annotations

import gzip
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]
BASES = 9_800  # with what stands above them about 10,030

# each resolves with milliseconds until the page shows what was asked for
TOOLS = """
window.until = (holds) => new Promise((done, fail) => {
    const start = performance.now();
    setTimeout(() => fail(new Error(`not within ten seconds: ${holds}`)), 10_000);
    const look = () => holds() && (observer.disconnect(), done(performance.now() - start));
    const observer = new MutationObserver(look);
    observer.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
});
window.framed = async (act) => {
    const [start, before] = [performance.now(), window.__map.frames()];
    act();
    while (window.__map.frames() === before) await new Promise(requestAnimationFrame);
    return performance.now() - start;
};
"""
SELECT = """async (row) => {
    const name = row.querySelector('.name').textContent;
    const shown = until(() => document.querySelector('.detail-name')?.textContent === name && document.querySelector('.against .lift'));
    row.click();
    const took = await shown;
    // from rest to rest: the flight to the last one is over before the next is chosen
    for (let last = -1; last !== window.__map.frames(); await new Promise((done) => setTimeout(done, 250))) last = window.__map.frames();
    return took;
}"""
TYPE = """async (word) => {
    const field = document.querySelector('input[type=search]');
    const head = document.querySelector('.tree-head');
    const type = (text) => {
        const before = head.textContent;
        field.value = text;
        const shown = until(() => head.textContent !== before);
        field.dispatchEvent(new InputEvent('input', { bubbles: true }));
        return shown;
    };
    const took = await type(word);
    await type('');
    return took;
}"""
RECOLOUR = """(colour) => framed(() => {
    const choice = document.querySelector('#colour-by');
    choice.value = colour;
    choice.dispatchEvent(new Event('change', { bubbles: true }));
})"""
ZOOM = """async (name) => {
    await framed(() => document.querySelector(`[aria-label="${name}"]`).click());
    for (let last = 0; last !== window.__map.frames(); await new Promise((done) => setTimeout(done, 120))) last = window.__map.frames();
    return window.__map.layoutMs();
}"""
PAN = """() => new Promise((done) => {
    const gaps = [];
    let [last, frames] = [performance.now(), window.__map.frames()];
    const step = (now) => {
        if (window.__map.frames() > frames) gaps.push(now - last);
        [last, frames] = [now, window.__map.frames()];
        gaps.length < 40 ? requestAnimationFrame(step) : done(gaps);
    };
    requestAnimationFrame(step);
})"""


def measured(page: Any, address: str) -> Iterator[tuple[str, float, float, str]]:
    """Name, figure, limit and unit, one after the other."""
    page.goto(address)
    page.wait_for_function("() => window.__map?.frames() > 0")
    paint = page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0].startTime")
    yield "first paint", paint, 800, "ms"
    yield "map drawn", page.evaluate("() => performance.now()"), 1500, "ms"
    page.locator(".facet").first.wait_for()
    page.evaluate(f"() => {{ {TOOLS} }}")

    box = page.locator(".map-stage").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for where, zooms in (("the whole map", 0), ("zoomed in", 3)):
        layouts = [page.evaluate(ZOOM, "Zoom in") for _ in range(zooms)]
        page.evaluate(f"() => {{ window.gaps = ({PAN})(); }}")
        page.mouse.move(x, y)
        page.mouse.down()
        turns = 0
        while turns < 30:
            page.mouse.move(x + 60 * (turns % 2), y + 3 * turns, steps=8)
            turns += 1
        page.mouse.up()
        yield f"pan, a frame, {where}", median(page.evaluate("() => window.gaps")), 100, "ms"
    layouts += [page.evaluate(ZOOM, name) for name in ["Zoom in"] * 4 + ["Zoom out"] * 7]
    yield "labels, a layout", median(layouts), 10, "ms"

    rows = page.get_by_role("treeitem").element_handles()[:9]
    yield "select to detail", median(page.evaluate(SELECT, row) for row in rows), 100, "ms"
    words = ["r", "re", "rec", "reci", "recip", "recipe", "recipes", "recipes kind", "recipes kind 1"]
    yield "search, a keystroke", median(page.evaluate(TYPE, word) for word in words), 50, "ms"
    colours = ["concern", "size", "growth", "theme"] * 3
    yield "recolour", median(page.evaluate(RECOLOUR, colour) for colour in colours), 50, "ms"
    yield "memory of the page", page.evaluate("() => performance.memory.usedJSHeapSize") / 1e6, 150, "MB"


def main() -> None:
    """Print a line a figure."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("there is no Chromium on this machine")
    # the tests' made-up runs: nothing but the gate makes insights within the package
    spec = importlib.util.spec_from_file_location(
        "made", Path(__file__).parents[1] / "tests" / "browser" / "made.py"
    )
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)

    figures: list[tuple[str, float, float, str]] = []
    page_files = files("clio.explorer").joinpath("static")
    for name, limit in (("app.js", 60), ("app.css", 12)):
        packed = gzip.compress(page_files.joinpath(name).read_bytes())
        figures.append((f"{name}, packed", len(packed) / 1000, limit, "kB"))
    with tempfile.TemporaryDirectory() as folder:
        insights = made.made(BASES, hostile=False)
        insights.save(Path(folder) / "many" / "insights")
        command = [sys.executable, "-m", "clio", "explore", "many", "--no-browser", "--port", "0"]
        with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as server:
            try:
                assert server.stderr
                found = re.search(r"http://\S+", server.stderr.readline())
                assert found
                with (
                    sync_playwright() as playing,
                    playing.chromium.launch(executable_path=chromium, args=FLAGS) as browser,
                ):
                    page = browser.new_page(viewport={"width": 1280, "height": 800})
                    _warm(int(found[0].rsplit(":", 1)[1].strip("/")))
                    first = page.request.get(
                        f"{found[0]}api/v1/runs/many/clusters", headers={"Accept-Encoding": "identity"}
                    )
                    figures.append(
                        ("first data, packed", len(gzip.compress(first.body(), 6)) / 1000, 700, "kB")
                    )
                    figures += measured(page, found[0])
            finally:
                server.terminate()
    print(f"{len(insights):,} clusters")
    for name, value, limit, unit in figures:
        print(f"{name:28} {value:9.1f} {unit:3} limit {limit:5.0f}   {value / limit:5.2f} of it")


def _warm(port: int) -> None:
    """Wait until the server listens and has computed what every page needs: that is not the page's time."""
    for path in ("runs", "runs/many/clusters", "runs/many/clusters/1.1"):
        for _ in range(600):
            try:
                urlopen(f"http://127.0.0.1:{port}/api/v1/{path}").read()
                break
            except URLError:  # its address is printed before it listens
                time.sleep(0.1)


if __name__ == "__main__":
    main()
