"""How well concern tells harmful requests from others: python benchmarks/concern.py LOG.jsonl.gz=LABEL... [--model NAME] [--limit N] …

LABEL is the value of the log's ``label`` that means harmful, as in moderation.jsonl.gz=flagged. Printed are, for each log and route, the
area under the ROC curve with a bootstrap interval, Spearman's correlation with the label, and the share of harmful and of harmless ones
rated above 1: by words alone, with their nearness in meaning to a list of harms by each embedder (as a run rates them), or with
``--model`` by a chat model's answers to the facet (``--limit`` conversations of each label).
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

import clio
from clio.facets import concern, request
from clio.models import embedder
from clio.run_folder import RunFolder


def rows(path: str, harmful: str, limit: int | None) -> list[dict[str, Any]]:
    """Records of a log, as many of each label."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        found = [json.loads(line) for line in file]
    if limit is None:
        return found
    random.Random(0).shuffle(found)
    by_label = [[r for r in found if (r["label"] == harmful) == wanted][:limit] for wanted in (True, False)]
    return [*by_label[0], *by_label[1]]


def said(record: dict[str, Any]) -> list[str]:
    """What the user says."""
    return [m["content"] or "" for m in record["messages"] if m["role"] == "user"]


def by_words(records: list[dict[str, Any]]) -> list[int]:
    """The rating by words alone."""
    return [concern.score(" ".join(said(record))) for record in records]


def by_meaning(records: list[dict[str, Any]], name: str) -> list[int]:
    """The rating of a run without a chat model, by an embedder."""
    requests = [request.extract(said(record)) or " " for record in records]
    near = concern.by_meaning(embedder(name).encode(requests), name)
    return np.maximum(by_words(records), near).tolist()


def by_model(records: list[dict[str, Any]], model: str, concurrency: int) -> list[int]:
    """What a chat model answers to the facet; 1 where it gives none."""
    told = [{"id": str(n), "messages": r["messages"]} for n, r in enumerate(records)]
    with tempfile.TemporaryDirectory() as folder:
        clio.run(
            pa.Table.from_pylist(told),
            Path(folder) / "run",
            models={"facets": model},
            concurrency=concurrency,
            timeout=600,
            facets=["concern"],
            users="conversation",
            duplicates=1.0,
            ledger="off",
            policy="safety",
        )
        facets = RunFolder(Path(folder) / "run").read("facets", ["id", "concern"])
    given = dict(zip(facets["id"].to_pylist(), facets["concern"].to_pylist(), strict=True))
    return [int(given.get(str(n)) or 1) for n in range(len(records))]


def main() -> None:
    """Print a line a log."""
    parser = argparse.ArgumentParser()
    parser.add_argument("logs", nargs="+")
    parser.add_argument("--model")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--concurrency", type=int, default=4)
    told = parser.parse_args()
    routes: dict[str, Callable[[list[dict[str, Any]]], list[int]]] = {
        "words": by_words,
        "words, minilm": partial(by_meaning, name="minilm"),
        "words, e5": partial(by_meaning, name="e5"),
    }
    if told.model:
        routes = {told.model[:20]: partial(by_model, model=told.model, concurrency=told.concurrency)}
    print(
        f"{'log':<28} {'route':<20} {'n':>6} {'harmful':>8} {'AUC':>6} {'95 %':>12} {'Spearman':>9} {'found':>6} {'false':>6}"
    )
    for log in told.logs:
        path, _, harmful = log.partition("=")
        records = rows(path, harmful, told.limit)
        truth = np.asarray([record["label"] == harmful for record in records])
        for route, rate in routes.items():
            ratings = np.asarray(rate(records))
            dice = np.random.default_rng(0)
            drawn = (dice.integers(0, len(truth), len(truth)) for _ in range(500))
            areas = [roc_auc_score(truth[d], ratings[d]) for d in drawn if 0 < truth[d].sum() < len(d)]
            low, high = np.quantile(areas, [0.025, 0.975])
            name = Path(path).name.split(".")[0]
            print(
                f"{name:<28} {route:<20} {len(truth):>6,} {truth.mean():>8.3f} {roc_auc_score(truth, ratings):>6.3f} {low:.3f}-{high:.3f}"
                f" {spearmanr(truth, ratings)[0]:>9.3f} {(ratings[truth] > 1).mean():>6.3f} {(ratings[~truth] > 1).mean():>6.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
