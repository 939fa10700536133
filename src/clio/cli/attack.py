"""``clio attack``: attack what a run would publish, and say how often it succeeded."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--self-test", is_flag=True, help="Attack runs of the bundled sample instead.")
@click.option("--only", "names", multiple=True, metavar="NAME", help="One attack; may be repeated [all].")
@click.option("--thorough", is_flag=True, help="At the sizes of docs/privacy.md: hours instead of minutes.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of all that is made up.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--quiet", is_flag=True, help="No progress.")
def attack(
    folder: Path | None,
    self_test: bool,
    names: tuple[str, ...],
    thorough: bool,
    seed: int,
    as_json: bool,
    quiet: bool,
) -> int:
    """Attack runs on the log and the settings of the run in FOLDER, which itself stays as it is.

    Secrets, poisoned chats and orders are planted into copies of the log, which are run and deleted again. Ends with 1 if what is promised
    was broken.
    """
    import shutil
    import tempfile

    from rich.console import Console

    from clio import run_folder
    from clio.evaluation.attacks import suite
    from clio.progress import reporter
    from clio.report import show_attacks
    from clio.settings import resolve

    if self_test == (folder is not None):
        raise click.UsageError("give the folder of a run, or --self-test")
    if folder is not None:
        key_command = resolve().encryption_key_command
        ground = suite.of_run(run_folder.find(folder, key_command))
    else:
        # made-up conversations only: nothing private is written there
        ground = suite.self_test(Path(tempfile.mkdtemp(prefix="clio-attack-")))
    console = Console(highlight=False)
    rows: list[dict[str, Any]] = []
    try:
        made = suite.attack(ground, names, thorough=thorough, seed=seed, progress=reporter(quiet=quiet))
        # each attack is shown when it is done: the next may take long, or be stopped
        for _, results in groupby(made, key=lambda result: result.attack):
            own = [{**asdict(result), "holds": result.holds} for result in results]
            rows += own
            if not as_json:
                show_attacks(own, console)
                console.print()
    finally:
        shutil.rmtree(ground.folder, ignore_errors=True)
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
    return 0 if all(row["holds"] for row in rows) else 1
