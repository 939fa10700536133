"""What each surface makes of published texts: spreadsheets, Markdown, notebook, page and terminal, read as their programs read them."""

from __future__ import annotations

import csv
import json
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from markdown_it import MarkdownIt
from rich.console import Console

from clio.evaluation.attacks.commands import Answered
from clio.explorer.answers import Answers
from clio.explorer.page import every, single_file
from clio.insights import Group, Insight, Insights
from clio.insights.export import write
from clio.insights.text import walk
from clio.report import show_cluster, tree_table
from clio.sources.containers import cells_up_to

# Unicode, Default_Ignorable_Code_Point outside of category C, and blanks that are no spaces
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?", re.IGNORECASE)
_FORMULA_SIGNS = "=+-@＝＋－＠﹦﹢﹣﹫−"  # a spreadsheet also knows them in full width and small
# what a renderer makes a link though nothing marks it as one (GitHub's Markdown, "autolinks"), unless it is escaped
_BARE_LINK = re.compile(r"(?:https?|ftp|mailto|xmpp):\S|www\.\w|[\w.+-]@[\w-]|(?<![\w\\])@\w", re.IGNORECASE)
_BLOCKS = {"heading", "bullet_list", "list_item", "paragraph"}
_MARKUP = {"text", "strong", "em", "softbreak"}
# innerHTML is in the page's library, and closed by the policy's trusted types
_SINKS = ("outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "srcdoc")

_SRCDOC = re.compile(r'srcdoc="([^"]*)"')
_FRAME = {"title", "sandbox", "srcdoc", "width", "height", "style"}


def rendered(insights: Insights) -> dict[str, list[str]]:
    """What is wrong on each surface with the texts of some insights; empty lists where nothing is. Never quotes a text."""
    with tempfile.TemporaryDirectory(prefix="clio-surfaces-") as name:
        folder = Path(name)
        write(insights, folder, ["csv", "markdown", "json", "parquet"])
        return {
            "CSV": list(_spreadsheet(folder)),
            "Parquet": list(_tables(folder)),
            "JSON": list(_document((folder / "insights.json").read_text("utf-8"))),
            "Markdown": list(_markdown((folder / "insights.md").read_text("utf-8"), insights)),
            "notebook": list(_notebook(insights)),
            "page": list(_page(insights)),
            "terminal": list(_terminal(insights)),
        }


def hidden(text: str) -> bool:
    """Whether a text holds a control, bidi or invisible character (a line's end apart)."""
    return any(unicodedata.category(c)[0] == "C" and c != "\n" for c in text) or bool(_UNSEEN.search(text))


def formula(cell: str) -> bool:
    """Whether a spreadsheet may take a cell for a formula: its sign comes first, in any width, after blanks and quotes."""
    text = cell.lstrip(' \t\r\n"‘’“”«»`')
    return text[:1] != "" and text[0] in _FORMULA_SIGNS and not _NUMBER.fullmatch(text)


def texts(insights: Insights) -> Iterator[str]:
    """Every text that insights hold which may be of a participant's making."""
    for cluster in insights:
        yield from (cluster.name, cluster.description)
    cells = [cell for cluster in insights for cell in cluster.breakdown]
    yield from dict.fromkeys(text for cell in (*insights.base, *cells) for text in (cell.facet, cell.value))
    yield from insights.withheld


def _spreadsheet(folder: Path) -> Iterator[str]:
    """CSV, read with each separator that a spreadsheet of some country uses, with and without regard for quotes."""
    for path in sorted(folder.glob("*.csv")):
        content = path.read_text("utf-8")
        if hidden(content.replace("\r\n", "\n")):
            yield "a control or invisible character"
        for separator in ",;\t|":
            for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
                rows = csv.reader(StringIO(content, newline=""), delimiter=separator, quoting=quoting)
                # by a separator that is none here, a cell may be as long as the file
                with cells_up_to(len(content)):
                    found = any(formula(cell) for row in rows for cell in row)
                if found:
                    yield f"a formula where cells are separated by {separator!r}"


def _tables(folder: Path) -> Iterator[str]:
    """Parquet, whose values a notebook may write into a spreadsheet as they are."""
    for path in sorted(folder.glob("*.parquet")):
        for row in pq.read_table(path).to_pylist():
            yield from _values(row.values())


def _document(text: str) -> Iterator[str]:
    """JSON, as it is printed and as it is read."""
    if hidden(text):
        yield "a control or invisible character"
    yield from _values(_leaves(json.loads(text)))


def _values(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str) and hidden(value):
            yield "a control or invisible character"
        if isinstance(value, str) and formula(value):
            yield "a formula"


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield key
            yield from _leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


def _markdown(text: str, insights: Insights) -> Iterator[str]:
    """Markdown, by what a renderer makes of it: our list of bold names and no more."""
    nodes = [node for _, node in walk(insights)]
    wanted = {
        "heading": 1,
        "list_item": len(nodes),
        "strong": sum(isinstance(node, Insight) for node in nodes),
        "em": sum(isinstance(node, Group) for node in nodes),
    }
    found: dict[str, int] = dict.fromkeys(wanted, 0)
    for token in MarkdownIt("js-default", {"html": True, "linkify": False}).parse(text):
        for inner in token.children or [token]:
            kind = inner.type.removesuffix("_open").removesuffix("_close")
            if kind not in (_MARKUP if token.children else {*_BLOCKS, "inline"}):
                yield f"a piece of markup: {kind}"
            if kind in found and not inner.type.endswith("_close"):
                found[kind] += 1
            if kind == "text" and hidden(inner.content):
                yield "a control or invisible character"
    if found != wanted:
        yield "more or less than a list of names"
    if _BARE_LINK.search(text):
        yield "an address that becomes a link"


class _Tags(HTMLParser):
    """Collects the tags of a page with the names of their attributes, and its comments."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.found.append((tag, tuple(name for name, _ in attrs)))

    def handle_comment(self, _data: str) -> None:
        """Note a comment."""
        self.found.append(("comment", ()))


def tags(page: str) -> list[tuple[str, tuple[str, ...]]]:
    """The tags of a page, each with the names of its attributes, in order; comments as a tag "comment"."""
    parser = _Tags()
    parser.feed(page)
    parser.close()
    return parser.found


def _notebook(insights: Insights) -> Iterator[str]:
    """A notebook's page: a frame that may run scripts and nothing else, with the explorer in it, and a list of our own plain tags."""
    page = insights._repr_html_()
    ours = {(name, ()) for name in ("div", "b", "ul", "li", "code", "i", "details", "summary")}
    for tag, attributes in tags(page):
        if tag == "iframe":
            yield from _frame(attributes, page, insights)
        elif (tag, attributes) not in ours:
            yield f"a tag: {tag}"
    if hidden(_SRCDOC.sub("", page)):
        yield "a control or invisible character"


def _frame(attributes: tuple[str, ...], page: str, insights: Insights) -> Iterator[str]:
    """The explorer as a page of its own: no tags but its own, whatever the names are."""
    if 'sandbox="allow-scripts allow-downloads"' not in page or set(attributes) - _FRAME:
        yield "a frame that may do more"
    inside = unescape("".join(_SRCDOC.findall(page)))
    expected = tags(single_file(replace(insights, clusters=(), other=(), base=(), withheld={})))
    listed = {(name, ()) for name in ("ul", "li", "code", "i")}
    yield from (f"a tag in the frame: {one[0]}" for one in tags(inside) if one not in {*expected, *listed})


def _page(insights: Insights) -> Iterator[str]:
    """The data of the page; that it is shown as text nodes only is the page's part (see ``page_is_closed``)."""
    told = [document.model_dump() for _, document in every(Answers("run", insights))]
    if any(isinstance(leaf, str) and hidden(leaf) for leaf in _leaves(told)):
        yield "a control or invisible character"


def page_is_closed(answers: Iterable[Answered]) -> Iterator[str]:
    """What is wrong with the page that the real server gives: how it could run or load what a text says."""
    for answer in answers:
        if answer.path == "output":
            continue
        policy = answer.headers.get("content-security-policy", "")
        if not policy.startswith("default-src 'none'") or "unsafe" in policy:
            yield f"{answer.path}: its content security policy is open"
        elif "require-trusted-types-for 'script'; trusted-types 'none'" not in policy:
            yield f"{answer.path}: a text may become markup"
        if answer.headers.get("x-content-type-options") != "nosniff":
            yield f"{answer.path}: its type may be guessed"
        kind = answer.headers.get("content-type", "").split(";")[0]
        if answer.path.startswith("api/") and kind != "application/json":
            yield f"{answer.path}: data that is no JSON"
        if answer.path.endswith(".js") or not answer.path:
            yield from (f"{answer.path}: {sink}" for sink in _SINKS if sink.encode() in answer.body)


def _terminal(insights: Insights) -> Iterator[str]:
    """What ``clio show`` prints, on a terminal and into a pipe: no command but, on a terminal, for colours."""
    for terminal in (True, False):
        console = Console(
            file=StringIO(),
            width=100,
            highlight=False,
            force_terminal=terminal,
            color_system="standard" if terminal else None,
        )
        console.print(tree_table(insights))
        for cluster in insights:
            show_cluster(insights, cluster, console)
        printed = console.file.getvalue() if isinstance(console.file, StringIO) else ""
        yield from printed_wrong(_STYLE.sub("", printed) if terminal else printed)
    yield from printed_wrong(insights.tree())


def printed_wrong(text: str) -> Iterator[str]:
    """What is wrong with printed text: a command to the terminal, or what cannot be seen."""
    if hidden(text):
        yield "a control or invisible character"
