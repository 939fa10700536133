"""What a run costs against its estimate: python benchmarks/estimate.py LOGS… [--model openai:NAME@URL] [--set KEY=VALUE …]

Each of LOGS is estimated and then run, by default against a stand-in server that counts tokens as OpenAI's models do, with --model
against a real one. Printed are calls, input and output tokens, measured and estimated, and their ratio.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from pathlib import Path

import clio
from clio import run_notes
from clio.settings import parse_set
from clio.testing import model_server


def main() -> None:
    """Print a line a log."""
    parser = argparse.ArgumentParser()
    parser.add_argument("logs", nargs="+")
    parser.add_argument("--model")
    parser.add_argument("--set", dest="pairs", action="append", default=[])
    told = parser.parse_args()
    settings = {"users": "conversation", **parse_set(told.pairs)}
    print(f"{'log':<28} {'what':<13} {'measured':>12} {'estimated':>12} {'ratio':>6}")
    for log in told.logs:
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            model = told.model or f"openai:stand-in@{stack.enter_context(model_server()).url}"
            clio.run(log, Path(folder) / "run", model=model, **settings)
            facts = run_notes.summary(Path(folder) / "run")
        for what in ("calls", "input_tokens", "output_tokens"):
            measured, estimated = facts["model"][what], facts["estimate"][what]
            name = Path(log).name.split(".")[0]
            print(
                f"{name:<28} {what:<13} {measured:>12,} {estimated:>12,} {estimated / measured:>6.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
