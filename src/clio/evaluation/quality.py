"""All measures of quality on one labelled log, over several seeds: what ``clio evaluate`` prints and docs/quality.md tabulates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from clio.clustering import stability
from clio.clustering.base import centroids
from clio.evaluation import agreement, languages, naming, reconstruction, shares
from clio.evaluation.clustered import Clustered, of_run
from clio.evaluation.ground import Ground, Row
from clio.evaluation.labelled import Labelled
from clio.evaluation.remembering import Remembering
from clio.models import embedder
from clio.models.protocols import Embedder
from clio.models.roles import Model, Roles
from clio.progress import Advance, Reporter, Silent, silent
from clio.run_folder import RunFolder
from clio.settings import Settings

#: the part of a log that is held out of each run, to be looked for by the names
HELD_OUT, _MOST_HELD_OUT = 0.1, 1000
#: conversations of a language from which its accuracy is told
_OF_LANGUAGE = 50


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure: of what, in which case, its mean over the seeds, and the 95 % interval of that mean (None with one seed)."""

    measure: str
    case: str
    value: float
    low: float | None
    high: float | None
    seeds: int


@dataclass(slots=True)
class Figures:
    """What was found seed by seed: values by measure and case."""

    found: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, measure: str, case: str, value: float) -> None:
        """Note the value of one seed."""
        self.found[measure, case].append(value)

    def measures(self) -> list[Measure]:
        """Means with Student's interval, in the order in which they came first."""
        return [_mean(measure, case, values) for (measure, case), values in self.found.items()]


def _mean(measure: str, case: str, values: Sequence[float]) -> Measure:
    middle, n = fmean(values), len(values)
    if n < 2:
        return Measure(measure, case, middle, None, None, n)
    half = float(student.ppf(0.975, n - 1)) * stdev(values) / sqrt(n)
    return Measure(measure, case, middle, middle - half, middle + half, n)


#: makes clusters of some rows of a log, under a name and with a seed, and so many base clusters (None: as many as it chooses)
Make = Callable[[Sequence[Row], str, int, int | None], Clustered]


def evaluate(
    labelled: Labelled,
    settings: Settings,
    folder: Path,
    seeds: int = 3,
    progress: Reporter | None = None,
    roles: Roles | None = None,
    judged: int = 100,
) -> list[Measure]:
    """Run a labelled log several times, every conversation for a user of its own, and measure it.

    Args:
        labelled: the log.
        settings: of the runs; ``users``, ``seed`` and ``ledger`` are set.
        folder: where runs are made (private).
        seeds: how many.
        progress: shows a first run of all, stage by stage, then how many of the others are done; by default nothing.
        roles: chat models of all runs, and the judge that finds held-out members' clusters by the names, too.
        judged: members that it looks for with each seed, at most.
    """
    spoken = [labelled.language.get(str(row["id"]), "unknown") for row in labelled.rows]
    encoder = Remembering.of(settings.embedder, spoken, settings.key_command)
    # names are judged by an embedder that had no part in them
    judge = Remembering(embedder("minilm" if encoder.name.startswith("e5") else "e5"))
    ground = Ground(labelled.rows, settings, folder, encoder, roles)

    def make(rows: Sequence[Row], name: str, seed: int, clusters: int | None = None) -> Clustered:
        told = {"clusters": clusters} if clusters else {}
        insights, out = ground.run(name, rows, seed=seed, users="conversation", ledger="off", **told)
        return of_run(insights, out)

    progress = progress or Silent()
    # whatever chat models are asked of conversations, they are asked here
    ground.run("all", labelled.rows, users="conversation", ledger="off", seed=0, progress=progress)
    requests = requests_of(folder / "all")
    reader = roles.judge if roles else None
    with progress.stage("runs", 2 * seeds + 2) as advance:
        return quality(
            labelled, make, requests, encoder, judge, range(seeds), advance, reader=reader, judged=judged
        )


