"""What a run notes of itself in ``run.toml``: settings, counts, seconds, and what its model calls came to beside what was estimated."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from clio import retention
from clio.errors import RunError
from clio.facets import concern
from clio.insights import Insights
from clio.insights.intervals import Sample
from clio.models.roles import Roles, without_address
from clio.privacy import auditor
from clio.progress import Advance, Reporter
from clio.prompts import hashes
from clio.run_folder import RunFolder
from clio.settings import Settings
from clio.version import __version__

_ESTIMATED = ("calls", "input_tokens", "output_tokens", "cost")


@dataclass(slots=True)
class Notes:
    """One run under way: its folder and settings, what it shows, and what ``run.toml`` gets."""

    folder: RunFolder
    settings: Settings
    progress: Reporter
    seconds: dict[str, float] = field(default_factory=dict)
    counts: dict[str, Any] = field(default_factory=dict)
    stability: dict[str, float] = field(default_factory=dict)
    estimate: dict[str, Any] | None = None
    beyond: int = 0

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Hold the run folder; what has expired in it is deleted first, and that is said."""
        if gone := retention.purge_expired(self.folder.path):
            day, names = gone
            self.progress.say(
                f"the private files of {self.folder.path} were to be kept until {day}: deleted {len(names)}, starting anew"
            )
        with self.folder.opened():
            retention.note(self.folder, self.settings.retention_days)
            yield

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

    def found(self, facets: pa.Table) -> None:
        """Count what the logs hold, and say it."""
        times = pc.min_max(self.folder.read("conversations", ["created_at"])["created_at"]).as_py()
        languages = Counter(facets["language"].to_pylist())
        split_from = pc.count_distinct(facets["part_of"]).as_py()
        users = pc.count_distinct(facets["user"]).as_py()
        self.counts = {
            "conversations": len(facets),
            "counted": self.settings.count,
            "split_from": split_from if self.settings.count == "requests" else None,
            "users": users if self.settings.users == "field" else split_from,
            "near_duplicates": len(facets) - pc.count_distinct(facets["duplicate"]).as_py(),
            "beyond_max_per_user": self.beyond,
            "rejected": rejected(self.folder),
            "languages": dict(languages.most_common(10)),
            "first": times["min"].date().isoformat() if times["min"] else None,
            "last": times["max"].date().isoformat() if times["max"] else None,
        }
        if "state" in facets.column_names:
            self.counts["read_by_model"] = _states(facets)
        self.progress.say(found_line(self.counts))
        self._note()

    def finish(self, insights: Insights, roles: Roles) -> None:
        """Note the outcome; an unfinished run has no ``[result]``."""
        if not self.settings.keep_salt:
            self.folder.forget_salt()
        self._note(
            result={
                "coverage": round(insights.coverage, 4),
                "withheld": dict(insights.withheld),
                "levels": list(insights.levels),
                "model": measured(roles),
            }
        )

    def _note(self, **more: Any) -> None:
        prompts = hashes(Path(self.settings.prompts) if self.settings.prompts else None)
        versions = {"clio": __version__, "python": sys.version.split()[0]}
        # a command may hold the key itself
        kept = {
            name: value
            for name, value in self.settings.as_dict().items()
            if value not in (None, {}, ()) and name != "encryption_key_command"
        }
        self.folder.note(
            {
                "expires": retention.last_day(self.folder, self.settings.retention_days),
                "versions": versions,
                "settings": kept,
                "counts": self.counts,
                "stability": {name: round(value, 3) for name, value in self.stability.items()},
                "seconds": self.seconds,
                "prompts": prompts,
                "estimate": self.estimate,
                **more,
            }
        )


def _states(facets: pa.Table) -> dict[str, Any]:
    """In how many conversations a chat model answered, declined or failed, why, and how much it was shown."""
    states = Counter(facets["state"].to_pylist())
    failed = facets.filter(pc.equal(facets["state"], "failed"))
    whole = pc.sum(pc.equal(facets["seen"], 1.0)).as_py()
    return {
        **{state: states.get(state, 0) for state in ("answered", "refused", "failed")},
        "reasons": dict(sorted(Counter(failed["reason"].to_pylist()).items())),
        "shown_in_part": len(facets) - whole,
        "share_seen": round(pc.mean(facets["seen"]).as_py(), 4),
    }


