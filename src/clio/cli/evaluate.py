"""``clio evaluate``: how good runs on a labelled log are, measured over several seeds; ``clio evaluate review``: what people say of one."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from clio.cli.review import review


class _Evaluate(click.Group):
    """What is no command of its own is the first of the logs."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args if args[:1] == ["review"] else ["logs", *args])


class _Unnamed(click.Context):
    """A command that is called by its group's name."""

    @property
    def command_path(self) -> str:
        return self.parent.command_path if self.parent else super().command_path


@click.group(cls=_Evaluate)
def evaluate() -> None:
    """Hold runs on a labelled log against its labels, or let people rate one."""


evaluate.add_command(review)


@evaluate.command("logs", epilog="To let people rate a run: clio evaluate review RUN (see its --help).")
@click.argument("logs", nargs=-1, required=True)
@click.option("--label", default="label", show_default=True, help="The log's column with the true label.")
@click.option(
    "--above", default="parent_label", show_default=True, help="The column with the label of the level above."
)
@click.option("--seeds", type=click.IntRange(1, 50), default=3, show_default=True, help="How many runs.")
@click.option("--limit", type=click.IntRange(min=100), help="So many conversations at random [all].")
@click.option(
    "--set", "pairs", multiple=True, metavar="KEY=VALUE", help="A setting of the runs; may be repeated."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--quiet", is_flag=True, help="No progress.")
def _logs(
    logs: tuple[str, ...],
    label: str,
    above: str,
    seeds: int,
    limit: int | None,
    pairs: tuple[str, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Run labelled LOGS several times and hold clusters, names, shares and their stability against the labels.

    The runs never see a label; their folders, made in the working directory, are deleted again. What each figure means: docs/quality.md.
    """
    import shutil
    import tempfile

    from rich.console import Console

    from clio.errors import SettingsError
    from clio.evaluation import labelled, quality
    from clio.progress import reporter
    from clio.report import show_quality
    from clio.settings import parse_set, resolve

    settings = resolve(parse_set(pairs))
    if settings.count == "requests":
        raise SettingsError("setting 'count': the labels are of whole conversations; leave it out")
    found = labelled.read([Path(log) for log in logs], label, above)
    if limit:
        found = found.sample(limit)
    progress = reporter(quiet=quiet)
    # where run folders are made, not where a system keeps what it may forget: they hold the log
    folder = Path(tempfile.mkdtemp(prefix="clio-run-evaluate-", dir=Path.cwd()))
    try:
        with progress.stage("runs", quality.clusterings(seeds)) as advance:
            rows = [asdict(m) for m in quality.evaluate(found, settings, folder, seeds, advance)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
    else:
        show_quality(rows, Console(highlight=False))


_logs.context_class = _Unnamed
