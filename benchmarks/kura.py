"""What all but embedding costs, Clio beside Kura: python benchmarks/kura.py LOG --peers FOLDER [N ...]

The first N conversations of LOG run through each system, a new process each with its start and imports, one thread. An instant embedder
takes the place of the real one and is not counted. Chat models are answered at once by a stand-in, whose process is not counted either;
its answers are waited for. Printed are CPU-seconds and seconds, the factor to Kura's, peak memory, and the model calls and tokens
(o200k_base, counted at the stand-in) of 1,000 conversations. With --runs the systems take turns, each number is the median, and the
factors have the smallest and the largest of all turns beside them: machines shared with others are now fast, now slow.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path
from statistics import median

from quality import QUIET

from clio.testing import Server, model_server
from clio.testing.state import Reply

HERE = Path(__file__).parent / "peers"
CLIO, WITH_MODEL, KURA = "Clio, no model", "Clio, chat model", "Kura"


@dataclass(frozen=True)
class Cost:
    """What one run took without embedding, and what it asked of a chat model."""

    cpu: float
    wall: float
    embedding: float
    peak_mb: float
    calls: int
    tokens: int
    stages: dict[str, float]


_MEASURED = [field for field in fields(Cost) if field.name != "stages"]


def main() -> None:
    """Print a line a system and size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path, help="JSON Lines, gzipped or not, with id and messages")
    parser.add_argument("sizes", nargs="*", type=int, default=[1000, 10_000], metavar="N")
    parser.add_argument(
        "--peers", type=Path, required=True, help="where benchmarks/peers/install.sh put Kura"
    )
    parser.add_argument("--systems", default=f"{KURA};{CLIO};{WITH_MODEL}", help="separated by semicolons")
    parser.add_argument("--runs", type=int, default=1, help="turns that each system takes at each size")
    told = parser.parse_args()
    print(
        "| conversations | system | CPU-s | Kura ÷ it | s | Kura ÷ it | peak MB | calls, 1,000 | tokens, 1,000 |"
    )
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(prefix="clio-kura-") as path, counting() as (server, tokens):
        surroundings = os.environ | QUIET | {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "none"}
        # each system's modules are compiled before, as they are by its installation
        surroundings |= {"PYTHONPYCACHEPREFIX": f"{path}/compiled"}
        surroundings.pop("PYTHONDONTWRITEBYTECODE", None)
        for size in [50, *told.sizes]:
            log = Path(path) / f"{size}.jsonl"
            begun(told.log, log, size)
            names = told.systems.split(";")
            costs: dict[str, list[Cost]] = {name: [] for name in names}
            for _ in range(told.runs if size >= 1000 else 1):
                for name in names:
                    python = str(told.peers / "kura" / "bin" / "python") if name == KURA else sys.executable
                    script = HERE / ("whole_kura.py" if name == KURA else "whole_clio.py")
                    more = [server.url] if name == WITH_MODEL else []
                    cost = run([python, str(script), str(log)], more, surroundings, server, tokens)
                    costs[name].append(cost)
                    print(
                        f"{name} {size}: {cost.cpu:.2f} CPU-s, embedding {cost.embedding:.2f}, stages {cost.stages}",
                        file=sys.stderr,
                    )
            for name in names if size >= 1000 else ():
                print(line(size, name, costs[name], costs[names[0]]), flush=True)


def run(
    command: list[str], more: list[str], surroundings: dict[str, str], server: Server, tokens: Counter[str]
) -> Cost:
    """Run a system in a folder of its own."""
    calls, before = server.calls, tokens.total()
    with tempfile.TemporaryDirectory(prefix="clio-kura-") as folder, open(f"{folder}/told", "w+") as said:
        begin = time.monotonic()
        process = subprocess.Popen(
            [*command, folder, *more], env=surroundings, stdout=said, stderr=sys.stderr
        )
        _, status, use = os.wait4(process.pid, 0)
        wall = time.monotonic() - begin
        if status:
            raise SystemExit(f"{command[1]} ended with {os.waitstatus_to_exitcode(status)}")
        said.seek(0)
        told = json.loads(said.read().splitlines()[-1])
    embedding = told["embedding"]
    return Cost(
        use.ru_utime + use.ru_stime - embedding,
        wall - embedding,
        embedding,
        told["peak_mb"],
        server.calls - calls,
        tokens.total() - before,
        told["stages"],
    )


@contextmanager
def counting() -> Iterator[tuple[Server, Counter[str]]]:
    """The stand-in, and the tokens of all it was asked and answered so far."""
    tokens: Counter[str] = Counter()
    with model_server() as server:
        book = server.book

        def booked(reply: Reply) -> None:
            """Count a reply's tokens on top."""
            usage = reply.said["usage"] if reply.calls and isinstance(reply.said, dict) else {}
            tokens.update({kind: usage[kind] for kind in ("prompt_tokens", "completion_tokens") if usage})
            book(reply)

        server.book = booked  # type: ignore[method-assign]
        yield server, tokens


def begun(log: Path, to: Path, size: int) -> None:
    """The first conversations of a log as a log of their own."""
    with (gzip.open if log.suffix == ".gz" else open)(log, "rt", encoding="utf-8") as file:
        lines = list(islice(file, size))
    if len(lines) < size:
        raise SystemExit(f"{log} holds {len(lines):,} conversations")
    to.write_text("".join(lines), "utf-8")


def line(size: int, name: str, costs: list[Cost], kura: list[Cost]) -> str:
    """A row of the table."""
    per = 1000 / size
    middle = {field.name: median(getattr(cost, field.name) for cost in costs) for field in _MEASURED}
    cpu = [theirs.cpu / ours.cpu for ours, theirs in zip(costs, kura, strict=True)]
    wall = [theirs.wall / ours.wall for ours, theirs in zip(costs, kura, strict=True)]
    return (
        f"| {size:,} | {name} | {middle['cpu']:.1f} | {factors(cpu)} | {middle['wall']:.1f} | {factors(wall)}"
        f" | {middle['peak_mb']:.0f} | {middle['calls'] * per:,.0f} | {middle['tokens'] * per:,.0f} |"
    )


def factors(of: list[float]) -> str:
    """The middle factor, and the smallest and largest of several."""
    return f"{median(of):.1f} ×" + (f" ({min(of):.1f}–{max(of):.1f})" if len(of) > 1 else "")


if __name__ == "__main__":
    main()
