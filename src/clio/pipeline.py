"""The whole run, as the paper's figure: read, facets, embed, cluster, describe, arrange, audit, gate. Top to bottom."""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from clio import sources, stages
from clio.clustering.embed import choose_embedder
from clio.errors import RunError, SettingsError, SourceError
from clio.facets import concern, definition
from clio.facets.definition import Facet
from clio.insights import Insights
from clio.models import chat_model, embedder
from clio.models.answers import Answers
from clio.privacy import auditor
from clio.privacy.gate import gate, require_users
from clio.privacy.policy import Policy, policy
from clio.progress import Advance, Reporter, Silent
from clio.prompts import hashes
from clio.run_folder import RunFolder, fingerprint, key_of
from clio.settings import Settings, resolve
from clio.stages import Distinct, Model

_CONVERSATION_KEYS = ("format", "columns", "max_characters")


def run(
    logs: str | Path | Sequence[str | Path] | Any,
    out: str | Path | None = None,
    settings: Settings | None = None,
    *,
    progress: Reporter | None = None,
    **overrides: Any,
) -> Insights:
    """Read logs and make their insights; resumes where an earlier run in the same folder stopped.

    Args:
        logs: a path, glob, folder or "-" (standard input), a list of them, or a frame with ``__arrow_c_stream__``.
        out: the run folder; by default ``clio-run-NAME`` in the working directory.
        settings: of the run; by default those of ``clio.toml`` and the defaults.
        progress: shows what is going on; by default nothing.
        overrides: single settings, over ``settings``.

    Raises:
        ClioError: whatever a user can mend, in one line.
    """
    chosen = (
        resolve(settings.model_dump() if settings else {}, overrides)
        if overrides or not settings
        else settings
    )
    rules = policy(
        chosen.policy,
        min_users=chosen.min_users,
        min_conversations=chosen.min_conversations,
        audit_min=chosen.audit_min,
    )
    asked = _asked(chosen)
    prompts = Path(chosen.prompts) if chosen.prompts else None
    listed = [logs] if isinstance(logs, str | Path) else logs
    folder = RunFolder(Path(out) if out else default_out(listed))
    folder.create()
    with folder.lock():
        work = _Run(folder, chosen, progress or Silent())
        with (
            Answers(
                folder.private / "answers.sqlite",
                concurrency=chosen.concurrency,
                max_failures=chosen.max_failures,
            )
            if chosen.model
            else nullcontext() as answers
        ):
            model = (
                Model(chat_model(chosen.model, base_url=chosen.base_url), answers, prompts)
                if chosen.model and answers
                else None
            )
            return _run(listed, work, rules, asked, model)


def _run(logs: Any, work: _Run, rules: Policy, asked: Sequence[Facet], model: Model | None) -> Insights:
    """The stages in a row; each is skipped where its result is already there."""
    folder, settings = work.folder, work.settings
    inputs, source = _inputs(logs, folder)

    # read
    key = key_of("read", inputs, {name: getattr(settings, name) for name in _CONVERSATION_KEYS})
    done = folder.is_done("conversations", key) and folder.is_done("rejected", key)
    with work.stage("read", None, done) as advance:
        if not done:
            limits = sources.Limits(max_characters=settings.max_characters)
            found = sources.open(
                source, format=settings.format, columns=settings.columns or None, limits=limits
            )
            stages.read(found, folder, key, folder.salt(), advance)
    n = pq.ParquetFile(folder.file("conversations")).metadata.num_rows
    if not n:
        raise SourceError(f"no conversation could be used; {_reasons(folder) or 'the logs are empty'}")

    # near-duplicates
    key = key_of(key, "duplicates", settings.duplicates)
    with work.stage("duplicates", n, folder.is_done("duplicates", key)) as advance:
        table = folder.stage(
            "duplicates", key, lambda: stages.duplicates(folder, settings.duplicates, advance)
        )
    groups = table["duplicate"].to_numpy()

    # facets
    told = [
        settings.model,
        settings.base_url,
        [repr(facet) for facet in asked],
        hashes(model.prompts if model else None),
    ]
    key = key_of(key, "facets", settings.breakdown, told if model else None)
    with work.stage("facets", n, folder.is_done("facets", key)) as advance:
        facets = folder.stage(
            "facets", key, lambda: stages.facets(folder, groups, settings, asked, model, advance)
        )
    languages = facets["language"].to_pylist()
    work.found(facets, folder)
    require_users(facets, settings.users)  # before the costly stages

    # embed
    distinct = Distinct.of(facets[settings.cluster_facet].to_pylist(), groups)
    if not len(distinct.rows):
        raise SourceError(
            "no conversation says anything that could be clustered; look at the log's user messages"
        )
    named = (
        choose_embedder([languages[i] for i in distinct.rows])
        if settings.embedder == "auto"
        else settings.embedder
    )
    encoder = embedder(named, base_url=settings.base_url)
    key = key_of(key, "embed", named, settings.cluster_facet)
    with work.stage("embed", len(distinct.texts)) as advance:
        vectors = stages.embed(folder, distinct.texts, encoder, key, advance)

    # cluster
    key = key_of(key, "cluster", settings.seed, settings.clusters, settings.cluster_size)
    with work.stage("cluster", len(distinct.rows), folder.is_done("labels", key)) as advance:
        ready, labels = (
            stages.cluster(distinct, vectors, languages, settings)
            if not folder.is_done("labels", key)
            else (None, None)
        )
        if labels is not None:
            folder.write_table("labels", key, pa.table({"label": pa.array(labels, pa.int32())}))
        labels = pq.read_table(folder.file("labels"))["label"].to_numpy()
        advance(len(labels))

    # describe and arrange
    key = key_of(
        key,
        "describe",
        settings.top,
        settings.levels,
        rules.min_users,
        settings.users,
        told if model else None,
    )
    with work.stage(
        "describe",
        int(labels.max()) + 1,
        folder.is_done("candidates", key) and folder.is_done("assignments", key),
    ) as advance:
        if not (folder.is_done("candidates", key) and folder.is_done("assignments", key)):
            ready = stages.ready_vectors(distinct, vectors, languages) if ready is None else ready
            del vectors  # as large as what takes its place
            candidates, ids = stages.describe(
                distinct, ready, labels, facets, encoder, settings, rules, model
            )
            folder.write_table("assignments", key, _assignments(facets, distinct, labels, ids))
            folder.write_table("candidates", key, candidates)
        advance(int(labels.max()) + 1)
    candidates = pq.read_table(folder.file("candidates"))
    assignments = pq.read_table(folder.file("assignments"))

    # audit
    key = key_of(key, "audit", told if model else None)
    with work.stage("audit", len(candidates), folder.is_done("clusters", key)) as advance:
        candidates = folder.stage("clusters", key, lambda: stages.audit(candidates, model, advance))

    # gate
    with work.stage("gate", None):
        counted = stages.members(facets, assignments, asked, settings)
        texts = _supporting(facets, settings, model)
        about = _about(settings, named, model)
        insights = gate(candidates, counted, texts, rules, users=settings.users, about=about)
        shutil.rmtree(folder.insights, ignore_errors=True)
        insights.save(folder.insights)
    work.finish(insights, model)
    return insights