def quality(
    labelled: Labelled,
    make: Make,
    requests: Mapping[str, str],
    encoder: Embedder,
    judge: Embedder,
    seeds: Sequence[int] = (0, 1, 2),
    progress: Advance = silent,
    told: bool = True,
    reader: Model | None = None,
    judged: int = 100,
) -> list[Measure]:
    """Make clusters of a labelled log with each seed, without a tenth that is held out, and measure them.

    Args:
        labelled: the log.
        make: makes the clusters; a run's, or a peer's.
        requests: what each conversation asks for, by id, as it is embedded.
        encoder: the embedder of the clusters.
        judge: another one, that ranks names.
        seeds: at least one.
        progress: called with 1 for each clustering made: two a seed, and two halves.
        told: whether clusters are made a second time with each seed, as many as there are labels.
        reader: finds held-out members' clusters by the names, too.
        judged: members that it looks for with each seed, at most.
    """
    figures = Figures()
    made: list[Clustered] = []
    for seed in seeds:
        order = np.random.default_rng(seed).permutation(len(labelled.rows))
        held = min(_MOST_HELD_OUT, int(HELD_OUT * len(order)))
        rows = [labelled.rows[i] for i in order[held:]]
        found = make(rows, f"seed-{seed}", seed, None)
        made.append(found)
        _agree(figures, labelled, found)
        if told:
            many = len({labelled.label[str(row["id"])] for row in rows})
            _agree_told(figures, labelled, make(rows, f"told-{seed}", seed, many))
            progress(1)
        _meet(figures, labelled, found)
        _reconstruct(figures, labelled, found, requests, encoder)
        out = [str(labelled.rows[i]["id"]) for i in order[:held]]
        asked, clusters, middles = looked_for(found, out, requests, encoder)
        _name(figures, found, asked, clusters, judge)
        if reader:
            _read(figures, found, asked[:judged], clusters[:judged], middles, reader)
        held_by, tried = shares.covered(found.levels[0], max(50, len(found.ids) // 10), seed=seed)
        figures.add("shares", "95 % intervals of a tenth that hold the share of all", held_by / tried)
        progress(1)
    for one, other in pairwise(made):
        _compare(figures, "another seed, another tenth held out", one, other)
    order = np.random.default_rng(seeds[0]).permutation(len(labelled.rows))
    middle = len(order) // 2
    halves = []
    for number, part in enumerate((order[:middle], order[middle:])):
        halves.append(make([labelled.rows[i] for i in part], f"half-{number}", seeds[0], None))
        progress(1)
    ids = [str(row["id"]) for row in labelled.rows if str(row["id"]) in requests]
    vectors = encoder.encode([requests[id_] for id_ in ids])
    by_id = {id_: number for number, id_ in enumerate(ids)}
    one, other = (_everywhere(half, ids, vectors, by_id) for half in halves)
    _compare(figures, "two halves, all placed by the nearest centroid", one, other)
    return figures.measures()


def _labels(labelled: Labelled, found: Clustered) -> dict[str, list[str]]:
    """The labels of the conversations, and those above where all have one."""
    told = {"labels": [labelled.label[id_] for id_ in found.ids]}
    if labelled.above and all(id_ in labelled.above for id_ in found.ids):
        told["categories"] = [labelled.above[id_] for id_ in found.ids]
    return told


def _level(found: Clustered, level: int) -> str:
    """What a level is called: base, then level 2, 1."""
    return "base" if level == 0 else f"level {len(found.levels) - level}"


def _agree(figures: Figures, labelled: Labelled, found: Clustered) -> None:
    for kind, truth in _labels(labelled, found).items():
        for level, clusters in enumerate(found.levels):
            scores = agreement.score(truth, clusters)
            for name in ("ami", "ari", "v"):
                figures.add(f"agreement {name}", f"{kind}, {_level(found, level)}", getattr(scores, name))
        figures.add("dendrogram purity", kind, agreement.dendrogram_purity(found, truth))
    for level, clusters in enumerate(found.levels):
        figures.add("clusters", _level(found, level), len(np.unique(clusters[clusters >= 0])))
        figures.add("singletons", _level(found, level), agreement.singletons(clusters))
        figures.add("balance", _level(found, level), agreement.balance(clusters))


def _agree_told(figures: Figures, labelled: Labelled, found: Clustered) -> None:
    """Base clusters and labels where it was told how many labels there are."""
    scores = agreement.score([labelled.label[id_] for id_ in found.ids], found.levels[0])
    for name in ("ami", "ari", "v"):
        figures.add(f"agreement {name}", "labels, base, told how many", getattr(scores, name))
    figures.add("clusters", "base, told how many", len(np.unique(found.levels[0][found.levels[0] >= 0])))


def _meet(figures: Figures, labelled: Labelled, found: Clustered) -> None:
    spoken = [labelled.language.get(id_, "") for id_ in found.ids]
    if met := languages.meeting([labelled.label[id_] for id_ in found.ids], spoken, found.levels[0]):
        figures.add("languages, two of one label meet", "in two languages", met.across)
        figures.add("languages, two of one label meet", "in the same language", met.alone)


def _reconstruct(
    figures: Figures, labelled: Labelled, found: Clustered, requests: Mapping[str, str], encoder: Embedder
) -> None:
    """By the names of labels, by those of categories, and by a codebook that tells each category with the labels under it."""
    for kind, truth in _labels(labelled, found).items():
        names, numbers = np.unique(np.asarray(truth), return_inverse=True)
        true = np.asarray(numbers, np.int32)
        figures.add("reconstruction, the best that clusters allow", kind, reconstruction.best(found, true))
        told = reconstruction.Codebook.of_names(names.tolist())
        _hold(figures, kind, reconstruction.by_names(found, told, encoder), true, labelled, found)
        if kind == "categories":
            inside = [(labelled.above[id_], labelled.label[id_]) for id_ in found.ids]
            told = reconstruction.Codebook.of_labels(names.tolist(), inside)
            given = reconstruction.by_names(found, told, encoder)
            _hold(figures, "categories by a codebook", given, true, labelled, found)
            given = reconstruction.by_members(found, told, requests, encoder, labelled.language)
            _hold(figures, "categories by a codebook and members", given, true, labelled, found)


def _hold(
    figures: Figures,
    case: str,
    given: NDArray[np.int32],
    true: NDArray[np.int32],
    labelled: Labelled,
    found: Clustered,
) -> None:
    """Hold the categories that conversations were given against their own."""
    right, kinds = given == true, int(true.max()) + 1
    each = [float(right[true == number].mean()) for number in range(kinds)]
    figures.add("reconstruction", case, float(right.mean()))
    figures.add("reconstruction, mean of categories", case, fmean(each))
    figures.add("reconstruction, worst category", case, min(each))
    spoken = np.asarray([labelled.language.get(id_, "") for id_ in found.ids])
    by_language = [
        float(right[spoken == language].mean())
        for language in np.unique(spoken)
        if language and (spoken == language).sum() >= _OF_LANGUAGE
    ]
    if len(by_language) > 1:
        figures.add("reconstruction, spread of languages", case, max(by_language) - min(by_language))
    off = shares.shares(given, true, kinds)
    figures.add("shares, mean error", case, off.error)
    figures.add("shares, correlation", case, off.correlation)


def looked_for(
    found: Clustered, held_out: Sequence[str], requests: Mapping[str, str], encoder: Embedder
) -> tuple[list[str], NDArray[np.int32], NDArray[np.float32]]:
    """What members are looked for by the names.

    Returns:
        n requests of those held out, the base cluster that each is nearest to, int32 (n,), and the mean direction of each of the k
        base clusters, float32 (k, d).
    """
    inside = [id_ for id_ in found.ids if id_ in requests]
    place = {id_: number for number, id_ in enumerate(found.ids)}
    at = found.levels[0][[place[id_] for id_ in inside]]
    middles = centroids(encoder.encode([requests[id_] for id_ in inside]), at)
    asked = [requests[id_] for id_ in held_out if id_ in requests]
    return asked, stability.placed(encoder.encode(asked), middles), middles


def _name(
    figures: Figures,
    found: Clustered,
    asked: Sequence[str],
    clusters: NDArray[np.int32],
    judge: Embedder,
) -> None:
    """Look for held-out members by the names, and at the names themselves."""
    ranked = naming.retrieval(asked, clusters, found.texts[0], judge)
    figures.add("names, a member's own cluster first", "base", ranked.first)
    figures.add("names, mean reciprocal rank", "base", ranked.reciprocal)
    for level in range(len(found.levels)):
        over = (
            found.parents(level)
            if level + 1 < len(found.levels)
            else np.zeros(len(found.texts[level]), np.int32)
        )
        if not (told := naming.names(found.texts[level], over, judge)):
            continue
        figures.add("names, repeated", _level(found, level), told.repeated)
        figures.add("names, words", _level(found, level), told.words)
        figures.add("names, cosine to the nearest sibling", _level(found, level), told.alike)


def _read(
    figures: Figures,
    found: Clustered,
    asked: Sequence[str],
    clusters: NDArray[np.int32],
    middles: NDArray[np.float32],
    reader: Model,
) -> None:
    """Let a chat model look for held-out members by the names."""
    if (chosen := naming.recognised(asked, clusters, found.texts[0], middles, reader)).tried:
        figures.add("names, own cluster chosen of five", "base", chosen.right / chosen.tried)
        figures.add("names, no choice could be read", "base", chosen.unread / chosen.tried)


def _compare(figures: Figures, case: str, one: Clustered, other: Clustered) -> None:
    """How much of the base and of the top comes again, on the conversations of both."""
    place = {id_: number for number, id_ in enumerate(other.ids)}
    rows = np.asarray([n for n, id_ in enumerate(one.ids) if id_ in place])
    columns = np.asarray([place[one.ids[n]] for n in rows])
    for name, level in (("base", 0), ("top", -1)):
        found = stability.again(one.levels[level][rows], other.levels[level][columns])
        figures.add("stability, ami", f"{name}, {case}", found.ami)
        figures.add("stability, share in clusters that come again", f"{name}, {case}", found.matched)


def _everywhere(
    half: Clustered, ids: Sequence[str], vectors: NDArray[np.float32], place: Mapping[str, int]
) -> Clustered:
    """All conversations in the clusters of a half."""
    known = np.asarray([number for number, id_ in enumerate(half.ids) if id_ in place])
    at = half.levels[0][known]
    base = stability.placed(vectors, centroids(vectors[[place[half.ids[n]] for n in known]], at))
    levels = [base]
    for level in range(len(half.levels) - 1):
        # a last place for what has no parent
        levels.append(np.append(half.parents(level), np.int32(-1))[levels[-1]])
    return Clustered(ids, levels, half.texts)


def requests_of(folder: Path) -> dict[str, str]:
    """What each conversation of a finished run asks for, by id, as it was embedded."""
    table = RunFolder(folder).read("facets", ["id", "request"])
    return {
        id_: text
        for id_, text in zip(*(table[name].to_pylist() for name in ("id", "request")), strict=True)
        if text
    }
