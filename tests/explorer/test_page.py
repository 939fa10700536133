"""The explorer as one file, and in a notebook: complete, shut off from every address, and the same each time."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from clio.cli.export import export
from clio.explorer import page as page_module
from clio.explorer.documents import Recorded
from clio.explorer.page import single_file
from clio.insights import Insights
from clio.insights.export import write

HOSTILE = "</script><img src=x onerror=alert(1)>"
Get = Callable[..., Any]


class Elements(HTMLParser):
    """The elements of a document in order: name, attributes, and the text of scripts and styles."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self.found.append((f"/{tag}", {}, ""))

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][0] in ("script", "style"):
            tag, attributes, text = self.found[-1]
            self.found[-1] = (tag, attributes, text + data)

    def of(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attributes, text) for name, attributes, text in self.found if name == tag]


@pytest.fixture(scope="module")
def document(insights: Insights) -> str:
    return single_file(insights, "my run/ü")


def policy(document: str) -> str:
    """The content security policy that a document gives itself."""
    found = [
        a["content"]
        for a, _ in Elements(document).of("meta")
        if a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert len(found) == 1
    return str(found[0])


def answers(document: str) -> dict[str, Any]:
    """What a document holds as answers."""
    (data,) = [text for a, text in Elements(document).of("script") if a.get("id") == "recorded"]
    return Recorded.model_validate_json(gzip.decompress(base64.b64decode(data))).answers


def test_the_policy_allows_its_own_script_and_styles_and_no_connection(document: str) -> None:
    """Each by the hash of what stands in the file; the policy comes before both."""
    allowed = policy(document)
    assert "default-src 'none'" in allowed
    assert "connect-src 'none'" in allowed
    assert "require-trusted-types-for 'script'; trusted-types 'none'" in allowed
    assert "unsafe" not in allowed
    elements = Elements(document)
    inside = [("script-src", text) for a, text in elements.of("script") if a.get("id") != "recorded"]
    inside += [("style-src", text) for _, text in elements.of("style")]
    assert len(inside) >= 2
    for directive, text in inside:
        own = base64.b64encode(sha256(text.encode()).digest()).decode()
        assert f"'sha256-{own}'" in allowed.partition(directive)[2].partition(";")[0]
    names = [tag for tag, attributes, _ in elements.found if tag in ("meta", "script", "style")]
    assert document.index("Content-Security-Policy") < min(
        document.index("<script"), document.index("<style")
    )
    assert names[0] == "meta"


def test_it_loads_nothing(document: str) -> None:
    """No address of another machine, nothing beside the file, no style that the policy would refuse."""
    addresses = set(re.findall(r"https?://[^\s\"'`)<]+", document))
    # names of markup languages, which nobody asks for
    assert addresses <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xhtml",
        "http://www.w3.org/1998/Math/MathML",
    }
    for tag, attributes, _ in Elements(document).found:
        assert "src" not in attributes, tag
        assert str(attributes.get("href", "data:")).startswith("data:"), tag
        assert "style" not in attributes, tag
        assert not any(name.startswith("on") for name in attributes), tag


def test_hostile_names_open_no_element(document: str) -> None:
    """A name that ends a script or begins an image does neither, in data and in the list for where scripts are off."""
    assert Elements(document).of("img") == []
    assert "<img" not in document
    assert [a for a, _ in Elements(document).of("script") if a.get("id") == "recorded"]


def test_it_answers_what_the_server_answers(serving: Callable[..., Get], insights: Insights) -> None:
    """Every document that the page can ask for by a link of its own, to four digits."""
    get = serving({"run": insights}, None)
    held = answers(single_file(insights, "run"))
    paths = ["runs", "runs/run", "runs/run/clusters", *(f"runs/run/clusters/{c.id}" for c in insights)]
    paths += [f"runs/run/overlay?facet={c.facet}&value={quote(c.value, safe='')}" for c in insights.base]
    paths += [f"runs/run/comparisons/{one['id']}" for one in held["runs"][0]["comparisons"]]
    assert set(held) == {path.replace("%28", "(").replace("%29", ")") for path in paths}
    for path in held:
        assert close(held[path], json.loads(get(f"/api/v1/{path}").body)), path


