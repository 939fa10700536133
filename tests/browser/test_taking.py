"""What is taken away: tables, pictures, and the explorer as one file or within a notebook, which ask nobody for anything."""

from __future__ import annotations

import csv
import io
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest

from clio.insights import Insights
from clio.insights.text import one_line

from . import made
from .conftest import Watch, drawn, goto
from .seen import COLUMNS, TOPS, expect, hues, item, place

INSIGHTS = made.made()
Open = Callable[..., Any]


def download(page: Any, *, name: str, hint: str) -> tuple[str, bytes]:
    """Choose from the menu of exports; gives the file's name and content."""
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download() as coming:
        page.locator(".menu").get_by_text(re.compile(rf"^{name}\s*{hint}$")).click()
    return coming.value.suggested_filename, Path(coming.value.path()).read_bytes()


def inert(name: str) -> str:
    """A name as a CSV file holds it."""
    return f"'{name}" if name[0] in "=+-@" else name


@pytest.fixture(scope="module")
def file(browser: Any, address: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The single file, as the page hands it out."""
    watch = Watch(browser, address)
    name, content = download(watch(), name="This explorer", hint="one HTML file")
    assert name == "april-insights.html"
    path = tmp_path_factory.mktemp("file") / name
    path.write_bytes(content)
    watch.contexts[0].close()
    assert not watch.troubles
    return path


@pytest.fixture
def offline(browser: Any, file: Path) -> Iterator[Callable[[str], Any]]:
    """Opens the single file at a place, in a browser without a network."""
    watch = Watch(browser, file.as_uri())
    here = watch.context(offline=True).new_page()

    def at(place: str = "") -> Any:
        here.goto("about:blank")
        goto(here, f"{file.as_uri()}#{place}")
        return here

    yield at
    here.context.close()
    assert not watch.troubles


def test_the_tables_hold_every_cluster(page: Open) -> None:
    """The CSV files hold the insights' numbers, and no text that a spreadsheet would run."""
    here = page()
    name, content = download(here, name="Clusters", hint="CSV")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert name == "april-clusters.csv"
    found = {row["id"]: row for row in rows}
    assert len(rows) == len(found) == len(INSIGHTS)
    for cluster in INSIGHTS:
        row = found[cluster.id]
        assert one_line(row["name"]) == one_line(inert(cluster.name))
        assert int(row["conversations"]) == cluster.conversations
        assert float(row["share"]) == pytest.approx(cluster.share)
    _, content = download(here, name="Breakdowns", hint="CSV")
    cells = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert len(cells) == len(INSIGHTS.base) + sum(len(cluster.breakdown) for cluster in INSIGHTS)
    assert not [cell for row in (*rows, *cells) for cell in row.values() if cell and cell[0] in "=+@"]


def test_tables_for_programs(page: Open, tmp_path: Path) -> None:
    """The Parquet files hold the same clusters."""
    _, content = download(page(), name="Clusters", hint="Parquet")
    (tmp_path / "clusters.parquet").write_bytes(content)
    table = pq.read_table(tmp_path / "clusters.parquet")
    assert set(table["id"].to_pylist()) == {cluster.id for cluster in INSIGHTS}


def test_the_map_as_a_picture(page: Open) -> None:
    """A PNG of the map's own size that is more than its ground, and a drawing that holds its names as text."""
    here = page()
    labels = here.evaluate("() => window.__map.visibleLabels()")
    box = here.locator(".map-stage").bounding_box()
    name, content = download(here, name="Map", hint="PNG picture")
    assert name == "april-map.png"
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", content[16:24]) == (round(box["width"]), round(box["height"]))
    assert hues(here, content) >= 5
    name, content = download(here, name="Map", hint="SVG drawing")
    assert name == "april-map.svg"
    drawing = ElementTree.fromstring(content)
    kinds = {element.tag.rpartition("}")[2] for element in drawing.iter()}
    assert not kinds - {
        "svg",
        "defs",
        "pattern",
        "path",
        "filter",
        "feGaussianBlur",
        "rect",
        "g",
        "circle",
        "polygon",
        "text",
    }
    words = " ".join(text for text in drawing.itertext() if text.strip())
    assert all(label.split()[0] in words for label in labels)


def test_the_file_works_without_a_network(offline: Open) -> None:
    """Every screen of the single file is there, opened from a disk: map, choice, colours, table, changes, cluster, run."""
    here = offline()
    item(here, TOPS[0]).click()
    expect(here.locator(".detail-name")).to_have_text(COLUMNS.name[TOPS[0]])
    expect(here.locator(".against").first).to_be_visible()
    here.get_by_label("Colour by").select_option("lift:language:ja")
    expect(here.locator(".legend h2")).to_contain_text("Japanese")
    drawn(here)
    assert here.evaluate("() => window.__map.visibleLabels().length") > 0
    here.get_by_role("button", name="Table", exact=True).click()
    expect(here.locator("tbody tr[aria-rowindex]").first).to_contain_text(COLUMNS.name[TOPS[0]])
    here.get_by_role("button", name="What changed").click()
    expect(here.locator(".plot-row").first).to_be_visible()
    here.get_by_role("button", name="Open page").click()
    expect(here.locator(".sheet")).to_contain_text(COLUMNS.description[TOPS[0]])
    here.get_by_role("button", name="Aggregates only").click()
    expect(here.get_by_role("main")).to_contain_text("Made up: nobody said this.")
    here.go_back()
    expect(here.locator(".sheet")).to_contain_text(COLUMNS.description[TOPS[0]])


def test_a_link_into_the_file_gives_the_same_view(offline: Open) -> None:
    """What stands behind the # brings back cluster, colours and the piece of the map."""
    here = offline()
    item(here, TOPS[1]).click()
    drawn(here)
    here.get_by_role("button", name="Copy link").click()
    link = here.get_by_label("Link to this view").input_value()
    before = place(here, TOPS[1])
    again = offline(link.partition("#")[2])
    expect(again.locator(".detail-name")).to_have_text(COLUMNS.name[TOPS[1]])
    assert place(again, TOPS[1]) == pytest.approx(before, abs=2)


def test_the_file_gives_its_own_tables(offline: Open) -> None:
    """Without a server the page itself writes the same tables, and offers no file that only a server has."""
    here = offline()
    _, content = download(here, name="Clusters", hint="CSV")
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    assert {row["id"]: one_line(row["name"]) for row in rows} == {
        cluster.id: one_line(inert(cluster.name)) for cluster in INSIGHTS
    }
    _, content = download(here, name="Breakdowns", hint="CSV")
    cells = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    assert len(cells) == sum(len(cluster.breakdown) for cluster in INSIGHTS)
    here.get_by_role("button", name="Export", exact=True).click()
    assert "Parquet" not in here.locator(".menu").inner_text()


@pytest.mark.parametrize("insights", [made.single(), made.empty()], ids=["single", "empty"])
def test_small_files_work_as_well(insights: Insights, browser: Any, tmp_path: Path) -> None:
    """A run of one cluster and one of none as a single file."""
    from clio.explorer.page import single_file

    path = tmp_path / "small.html"
    path.write_text(single_file(insights, "small"), "utf-8")
    watch = Watch(browser, path.as_uri())
    here = watch.context(offline=True).new_page()
    goto(here, path.as_uri())
    if len(insights):
        expect(here.get_by_role("treeitem")).to_have_count(1)
    else:
        expect(here.get_by_role("heading", name="This run shows no cluster")).to_be_visible()
    here.context.close()
    assert not watch.troubles


def test_a_notebook_shows_the_explorer(browser: Any, tmp_path: Path) -> None:
    """In its sandboxed frame the page works, though it has no storage and no address of its own."""
    path = tmp_path / "notebook.html"
    path.write_text(
        f"<!doctype html><meta charset=utf-8><title>notebook</title>{INSIGHTS.explore()._repr_html_()}",
        "utf-8",
    )
    watch = Watch(browser, path.as_uri())
    outer = watch.context(offline=True).new_page()
    outer.goto(path.as_uri())
    frame = outer.frame_locator("iframe")
    frame.locator(f"#cluster-{TOPS[0]}").click()
    expect(frame.locator(".detail-name")).to_have_text(COLUMNS.name[TOPS[0]])
    expect(frame.locator(".against").first).to_be_visible()
    frame.get_by_role("button", name="Table", exact=True).click()
    expect(frame.locator("tbody tr[aria-rowindex]").first).to_be_visible()
    outer.context.close()
    assert not watch.troubles
