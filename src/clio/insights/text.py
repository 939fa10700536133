"""Insights as text: an indented tree, and a small page for notebooks."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from clio.insights.model import Group, Insight, Insights


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
        label = f"{node.name}  [{node.id}]" if isinstance(node, Insight) else "(not shown)"
        lines.append(f"{share:6.1%}  {'   ' * at}{label}")
    return "\n".join(lines)


def html(insights: Insights) -> str:
    """A nested list of the first two levels, escaped, for a notebook."""
    items = []
    for at, node in walk(insights, 2):
        share = node.conversations / insights.conversations
        label = escape(node.name) if isinstance(node, Insight) else "<i>not shown</i>"
        items.append(f'<div style="padding-left:{at * 1.6}em"><code>{share:.1%}</code> {label}</div>')
    return f"<div><b>{escape(repr(insights)[1:-1])}</b>{''.join(items)}</div>"
