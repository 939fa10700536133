"""``clio evaluate``: how good runs on a labelled log are, measured over several seeds; ``clio evaluate review``: what people say of one."""

from __future__ import annotations

import json
from contextlib import ExitStack
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
@click.option(
    "--judge",
    metavar="MODEL",
    help="A chat model that reads held-out requests and finds their clusters by name, too: openai:NAME, anthropic:NAME or …@URL.",
)
@click.option(
    "--judged",
    type=click.IntRange(1, 1000),
    default=100,
    show_default=True,
    help="Requests that it reads with each seed.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The run folder whose answers of chat models are used and kept [clio-run-NAME].",
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
    judge: str | None,
    judged: int,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run labelled LOGS several times and hold clusters, names, shares and their stability against the labels.

    The runs never see a label, and their folders are deleted again. Chat models are asked each thing once, in whichever run: their answers
    are kept in the run folder of the log. What each figure means: docs/quality.md.
    """
    import shutil
    import tempfile

    from rich.console import Console

    from clio.errors import SettingsError
    from clio.evaluation import labelled, quality
    from clio.models.roles import opened
    from clio.progress import reporter
    from clio.report import show_quality
    from clio.run_folder import RunFolder, default_out
    from clio.run_notes import Notes
    from clio.settings import ROLES, parse_set, resolve

    settings = resolve(parse_set(pairs))
    if settings.count == "requests":
        raise SettingsError("setting 'count': the labels are of whole conversations; leave it out")
    found = labelled.read([Path(log) for log in logs], label, above)
    if limit:
        found = found.sample(limit)
    progress = reporter(quiet=quiet)
    with ExitStack() as stack:
        roles = None
        if judge or settings.embeds_elsewhere or any(map(settings.model_of, ROLES)):
            kept = RunFolder(out or default_out(list(logs)), settings.encryption_key_command)
            stack.enter_context(Notes(kept, settings, progress).opened())
            roles = stack.enter_context(opened(settings, kept, judge))
            folder = kept.private / "evaluation"
            shutil.rmtree(folder, ignore_errors=True)  # of one that was killed
        else:
            # not where a system keeps what it may forget: runs hold the log
            folder = Path(tempfile.mkdtemp(prefix="clio-run-evaluate-", dir=Path.cwd()))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        measured = quality.evaluate(found, settings, folder, seeds, progress, roles, judged)
    rows = [asdict(one) for one in measured]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
    else:
        show_quality(rows, Console(highlight=False))


_logs.context_class = _Unnamed
