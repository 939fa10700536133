"""Reading a run: tree, map, search, filters and table show the same clusters, and each moves the others."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from . import made
from .conftest import drawn
from .seen import COLUMNS, RUN, TOPS, expect, hues, inside, item, place

Open = Callable[..., Any]


def test_the_first_screen_shows_the_run(page: Open) -> None:
    """Map, tree and base rates are there, with the run's own figures."""
    here = page()
    tops = here.get_by_role("treeitem")
    assert tops.count() == len(TOPS)
    assert [tops.nth(i).get_attribute("id") for i in range(len(TOPS))] == [f"cluster-{i}" for i in TOPS]
    labels = here.evaluate("() => window.__map.visibleLabels()")
    assert set(labels) & {COLUMNS.name[i] for i in TOPS}
    assert here.evaluate("() => window.__map.renderer") == "webgl2"
    panel = here.get_by_role("complementary", name="Cluster", exact=True)
    expect(panel).to_contain_text(f"{RUN.run.conversations:,}")
    expect(here.locator(".run")).to_contain_text("130 clusters")


def test_the_map_is_drawn(page: Open) -> None:
    """Discs are there in the colours of several themes, not only the ground and its names."""
    here = page()
    assert hues(here, here.locator(".map-stage").screenshot()) >= 5


def test_the_tree_is_read_by_keyboard(page: Open) -> None:
    """Arrows, Home, End, letters and Enter do what ARIA's tree pattern says."""
    here = page()
    focused = here.locator("[role=treeitem]:focus")
    first, second = item(here, TOPS[0]), item(here, TOPS[1])
    first.focus()
    here.keyboard.press("ArrowDown")
    expect(second).to_be_focused()
    here.keyboard.press("ArrowUp")
    expect(first).to_be_focused()
    assert first.get_attribute("aria-expanded") == "false"
    here.keyboard.press("ArrowRight")
    expect(first).to_have_attribute("aria-expanded", "true")
    here.keyboard.press("ArrowRight")
    child = inside(TOPS[0])[0]
    expect(item(here, child)).to_be_focused()
    assert item(here, child).get_attribute("aria-level") == "2"
    assert item(here, child).get_attribute("aria-setsize") == str(len(inside(TOPS[0])))
    here.keyboard.press("End")
    expect(item(here, TOPS[-1])).to_be_focused()
    here.keyboard.press("Home")
    expect(first).to_be_focused()
    wanted = next(
        i for i in TOPS[1:] if COLUMNS.name[i][0] not in {COLUMNS.name[j][0] for j in TOPS if j != i}
    )
    here.keyboard.type(COLUMNS.name[wanted][:2].lower())
    expect(item(here, wanted)).to_be_focused()
    here.keyboard.press("Enter")
    expect(item(here, wanted)).to_have_attribute("aria-selected", "true")
    expect(here.locator(".detail-name")).to_have_text(COLUMNS.name[wanted])
    here.keyboard.press("Home")
    here.keyboard.press("ArrowLeft")
    expect(first).to_have_attribute("aria-expanded", "false")
    assert focused.count() == 1
    assert here.locator("[role=treeitem][tabindex='0']").count() == 1


def test_a_choice_in_the_tree_moves_map_and_detail(page: Open) -> None:
    """The map flies to what was chosen, breadcrumb, panel and address name it."""
    here = page()
    chosen = inside(TOPS[0])[0]
    item(here, TOPS[0]).click()
    item(here, chosen).click()
    expect(here.locator(".detail-name")).to_have_text(COLUMNS.name[chosen])
    drawn(here)
    box = here.locator(".map-stage").bounding_box()
    x, y = place(here, chosen)
    assert abs(x - box["x"] - box["width"] / 2) < 60
    assert abs(y - box["y"] - box["height"] / 2) < 60
    crumbs = here.get_by_role("navigation", name="Where the cluster stands")
    expect(crumbs).to_contain_text(COLUMNS.name[TOPS[0]])
    here.wait_for_url(re.compile(rf"[?&]c={re.escape(COLUMNS.id[chosen])}(&|$)"))


def test_a_choice_on_the_map_moves_tree_and_detail(page: Open) -> None:
    """A click on a disc opens the tree down to it, and all that is said of it is there."""
    here = page()
    parent = inside(TOPS[0])[0]
    item(here, TOPS[0]).click()
    item(here, parent).click()
    drawn(here)
    leaf = inside(parent)[1]
    here.mouse.click(*place(here, leaf))
    expect(item(here, leaf)).to_have_attribute("aria-selected", "true")
    expect(item(here, leaf)).to_be_in_viewport()
    expect(here.locator(".detail-name")).to_have_text(COLUMNS.name[leaf])
    expect(here.locator(".facet").first).to_be_visible()
    detail = RUN.detail(COLUMNS.id[leaf])
    shown = sum(len(facet.cells) for facet in detail.facets if facet.kind != "time")
    assert (
        here.locator(".against").count()
        + int(sum(int(text.split()[0]) for text in here.locator(".facet .link").all_inner_texts()))
        == shown
    )
    expect(here.locator(".detail .numbers")).to_contain_text(f"{COLUMNS.conversations[leaf]:,}")


