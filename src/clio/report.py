"""What a finished run says at the end: the top of the hierarchy, what is shown and what is not, what it cost, what to do next.

Of the published zone: it takes insights and the run's counts, and imports nothing private.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from clio.insights import Cell, Insight, Insights
from clio.insights.intervals import Sample
from clio.insights.statistics import Measure, Statistics
from clio.insights.text import one_line, walk

_COUNTS = ("calls", "input_tokens", "output_tokens")
_BAR = 18
# how the names of mixed groups begin
_MIXED = ("Various requests", "Various: ")
# measures that may be below 0, and those that may be above 1
_SIGNED, _UNBOUNDED = ("agreement", "correlation", "cosine", "stability, ami"), ("clusters", "names, words")
# values of a facet that are shown of a cluster
_CELLS = 8
_MARKS = {"over": "▲", "under": "▼", "similar": "≈"}
# beyond this ratio of its ends the interval of a lift says nothing
_WIDEST = 4
_BAR_BESIDE_INTERVALS = 12  # so that a row with two intervals keeps to 80 columns


def show_summary(insights: Insights, facts: Mapping[str, Any], console: Console) -> None:
    """Print the summary of a run."""
    console.print()
    split = f" in {facts['split_from']:,} conversations" if facts.get("split_from") else ""
    users = f" of {facts['users']:,} users" if facts.get("users") else ""
    total = f"{facts['conversations']:,} {insights.counted}{split}{users}"
    console.print(Text.assemble((total, "bold"), f", {levels_line(insights)}"))
    if insights.sample:
        console.print(sample_line(insights.sample), soft_wrap=True)
    console.print()
    console.print(tree_table(insights, 2, children=4))
    console.print()
    coverage = f"{insights.coverage:.1%}{margin(insights.coverage_interval)}"
    above = {cluster.parent for cluster in insights}
    base = [cluster for cluster in insights if cluster.id not in above]
    mixed = sum(c.conversations for c in base if c.name.startswith(_MIXED)) / max(1, insights.conversations)
    told = f", {mixed:.0%} under one of a mixed group (“Various …”)" if mixed >= 0.005 else ""
    console.print(f"coverage   {coverage} of {insights.counted} stand under a name{told}", soft_wrap=True)
    if insights.withheld:
        reasons = ", ".join(
            f"{one_line(reason)} {n:,}"
            for reason, n in sorted(insights.withheld.items(), key=lambda item: -item[1])
        )
        console.print(Text(f"withheld   {reasons}"), soft_wrap=True)
    if again := facts.get("stability"):
        console.print(
            f"stability  {again['ami']:.2f} of 1; clustered anew without a tenth, {again['matched']:.0%} lie in clusters that come again",
            soft_wrap=True,
        )
    if facts.get("rejected"):
        reasons = ", ".join(f"{reason} {n:,}" for reason, n in facts["rejected"].items())
        console.print(f"set aside  {reasons}", soft_wrap=True)
    seconds = {name: s for name, s in facts["seconds"].items() if s >= 0.05}
    console.print(
        f"time       {sum(facts['seconds'].values()):.0f} s: "
        + ", ".join(f"{name} {s:.1f}" for name, s in seconds.items()),
        soft_wrap=True,
    )
    if facts["model"]["calls"]:
        show_model(facts, console)
    console.print()
    out = facts["out"]
    for command, what in (
        (f"clio explore {out}", "open the map and the tree"),
        (f"clio show {out}", "print the whole tree"),
        (f"clio export {out}", "one HTML page, Parquet, JSON, CSV, Markdown"),
        (f"clio purge {out}", "delete all text of people; the insights stay"),
    ):
        console.print(
            Text.assemble("  ", (f"{command:<{len(out) + 14}}", "bold"), f"  {what}"), soft_wrap=True
        )


def show_model(facts: Mapping[str, Any], console: Console) -> None:
    """Print what became of the conversations that a chat model read, and what its calls came to beside what was estimated."""
    read = facts.get("read_by_model")
    if read:
        reasons = ", ".join(
            f"{reason} {n:,}" for reason, n in sorted(read["reasons"].items(), key=lambda item: -item[1])[:3]
        )
        parts = f"{read['answered']:,} answered, {read['refused']:,} refused, {read['failed']:,} failed"
        cut = f"; {read['shown_in_part']:,} shown in part" if read["shown_in_part"] else ""
        cut += "; --retry-failed asks again" if read["failed"] else ""
        console.print(Text(f"read       {parts}{f' ({reasons})' if reasons else ''}{cut}"), soft_wrap=True)
    console.print()
    console.print(cost_table(facts["model"], facts.get("estimate")))


def cost_table(measured: Mapping[str, Any], estimated: Mapping[str, Any] | None) -> Table:
    """Calls, tokens and price by stage; where there is an estimate, it stands in brackets beside what was measured."""
    table = _table("stage", "calls", "tokens in", "tokens out", "price")
    forecast = {row["stage"]: row for row in estimated["stages"]} if estimated else {}
    for name in dict.fromkeys([*forecast, *(row["stage"] for row in measured["stages"])]):
        rows = [row for row in measured["stages"] if row["stage"] == name]
        own = {key: sum(row[key] for row in rows) for key in _COUNTS}
        batched = sum(row["calls"] for row in rows if row["batch"])
        costs = [row["cost"] for row in rows]
        table.add_row(
            f"{name} ({batched:,} by jobs)" if batched else name,
            *_beside({**own, "cost": None if None in costs else sum(costs)}, forecast.get(name)),
        )
    table.add_section()
    table.add_row("all", *_beside(measured, estimated))
    table.caption = "measured (estimated)" if estimated else None
    return table


def _beside(own: Mapping[str, Any], forecast: Mapping[str, Any] | None) -> list[str]:
    cells = [f"{own[key]:,}" + (f" ({forecast[key]:,})" if forecast else "") for key in _COUNTS]
    return [*cells, _usd(own["cost"]) + (f" ({_usd(forecast['cost'])})" if forecast else "")]


def show_estimate(facts: Mapping[str, Any], console: Console) -> None:
    """Print an estimate: what is asked, by stage, and where the texts would go."""
    console.print(Text(f"{facts['conversations']:,} {facts['counted']}", style="bold"), soft_wrap=True)
    if not facts["stages"]:
        console.print(
            "no chat model is named: all is done on this machine and costs nothing; name one with --model",
            soft_wrap=True,
        )
        return
    table = _table("stage", "calls", "tokens in", "tokens out", "price")
    for row in facts["stages"]:
        error = f" ±{row['error'] / max(1, row['input_tokens']):.1%}" if row["error"] else ""
        table.add_row(
            row["stage"],
            f"{row['calls']:,}",
            f"{row['input_tokens']:,}{error}",
            f"{row['output_tokens']:,}",
            _usd(row["cost"]),
        )
    table.add_section()
    table.add_row("all", *(f"{facts[key]:,}" for key in _COUNTS), _usd(facts["cost"]))
    console.print()
    console.print(table)
    console.print()
    took = f"about {duration(facts['seconds'])} with {facts['concurrency']} calls at once, at the usual speed of such models"
    if facts["batch"]:
        took = f"facets within a day (batch jobs), the rest {took}"
    priced = f"list prices as of {facts['priced']}" if facts["priced"] else "no price is needed or known"
    for name, text in (
        ("models", _models_line(facts["stages"])),
        ("time", took),
        ("price", f"{priced}; what a vendor's cache saves is not counted"),
        (
            "data",
            f"texts of conversations, identifiers masked, go to {', '.join(facts['hosts'])}; nothing has left yet",
        ),
    ):
        console.print(Text(f"{name:<8} {text}"), soft_wrap=True)


def _models_line(stages: Sequence[Mapping[str, Any]]) -> str:
    """Which model does what: one name if it does all, else each with its stages."""
    done: dict[str, list[str]] = {}
    for row in stages:
        done.setdefault(row["model"], []).append(row["stage"])
    if len(done) == 1:
        return next(iter(done))
    return "; ".join(f"{model}: {', '.join(dict.fromkeys(names))}" for model, names in done.items())


def show_attacks(results: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print what came of attacks (``clio.evaluation.attacks.Result`` as mappings): how often each succeeded, and what is promised."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name, justify in (
        ("attack", "left"),
        ("case", "left"),
        ("tried", "right"),
        ("succeeded", "right"),
        ("95 %", "right"),
        ("at most", "right"),
        ("", "left"),
    ):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in results:
        limit = row["limit"]
        if limit is None:
            said = Text("not promised", "dim")
        elif not row["holds"]:
            said = Text("BROKEN", "bold red")
        else:
            # above what is promised, and by chance perhaps
            said = Text("holds", "green") if row["value"] <= limit else Text("undecided", "yellow")
        table.add_row(
            row["attack"],
            row["case"],
            f"{row['tried']:,}",
            f"{row['value']:.3f}",
            f"{row['low']:.3f}–{row['high']:.3f}",
            "" if limit is None else f"{limit:.3g}",
            said,
        )
    console.print(table)
    for note in dict.fromkeys(row["note"] for row in results if row["note"]):
        console.print(Text(note, style="dim"))


def show_quality(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print measures (``clio.evaluation.quality.Measure`` as mappings): means over seeds and their 95 % intervals, cut to what can be."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name, justify in (("measure", "left"), ("of", "left"), ("mean", "right"), ("95 %", "right")):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    before = ""
    for row in rows:
        interval = ""
        if row["low"] is not None:
            least = -1.0 if any(word in row["measure"] for word in _SIGNED) else 0.0
            most = inf if row["measure"] in _UNBOUNDED else 1.0
            interval = f"{max(least, row['low']):.3f}–{min(most, row['high']):.3f}"
        name = row["measure"] if row["measure"] != before else ""
        before = row["measure"]
        table.add_row(name, row["case"], f"{row['value']:.3f}", interval)
    console.print(table)


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", caption_style="dim", caption_justify="right")
    table.add_column(first, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", overflow="fold")  # where there is no room: no digit is lost
    return table


def _usd(cost: float | None) -> str:
    """A price as people read it: cents where it is large, more digits where it is small."""
    if cost is None:
        return "?"
    return f"${cost:,.2f}" if cost >= 1 or not cost else f"${cost:.4f}"


def duration(seconds: float) -> str:
    """A time as people read it: "40 s", "12 min", "3.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def sample_line(sample: Sample) -> Text:
    """ "a sample of 1,000 of 5,755 conversations (stratified by language); shares ± at 95 %"."""
    by = f" (stratified by {sample.by})" if sample.by else ""
    return Text(
        f"a sample of {sample.conversations:,} of {sample.population:,} conversations{by}; shares ± at 95 %"
    )