@dataclass(slots=True)
class _Run:
    """One run under way: its folder, settings, what it shows, and the seconds and counts that ``run.toml`` gets."""

    folder: RunFolder
    settings: Settings
    progress: Reporter
    seconds: dict[str, float] = field(default_factory=dict)
    counts: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, total: int | None, done: bool = False) -> Iterator[Advance]:
        """Show and time a stage; one that was done before keeps its time of then."""
        before = self.folder.facts().get("seconds", {})
        start = time.monotonic()
        if done:
            yield lambda _count: None
            self.seconds[name] = before.get(name, 0.0)
        else:
            with self.progress.stage(name, total) as advance:
                yield advance
            self.seconds[name] = round(time.monotonic() - start, 3)
        self._note()

    def found(self, facets: pa.Table, folder: RunFolder) -> None:
        """Count what the logs hold, and say it."""
        times = pc.min_max(
            pq.read_table(folder.file("conversations"), columns=["created_at"])["created_at"]
        ).as_py()
        rejected = Counter(pq.read_table(folder.file("rejected"))["reason"].to_pylist())
        languages = Counter(facets["language"].to_pylist())
        users = pc.count_distinct(facets["user"]).as_py()
        self.counts = {
            "conversations": len(facets),
            "users": users if self.settings.users == "field" else len(facets),
            "near_duplicates": len(facets) - pc.count_distinct(facets["duplicate"]).as_py(),
            "rejected": dict(sorted(rejected.items())),
            "languages": dict(languages.most_common(10)),
            "first": times["min"].date().isoformat() if times["min"] else None,
            "last": times["max"].date().isoformat() if times["max"] else None,
        }
        self.progress.say(found_line(self.counts))
        self._note()

    def finish(self, insights: Insights, model: Model | None) -> None:
        """Note the outcome; an unfinished run has no ``[result]``."""
        if not self.settings.keep_salt:
            self.folder.forget_salt()
        totals = model.answers.totals if model else None
        self._note(
            result={
                "coverage": round(insights.coverage, 4),
                "withheld": dict(insights.withheld),
                "levels": list(insights.levels),
                "model": {
                    "calls": totals.calls if totals else 0,
                    "input_tokens": totals.input_tokens if totals else 0,
                    "output_tokens": totals.output_tokens if totals else 0,
                },
            }
        )

    def _note(self, **more: Any) -> None:
        prompts = hashes(Path(self.settings.prompts) if self.settings.prompts else None)
        versions = {"clio": version("clio-insights"), "python": sys.version.split()[0]}
        kept = {k: v for k, v in self.settings.model_dump().items() if v not in (None, {}, ())}
        self.folder.note(
            {
                "versions": versions,
                "settings": kept,
                "counts": self.counts,
                "seconds": self.seconds,
                "prompts": prompts,
                **more,
            }
        )


