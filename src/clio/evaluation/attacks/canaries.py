"""Canaries: thousands of made-up secrets in a log, and the search for them in every byte that a run publishes or says.

The runs are those of the command line, as processes of their own: the embedded route, the chat-model route, the same with a model
that repeats all it reads, batch jobs, and runs that fail in the ways that tempt a program to quote what it was working on.
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

from clio.errors import RunError
from clio.evaluation.attacks import Result, share
from clio.evaluation.attacks.commands import clio, explored, write_log, write_settings
from clio.evaluation.attacks.planting import COLUMN, Secret, plant
from clio.evaluation.attacks.searching import Hit, published, search
from clio.evaluation.ground import Ground, Row
from clio.insights import Insights
from clio.progress import Advance, silent
from clio.testing import Fault, model_server

#: what befalls calls on the chat-model route: errors that quote the prompt, and refusals
FAULTS: dict[Fault, float] = {"413": 0.04, "500": 0.03, "refuse": 0.03}
_CLUSTERS = 5  # clusters that are shown one by one

Places = list[tuple[str, bytes]]


def canaries(
    ground: Ground,
    count: int = 5000,
    seed: int = 0,
    model_url: str | None = None,
    progress: Advance = silent,
    *,
    quick: bool = False,
) -> list[Result]:
    """Plant secrets, run the command line in every way, and search all that comes out.

    Args:
        ground: the log, its settings (model and breakdown are the attack's own), and a private folder; what is found there under
            ``canaries`` is replaced.
        count: how many secrets.
        seed: of the secrets and of where they are planted.
        model_url: a chat model as settings name it, ``openai:NAME@URL``, instead of the stand-in server on the chat-model route.
        progress: called with the number of commands done, some fifty in all.
        quick: leave out the chat-model route with an honest model, and half of the commands and of the failing runs.

    Returns:
        One result a route: ``tried`` secrets, the share of them that was found.

    Raises:
        RunError: the attack would prove nothing: a run that should publish does not, or the search misses a secret in the log itself.
    """
    folder = ground.folder / "canaries"
    rows, secrets = plant(ground.rows, count, seed)
    log = write_log(rows, folder / "log.jsonl")
    check(log, secrets)
    breakdown = [*ground.settings.breakdown, COLUMN]
    config = write_settings(ground.settings, folder / "settings.toml", breakdown=breakdown)
    results = [
        _result("embedded route", _route(log, folder / "embedded", config, [], progress, quick), secrets)
    ]
    for case, leaky in (("chat-model route", False), ("chat-model route, a model that repeats all", True)):
        if quick and not leaky:
            continue
        with nullcontext() if model_url and not leaky else model_server(faults=FAULTS, leaky=leaky) as server:
            how = ["--model", f"openai:m@{server.url}" if server else str(model_url)]
            how += ["--set", "timeout=5"] if server else []
            out = folder / ("leaky" if leaky else "chat")
            results.append(_result(case, _route(log, out, config, how, progress, quick), secrets))
            if server:
                _met(server.met["413"])
    places = _failing(rows, secrets, log, folder / "failing", config, progress, quick)
    return [*results, _result("failing runs", places, secrets)]


def check(log: Path, secrets: Sequence[Secret]) -> None:
    """Raise RunError unless the search finds every secret in the log that holds them all."""
    found = {hit.secret for hit in search([("log", log.read_bytes())], secrets)}
    if missing := len(secrets) - len(found):
        raise RunError(
            f"{log}: the search misses {missing:,} of {len(secrets):,} planted secrets; this is a bug of the attack, please report it"
        )


def hits(case: str, places: Iterable[tuple[str, bytes]], secrets: Sequence[Secret]) -> list[Hit]:
    """What is found in some places, each named after its case."""
    return search(((f"{case}: {place}", content) for place, content in places), secrets)


def _result(case: str, places: Places, secrets: Sequence[Secret]) -> Result:
    """The share of secrets that turn up; the note says how much was searched and, if any were found, where and in which form."""
    found = hits(case, places, secrets)
    size = sum(len(content) for _, content in places)
    note = f"{size / 1e6:.1f} MB in {len(places):,} places searched"
    if found:
        where = dict.fromkeys(
            f"{secrets[hit.secret].kind} as {hit.form} in {hit.place.split(': ', 1)[1]}" for hit in found
        )
        note += f"; found: {', '.join(list(where)[:5])}"
    return share("canaries", case, len({hit.secret for hit in found}), len(secrets), 0.0, note)


def _route(log: Path, out: Path, config: Path, how: Sequence[str], progress: Advance, quick: bool) -> Places:
    """Run, and use the result in every way; all that is said and published."""
    places: Places = []

    def told(*arguments: object) -> None:
        said = clio(*arguments)
        if said.code:
            raise RunError(
                f"{out}: clio {arguments[0]} ended with code {said.code}, so the attack shows nothing; run it by hand"
            )
        places.append((f"stdout of {arguments[0]}", said.stdout))
        places.append((f"stderr of {arguments[0]}", said.stderr))
        progress(1)

    _emptied(out)
    told("run", log, "--out", out, "--config", config, *how)
    insights = Insights.load(out)
    if not len(insights):
        raise RunError(f"{out}: nothing is shown, so the attack shows nothing; give it more conversations")
    told("show", out, "--json")
    told("export", out)
    for cluster in insights.clusters[: 1 if quick else _CLUSTERS]:
        told("show", out, cluster.id)
    if not quick:
        told("show", out)
        told("sources")
        told("estimate", log, "--config", config, *how)
    places += [(f"page {answer.path}", answer.body) for answer in explored(out)]
    progress(1)
    return [*places, *_left(out)]


def _failing(
    rows: Sequence[Row],
    secrets: Sequence[Secret],
    log: Path,
    folder: Path,
    config: Path,
    progress: Advance,
    quick: bool,
) -> Places:
    """Runs that fail, or meet what should make them fail; all that is said and left behind."""
    _emptied(folder)
    folder.mkdir(parents=True)
    places: Places = []

    def tried(name: str, *arguments: object, given: bytes | None = None) -> None:
        out = folder / name
        said = clio("run", *arguments, "--out", out, "--config", config, given=given)
        places.append((f"stdout of {name}", said.stdout))
        places.append((f"stderr of {name}", said.stderr))
        places.extend((f"{name}: {place}", content) for place, content in _left(out))
        progress(1)

    logs = _unfit(rows, secrets, log, folder)
    for path in logs[-2:] if quick else logs:
        tried(path.name.split(".")[0], path)
    tried("mapped", log, "--set", f"columns.messages={COLUMN}", "--set", f"columns.user={COLUMN}")
    if not quick:
        tried("piped", "-", given=logs[0].read_bytes())
        tried("strict", log, "--set", "min_users=100000")
        tried("sampled", log, "--sample", "20", "--sample-by", COLUMN)
    with model_server(faults={"400": 1.0}) as server:
        how = ["--model", f"openai:m@{server.url}", "--set", "timeout=5"]
        tried("refused-jobs", log, *how, "--batch")
        if not quick:
            tried("refused", log, *how)
            tried("refused-vectors", log, "--set", f"embedder=openai:e@{server.url}")
        _met(server.met["400"])
    if not quick:
        with model_server(faults={"413": 0.1, "refuse": 0.05, "no_schema": 1.0}) as server:
            how = ["--model", f"anthropic:m@{server.anthropic_url}", "--set", "timeout=5"]
            tried("jobs", log, *how, "--batch")
            tried("jobs", log, *how, "--batch", "--retry-failed")
            _met(server.met["413"])
    return places


def _unfit(rows: Sequence[Row], secrets: Sequence[Secret], log: Path, folder: Path) -> list[Path]:
    """Logs that cannot be read, or only in part: cut records, odd shapes, secrets as keys, a torn archive."""
    some = list(zip(secrets, secrets[1:], rows, strict=False))[:200]
    broken, torn, document = (folder / name for name in ("broken.jsonl", "torn.jsonl.gz", "document.json"))
    lines = log.read_text("utf-8").split("\n")[:200]
    broken.write_text("\n".join(line[: len(line) // 2] for line in lines), "utf-8")
    torn.write_bytes(gzip.compress(log.read_bytes())[:-100])
    document.write_text(
        json.dumps({one.text: {one.text: other.text} for one, other, _ in some}, ensure_ascii=False), "utf-8"
    )
    unfit = [{one.text: other.text, "text": str(row)} for one, other, row in some]
    odd = [{**row, "messages": {one.text: row["messages"]}, "user": [one.text]} for one, _, row in some]
    return [
        broken,
        write_log(unfit, folder / "unfit.jsonl"),
        torn,
        write_log(odd, folder / "odd.jsonl"),
        document,
    ]


def _met(faults: int) -> None:
    if not faults:
        raise RunError(
            "no call met the server's errors, so the attack shows nothing; this is a bug of the attack, please report it"
        )


def _left(out: Path) -> Iterator[tuple[str, bytes]]:
    """What a run leaves outside of its private zone, and the names of all its files."""
    for path in sorted(out.rglob("*")):
        yield "a file's name", str(path.relative_to(out)).encode()
    if (out / "run.toml").exists():
        yield "run.toml", (out / "run.toml").read_bytes()
    for name in ("insights", "export"):
        if (out / name).exists():
            yield from published(out / name)


def _emptied(folder: Path) -> None:
    """Remove what an earlier attack left, so that nothing is skipped as done."""
    shutil.rmtree(folder, ignore_errors=True)
