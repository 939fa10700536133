"""``clio evaluate review``: a blind sheet on which people rate a run, and what filled sheets say."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from clio.cli.restricted import noted

if TYPE_CHECKING:
    from clio.run_folder import RunFolder


@click.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "--clusters", type=click.IntRange(2, 500), default=20, show_default=True, help="How many at most."
)
@click.option(
    "--members",
    type=click.IntRange(3, 9),
    default=5,
    show_default=True,
    help="Requests beside a name, and among which an intruder is looked for.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of what is drawn.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the sheet  [default: RUN/private/review]",
)
@click.option(
    "--filled",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="A filled sheet of one rater, to be evaluated instead; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def review(
    ctx: click.Context,
    folder: Path,
    clusters: int,
    members: int,
    seed: int,
    out: Path | None,
    filled: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Make a blind sheet on which people rate the run in RUN: its summaries, its names, its clusters' members.

    The sheet shows what people wrote, identifiers masked. Give raters review.html or review.csv, never the key. What comes back is
    evaluated with --filled. Each use is noted in RUN/access.log. See docs/how-to/review.md.
    """
    from clio import run_folder
    from clio.settings import resolve

    making = ("clusters", "members", "seed", "out")
    if filled and any(ctx.get_parameter_source(name) is not ParameterSource.DEFAULT for name in making):
        raise click.UsageError("--filled evaluates sheets that were made: give it without what makes one")
    if len({path.resolve() for path in filled}) < len(filled):
        raise click.UsageError("a filled sheet is given twice")
    run = run_folder.find(folder, resolve().encryption_key_command)
    noted(folder, "evaluate review", "what people wrote is shown only where its uses are noted")
    if filled:
        _evaluate(run, filled, as_json)
    else:
        _make(run, clusters, members, seed, out, as_json)


def _make(run: RunFolder, clusters: int, members: int, seed: int, out: Path | None, as_json: bool) -> None:
    from collections import Counter

    from clio.evaluation import review_sheet
    from clio.evaluation.review import draw
    from clio.insights import Insights

    sheet = draw(run, Insights.load(run.path), clusters, members, seed)
    *paths, key = review_sheet.write(sheet, run, out)
    if as_json:
        items = Counter(item.kind for item in sheet.items)
        facts = {"sheet": sheet.id, "items": items, "files": [str(path) for path in paths], "key": str(key)}
        click.echo(json.dumps(facts, ensure_ascii=False))
    else:
        for path in (*paths, key):
            click.echo(path)
    kept = "" if out is None else "; clio purge does not delete it there"
    click.echo(
        f"{len(sheet.items)} items. The sheet holds people's text: give it to nobody who may not read that, and the key to no rater{kept}",
        err=True,
    )


def _evaluate(run: RunFolder, filled: tuple[Path, ...], as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from clio.evaluation import review_sheet
    from clio.evaluation.review_figures import figures

    found = review_sheet.read(run, filled)
    rows = figures(found)
    if as_json:
        answers = {"asked": found.asked, "missing": found.missing, "invalid": found.invalid}
        document = {"raters": len(filled), "answers": answers, "figures": [asdict(row) for row in rows]}
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("of")
        table.add_column("figure", overflow="fold")
        for name in ("value", "95 %", "by chance", "items"):
            table.add_column(name, justify="right", no_wrap=True)
        before = ""
        for row in rows:
            interval = "" if row.low is None else f"{row.low:.2f}–{row.high:.2f}"
            chance = "" if row.chance is None else f"{row.chance:.2f}"
            part = "" if row.part == before else row.part
            table.add_row(part, row.figure, f"{row.value:.2f}", interval, chance, str(row.items))
            before = row.part
        Console(highlight=False).print(table)
    raters = "1 rater" if len(filled) == 1 else f"{len(filled)} raters"
    alone = "; agreement needs a second one" if len(filled) == 1 else ""
    click.echo(
        f"{raters}, {found.asked} answers asked for: {found.missing} missing, {found.invalid} invalid, both left out{alone}",
        err=True,
    )
