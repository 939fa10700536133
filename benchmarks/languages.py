"""Whether languages fare alike: python benchmarks/languages.py LOG --languages en,de,... [--each N] [--model NAME] [--keep FOLDER]

As many conversations of each language are run by up to three routes: their requests as they were asked (by ``--embedder``, if given);
an English request of the same label, drawn at random, in the place of each (what a perfect translator would leave: each language keeps
its own mix of labels); and, with ``--model``, what a chat model says in English that is asked for. Printed are, for each route, how many
base clusters there are, how often two conversations of one label in two languages are in one of them, and the share of conversations
whose base cluster is given their true category (by a codebook, by the cluster's name and by its members: docs/quality.md), overall and
by language, with the spread of the languages and the spread that chance alone makes of equal ones. What the model answered is kept in
FOLDER (private), so that a stopped run goes on.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clio.evaluation import agreement, labelled, languages, quality, reconstruction
from clio.evaluation.clustered import of_run
from clio.evaluation.ground import Ground
from clio.evaluation.labelled import Labelled
from clio.models import embedder
from clio.settings import Settings


def main() -> None:
    """Print a table a route."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path, help="labelled log (label, parent_label, language)")
    parser.add_argument(
        "--languages", required=True, help="their codes as the log has them, separated by commas"
    )
    parser.add_argument("--each", type=int, default=50, help="conversations of each language")
    parser.add_argument("--model", help="chat model that says in English what is asked for")
    parser.add_argument("--embedder", help="of the requests as they were asked; default: the bundled ones")
    parser.add_argument("--concurrency", type=int, default=2)
    parser.add_argument("--keep", type=Path)
    told = parser.parse_args()
    found = balanced(labelled.read([told.log]), told.languages.split(","), told.each)
    print(f"{len(found.rows):,} conversations, {told.each} of each of {told.languages}")
    with tempfile.TemporaryDirectory(prefix="clio-languages-") as temporary:
        folder = told.keep or Path(temporary)
        asked_by: Any = {"embedder": told.embedder} if told.embedder else {}
        route("asked", "as they were asked", found, folder, Settings(**asked_by))
        route("english", "by English requests of the same labels", in_english(found), folder, Settings())
        if told.model:
            asked: Any = {"facets": told.model}
            route(
                "model",
                told.model,
                found,
                folder,
                Settings(models=asked, facets=("request",), concurrency=told.concurrency),
            )


def balanced(log: Labelled, wanted: list[str], each: int) -> Labelled:
    """So many conversations of each language, at random."""
    shuffled = log.sample(len(log.rows)).rows
    rows = []
    for language in wanted:
        own = [row for row in shuffled if log.language.get(str(row["id"])) == language][:each]
        if len(own) < each:
            raise SystemExit(f"{language}: the log has {len(own)} conversations")
        rows += own
    return replace(log, rows=rows)


def in_english(log: Labelled) -> Labelled:
    """Each conversation with the words of an English one of its label; those whose label has none are left out."""
    english: dict[str, list[Any]] = {}
    for row in log.rows:
        if log.language[str(row["id"])] == "en":
            english.setdefault(log.label[str(row["id"])], []).append(row["messages"])
    dice = np.random.default_rng(0)
    rows = [
        {**row, "messages": among[dice.integers(len(among))]}
        for row in log.rows
        if (among := english.get(log.label[str(row["id"])]))
    ]
    return replace(log, rows=rows)


def route(kind: str, name: str, log: Labelled, folder: Path, settings: Settings) -> None:
    """Run by one route in ``folder/kind``, and print its figures."""
    insights, out = Ground(log.rows, settings, folder).run(
        kind, log.rows, users="conversation", ledger="off", duplicates=1.0
    )
    found = of_run(insights, out)
    encoder = embedder(insights.about["embedder"] if settings.embedder == "auto" else settings.embedder)
    spoken = np.asarray([log.language[id_] for id_ in found.ids])
    labels = [log.label[id_] for id_ in found.ids]
    scores = agreement.score(labels, found.levels[0])
    met = languages.meeting(labels, spoken.tolist(), found.levels[0])
    about = f"{len(log.rows):,} conversations, {len(found.texts[0])} base clusters by {encoder.name}"
    print(f"\n{name}: {about}, AMI with labels {scores.ami:.3f}", end="")
    print(f", of one label in two languages {met.across:.3f} meet, in one {met.alone:.3f}" if met else "")
    names, true = np.unique([log.above[id_] for id_ in found.ids], return_inverse=True)
    codebook = reconstruction.Codebook.of_labels(
        names.tolist(), zip((log.above[id_] for id_ in found.ids), labels, strict=True)
    )
    requests = quality.requests_of(out)
    for by, given in (
        ("names", reconstruction.by_names(found, codebook, encoder)),
        ("members", reconstruction.by_members(found, codebook, requests, encoder, log.language)),
    ):
        right = given == true
        each = {one: float(right[spoken == one].mean()) for one in dict.fromkeys(spoken.tolist())}
        print(
            f"  by {by}: {right.mean():.3f}, spread {max(each.values()) - min(each.values()):.3f} (by chance"
            f" {chance(right, spoken):.3f}); "
            + ", ".join(f"{one} {share:.2f}" for one, share in each.items()),
            flush=True,
        )


def chance(right: NDArray[np.bool_], spoken: NDArray[np.str_], draws: int = 1000) -> float:
    """The mean spread of languages where what is right has nothing to do with them, by permutation."""
    dice = np.random.default_rng(0)
    kinds = np.unique(spoken, return_inverse=True)[1]
    sizes = np.bincount(kinds)
    spreads = [np.ptp(np.bincount(kinds, weights=dice.permutation(right)) / sizes) for _ in range(draws)]
    return float(np.mean(spreads))


if __name__ == "__main__":
    main()
