"""The whole run, as the paper's figure: read, facets, embed, cluster, describe, arrange, audit, gate. Top to bottom."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio import columns, sampling, sources, stages
from clio.clustering.embed import choose_embedder
from clio.clustering.stability import anew
from clio.errors import SettingsError, SourceError
from clio.facets import definition, table
from clio.facets.definition import Facet
from clio.facets.with_model import Asking
from clio.fingerprints import content_hash, fingerprint, key_of
from clio.insights import Insights
from clio.insights.intervals import Sample
from clio.models import embedder
from clio.models.protocols import Embedder
from clio.models.roles import Model, Roles, opened
from clio.privacy import names, pii
from clio.privacy.accounts import require_users
from clio.privacy.gate import gated
from clio.privacy.ledger import Ledger
from clio.privacy.policy import Policy, policy
from clio.progress import Reporter, Silent
from clio.prompts import hashes
from clio.run_folder import RunFolder, default_out
from clio.run_notes import Notes, about_run, rejected
from clio.settings import Settings, layered, resolve
from clio.stages import Distinct
from clio.stored import batches

if TYPE_CHECKING:
    from clio.estimate import Estimate

_CONVERSATION_KEYS = ("format", "columns", "max_characters", "count")


def run(
    logs: str | Path | Sequence[str | Path] | Any,
    out: str | Path | None = None,
    settings: Settings | None = None,
    *,
    progress: Reporter | None = None,
    retry_failed: bool = False,
    encoder: Embedder | None = None,
    roles: Roles | None = None,
    **overrides: Any,
) -> Insights:
    """Read logs and make their insights; resumes where an earlier run in the same folder stopped.

    Args:
        logs: a path, glob, folder or "-" (standard input), a list of them, or a frame with ``__arrow_c_stream__``.
        out: the run folder; by default ``clio-run-NAME`` in the working directory.
        settings: of the run; by default those of ``clio.toml`` and the defaults.
        progress: shows what is going on; by default nothing.
        retry_failed: ask a chat model again about the conversations of a finished run that it failed to answer.
        encoder: an embedder that is there already, instead of the one that the settings name; for many runs in one process.
        roles: chat models that are there already, instead of those that the settings name, with one store of answers for many runs.
        overrides: single settings, over ``settings``.

    Raises:
        ClioError: whatever a user can mend, in one line.
    """
    work, listed = _begin(logs, out, settings, progress, overrides)
    chosen = work.settings
    rules, asking = _rules(chosen), _asking(chosen)
    with work.opened(), nullcontext(roles) if roles else opened(chosen, work.folder) as models:
        return _run(listed, work, rules, asking, models, retry_failed, encoder)


def estimated(
    logs: str | Path | Sequence[str | Path] | Any,
    out: str | Path | None = None,
    settings: Settings | None = None,
    *,
    progress: Reporter | None = None,
    **overrides: Any,
) -> Estimate:
    """What a run with these arguments would cost, found on this machine: the logs are read, no model is called, no key is needed.

    Args, errors: as ``run``. What is read stays in the run folder, for the run itself.
    """
    work, listed = _begin(logs, out, settings, progress, overrides)
    asking = _asking(work.settings)
    if work.settings.embedder != "auto" and not work.settings.embeds_elsewhere:
        embedder(work.settings.embedder)  # told if it is unknown; one elsewhere would want its key
    with work.opened():
        return _estimate(work, _read(listed, work, _rules(work.settings)), asking)


def _begin(
    logs: Any, out: str | Path | None, settings: Settings | None, progress: Reporter | None, overrides: Any
) -> tuple[Notes, Any]:
    """A run that is about to begin, and its logs as a list or a frame."""
    chosen = layered(settings.as_dict(), overrides) if settings else resolve(overrides)
    listed = [logs] if isinstance(logs, str | Path) else logs
    frame = hasattr(listed, "__arrow_c_stream__")
    if not frame and not (isinstance(listed, Sequence) and all(isinstance(x, str | Path) for x in listed)):
        raise SourceError("the logs must be a path, a list of paths, or a frame with __arrow_c_stream__")
    folder = RunFolder(Path(out) if out else default_out(listed), chosen.encryption_key_command)
    return Notes(folder, chosen, progress or Silent()), listed


def _rules(settings: Settings) -> Policy:
    """The policy of a run, with what its settings say otherwise."""
    return policy(
        settings.policy,
        min_users=settings.min_users,
        min_conversations=settings.min_conversations,
        audit_min=settings.audit_min,
        max_per_user=settings.max_per_user,
    )


@dataclass(frozen=True, slots=True)
class _Conversations:
    """The conversations of a run: the key of what they depend on, their near-duplicate groups, and of what they are a sample."""

    key: str
    groups: NDArray[np.int32]
    sample: Sample | None


def _read(logs: Any, work: Notes, rules: Policy) -> _Conversations:
    """Read the logs, draw a sample if one is wanted, and find near-duplicates."""
    folder, settings = work.folder, work.settings
    inputs, source = _inputs(logs, folder)

    # read
    key = key_of("read", inputs, {name: getattr(settings, name) for name in _CONVERSATION_KEYS})
    # where only some of them are worked on, all are kept beside them
    place = next((name for name in ("conversations", "read") if folder.is_done(name, key)), None)
    done = place is not None and folder.is_done("rejected", key)
    if not done and (folder.insights / "insights.json").is_file():
        work.progress.say(f"{folder.path}: was of other logs, or of these before they changed: made anew")
    with work.stage("read", None, done) as advance:
        if not done:
            limits = sources.Limits(max_characters=settings.max_characters)
            found = sources.open(
                source,
                format=settings.format,
                columns=settings.columns or None,
                limits=limits,
                opened=folder.open,
            )
            requests = settings.count == "requests"
            stages.read(found, folder, key, folder.salt(), advance, requests=requests)
            place = "conversations"
    place = place or "conversations"
    n = folder.rows(place)
    if not n:
        reasons = ", ".join(f"{n:,} {reason}" for reason, n in rejected(folder).items())
        raise SourceError(
            f"no conversation could be used; {f'set aside: {reasons}' if reasons else 'the logs are empty'}"
        )

    # at most so many of one user, and of these a sample
    most, kept = rules.max_per_user, np.arange(n)
    if most:
        account = "user" if settings.users == "field" else "part_of"
        kept = sampling.contributed(folder.read(place, [account])[account], most)
    population, size = len(kept), settings.sample or len(kept)
    sample, work.beyond = None, n - len(kept)
    if settings.sample or work.beyond:
        key = key_of(key, "sample", most, settings.sample, settings.sample_by, settings.seed)
        if place == "conversations":
            folder.move("conversations", "read")
        with work.stage("sample", n, folder.is_done("conversations", key)) as advance:
            if not folder.is_done("conversations", key):
                sampling.sample(folder, key, size, settings.sample_by, settings.seed, advance, of=kept)
        n = folder.rows("conversations")
        sample = Sample(population, n, settings.sample_by) if settings.sample else None
    elif place == "read":
        folder.move("read", "conversations")

    # near-duplicates
    key = key_of(key, "duplicates", settings.duplicates)
    with work.stage("duplicates", n, folder.is_done("duplicates", key)) as advance:
        grouped = folder.stage(
            "duplicates", key, lambda: stages.duplicates(folder, settings.duplicates, advance)
        )
    return _Conversations(key, grouped["duplicate"].to_numpy(), sample)


def _estimate(work: Notes, read: _Conversations, asking: Asking) -> Estimate:
    from clio.estimate import estimate  # loads what counts tokens and knows prices

    asked = table.asked_turns(work.folder, read.groups)
    return estimate(asked, len(read.groups), len(np.unique(read.groups)), work.settings, asking)


def _run(
    logs: Any,
    work: Notes,
    rules: Policy,
    asking: Asking,
    roles: Roles,
    retry_failed: bool,
    encoder: Embedder | None,
) -> Insights:
    """The stages in a row; each is skipped where its result is already there."""
    folder, settings = work.folder, work.settings
    if encoder is None and settings.embedder != "auto":
        encoder = embedder(settings.embedder, key_command=settings.key_command)
    conversations = _read(logs, work, rules)
    n = len(conversations.groups)
    # before anything is paid for
    require_users(folder.read("conversations", ["user"]), settings.users)
    with folder.parquet("conversations") as file:
        of_log = set(settings.breakdown) - table.OWN - {facet.name for facet in asking.facets}
        columns.require(file, "breakdown", sorted(of_log))
        columns.require(file, "trust", [settings.trust] if settings.trust else [])
    if roles.answers:
        forecast = _estimate(work, conversations, asking)
        work.estimate = forecast.as_dict()
        work.progress.say(forecast.line())

    # facets
    told = _told(roles.facets, "facets", "facet", "label", "privacy", "repair")
    key = key_of(
        conversations.key,
        "facets",
        settings.breakdown,
        settings.mask_names,
        settings.trust and [settings.trust, settings.trust_full],
        [told, repr(asking.facets), asking.calls, asking.budget] if told else None,
    )
    if retry_failed and folder.is_done("facets", key) and table.has_failed(folder):
        folder.file("facets").unlink()  # what was answered is in the store
    with work.stage("facets", n, folder.is_done("facets", key)) as advance:
        facets = folder.stage(
            "facets",
            key,
            lambda: table.facets(folder, conversations.groups, settings, asking, roles.facets, advance),
        )
    work.found(facets)
    if roles.facets:
        key = key_of(key, content_hash(facets))  # which conversations a model fails to answer is chance

    # embed
    distinct = Distinct.of(facets[settings.cluster_facet].to_pylist(), conversations.groups)
    if not len(distinct.rows):
        raise SourceError(
            "no conversation says anything that could be clustered; look at the log's user messages"
        )
    languages = table.text_languages(facets)
    encoder = encoder or embedder(choose_embedder([languages[i] for i in distinct.rows]))
    key = key_of(key, "embed", encoder.name, settings.cluster_facet)
    with work.stage("embed", len(distinct.texts)) as advance:
        vectors = stages.embed(folder, distinct.texts, encoder, key, roles.answers, advance)
        if roles.facets:
            folder.file("concern").unlink(missing_ok=True)
        else:
            found = stages.rated(facets, distinct, vectors, conversations.groups, encoder.name)
            # kept, so that the private zone holds what is counted
            rated = folder.stage("concern", content_hash(found), lambda: found)
            facets = facets.set_column(facets.column_names.index("concern"), "concern", rated["concern"])
        ready = stages.ready_vectors(distinct, vectors, languages)
        del vectors  # as large as what takes its place

    # cluster
    least, users = stages.least_of(rules), stages.users_of(distinct, facets, settings)
    key = key_of(
        key, "cluster", settings.seed, settings.clusters, settings.cluster_size, settings.users, *least
    )
    with work.stage("cluster", len(distinct.rows), folder.is_done("labels", key)) as advance:
        if not folder.is_done("labels", key):
            labels = stages.cluster(ready, users, settings, least)
            folder.write_table("labels", key, pa.table({"label": pa.array(labels, pa.int32())}))
        labels = folder.read("labels")["label"].to_numpy()
        stability = folder.stage(
            "stability",
            key,
            lambda: pa.Table.from_pylist([asdict(anew(ready, labels, users, least, settings.seed))]),
        )
        work.stability = stability.to_pylist()[0]
        advance(len(labels))

    # describe and arrange
    key = key_of(
        key,
        "describe",
        settings.top,
        settings.levels,
        rules.min_users,
        settings.users,
        settings.describe_from if roles.naming else None,
        _told(
            roles.naming,
            "describe",
            "describe_terms",
            "propose",
            "deduplicate",
            "assign",
            "rename",
            "privacy",
            "repair",
        ),
    )
    with work.stage(
        "describe",
        int(labels.max()) + 1,
        folder.is_done("candidates", key) and folder.is_done("assignments", key),
    ) as advance:
        if not (folder.is_done("candidates", key) and folder.is_done("assignments", key)):
            candidates, ids = stages.describe(
                distinct, ready, labels, facets, encoder, settings, rules, roles.naming
            )
            folder.write_table("assignments", key, _assignments(facets, distinct, labels, ids))
            folder.write_table("candidates", key, candidates)
        advance(int(labels.max()) + 1)
    candidates = folder.read("candidates")
    assignments = folder.read("assignments")

    # audit
    key = key_of(key, "audit", _told(roles.auditing, "auditor", "repair"))
    with work.stage("audit", len(candidates), folder.is_done("clusters", key)) as advance:
        candidates = folder.stage("clusters", key, lambda: stages.audit(candidates, roles.auditing, advance))

    # gate
    with work.stage("gate", None):
        counted = stages.members(facets, assignments, asking.facets if roles.facets else (), settings)
        texts = _supporting(facets, settings, roles.facets)
        about = about_run(settings, encoder.name, roles, conversations.sample, work.estimate)
        insights, released = gated(
            candidates,
            counted,
            texts,
            rules,
            users=settings.users,
            about=about,
            sample=conversations.sample,
        )
    ledger = None if rules.restricted else Ledger.of(settings.ledger, folder.path)
    if ledger:
        with work.stage("ledger", n) as advance:
            stored = batches(folder, ["created_at", "messages"])
            ledger.record(stored, released, folder.path.resolve().name, rules.name, advance)
    shutil.rmtree(folder.insights, ignore_errors=True)
    if rules.restricted:
        folder.insights.mkdir(mode=0o700)
    insights.save(folder.insights)
    if rules.restricted:
        folder.restrict()
    work.finish(insights, roles)
    return insights


def _told(model: Model | None, *prompts: str) -> list[Any] | None:
    """What a stage's result depends on where a chat model does it."""
    return [model.chat.name, hashes(model.prompts, *prompts)] if model else None


