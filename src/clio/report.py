"""What a finished run says at the end: the top of the hierarchy, what is shown and what is not, what it cost, what to do next.

Of the published zone: it takes insights and the run's counts, and imports nothing private.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from clio.insights import Insight, Insights
from clio.insights.text import walk

_BAR = 18


def show_summary(insights: Insights, facts: Mapping[str, Any], console: Console) -> None:
    """Print the summary of a run."""
    console.print()
    users = f" of {facts['users']:,} users" if facts.get("users") else ""
    console.print(
        Text.assemble(
            (f"{facts['conversations']:,} conversations{users}", "bold"), f", {levels_line(insights)}"
        )
    )
    console.print()
    console.print(tree_table(insights, 2, children=4))
    console.print()
    console.print(f"coverage   {insights.coverage:.1%} of conversations stand under a name")
    if insights.withheld:
        reasons = ", ".join(
            f"{reason} {n:,}" for reason, n in sorted(insights.withheld.items(), key=lambda item: -item[1])
        )
        console.print(f"withheld   {reasons}", soft_wrap=True)
    if facts.get("rejected"):
        reasons = ", ".join(f"{reason} {n:,}" for reason, n in facts["rejected"].items())
        console.print(f"set aside  {reasons}", soft_wrap=True)
    seconds = {name: s for name, s in facts["seconds"].items() if s >= 0.05}
    console.print(
        f"time       {sum(facts['seconds'].values()):.0f} s: "
        + ", ".join(f"{name} {s:.1f}" for name, s in seconds.items()),
        soft_wrap=True,
    )
    model = facts["model"]
    if model["calls"]:
        console.print(
            f"model      {model['calls']:,} calls, {model['input_tokens']:,} tokens in, {model['output_tokens']:,} out"
        )
    console.print()
    out = facts["out"]
    for command, what in (
        (f"clio explore {out}", "open the map and the tree"),
        (f"clio show {out}", "print the whole tree"),
        (f"clio export {out}", "Parquet, JSON, CSV, Markdown"),
        (f"clio purge {out}", "delete all text of people; the insights stay"),
    ):
        console.print(
            Text.assemble("  ", (f"{command:<{len(out) + 14}}", "bold"), f"  {what}"), soft_wrap=True
        )


def levels_line(insights: Insights) -> str:
    """ "10 themes over 74 clusters"."""
    if not insights.levels:
        return "nothing that may be shown"
    if len(insights.levels) == 1:
        return f"{insights.levels[0]} clusters"
    return (
        f"{insights.levels[0]} themes over "
        + " over ".join(f"{n:,}" for n in insights.levels[1:])
        + " clusters"
    )


def tree_table(insights: Insights, depth: int | None = None, children: int | None = None) -> Table:
    """The hierarchy as a table of shares, bars and names; at most ``children`` children of each cluster."""
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    most = max((c.share for c in insights.children()), default=1.0) or 1.0
    seen: dict[str | None, int] = {}
    for at, node in walk(insights, depth):
        seen[node.parent] = seen.get(node.parent, 0) + 1
        if children and at and seen[node.parent] > children:
            if seen[node.parent] == children + 1:
                left = len(insights.children(node.parent)) - children
                if left > 0:
                    table.add_row("", "", "", Text(f"{'   ' * at}… {left} more", style="dim"))
            continue
        share = node.conversations / insights.conversations
        bar = Text(
            "▇" * max(1, round(_BAR * share / most)) if at == 0 else "",
            style="blue" if isinstance(node, Insight) else "dim",
        )
        if isinstance(node, Insight):
            table.add_row(
                f"{share:.1%}",
                bar,
                Text(node.id, style="dim"),
                Text("   " * at + node.name, style="bold" if at == 0 else ""),
            )
        else:
            table.add_row(f"{share:.1%}", bar, "", Text("   " * at + "not shown", style="dim italic"))
    return table


def show_cluster(insights: Insights, cluster: Insight, console: Console) -> None:
    """Print one cluster: description, numbers, children, breakdown against the base rate."""
    path = []
    parent = cluster.parent
    while parent:
        above = insights.cluster(parent)
        path.append(above.name)
        parent = above.parent
    if path:
        console.print(Text(" › ".join(reversed(path)), style="dim"))
    console.print(Text(cluster.name, style="bold"), Text(f"[{cluster.id}]", style="dim"))
    if cluster.description:
        console.print(Text(cluster.description))
    console.print(
        f"\n{cluster.conversations:,} conversations, {cluster.share:.1%} of all, {cluster.users} users, audit {cluster.audit} of 5"
    )
    own = insights.children(cluster.id)
    if own:
        console.print()
        for child in own:
            console.print(Text(f"  {child.share:6.1%}  {child.name}  "), Text(f"[{child.id}]", style="dim"))
        if group := insights.other_of(cluster.id):
            console.print(
                Text(f"  {group.conversations / insights.conversations:6.1%}  not shown", style="dim")
            )
    facets: dict[str, list[Any]] = {}
    for cell in cluster.breakdown:
        facets.setdefault(cell.facet, []).append(cell)
    for facet, cells in facets.items():
        console.print(Text(f"\n{facet}", style="bold"))
        for cell in cells[:8]:
            bar = "▇" * round(_BAR * cell.share)
            console.print(
                Text(
                    f"  {cell.value[:24]:<24} {cell.share:6.1%}  {bar:<{_BAR}} base {cell.base:.1%}  ×{cell.lift:.1f}"
                )
            )
