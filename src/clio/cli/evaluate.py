"""``clio evaluate``: how good runs on a labelled log are, measured over several seeds; ``clio evaluate review``: what people say of one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from clio.cli.review import review

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from clio.evaluation import naming
    from clio.evaluation.quality import Recognise
    from clio.settings import Settings


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
    with ExitStack() as stack:
        recognise = _recognise(judge, judged, settings, stack) if judge else None
        # where run folders are made, not where a system keeps what it may forget: they hold the log
        folder = Path(tempfile.mkdtemp(prefix="clio-run-evaluate-", dir=Path.cwd()))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        advance = stack.enter_context(progress.stage("runs", quality.clusterings(seeds)))
        rows = [asdict(m) for m in quality.evaluate(found, settings, folder, seeds, advance, recognise)]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
    else:
        show_quality(rows, Console(highlight=False))


def _recognise(judge: str, most: int, settings: Settings, stack: ExitStack) -> Recognise:
    """What asks a chat model about the first so many of the requests held out, until the stack is closed."""
    from clio.evaluation import naming
    from clio.models import chat_model
    from clio.models.answers import Answers

    model = chat_model(judge, key_command=settings.key_command, timeout=settings.timeout)
    # one for all seeds: a model's connections end with its answers
    answers = stack.enter_context(Answers(concurrency=settings.concurrency))

    folder = Path(settings.prompts) if settings.prompts else None

    def recognise(
        requests: Sequence[str],
        clusters: NDArray[np.int32],
        texts: Sequence[tuple[str, str] | None],
        middles: NDArray[np.float32],
    ) -> naming.Recognised:
        return naming.recognised(
            requests[:most], clusters[:most], texts, middles, model, answers, folder=folder
        )

    return recognise


_logs.context_class = _Unnamed
