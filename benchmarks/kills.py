"""Whether a run survives kill -9 at any moment: python benchmarks/kills.py LOGS… [--conversations N] [--kills 20] [--seed 1]

An undisturbed run against a stand-in server, then one that is killed at random moments of its calls and started again by the same
command. Printed are the answers paid for twice against the most that can have been in flight, and whether the insights are the
same bytes.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from clio import run_notes
from clio.testing import model_server

AT_ONCE = 16


def main() -> None:
    """Print the outcome."""
    parser = argparse.ArgumentParser()
    parser.add_argument("logs", nargs="+")
    parser.add_argument("--conversations", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    dice = random.Random(told.seed)
    os.environ["OPENAI_API_KEY"] = "k"
    with tempfile.TemporaryDirectory() as folder, model_server(latency=0.05) as server:
        command = [sys.executable, "-m", "clio", "run", *told.logs, "--quiet", "--json"]
        command += ["--sample", str(told.conversations), "--model", f"openai:stand-in@{server.url}"]
        for setting in ("users=conversation", f"concurrency={AT_ONCE}"):
            command += ["--set", setting]
        calm, killed = Path(folder) / "calm", Path(folder) / "killed"
        subprocess.run([*command, "--out", str(calm)], stdout=subprocess.DEVNULL, check=True)
        whole = server.calls
        server.paid.clear()
        start = server.calls
        # moments are numbers of calls, spread over the whole run; a few fall beside the calls, into embedding and clustering
        moments = sorted(dice.randrange(whole) for _ in range(told.kills))
        hit = 0
        for moment in moments:
            process = subprocess.Popen([*command, "--out", str(killed)], stdout=subprocess.DEVNULL)
            while process.poll() is None and server.calls - start < moment + hit * AT_ONCE // 2:
                time.sleep(0.001)
            time.sleep(dice.random() * 0.1)
            hit += process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.wait()
        subprocess.run([*command, "--out", str(killed)], stdout=subprocess.DEVNULL, check=True)
        same = _bytes(calm) == _bytes(killed)
        used = run_notes.summary(killed)["model"]
    print(f"{told.conversations:,} conversations, {whole:,} calls; killed {hit} times while running")
    print(
        f"paid twice {server.duplicates}, at most in flight {hit * AT_ONCE}; the store counts {used['calls']:,} calls"
    )
    print(f"the insights are {'the same bytes' if same else 'NOT the same'}")


def _bytes(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((run / "insights").iterdir())}


if __name__ == "__main__":
    main()
