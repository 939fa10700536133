"""The built-in embedders against MiniLM, in one run: python benchmarks/embedders.py DATA

DATA holds ``labelled/clinc150``, ``labelled/hwu64``, ``chats/sgd__train`` and ``chats/chatbot_arena_sample__dev``, each ``.jsonl.gz``.

Printed are texts per CPU-second (all threads together; a shared machine does not disturb that much) of first requests whole and cut at
400 characters; the adjusted mutual information of k-means clusters with labels, as many clusters as there are labels, the mean of three
seeds over 5,000 requests, prepared as a run does; and what the stage that embeds and stores in a run keeps of the bare embedder's
throughput, over 20,480 distinct requests in turns of 4,096.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score
from threadpoolctl import threadpool_limits

from clio.clustering.embed import prepare
from clio.models import Embedder, embedder
from clio.run_folder import RunFolder
from clio.stages import embed

SPEED = {"minilm": 1_000, "static": 10_000, "e5": 250}  # texts: a few CPU-seconds of each
SPEED_SETS = ("labelled/clinc150", "chats/chatbot_arena_sample__dev")
QUALITY_SETS = (
    ("labelled/clinc150", "label"),
    ("labelled/hwu64", "label"),
    ("chats/sgd__train", "parent_label"),
)
QUALITY, CLUSTERED, SEEDS = ("minilm", "static"), 5_000, 3
STAGE, STORED, TURN = ("minilm", "static"), 20_480, 4_096


def main() -> None:
    """Print the three tables."""
    data = Path(sys.argv[1])
    made = {name: embedder(name) for name in SPEED}
    for encoder in made.values():
        encoder.encode(["warm up"])
    requests = {name: [text for text, _ in records(data / f"{name}.jsonl.gz")] for name in SPEED_SETS}

    print(f"{'texts per CPU-second':<34}" + "".join(f"{name:>18}" for name in made))
    for name, texts in requests.items():
        for most in (None, 400):
            show(
                f"{name.split('/')[1]}{f' ≤ {most}' if most else ''}",
                speeds(made, [text[:most] for text in texts]),
            )

    print(f"\n{'adjusted mutual information':<34}" + "".join(f"{name:>18}" for name in QUALITY))
    for name, label in QUALITY_SETS:
        found = list(records(data / f"{name}.jsonl.gz", label))
        rows = np.sort(np.random.default_rng(0).permutation(len(found))[:CLUSTERED])
        texts, labels = zip(*(found[row] for row in rows), strict=True)
        show(
            f"{name.split('/')[1]}, {len(set(labels))} labels",
            {one: agreement(made[one], texts, labels) for one in QUALITY},
            "{:.3f}",
        )

    print(f"\n{'the stage in a run':<34}{'bare':>12}{'stage':>12}  of texts per CPU-second; per second")
    distinct = list(dict.fromkeys(requests[SPEED_SETS[0]]))[:STORED]
    for name in STAGE:
        bare, stage = overhead(made[name], distinct)
        print(
            f"{name:<34}{len(distinct) / bare[0]:>12,.0f}{len(distinct) / stage[0]:>12,.0f}  "
            f"{bare[0] / stage[0]:.1%}; {bare[1] / stage[1]:.1%}"
        )


def records(path: Path, label: str = "") -> Iterator[tuple[str, str]]:
    """The first request of each record with its label, if one is wanted; records without it are left out."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for record in map(json.loads, file):
            if not label or record[label]:
                first = next(turn["content"] for turn in record["messages"] if turn["role"] == "user")
                yield first, str(record[label]) if label else ""


def show(title: str, found: dict[str, float], form: str = "{:,.0f}") -> None:
    """Print a line: each figure, and how many times MiniLM's it is."""
    first = found["minilm"]
    print(
        f"{title:<34}"
        + "".join(f"{form.format(value):>10} ×{value / first:<6.3g}" for value in found.values())
    )


def speeds(made: dict[str, Embedder], texts: list[str]) -> dict[str, float]:
    """Texts per CPU-second of each embedder, on the first texts, as many as it can do in a few seconds."""
    found = {}
    for name, encoder in made.items():
        some = texts[: SPEED[name]]
        found[name] = len(some) / seconds(lambda: encoder.encode(some))[0]  # noqa: B023 - called at once
    return found


def agreement(encoder: Embedder, texts: tuple[str, ...], labels: tuple[str, ...]) -> float:
    """How well k-means finds the labels again: the mean over seeds, 0 (by chance) to 1."""
    vectors = prepare(encoder.encode(texts), ["en"] * len(texts))
    k = len(set(labels))
    with threadpool_limits(1):
        clusterings = [KMeans(k, n_init=1, random_state=seed).fit_predict(vectors) for seed in range(SEEDS)]
    return float(np.mean([adjusted_mutual_info_score(labels, clusters) for clusters in clusterings]))


def overhead(encoder: Embedder, texts: list[str]) -> tuple[tuple[float, float], tuple[float, float]]:
    """CPU-seconds and seconds of the bare embedder and of the stage, turn by turn."""
    spent = np.zeros((2, 2))
    with tempfile.TemporaryDirectory() as made:
        for at in range(0, len(texts), TURN):
            turn = texts[at : at + TURN]
            folder = RunFolder(Path(made) / str(at))
            with folder.opened():
                spent[0] += seconds(lambda: encoder.encode(turn))  # noqa: B023 - called at once
                spent[1] += seconds(lambda: embed(folder, turn, encoder, "key"))  # noqa: B023 - called at once
    (bare_cpu, bare), (stage_cpu, stage) = spent.tolist()
    return (bare_cpu, bare), (stage_cpu, stage)


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """CPU-seconds of the process and seconds that some work takes."""
    cpu, start = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - start


if __name__ == "__main__":
    main()