def measured(roles: Roles) -> dict[str, Any]:
    """What the model calls of a run came to, earlier sessions included: calls, tokens and USD (None: unknown), in all and by stage."""
    stages: list[dict[str, Any]] = []
    for spent in roles.answers.store.spent() if roles.answers else ():
        price = (roles.prices or {}).get(spent.model)
        cost = price.cost(spent.usage, batch=spent.batch) if price else None
        stages.append(
            {
                "stage": spent.stage,
                "model": spent.model,
                "batch": spent.batch,
                "calls": spent.calls,
                "input_tokens": spent.usage.input,
                "cached_tokens": spent.usage.cached,
                "output_tokens": spent.usage.output,
                "cost": None if cost is None else round(cost, 6),
            }
        )
    costs = [row["cost"] for row in stages]
    return {
        **{name: sum(row[name] for row in stages) for name in ("calls", "input_tokens", "output_tokens")},
        "cost": None if None in costs else round(sum(costs), 6),
        "stages": stages,
    }


def rejected(folder: RunFolder) -> dict[str, int]:
    """How many records were set aside, by reason."""
    return dict(sorted(Counter(folder.read("rejected")["reason"].to_pylist()).items()))


def found_line(counts: Mapping[str, Any]) -> str:
    """What the logs hold, in one line."""
    split = f" in {counts['split_from']:,} conversations" if counts["split_from"] else ""
    parts = [f"{counts['conversations']:,} {counts['counted']}{split}"]
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
    if counts.get("beyond_max_per_user"):
        parts.append(f"left out: {counts['beyond_max_per_user']:,} beyond what one user may contribute")
    if counts["rejected"]:
        parts.append("set aside: " + ", ".join(f"{n:,} {reason}" for reason, n in counts["rejected"].items()))
    return "found " + "; ".join(parts)


def summary(out: str | Path) -> dict[str, Any]:
    """What a finished run is summed up by, as JSON values.

    Keys: version, out, conversations (or what ``counted`` says), users, rejected, coverage, withheld, levels, stability (ami, matched),
    seconds, model (calls, tokens, cost, by stage), estimate (None without a chat model), and what the logs hold.
    """
    facts = RunFolder(Path(out)).facts()
    if "result" not in facts:
        raise RunError(f"{out}: the run is not finished; run the same command again to go on")
    return {
        "version": facts["versions"]["clio"],
        "out": str(out),
        **facts["counts"],
        **facts["result"],
        "estimate": facts.get("estimate"),
        "stability": facts.get("stability"),
        "seconds": facts["seconds"],
    }


def about_run(
    settings: Settings,
    encoder: str,
    roles: Roles,
    sample: Sample | None,
    estimate: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """How the insights were made, for whoever reads them; ``estimate`` is ``Estimate.as_dict`` of its model calls."""
    caveats = ["Counts in breakdowns are lower bounds: what is too rare to show is left out."]
    if settings.count == "requests":
        caveats.append(
            "Requests are counted, not conversations: an English conversation is parted where its user seems to begin to ask for"
            " something else; some such places are missed, and some are none."
        )
    if sample:
        caveats.append("Intervals tell how far chance in drawing the sample reaches, and of no other error.")
    if not roles.naming:
        caveats.append(
            "Named without a chat model: from phrases that many users share and a fixed vocabulary of tasks."
        )
    if not roles.facets:
        caveats.append(f"Concern is found {concern.CAVEAT}.")
    if not roles.auditing:
        caveats.append(f"The audit is {auditor.CAVEAT}.")
    models = {
        role: model.chat.name if (model := getattr(roles, role)) else None
        for role in ("facets", "naming", "auditing")
    }
    return {
        "clio": __version__,
        "route": "chat model" if roles.chat else "embedded",
        "model": without_address(settings.model) if settings.model else None,
        "models": models if roles.chat else None,
        "prompts": hashes(Path(settings.prompts) if settings.prompts else None) if roles.chat else None,
        # what was estimated, not what was paid: faults and repairs must change no byte of what is published
        "estimate": {key: (estimate or {}).get(key) for key in _ESTIMATED} if roles.chat else None,
        "embedder": encoder,
        "clustered": settings.cluster_facet,
        "counted": settings.count,
        "users": settings.users,
        "seed": settings.seed,
        "caveats": caveats,
    }
