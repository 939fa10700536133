"""Whether faults of a model server change a result: python benchmarks/faults.py LOGS… [--conversations N] [--share 0.3] [--seed 1]

One run against a calm stand-in server, one against a server where a share of the calls meets a fault, spread evenly over every kind
that passes: limits with Retry-After, server errors, time-outs, dropped connections, truncated and garbled bodies, empty and cut
answers, refusals, prose around the answer, and no schemas. Printed are the faults met, what became of the conversations, answers
paid for twice, and whether the insights are the same bytes.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import clio
from clio import run_notes
from clio.testing import Fault, model_server

PASSING: tuple[Fault, ...] = (
    "408", "429", "500", "502", "503", "529", "drop", "truncate", "garble", "stall", "empty", "cut", "refuse", "prose",
)  # fmt: skip


def main() -> None:
    """Print both runs side by side."""
    parser = argparse.ArgumentParser()
    parser.add_argument("logs", nargs="+")
    parser.add_argument("--conversations", type=int, default=5000)
    parser.add_argument("--share", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--vendor", choices=("openai", "anthropic"), default="openai")
    told = parser.parse_args()
    rates: dict[Fault, float] = {**dict.fromkeys(PASSING, told.share / len(PASSING)), "no_schema": 0.1}
    results = []
    for name, faults in (("calm", {}), ("faults", rates)):
        with (
            tempfile.TemporaryDirectory() as folder,
            model_server(faults=faults, seed=told.seed, stall=10) as server,
        ):
            out = Path(folder) / "run"
            url = server.url if told.vendor == "openai" else server.anthropic_url
            clio.run(
                told.logs,
                out,
                model=f"{told.vendor}:stand-in@{url}",
                sample=told.conversations,
                users="conversation",
                concurrency=64,
                timeout=3,
            )
            facts = run_notes.summary(out)
            read = facts["read_by_model"]
            results.append({path.name: path.read_bytes() for path in sorted((out / "insights").iterdir())})
        stats = server.stats()
        print(
            f"{name}: {facts['conversations']:,} conversations, {facts['near_duplicates']:,} near-duplicates"
        )
        print(
            f"  answered {read['answered']:,}, refused {read['refused']:,}, failed {read['failed']:,} {read['reasons']}"
        )
        print(
            f"  requests {stats['requests']:,}, usable answers {stats['calls']:,}, paid twice {stats['duplicates']:,}"
        )
        print(f"  faults met {sum(stats['faults'].values()):,}: {stats['faults']}")
        print(f"  seconds in facets {facts['seconds']['facets']:.1f}", flush=True)
    print(f"the insights are {'the same bytes' if results[0] == results[1] else 'NOT the same'}")


if __name__ == "__main__":
    main()
