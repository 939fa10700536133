"""All attacks in a row, at two sizes: small enough to try at once, and thorough as in the table of ``docs/privacy.md``."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from clio import demo
from clio.errors import RunError, SettingsError
from clio.evaluation.attacks import Result
from clio.evaluation.ground import Ground, Row
from clio.evaluation.remembering import Remembering
from clio.progress import Advance, Reporter, Silent
from clio.run_folder import RunFolder
from clio.settings import Settings, layered

# settings of a run that its attacked copies do without: who answers and what it may cost, how the log was read, and the ledger
_OWN = ("model", "models", "options", "format", "columns", "sample", "sample_by", "max_cost")


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack: what it is called, what it does in one line, and how it is done."""

    name: str
    what: str
    make: Callable[[Ground, bool, int, Advance], list[Result]]


def _canaries(ground: Ground, thorough: bool, seed: int, progress: Advance) -> list[Result]:
    from clio.evaluation.attacks.canaries import canaries

    return canaries(ground, 5000 if thorough else 500, seed, progress=progress, quick=not thorough)


def _poisoning(ground: Ground, thorough: bool, seed: int, progress: Advance) -> list[Result]:
    from clio.evaluation.attacks.poisoning import poisoning

    if thorough:
        return poisoning(ground, k=(10, 50, 100), injection=(False, True), seed=seed, progress=progress)
    return poisoning(ground, sybils=(4, 6), targets=20, seed=seed, progress=progress)


def _differencing(ground: Ground, thorough: bool, seed: int, progress: Advance) -> list[Result]:
    from clio.evaluation.attacks.differencing import run_differences, trees
    from clio.evaluation.attacks.pages import pages

    found = trees(10_000 if thorough else 500, seed, progress=progress)
    insights, folder = ground.run("plain", ground.rows)
    return [*found, *run_differences(insights, folder), *pages(insights)]


def _releases(ground: Ground, _thorough: bool, seed: int, progress: Advance) -> list[Result]:
    from clio.evaluation.attacks.releases import releases

    return releases(ground, seed, progress=progress)


def _membership(ground: Ground, _thorough: bool, seed: int, progress: Advance) -> list[Result]:
    from clio.evaluation.attacks.membership import membership

    return membership(ground, seed=seed, progress=progress)


def _injection(ground: Ground, _thorough: bool, seed: int, progress: Advance) -> list[Result]:
    from clio.evaluation.attacks.injection import injection

    return injection(ground, seed, progress=progress)


SUITE = {
    attack.name: attack
    for attack in (
        Attack("canaries", "plant secrets, search every published byte", _canaries),
        Attack("poisoning", "surround a target with planted chats, read off his secret", _poisoning),
        Attack("differencing", "subtract published numbers, of random trees and of a run", _differencing),
        Attack("releases", "subtract two releases of overlapping logs", _releases),
        Attack("membership", "tell who is in the log from what is published", _membership),
        Attack("injection", "give orders to models, pages, terminals and spreadsheets", _injection),
    )
}


def attack(
    ground: Ground,
    names: Sequence[str] = (),
    *,
    thorough: bool = False,
    seed: int = 0,
    progress: Reporter | None = None,
) -> Iterator[Result]:
    """Make the attacks of some names (none: all), one after the other.

    Args:
        ground: what is attacked.
        names: keys of ``SUITE``.
        thorough: at the sizes of the table, which takes an hour or more; otherwise minutes.
        seed: of all that is made up.
        progress: shows which attack is under way.

    Raises:
        SettingsError: for an unknown name.
    """
    for name in names:
        if name not in SUITE:
            raise SettingsError(f"no attack '{name[:20]}'; known: {', '.join(SUITE)}")
    reporter = progress or Silent()
    for one in SUITE.values():
        if not names or one.name in names:
            with reporter.stage(one.name, None) as advance:
                yield from one.make(ground, thorough, seed, advance)


def self_test(folder: Path) -> Ground:
    """The bundled sample with the default settings; attacked runs go into a folder."""
    with gzip.open(demo.path(), "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return _ground_of(rows, Settings(), folder)


def of_run(run: RunFolder) -> Ground:
    """The log and the settings of a finished run; attacked copies go into its private zone.

    Chat models are left out: what is planted would be sent to them, and paid for.

    Raises:
        RunError: if its private zone is gone.
    """
    if not run.file("conversations").exists():
        raise RunError(f"{run.path}: its private zone is gone; run it again, or try clio attack --self-test")
    kept = {key: value for key, value in run.facts()["settings"].items() if key not in _OWN}
    # the copies are as private as the run: encrypted with the same key
    kept["encryption_key_command"] = run.key_command
    return _ground_of(_rows(run), layered(kept), run.private / "attack")


def _ground_of(rows: list[Row], settings: Settings, folder: Path) -> Ground:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    languages = [row.get("language") or "en" for row in rows]
    encoder = Remembering.of(settings.embedder, languages, settings.key_command)
    return Ground(rows, msgspec.structs.replace(settings, ledger="off"), folder, encoder)


def _rows(run: RunFolder) -> list[Row]:
    """The stored conversations as rows of a log, the parts of each put together again."""
    found: list[Row] = []
    last = None
    table = run.read("conversations")
    languages = run.read("facets", ["language"])["language"].to_pylist()
    for row, language in zip(table.to_pylist(), languages, strict=True):
        part_of = row.pop("part_of")
        if found and part_of == last:
            found[-1]["messages"] += row["messages"]
            continue
        last = part_of
        metadata: dict[str, Any] = json.loads(row.pop("metadata") or "{}")
        told = {
            key: None if value is None else str(value) for key, value in metadata.items() if key not in row
        }
        moment = row["created_at"]
        found.append(
            {**told, **row, "created_at": moment.isoformat() if moment else None, "language": language}
        )
    return found
