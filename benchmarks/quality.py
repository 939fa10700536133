"""Quality and cost of Clio and of its peers on labelled logs: python benchmarks/quality.py LOG... --peers FOLDER --keep MEASURES.json

Each log is run through each system that is installed in FOLDER (benchmarks/peers/install.sh), a process of its own, with the same
requests and vectors; what is measured is what ``clio evaluate`` measures. Systems and logs that MEASURES.json holds already are not run
again. The tables in docs/quality.md, between its two marks, are then written anew from it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

import clio
from clio.clustering.embed import choose_embedder
from clio.clustering.topics import topics
from clio.evaluation import labelled, quality
from clio.evaluation.clustered import Clustered
from clio.evaluation.ground import Row
from clio.evaluation.remembering import Remembering
from clio.models import embedder

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "peers"))
from form import READY  # noqa: E402 - beside this script, no package
from tables import SYSTEMS, write  # noqa: E402

#: one thread each: CPU-seconds are to be compared, and none of these logs is large
QUIET = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}


@dataclass(frozen=True)
class Log:
    """A labelled log ready to be clustered: what each conversation asks for, the two embedders, and vectors of Clio's own tasks."""

    labelled: labelled.Labelled
    requests: Mapping[str, str]
    encoder: Remembering
    judge: Remembering
    tasks: np.ndarray
    #: base clusters that Clio chose, by the name of the clustering
    chosen: dict[str, int]


@dataclass
class System:
    """One system on one log, a process of its own: called by ``quality``, it makes clusters and notes what that took."""

    script: str
    log: Log
    process: subprocess.Popen[str]
    costs: list[dict[str, float]] = field(default_factory=list)
    version: str = ""
    named: bool = False

    def __call__(self, rows: Sequence[Row], name: str, seed: int, clusters: int | None = None) -> Clustered:
        """Make clusters of some rows, as many as the system chooses or so many."""
        rows = [row for row in rows if str(row["id"]) in self.log.requests]
        ids = [str(row["id"]) for row in rows]
        texts = [self.log.requests[id_] for id_ in ids]
        with tempfile.TemporaryDirectory(prefix="clio-peers-") as path:
            folder = Path(path)
            _lines(folder / "log.jsonl", rows)
            _lines(
                folder / "requests.jsonl",
                [{"id": id_, "text": text} for id_, text in zip(ids, texts, strict=True)],
            )
            np.save(folder / "vectors.npy", self.log.encoder.encode(texts))
            np.save(folder / "tasks.npy", self.log.tasks)
            told = {
                "embedder": self.log.encoder.name,
                "seed": seed,
                "chosen": self.log.chosen.get(name, 0),
                "clusters": clusters,
            }
            (folder / "given.json").write_text(json.dumps(told), "utf-8")
            begin = time.perf_counter()
            self._ask(folder)
            wall = time.perf_counter() - begin
            found = json.loads((folder / "clusters.json").read_text("utf-8"))
        self.version = found["version"]
        levels = [np.asarray(level, np.int32) for level in found["levels"]]
        shown = [[tuple(text) if text else None for text in level] for level in found["texts"]]
        self.named = any(text for level in shown for text in level)
        if self.script == SYSTEMS["Clio"].script and not clusters:
            self.log.chosen[name] = len(np.unique(levels[0][levels[0] >= 0]))
        if not clusters:
            self.costs.append(
                {
                    "conversations": len(rows),
                    "wall": wall,
                    **{name: found[name] for name in ("cpu", "peak_mb", "calls")},
                    "outside": float((levels[0] < 0).mean()),
                }
            )
        return Clustered(found["ids"], levels, shown)

    def _ask(self, folder: Path) -> None:
        """Have the process make clusters of a folder."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{folder}\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.strip() == READY:
                return
        raise RuntimeError(f"{self.script} ended with {self.process.wait()}")

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def main() -> None:
    """Measure what is not measured yet, and write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("logs", nargs="+", type=Path, help="labelled logs (label, parent_label)")
    parser.add_argument(
        "--peers", type=Path, required=True, help="where benchmarks/peers/install.sh put them"
    )
    parser.add_argument(
        "--keep", type=Path, required=True, help="file of measures; holds no text of the logs"
    )
    parser.add_argument("--systems", default=",".join(SYSTEMS), help="their names, separated by commas")
    parser.add_argument("--limit", type=int, default=3000, help="conversations of each log, at random")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quiet", action="store_true", help="nothing of what the systems say")
    parser.add_argument("--out", type=Path, default=HERE.parent / "docs" / "quality.md")
    told = parser.parse_args()
    kept: dict[str, Any] = json.loads(told.keep.read_text("utf-8")) if told.keep.exists() else {}
    with stand_in() as server:
        for path in told.logs:
            name = path.name.split(".")[0]
            kept.setdefault(name, {"systems": {}, "chosen": {}})
            for system in measured(path, kept[name], told, server):
                told.keep.write_text(json.dumps(kept, indent=1), "utf-8")
                print(f"{name}: {system}", flush=True)
                write(kept, told.out)
    write(kept, told.out)


