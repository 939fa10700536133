"""``clio run``: logs to insights."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def logs_and_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """What ``clio run`` and ``clio estimate`` are told alike."""
    for option in (
        click.option("--quiet", is_flag=True, help="No progress."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
        click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Any setting; may be repeated."),
        click.option("--config", type=click.Path(path_type=Path), help="Settings file [clio.toml]."),
        click.option("--batch", is_flag=True, default=None, help="Ask facets by batch jobs: half the price, within a day."),
        click.option("--max-cost", type=float, metavar="USD", help="Stop before model calls cost more; can be resumed."),
        click.option("--sample-by", metavar="COLUMN", help="Draw the sample in proportion by a column."),
        click.option("--sample", type=int, metavar="N", help="Draw N conversations; shares come with intervals."),
        click.option("--model", help="Chat model: openai:NAME, anthropic:NAME, openai:NAME@URL [none: all local]."),
        click.option("--format", "format", help="Format of the logs; see clio sources [auto]."),
        click.option("--out", type=click.Path(path_type=Path), help="Run folder [clio-run-NAME]."),
        click.argument("logs", nargs=-1, required=True),
    ):  # fmt: skip
        command = option(command)
    return command


def settings_of(pairs: tuple[str, ...], config: Path | None, flags: dict[str, Any]) -> Any:
    """The settings that a command was told: flags over ``--set`` over the file."""
    from clio.settings import parse_set, resolve

    given = {key: value for key, value in flags.items() if value is not None}
    return resolve(parse_set(pairs), given, file=config)


@click.command()
@logs_and_settings
@click.option("--dry-run", is_flag=True, help="Say what it would cost, and call no model.")
@click.option(
    "--retry-failed", is_flag=True, help="Ask the model again what it failed to answer in a finished run."
)
def run(
    logs: tuple[str, ...],
    out: Path | None,
    pairs: tuple[str, ...],
    config: Path | None,
    as_json: bool,
    quiet: bool,
    dry_run: bool,
    retry_failed: bool,
    **flags: Any,
) -> None:
    """Read LOGS (files, globs, folders, or - for standard input) and make their insights.

    Run the same command again to go on with a run that was stopped.
    """
    settings = settings_of(pairs, config, flags)
    if dry_run:
        show_estimated(list(logs), out, settings, as_json=as_json, quiet=quiet)
    else:
        execute(list(logs), out, settings, as_json=as_json, quiet=quiet, retry_failed=retry_failed)


def execute(
    logs: list[Any],
    out: Path | None,
    settings: Any,
    *,
    as_json: bool = False,
    quiet: bool = False,
    retry_failed: bool = False,
) -> Path:
    """Run and print the summary; returns the run folder."""
    from rich.console import Console

    from clio import pipeline, run_notes
    from clio.progress import reporter
    from clio.report import show_summary
    from clio.run_folder import default_out

    folder = out or default_out(logs)
    progress = reporter(quiet=quiet)
    insights = pipeline.run(logs, folder, settings, progress=progress, retry_failed=retry_failed)
    facts = run_notes.summary(folder)
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
    else:
        show_summary(insights, facts, Console(highlight=False))
    return folder


def show_estimated(
    logs: list[Any], out: Path | None, settings: Any, *, as_json: bool = False, quiet: bool = False
) -> None:
    """Estimate and print it."""
    from rich.console import Console

    from clio import pipeline
    from clio.progress import reporter
    from clio.report import show_estimate

    facts = pipeline.estimated(logs, out, settings, progress=reporter(quiet=quiet)).as_dict()
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
    else:
        show_estimate(facts, Console(highlight=False))
