"""Insights as text: an indented tree, a small page for notebooks, and how a text is made harmless wherever it is shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import Any

from clio.insights.model import Group, Insight, Insights

# what is drawn as nothing though it is no format character (Unicode, Default_Ignorable_Code_Point), and a blank that is no space
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# where a spreadsheet may see a formula begin: in front of a cell, or of what another separator than ours makes a cell; the signs are
# also known in full width and small
_FORMULA = re.compile("(^|[,;|])([\\s\"'‘’“”«»`]*)(?<!')(?=[=+\\-@＝＋－＠﹦﹢﹣﹫−])")


def one_line(text: str) -> str:
    """A text on one line, without control, bidi and invisible characters, so that it can command no terminal and hide nothing."""
    if text.isprintable() and not _UNSEEN.search(text):
        return " ".join(text.split())
    kept = "".join(
        " " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C"
    )
    return " ".join(_UNSEEN.sub("", kept).split())


def inert(text: str) -> str:
    """A text on one line in which no spreadsheet sees a formula: an apostrophe stands before what could begin one. Idempotent."""
    return _FORMULA.sub(r"\1\2'", one_line(text))


def each_text(value: Any, change: Callable[[str], str]) -> Any:
    """A JSON value in which every text, at any depth and as a key too, is changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {each_text(key, change): each_text(inner, change) for key, inner in value.items()}
    return [each_text(inner, change) for inner in value] if isinstance(value, list | tuple) else value


def walk(
    insights: Insights, depth: int | None = None, parent: str | None = None, at: int = 0
) -> Iterator[tuple[int, Insight | Group]]:
    """Clusters and nameless groups in reading order with their indent, siblings by size and the nameless group last."""
    if depth is not None and at >= depth:
        return
    for cluster in insights.children(parent):
        yield at, cluster
        yield from walk(insights, depth, cluster.id, at + 1)
    if group := insights.other_of(parent):
        yield at, group


def tree(insights: Insights, depth: int | None = None) -> str:
    """The hierarchy as indented lines: share, name, id."""
    lines = []
    for at, node in walk(insights, depth):
        share = node.conversations / insights.conversations
        label = f"{one_line(node.name)}  [{node.id}]" if isinstance(node, Insight) else "(not shown)"
        lines.append(f"{share:6.1%}  {'   ' * at}{label}")
    return "\n".join(lines)


def html(insights: Insights) -> str:
    """A nested list of the first two levels, escaped."""
    items, depth = [], 0
    for at, node in walk(insights, 2):
        share = node.conversations / insights.conversations
        label = escape(one_line(node.name)) if isinstance(node, Insight) else "<i>not shown</i>"
        items += ["<ul>"] * (at + 1 - depth) + ["</ul>"] * (depth - at - 1)
        items.append(f"<li><code>{share:.1%}</code> {label}</li>")
        depth = at + 1
    return f"<div><b>{escape(repr(insights)[1:-1])}</b>{''.join(items)}{'</ul>' * depth}</div>"