def measured(path: Path, kept: dict[str, Any], told: argparse.Namespace, server: str) -> Iterator[str]:
    """Measure each system on a log that was not yet, into what is kept; its name when it is done."""
    wanted = [name for name in told.systems.split(",") if name not in kept["systems"]]
    pythons = {name: _python(told.peers, SYSTEMS[name].environment) for name in wanted}
    wanted = [name for name in wanted if pythons[name].exists()]
    if not wanted:
        return
    log = ready(path, told.limit, kept["chosen"])
    found = log.labelled
    for name in wanted:
        script = SYSTEMS[name].script
        surroundings = os.environ | QUIET | {"OPENAI_BASE_URL": server, "OPENAI_API_KEY": "none"}
        process = subprocess.Popen(
            [pythons[name], HERE / "peers" / script],
            env=surroundings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if told.quiet else None,
            text=True,
        )
        system = System(script, log, process)
        try:
            measures = quality.quality(
                found,
                system,
                log.requests,
                log.encoder,
                log.judge,
                range(told.seeds),
                told=SYSTEMS[name].can_be_told,
            )
        except (RuntimeError, BrokenPipeError) as error:
            print(f"{path.name}: left out {name}: {error}", file=sys.stderr, flush=True)
            continue
        finally:
            system.close()
        kept |= {
            "conversations": len(found.rows),
            "labels": len({found.label[str(row["id"])] for row in found.rows}),
            "categories": len({found.above.get(str(row["id"])) for row in found.rows} - {None}),
            "embedder": log.encoder.name,
            "seeds": told.seeds,
        }
        kept["systems"][name] = {
            "version": system.version,
            "date": datetime.now(UTC).date().isoformat(),
            "named": system.named,
            "measures": [asdict(measure) for measure in measures],
            "costs": system.costs,
        }
        yield name


def ready(path: Path, limit: int, chosen: dict[str, int]) -> Log:
    """Read a log, and run it once for what its conversations ask for."""
    found = labelled.read([path]).sample(limit)
    spoken = [found.language.get(str(row["id"]), "unknown") for row in found.rows]
    name = choose_embedder(spoken)
    encoder = Remembering(embedder(name))
    judge = Remembering(embedder("minilm" if name == "e5" else "e5"))
    with tempfile.TemporaryDirectory(prefix="clio-peers-") as folder:
        log, out = Path(folder) / "log.jsonl", Path(folder) / "run"
        _lines(log, found.rows)
        clio.run(log, out, encoder=encoder, users="conversation", ledger="off")
        requests = quality.requests_of(out)
    return Log(found, requests, encoder, judge, encoder.encode(topics().tasks), chosen)


@contextmanager
def stand_in() -> Iterator[str]:
    """A server that answers in the place of a chat model while this lasts; its address."""
    command = [sys.executable, "-m", "clio.testing"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["openai"]
        finally:
            process.terminate()


def _python(peers: Path, environment: str | None) -> Path:
    """The Python that a system is installed in: ours, or a peer's own."""
    return peers / environment / "bin" / "python" if environment else Path(sys.executable)


def _lines(path: Path, rows: Sequence[Row]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


if __name__ == "__main__":
    main()
