"""Seconds, memory and growth of a whole run: python benchmarks/scale.py [--instant] LOGS [N ...]

The conversations of LOGS are repeated with new ids, new users (five conversations each) and the words of the users' turns shuffled,
until there are N. For each N one fresh process runs the pipeline; printed are CPU-seconds a stage, what all but embedding takes
against the limit of 60 CPU-seconds per 100,000 conversations, memory at each stage's end and at its peak, and the growth exponent
between the first and last N. With --instant an embedder that costs next to nothing takes the place of the real one, for all but embedding.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from clio import sources
from clio.conversation import Conversation

PEERS = Path(__file__).parent / "peers"
CHILD = """
import json, resource, sys, time
from contextlib import contextmanager
import clio
from clio.progress import Silent
sys.path.insert(0, sys.argv[3])
from words import Words
def cpu():
    use = resource.getrusage(resource.RUSAGE_SELF)
    return use.ru_utime + use.ru_stime
seconds, megabytes = {}, {}
class Timer(Silent):
    @contextmanager
    def stage(self, name, total=None):
        start = cpu()
        yield lambda count: None
        seconds[name] = round(cpu() - start, 2)
        megabytes[name] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
begin = cpu()
encoder = Words() if sys.argv[4] == "instant" else None
insights = clio.run(sys.argv[1], sys.argv[2], progress=Timer(), encoder=encoder)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
found = {"seconds": seconds, "cpu": round(cpu() - begin, 1), "peak_mb": round(peak), "megabytes": megabytes}
print(json.dumps({**found, "coverage": round(insights.coverage, 3), "levels": insights.levels}))
"""


def main() -> None:
    """Print a line a size."""
    told = [one for one in sys.argv[1:] if one != "--instant"]
    logs, sizes = told[0], [int(n) for n in told[1:]] or [12_000, 100_000]
    embedder = "instant" if "--instant" in sys.argv else "real"
    source = [c for c in sources.open([logs]) if isinstance(c, Conversation)]
    points = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "logs.jsonl"
            dice = random.Random(0)
            with path.open("w", encoding="utf-8") as file:
                for n in range(size):
                    conversation = source[n % len(source)]
                    turns = []
                    for message in conversation.messages:
                        words = message.content.split()
                        if n >= len(source) and message.role == "user":
                            dice.shuffle(words)
                        turns.append({"role": message.role, "content": " ".join(words)})
                    file.write(
                        json.dumps(
                            {"id": f"c{n}", "user": f"u{n // 5}", "messages": turns}, ensure_ascii=False
                        )
                        + "\n"
                    )
            child = subprocess.run(
                [sys.executable, "-c", CHILD, str(path), f"{folder}/run", str(PEERS), embedder],
                check=True,
                capture_output=True,
                text=True,
            )
        found = json.loads(child.stdout)
        rest = found["cpu"] - found["seconds"]["embed"]
        limit = 60 * size / 100_000
        points.append((size, rest))
        print(
            f"{size:>7,} conversations: all but embedding {rest:.1f} CPU-s ({rest / limit:.2f} of the limit), peak {found['peak_mb']} MB"
        )
        print(
            f"{'':>8}coverage {found['coverage']}, levels {found['levels']}, CPU-s by stage {found['seconds']},"
            f" peak MB by the end of a stage {found['megabytes']}",
            flush=True,
        )
    if len(points) > 1:
        (a, x), (b, y) = points[0], points[-1]
        print(f"growth of all but embedding: n^{math.log(y / x) / math.log(b / a):.2f}")


if __name__ == "__main__":
    main()
