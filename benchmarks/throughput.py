"""How near to the ideal chat models are called, and whether memory grows: python benchmarks/throughput.py [N ...]

A stand-in server in a process of its own answers every call after one second, as many at once as are asked. For each N one fresh
process asks the built-in facets of N made-up conversations of about 400 tokens, 256 calls at a time, the answers stored as in a run.
Printed are the calls a second against the ideal (256 / 1 s) and the peak memory, and at the end memory against that of the first N.
"""

from __future__ import annotations

import json
import subprocess
import sys

AT_ONCE, LATENCY = 256, 1.0

CHILD = """
import json, random, resource, sys, tempfile, time
from pathlib import Path
from clio.facets.definition import builtin
from clio.facets.with_model import Asking, extract
from clio.models import chat_model
from clio.models.answers import Answers
url, n, at_once = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
words = "how do I bake bread sort a list plan trips write letters fix errors in the code learn verbs".split()
dice = random.Random(0)
text = " ".join(dice.choice(words) for _ in range(50_000))
def conversations():
    for number in range(n):
        at = 5 * number % 200_000
        said = text[at : at + 2_000]
        yield [("user", f"{number} {said[:300]}"), ("assistant", said[300:1400]), ("user", said[1400:1500]), ("assistant", said[1500:])]
model = chat_model(f"openai:stand-in@{url}")
asking = Asking(tuple(builtin().values()))
with tempfile.TemporaryDirectory() as folder, Answers(Path(folder) / "answers.sqlite", concurrency=at_once) as answers:
    list(extract(iter([[("user", "warm up")]]), asking, model, answers))
    use = resource.getrusage(resource.RUSAGE_SELF)
    before, start = use.ru_utime + use.ru_stime, time.perf_counter()
    answered = sum(one.state == "answered" for one in extract(conversations(), asking, model, answers))
    took = time.perf_counter() - start
use = resource.getrusage(resource.RUSAGE_SELF)
cpu = use.ru_utime + use.ru_stime - before
print(json.dumps({"seconds": took, "cpu": cpu, "answered": answered, "peak_mb": use.ru_maxrss / 1024}))
"""


def main() -> None:
    """Print a line a size."""
    sizes = [int(n) for n in sys.argv[1:]] or [5_000, 50_000]
    serving = [sys.executable, "-m", "clio.testing", "--port", "0", "--latency", str(LATENCY)]
    with subprocess.Popen(serving, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        url = json.loads(server.stdout.readline())["openai"]
        first = 0.0
        print(f"{'N':>8} {'seconds':>8} {'calls/s':>8} {'of ideal':>8} {'CPU-ms/call':>11} {'peak MB':>8}")
        for size in sizes:
            child = [sys.executable, "-c", CHILD, url, str(size), str(AT_ONCE)]
            found = json.loads(subprocess.run(child, capture_output=True, text=True, check=True).stdout)
            assert found["answered"] == size
            first = first or found["peak_mb"]
            rate = size / found["seconds"]
            # the last calls cannot be full rounds: the ideal is whole rounds of the latency
            ideal = -(-size // AT_ONCE) * LATENCY
            print(
                f"{size:>8,} {found['seconds']:>8.1f} {rate:>8.1f} {ideal / found['seconds']:>8.1%}"
                f" {1000 * found['cpu'] / size:>11.2f} {found['peak_mb']:>8.0f}",
                flush=True,
            )
        print(f"peak memory of the last against the first: ×{found['peak_mb'] / first:.2f}")
        server.terminate()


if __name__ == "__main__":
    main()