def test_the_map_is_moved_by_keyboard(page: Open) -> None:
    """Arrows pan, plus and minus zoom, 0 shows all of it again, Enter chooses the nearest."""
    here = page()
    stage = here.get_by_role("application")
    stage.focus()
    before = place(here, TOPS[0])
    here.keyboard.press("ArrowRight")
    drawn(here)
    here.keyboard.press("+")
    drawn(here)
    assert place(here, TOPS[0]) != before
    here.wait_for_url(re.compile(r"[?&]z="))
    here.keyboard.press("0")
    drawn(here)
    assert place(here, TOPS[0]) == pytest.approx(before, abs=0.5)
    here.keyboard.press("Enter")
    expect(here.locator("[role=treeitem][aria-selected=true]")).to_have_count(1)


def test_pointing_at_the_tree_shows_on_the_map_and_the_other_way(page: Open) -> None:
    """What is under the pointer in one is marked in the other."""
    here = page()
    item(here, TOPS[0]).click()
    item(here, inside(TOPS[0])[0]).click()
    drawn(here)
    leaf = inside(inside(TOPS[0])[0])[0]
    here.mouse.move(*place(here, leaf))
    expect(item(here, leaf)).to_have_class(re.compile("hovered"))
    before = here.evaluate("() => window.__map.frames()")
    item(here, TOPS[1]).hover()
    here.wait_for_function("(before) => window.__map.frames() > before", arg=before)


def test_search_narrows_and_says_so(page: Open) -> None:
    """A slash leads to the field; tree, map and the spoken count follow, and the words stay out of the address."""
    here = page()
    item(here, TOPS[0]).focus()
    here.keyboard.press("/")
    field = here.get_by_role("searchbox")
    expect(field).to_be_focused()
    word = "recipes"
    expected = sum(
        word in f"{name}\n{text}".lower()
        for name, text in zip(COLUMNS.name, COLUMNS.description, strict=True)
    )
    assert 0 < expected < 130
    field.press_sequentially(word)
    expect(here.locator(".tree-head")).to_contain_text(f"{expected} of 130")
    expect(here.locator("[role=status].hidden-text")).to_have_text(
        f"{expected} cluster{'s' if expected > 1 else ''} of 130 shown"
    )
    expect(here.locator("[role=tree] mark").first).to_have_text(word)
    here.get_by_role("treeitem").first.click()
    here.wait_for_url(re.compile(r"[?&]c="))
    assert word not in here.url
    field.fill("no such words anywhere")
    expect(here.get_by_text("No cluster passes")).to_be_visible()
    field.press("Escape")
    expect(here.get_by_role("treeitem")).to_have_count(len(TOPS))


def test_colours_follow_a_facets_value(page: Open) -> None:
    """The map takes other colours, its legend says which, and the address keeps the choice."""
    here = page()
    stage = here.locator(".map-stage")
    before = stage.screenshot()
    for colour, title in (("lift:language:ja", "Language: Japanese"), ("concern", "Mean concern score")):
        here.get_by_label("Colour by").select_option(colour)
        expect(here.locator(".legend h2")).to_contain_text(title)
        drawn(here)
        after = stage.screenshot()
        assert after != before
        before = after
        here.wait_for_url(re.compile("color=" + colour.replace(":", "%3A")))


def test_a_filter_keeps_what_is_over_represented(page: Open) -> None:
    """As many clusters pass as the answers mark; the filter is in the address and can be taken away."""
    here = page()
    over = RUN.overlay("language", "ja").mark.count("over")
    assert over
    here.get_by_role("button", name="Language any").click()
    here.get_by_role("checkbox", name="Japanese").check()
    here.keyboard.press("Escape")
    expect(here.locator(".tree-head")).to_contain_text(f"{over} of 130")
    here.wait_for_url(re.compile("f=facet%3Alanguage%3Aja"))
    here.get_by_role("button", name="Remove the filter Language").click()
    expect(here.get_by_role("treeitem")).to_have_count(len(TOPS))
    large = sum(n >= 1000 for n in COLUMNS.conversations)
    here.get_by_role("button", name="Size any").click()
    here.get_by_text("≥ 1,000").click()
    expect(here.locator(".tree-head")).to_contain_text(f"{large} of 130")


