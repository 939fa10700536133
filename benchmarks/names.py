"""Whether a chat model knows members by their cluster's name: python benchmarks/names.py LOG... --model NAME [--limit N] [--judged N]

LOG has a run made of its first ``--limit`` conversations (at random) but a tenth; of the tenth ``--judged`` are read by the model, which
chooses the cluster of each among its own and the four nearest (``clio.evaluation.naming.recognised``; guessing finds one in five): by names
and descriptions, and by lists of the commonest terms of the same clusters, guarded by nothing. Printed are the shares that are right, with
95 % intervals.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from peers.form import terms
from scipy.stats import binomtest

from clio.evaluation import labelled, naming
from clio.evaluation.clustered import of_run
from clio.evaluation.ground import Ground
from clio.evaluation.quality import HELD_OUT, looked_for, requests_of
from clio.models import chat_model, embedder
from clio.models.answers import Answers
from clio.models.roles import Model
from clio.settings import Settings


def main() -> None:
    """Print two lines a log."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("logs", nargs="+", type=Path, help="labelled logs; the labels are not used")
    parser.add_argument("--model", required=True, help="kind:NAME[@URL] of the chat model that reads")
    parser.add_argument("--limit", type=int, default=4000)
    parser.add_argument("--judged", type=int, default=60)
    parser.add_argument("--concurrency", type=int, default=1)
    told = parser.parse_args()
    print("| log | clusters | read | shown | right | 95 % | unread |\n|---|---|---|---|---|---|---|")
    for path in told.logs:
        log = labelled.read([path]).sample(told.limit)
        order = np.random.default_rng(0).permutation(len(log.rows))
        held = int(HELD_OUT * len(order))
        out = [str(log.rows[i]["id"]) for i in order[:held]]
        with tempfile.TemporaryDirectory(prefix="clio-names-") as temporary:
            ground = Ground(log.rows, Settings(), Path(temporary))
            ground.run("all", log.rows, users="conversation", ledger="off")
            requests = requests_of(Path(temporary) / "all")
            insights, folder = ground.run(
                "part", [log.rows[i] for i in order[held:]], users="conversation", ledger="off"
            )
            found = of_run(insights, folder)
        encoder = embedder(insights.about["embedder"])
        asked, clusters, middles = looked_for(found, out, requests, encoder)
        asked, clusters = asked[: told.judged], clusters[: told.judged]
        inside = [n for n, id_ in enumerate(found.ids) if id_ in requests and found.levels[0][n] >= 0]
        listed = terms([requests[found.ids[n]] for n in inside], found.levels[0][inside])
        shown = {"names and descriptions": found.texts[0], "commonest terms, unguarded": listed}
        for title, each in shown.items():
            with Answers(concurrency=told.concurrency) as answers:
                model = Model(chat_model(told.model, timeout=600), answers)
                seen = naming.recognised(asked, clusters, each, middles, model)
            low, high = binomtest(seen.right, seen.tried).proportion_ci(method="wilson")
            share = f"{seen.right / seen.tried:.2f} | {low:.2f}–{high:.2f} | {seen.unread}"
            print(f"| {path.name} | {len(middles)} | {seen.tried} | {title} | {share} |", flush=True)


if __name__ == "__main__":
    main()