def found_line(counts: Mapping[str, Any]) -> str:
    """What the logs hold, in one line."""
    parts = [f"{counts['conversations']:,} conversations"]
    if counts["users"]:
        parts.append(f"{counts['users']:,} users")
    if counts["near_duplicates"]:
        parts.append(f"{counts['near_duplicates']:,} near-duplicates")
    total = sum(counts["languages"].values())
    parts.append(
        "languages "
        + ", ".join(f"{name} {n / total:.0%}" for name, n in list(counts["languages"].items())[:4])
    )
    if counts.get("first"):
        parts.append(f"{counts['first']} to {counts['last']}")
    if counts["rejected"]:
        parts.append("set aside: " + ", ".join(f"{n:,} {reason}" for reason, n in counts["rejected"].items()))
    return "found " + "; ".join(parts)


def summary(out: str | Path) -> dict[str, Any]:
    """What a finished run is summed up by, as JSON values.

    Keys: version, out, conversations, users, rejected, coverage, withheld, levels, seconds, model, and what the logs hold.
    """
    facts = RunFolder(Path(out)).facts()
    if "result" not in facts:
        raise RunError(f"{out}: the run is not finished; run the same command again to go on")
    return {
        "version": facts["versions"]["clio"],
        "out": str(out),
        **facts["counts"],
        **facts["result"],
        "seconds": facts["seconds"],
    }


def default_out(logs: Any) -> Path:
    """``clio-run-NAME`` in the working directory, named after the first log's file."""
    first = logs[0] if isinstance(logs, list | tuple) and logs else "-"
    name = Path(str(first)).name.split(".")[0]
    kept = "".join(c for c in name if c.isascii() and (c.isalnum() or c in "-_"))[:40]
    return Path(f"clio-run-{kept}" if kept and str(first) != "-" else "clio-run")


def _asked(settings: Settings) -> list[Facet]:
    """The facets that a chat model is to answer, by name or from files."""
    built_in = definition.builtin()
    found = []
    for name in settings.facets:
        if name in built_in:
            found.append(built_in[name])
        elif name.endswith(".toml"):
            found.append(definition.load(Path(name)))
        else:
            raise SettingsError(
                f"setting 'facets': no facet '{name[:40]}'; known: {', '.join(built_in)}, or the path of a facet file (.toml)"
            )
    return found


def _inputs(logs: Any, folder: RunFolder) -> tuple[Any, Any]:
    """What the reading stage depends on, and what it reads: standard input is first kept in the private zone, so that a run can resume."""
    if hasattr(logs, "__arrow_c_stream__"):
        return time.time_ns(), logs
    kept: list[str | Path] = []
    for log in logs:
        if str(log) == "-":
            path = folder.private / "stdin"
            if not sys.stdin.isatty():
                with folder.replacing(path) as beside, beside.open("wb") as file:
                    shutil.copyfileobj(sys.stdin.buffer, file)
            kept.append(path)
        else:
            kept.append(log)
    return fingerprint(sources.expand(kept)), kept


def _assignments(facets: pa.Table, distinct: Distinct, labels: Any, ids: Sequence[str]) -> pa.Table:
    """The base cluster of every conversation: its near-duplicate group's, null where the group says nothing."""
    first = np.full(len(facets), -1, np.int64)
    first[distinct.rows] = labels
    numbers = first[facets["duplicate"].to_numpy()]
    return pa.table(
        {
            "id": facets["id"],
            "cluster": pa.array([ids[i] if i >= 0 else None for i in numbers.tolist()], pa.string()),
        }
    )


def _supporting(facets: pa.Table, settings: Settings, model: Model | None) -> list[str]:
    """The words of each conversation that may support a name: its request and, with a model, the clustered facet."""
    requests = [text or "" for text in facets["request"].to_pylist()]
    if model and settings.cluster_facet != "request":
        more = facets[settings.cluster_facet].to_pylist()
        return [f"{a} {b or ''}" for a, b in zip(requests, more, strict=True)]
    return requests


def _about(settings: Settings, encoder: str, model: Model | None) -> dict[str, Any]:
    """How the insights were made, for whoever reads them."""
    caveats = ["Counts in breakdowns are lower bounds: what is too rare to show is left out."]
    if not model:
        caveats += [
            "Named without a chat model: from phrases that many users share and a fixed vocabulary of tasks.",
            f"Concern is found {concern.CAVEAT}.",
            f"The audit is {auditor.CAVEAT}.",
        ]
    return {
        "clio": version("clio-insights"),
        "route": "chat model" if model else "embedded",
        "model": settings.model,
        "embedder": encoder,
        "clustered": settings.cluster_facet,
        "users": settings.users,
        "seed": settings.seed,
        "caveats": caveats,
    }


def _reasons(folder: RunFolder) -> str:
    rejected = Counter(pq.read_table(folder.file("rejected"))["reason"].to_pylist())
    return (
        "set aside: " + ", ".join(f"{n:,} {reason}" for reason, n in sorted(rejected.items()))
        if rejected
        else ""
    )