def test_a_lasso_marks_whole_clusters(page: Open) -> None:
    """What lies inside of the line is marked, counted, and can be cleared; a list of boxes does the same."""
    here = page()
    here.get_by_role("button", name="Lasso").click()
    bases = [i for i, id_ in enumerate(COLUMNS.id) if id_ not in COLUMNS.parent]
    spots = {i: place(here, i) for i in bases}
    box = here.locator(".map-stage").bounding_box()
    left, top = box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.2
    right, bottom = box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.6
    caught = sum(left < x < right and top < y < bottom for x, y in spots.values())
    assert 3 < caught < len(bases)
    here.mouse.move(left, top)
    here.mouse.down()
    for corner in ((right, top), (right, bottom), (left, bottom), (left, top)):
        here.mouse.move(*corner)
    here.mouse.up()
    marked = here.locator(".marked")
    expect(marked).to_contain_text(f"{caught} clusters marked")
    marked.get_by_role("button", name="Clear").click()
    expect(marked).to_have_count(0)


def test_the_table_sorts_and_draws_what_is_in_sight(page: Open) -> None:
    """Every column sorts both ways; far fewer rows are drawn than there are, and the last can be reached."""
    here = page("view=table")
    table = here.get_by_role("table")
    assert table.get_attribute("aria-rowcount") == "131"
    rows = here.locator("tbody tr[aria-rowindex]")
    expect(rows.first).to_contain_text(COLUMNS.name[TOPS[0]])
    assert rows.count() < 60
    here.get_by_role("button", name="Conversations", exact=True).click()
    here.get_by_role("button", name="Conversations").click()
    expect(here.locator("th[aria-sort=ascending]")).to_contain_text("Conversations")
    expect(rows.first).to_contain_text(f"{min(COLUMNS.conversations):,}")
    here.get_by_role("button", name="Cluster", exact=True).click()
    expect(here.locator("th[aria-sort=ascending]")).to_contain_text("Cluster")
    here.wait_for_url(re.compile("sort=name"))
    here.locator(".table-frame").evaluate("(frame) => frame.scrollTo(0, frame.scrollHeight)")
    expect(here.locator("tr[aria-rowindex='131']")).to_be_in_viewport()
    assert rows.count() < 60
    here.locator("tr[aria-rowindex='131'] .name-cell button").click()
    expect(here.locator(".detail-name")).to_be_visible()


def test_boxes_mark_rows(page: Open) -> None:
    """What a lasso does on the map, boxes do in the table."""
    here = page("view=table")
    here.locator("tbody input[type=checkbox]").nth(0).check()
    here.locator("tbody input[type=checkbox]").nth(2).check()
    expect(here.locator(".marked")).to_contain_text("2 clusters marked")
    here.get_by_label("Mark all listed").check()
    expect(here.locator(".marked")).to_contain_text("130 clusters marked")


def test_one_window_is_held_against_another(page: Open) -> None:
    """What changed: the figures of a comparison, its kinds, and a row that leads to its cluster."""
    here = page()
    here.get_by_role("button", name="Compare", exact=True).click()
    compared = RUN.comparison("recent")
    expect(here.locator(".side").nth(0)).to_contain_text(f"{compared.a_conversations:,} conversations")
    expect(here.locator(".side").nth(1)).to_contain_text(f"{compared.b_conversations:,} conversations")
    here.get_by_label("Level").select_option("1")
    rows = here.locator(".plot-row")
    top = max(TOPS, key=lambda i: compared.diff[i] or 0)
    expect(rows).to_have_count(len(TOPS))
    expect(rows.first).to_contain_text(COLUMNS.name[top])
    expect(rows.first).to_contain_text(f"+{100 * (compared.diff[top] or 0):.1f}")
    rising = sum((compared.diff[i] or 0) > 0 and (compared.q[i] or 0) <= 0.05 for i in TOPS)
    expect(here.locator(".kind.rising")).to_contain_text(str(rising))
    here.locator(".kind.rising").click()
    expect(rows).to_have_count(rising)
    rows.first.click()
    expect(here.locator(".detail-name")).to_have_text(COLUMNS.name[top])
    other = next(one for one in RUN.run.comparisons if one.facet == "language")
    here.get_by_label("Comparison", exact=True).select_option(other.id)
    expect(here.locator(".side").nth(0)).to_contain_text(f"{RUN.comparison(other.id).a_conversations:,}")
    here.wait_for_url(re.compile(f"cmp={other.id}"))