def close(held: Any, said: Any) -> bool:
    """Whether two JSON values are the same to four digits."""
    if isinstance(held, float) or isinstance(said, float):
        return bool(held == pytest.approx(said, rel=1e-3, abs=1e-9))
    if isinstance(held, dict):
        return held.keys() == said.keys() and all(close(held[key], said[key]) for key in held)
    if isinstance(held, list):
        return len(held) == len(said) and all(map(close, held, said))
    return bool(held == said)


def test_names_are_written_into_paths_as_the_page_does(document: str) -> None:
    """As encodeURIComponent does, for runs and values of any letters."""
    held = answers(document)
    run = "my%20run%2F%C3%BC"
    assert f"runs/{run}/clusters" in held
    assert (
        f"runs/{run}/overlay?facet=language&value=%3C%2Fscript%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E"
        in held
    )


def test_the_same_insights_give_the_same_bytes(insights: Insights, document: str) -> None:
    """Twice the same; other insights, other bytes."""
    assert single_file(insights, "my run/ü") == document
    assert single_file(replace(insights, conversations=401), "my run/ü") != document


def test_a_script_that_names_its_own_end_stays_one_script(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What would end the element or begin a comment in it is written otherwise, with the same meaning."""
    own = {
        "index.html": '<html><head><script type="module" crossorigin src="./app.js"></script>'
        '<link rel="stylesheet" href="./app.css"></head><body></body></html>',
        "app.js": 'const a = "</script><!-- </SCRIPT >";',
        "app.css": 'a::after { content: "</style>" }',
    }
    monkeypatch.setattr(page_module, "_static", own.__getitem__)
    elements = Elements(single_file(insights))
    assert [text for a, text in elements.of("script") if a.get("type") == "module"] == [
        r'const a = "<\/script><\!-- <\/SCRIPT >";'
    ]
    assert [text for _, text in elements.of("style")] == [r'a::after { content: "<\/style>" }']


def test_a_run_with_many_clusters_holds_fewer_comparisons(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is offered in the file is what it holds, those of time first."""
    monkeypatch.setattr(page_module, "_MOST_COMPARED", 2 * len(insights))
    held = answers(single_file(insights, "run"))
    offered = [one["id"] for one in held["runs"][0]["comparisons"]]
    assert len(offered) == 2
    assert offered[0] == held["runs"][0]["growth"] == "recent"
    assert {path.rpartition("/")[2] for path in held if "/comparisons/" in path} == set(offered)


@pytest.mark.parametrize("empty", [Insights((), (), (), 0, "0"), Insights((), (), (), 500, "50-99")])
def test_insights_without_clusters_make_a_file(empty: Insights) -> None:
    """It says that nothing is shown, and fails nowhere."""
    assert answers(single_file(empty))["runs"][0]["levels"] == []


def test_it_is_an_export_like_others(tmp_path: Path, insights: Insights) -> None:
    """By name, and among those that are written if none is named; it carries the run's name."""
    (path,) = write(insights, tmp_path / "own", ["html"], "my run")
    assert path.read_text("utf-8") == single_file(insights, "my run")
    insights.save(tmp_path / "run")
    done = CliRunner().invoke(export, [str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    assert answers((tmp_path / "run/export/insights.html").read_text("utf-8"))["runs"][0]["id"] == "run"


def test_a_notebook_gets_the_page_in_a_frame_of_its_own(insights: Insights) -> None:
    """Scripts and downloads, no more: neither the notebook's origin nor its forms; the page arrives as it was made."""
    shown = insights.explore()._repr_html_()
    ((frame, _),) = Elements(shown).of("iframe")
    assert frame["sandbox"] == "allow-scripts allow-downloads"
    assert frame["srcdoc"] == single_file(insights)
    assert unescape(shown.partition('srcdoc="')[2].partition('"')[0]) == single_file(insights)
    assert Elements(shown).of("script") == Elements(shown).of("img") == []
    assert "Cards" in shown.partition("</iframe>")[2]
    assert insights._repr_html_() == shown
    assert repr(insights.explore()).startswith("<Explorer of Insights: 400 conversations")


def test_a_page_too_large_for_a_notebook_is_a_list(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notebook keeps what it shows."""
    monkeypatch.setattr(page_module, "_MOST_IN_NOTEBOOK", 100)
    shown = insights._repr_html_()
    assert "<iframe" not in shown
    assert "Cards" in shown