def _asking(settings: Settings) -> Asking:
    """What a chat model is asked of every conversation, by name or from facet files."""
    built_in = definition.builtin()
    found: list[Facet] = []
    for name in settings.facets:
        if name in built_in:
            found.append(built_in[name])
        elif name.endswith(".toml"):
            found.append(definition.load(Path(name)))
        else:
            raise SettingsError(
                f"setting 'facets': no facet '{name[:40]}'; known: {', '.join(built_in)}, or the path of a facet file (.toml)"
            )
    definition.check_breakdown(settings.breakdown, found)
    answered = {facet.name for facet in found} if settings.model_of("facets") else set()
    if settings.cluster_facet == "task" and "task" not in answered:
        raise SettingsError(
            "setting 'cluster_facet': task needs a chat model that answers it: set models.facets, and task among facets"
        )
    folder = Path(settings.prompts) if settings.prompts else None
    masks = names.mask if settings.mask_names else pii.mask
    if settings.mask_names:
        masks("")  # says at once what is not installed
    return Asking(tuple(found), settings.facet_calls, settings.conversation_tokens, folder, masks)


def _inputs(logs: Any, folder: RunFolder) -> tuple[Any, Any]:
    """What the reading stage depends on, and what it reads: standard input is first kept in the private zone, so that a run can resume."""
    if hasattr(logs, "__arrow_c_stream__"):
        return time.time_ns(), logs
    kept: list[str | Path] = []
    for log in logs:
        if str(log) == "-":
            path = folder.private / "stdin"
            if not sys.stdin.isatty():
                folder.keep("stdin", sys.stdin.buffer)
            kept.append(path)
        else:
            kept.append(log)
    return fingerprint(sources.expand(kept), folder.open), kept


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