def margin(interval: tuple[float, float] | None) -> str:
    """ " ±1.2": half the width of an interval (ends in 0..1), in percentage points; nothing without one."""
    return f" ±{50 * (interval[1] - interval[0]):.1f}" if interval else ""


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
        shown = f"{share:.1%}{margin(insights.interval(node.conversations))}"
        bar = Text(
            "▇" * min(_BAR, max(1, round(_BAR * share / most))) if at == 0 else "",
            style="blue" if isinstance(node, Insight) else "dim",
        )
        if isinstance(node, Insight):
            table.add_row(
                shown,
                bar,
                Text(node.id, style="dim"),
                Text("   " * at + one_line(node.name), style="bold" if at == 0 else ""),
            )
        else:
            table.add_row(shown, bar, "", Text("   " * at + "not shown", style="dim italic"))
    return table


def show_cluster(insights: Insights, cluster: Insight, console: Console) -> None:
    """Print one cluster: description, numbers, children, breakdown against the base rate."""
    path = []
    parent = cluster.parent
    while parent:
        above = insights.cluster(parent)
        path.append(one_line(above.name))
        parent = above.parent
    if path:
        console.print(Text(" › ".join(reversed(path)), style="dim"))
    console.print(Text(one_line(cluster.name), style="bold"), Text(f"[{cluster.id}]", style="dim"))
    if cluster.description:
        console.print(Text(one_line(cluster.description)))
    interval = insights.interval(cluster.conversations)
    ends = f" ({100 * interval[0]:.1f}–{100 * interval[1]:.1f}%)" if interval else ""
    console.print(
        f"\n{cluster.conversations:,} {insights.counted}, {cluster.share:.1%}{ends} of all,"
        f" {cluster.users} users, audit {cluster.audit} of 5"
    )
    if insights.sample:
        console.print(sample_line(insights.sample), soft_wrap=True)
    own = insights.children(cluster.id)
    if own:
        console.print()
        for child in own:
            shown = f"{child.share:6.1%}{margin(insights.interval(child.conversations))}"
            console.print(Text(f"  {shown}  {one_line(child.name)}  "), Text(f"[{child.id}]", style="dim"))
        if group := insights.other_of(cluster.id):
            shown = f"{group.conversations / insights.conversations:6.1%}{margin(insights.interval(group.conversations))}"
            console.print(Text(f"  {shown}  not shown", style="dim"))
    facets: dict[str, list[tuple[Cell, Measure]]] = {}
    for cell, measure in zip(cluster.breakdown, Statistics(insights).measures[cluster.id], strict=True):
        facets.setdefault(cell.facet, []).append((cell, measure))
    for facet, cells in facets.items():
        withheld = 1 - sum(cell.conversations for cell, _ in cells) / cluster.conversations
        of_all = (
            1
            - sum(cell.conversations for cell in insights.base if cell.facet == facet)
            / insights.conversations
        )
        told = f" {withheld:.0%} withheld here, {of_all:.0%} of all" if max(withheld, of_all) >= 0.005 else ""
        console.print(Text(f"\n{one_line(facet)}", style="bold"), Text(told, style="dim"))
        for cell, measure in cells[:_CELLS]:
            console.print(Text(_cell_line(insights, cluster, cell, measure)))
        if len(cells) > _CELLS:
            console.print(Text(f"  … {len(cells) - _CELLS} more", style="dim"))


def _cell_line(insights: Insights, cluster: Insight, cell: Cell, measure: Measure) -> str:
    """A facet value, its share as number and bar, its base rate, and how many times that it is, where what is withheld leaves that open."""
    width = _BAR_BESIDE_INTERVALS if insights.sample else _BAR
    room = 12 if insights.sample else 6
    bar = "▇" * round(width * cell.share)
    share = f"{cell.share:6.1%}{margin(insights.interval(cell.conversations, cluster.conversations))}"
    rate = insights.interval(round(cell.base * insights.conversations)) if cell.base else None
    base = f"{cell.base:.1%}{margin(rate)}"
    return f"  {one_line(cell.value)[:24]:<24} {share:<{room}}  {bar:<{width}} base {base}  {_times(cell, measure)}"


def _times(cell: Cell, measure: Measure) -> str:
    """How many times its base rate a value is: "▲ ×2.1" where that is no chance, "≈" where it may be, "?" where it may be anything.

    Of what is shown; the marks allow for what is withheld.
    """
    if measure.mark == "similar" and measure.lift_high > _WIDEST * measure.lift_low:
        return "?"
    return f"{_MARKS[measure.mark]} ×{cell.lift:.1f}"