def test_windows_are_moved_by_keyboard(page: Open) -> None:
    """The ends of A and B are sliders; the answers follow by whole weeks."""
    here = page()
    slider = here.get_by_role("slider", name="First week of B")
    before = slider.get_attribute("aria-valuenow")
    slider.focus()
    here.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuenow", str(int(before) - 1))
    here.wait_for_url(re.compile("cmp=own"))
    weeks = made.FACETS["week"]
    found = RUN.compare("week", weeks[8:], weeks[3:8])
    diff = found.diff[TOPS[0]]
    assert diff is not None
    expect(item(here, TOPS[0])).to_contain_text(f"{abs(100 * diff):.1f}")


def test_a_cluster_has_a_page(page: Open) -> None:
    """Everything about one cluster, with a way back to the map."""
    here = page(f"view=cluster&c={COLUMNS.id[TOPS[0]]}")
    sheet = here.locator(".sheet")
    expect(sheet).to_contain_text(COLUMNS.description[TOPS[0]])
    for child in inside(TOPS[0]):
        expect(sheet).to_contain_text(COLUMNS.name[child])
    expect(here.get_by_role("img", name=re.compile("Weekly share"))).to_be_visible()
    expect(sheet).to_contain_text("Privacy audit")
    here.get_by_role("button", name="Show on the map").click()
    expect(here.get_by_role("application")).to_be_visible()
    expect(item(here, TOPS[0])).to_have_attribute("aria-selected", "true")


def test_the_run_says_how_it_was_made(page: Open) -> None:
    """Method, policy, what is withheld and the caveats stand on the run's page."""
    here = page("view=run")
    main = here.get_by_role("main")
    for text in (
        "Made up: nobody said this.",
        "Accounts behind a cluster, at least",
        "failed the audit",
        "0123456789ab",
    ):
        expect(main).to_contain_text(text)
    expect(main).to_contain_text(f"of {20 * RUN.run.conversations:,}, by week")


def test_other_runs_are_a_choice_away(page: Open) -> None:
    """A run of one cluster and one of none are shown for what they are."""
    here = page()
    here.get_by_label("Run", exact=True).select_option("one & only")
    expect(here.get_by_role("treeitem")).to_have_count(1)
    here.get_by_role("treeitem").click()
    expect(here.locator(".detail-name")).to_have_text("Ask about anything")
    here.get_by_label("Run", exact=True).select_option("nothing")
    expect(here.get_by_role("heading", name="This run shows no cluster")).to_be_visible()
    here.get_by_role("button", name="What was withheld").click()
    expect(here.get_by_role("main")).to_contain_text("too few people")


def test_without_any_run_the_first_steps_are_told(page: Open) -> None:
    """Nothing to read is no failure: the commands that make something are named."""
    here = page()
    here.route("**/api/v1/runs", lambda route: route.fulfill(json=[]))
    here.reload()
    expect(here.get_by_role("heading", name="No run to show yet")).to_be_visible()
    expect(here.get_by_role("main")).to_contain_text("clio demo")
    here.unroute("**/api/v1/runs")


def test_back_and_forward_restore_what_was_seen(page: Open) -> None:
    """Each choice is one step of the history."""
    here = page()
    item(here, TOPS[0]).click()
    expect(here.locator(".detail-name")).to_have_text(COLUMNS.name[TOPS[0]])
    item(here, TOPS[1]).click()
    expect(here.locator(".detail-name")).to_have_text(COLUMNS.name[TOPS[1]])
    here.get_by_role("button", name="Table", exact=True).click()
    expect(here.get_by_role("table")).to_be_visible()
    here.go_back()
    expect(item(here, TOPS[1])).to_have_attribute("aria-selected", "true")
    here.go_back()
    expect(here.locator(".detail-name")).to_have_text(COLUMNS.name[TOPS[0]])
    here.go_forward()
    expect(here.locator(".detail-name")).to_have_text(COLUMNS.name[TOPS[1]])


def test_a_copied_link_gives_the_same_view(page: Open, opened: Any) -> None:
    """In another browser profile the same cluster, colours, filter and piece of the map are seen."""
    here = page()
    here.get_by_label("Colour by").select_option("lift:language:ja")
    here.get_by_role("button", name="Size any").click()
    here.get_by_text("≥ 500", exact=True).click()
    here.keyboard.press("Escape")
    item(here, TOPS[0]).click()
    drawn(here)
    here.get_by_role("button", name="Copy link").click()
    link = here.get_by_label("Link to this view").input_value()
    other = opened.context().new_page()
    other.goto(link)
    expect(other.locator(".detail-name")).to_have_text(COLUMNS.name[TOPS[0]])
    expect(other.get_by_label("Colour by")).to_have_value("lift:language:ja")
    expect(other.locator(".tree-head")).to_have_text(
        here.locator(".tree-head").inner_text(), use_inner_text=True
    )
    drawn(other)
    for cluster in TOPS[:3]:
        assert place(other, cluster) == pytest.approx(place(here, cluster), abs=2)
    here.keyboard.press("Escape")
