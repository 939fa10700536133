"""The tables of docs/quality.md: which systems there are, which measures are shown, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

BEGIN, END = "<!-- measured -->", "<!-- end of measured -->"


@dataclass(frozen=True)
class Peer:
    """A system: its script beside this file, the environment that it is installed in (None: Clio's own), whether it can be told how many
    clusters to make, and whether it only names those of another.
    """

    script: str
    environment: str | None = None
    can_be_told: bool = True
    only_names: bool = False


#: Clio comes first: it chooses how many clusters plain k-means makes
SYSTEMS = {
    "Clio": Peer("by_clio.py"),
    "terms of Clio's clusters": Peer("by_terms.py", can_be_told=False, only_names=True),
    "k-means": Peer("by_kmeans.py"),
    "BERTopic": Peer("by_bertopic.py", "bertopic"),
    "Toponymy": Peer("by_toponymy.py", "toponymy", can_be_told=False),
    "Kura": Peer("by_kura.py", "kura"),
}


@dataclass(frozen=True)
class Shown:
    """A measure as it is shown: its title, what it means, and which way is better (1 up, -1 down, 0 neither)."""

    title: str
    measure: str
    case: str
    means: str
    better: int = 1
    of_names: bool = False
    digits: int = 3


GROUPS: dict[str, Sequence[Shown]] = {
    "Clusters against labels that nobody told": (
        Shown(
            "AMI, base",
            "agreement ami",
            "labels, base",
            "adjusted mutual information of base clusters and labels; 0 is chance, 1 is equal. All in no cluster count as one",
        ),
        Shown("ARI, base", "agreement ari", "labels, base", "the same, adjusted Rand index: over pairs"),
        Shown("V, base", "agreement v", "labels, base", "the same, V-measure: not adjusted for chance"),
        Shown(
            "AMI, top",
            "agreement ami",
            "categories, level 1",
            "adjusted mutual information of the top level and the labels' categories",
        ),
        Shown("ARI, top", "agreement ari", "categories, level 1", "the same, adjusted Rand index"),
        Shown("V, top", "agreement v", "categories, level 1", "the same, V-measure"),
        Shown(
            "Dendrogram purity, labels",
            "dendrogram purity",
            "labels",
            "how pure the smallest cluster is that holds two of one label, on average over pairs",
        ),
        Shown("Dendrogram purity, categories", "dendrogram purity", "categories", "the same for categories"),
        Shown(
            "Base clusters",
            "clusters",
            "base",
            "how many; none was told how many labels there are",
            0,
            digits=0,
        ),
        Shown("Top clusters", "clusters", "level 1", "how many", 0, digits=0),
        Shown(
            "AMI, base, told",
            "agreement ami",
            "labels, base, told how many",
            "the first again, of a run that is told how many labels there are, as far as a system lets itself be told",
        ),
        Shown(
            "ARI, base, told", "agreement ari", "labels, base, told how many", "the same, adjusted Rand index"
        ),
        Shown("V, base, told", "agreement v", "labels, base, told how many", "the same, V-measure"),
        Shown("Base clusters, told", "clusters", "base, told how many", "how many that made", 0, digits=0),
        Shown("Singletons", "singletons", "base", "share of base clusters with one conversation", -1),
        Shown("Balance", "balance", "base", "entropy of base clusters' sizes over its maximum", 0),
    ),
    "Reconstruction: parents fixed to the true ones, each base cluster given to one": (
        Shown(
            "Categories",
            "reconstruction",
            "categories",
            "share of conversations whose base cluster's name is nearest to their own category's name; one in no cluster is wrong",
            of_names=True,
        ),
        Shown(
            "Categories, by a codebook",
            "reconstruction",
            "categories by a codebook",
            "the same where each category is told with the labels under it, as a codebook does: the nearest label decides",
            of_names=True,
        ),
        Shown(
            "Categories, by a codebook and members",
            "reconstruction",
            "categories by a codebook and members",
            "the same by the members instead of the name: what most of them are nearest to decides, languages' means taken away",
        ),
        Shown(
            "Categories, by members, spread of languages",
            "reconstruction, spread of languages",
            "categories by a codebook and members",
            "of the row before: best minus worst language with 50 conversations or more",
            -1,
        ),
        Shown(
            "Categories, mean of all",
            "reconstruction, mean of categories",
            "categories",
            "the first, each category weighed alike",
            of_names=True,
        ),
        Shown(
            "Categories, spread of languages",
            "reconstruction, spread of languages",
            "categories",
            "of the first: best minus worst language",
            -1,
            of_names=True,
        ),
        Shown(
            "Categories, best possible",
            "reconstruction, the best that clusters allow",
            "categories",
            "the same if every base cluster were given to its commonest category: what grouping alone allows",
        ),
        Shown("Labels", "reconstruction", "labels", "the first, for labels", of_names=True),
        Shown(
            "Labels, best possible",
            "reconstruction, the best that clusters allow",
            "labels",
            "what grouping alone allows, for labels",
        ),
    ),
    "Languages: two conversations of one label, which comes in ten languages or more": (
        Shown(
            "In two languages",
            "languages, two of one label meet",
            "in two languages",
            "how often they are in one base cluster, where their languages differ",
        ),
        Shown(
            "In the same language",
            "languages, two of one label meet",
            "in the same language",
            "the same where their language is one: what the clusters' sizes allow",
            0,
        ),
    ),
    "Names": (
        Shown(
            "Own cluster first",
            "names, a member's own cluster first",
            "base",
            "share of held-out conversations whose own cluster's name and description an embedder that nobody used ranks first of all",
            of_names=True,
        ),
        Shown(
            "Reciprocal rank",
            "names, mean reciprocal rank",
            "base",
            "the same, mean of 1 / rank",
            of_names=True,
        ),
        Shown(
            "Repeated",
            "names, repeated",
            "base",
            "share of base clusters whose name another has too",
            -1,
            True,
        ),
        Shown(
            "Alike, base",
            "names, cosine to the nearest sibling",
            "base",
            "mean cosine of a name and the nearest name under the same parent",
            -1,
            True,
        ),
        Shown(
            "Alike, top", "names, cosine to the nearest sibling", "level 1", "the same at the top", -1, True
        ),
        Shown("Words", "names, words", "base", "mean words of a name", 0, True, 1),
    ),
    "Stability": (
        Shown(
            "AMI, base, seeds",
            "stability, ami",
            "base, another seed, another tenth held out",
            "of two runs with different seeds and a different tenth held out",
        ),
        Shown(
            "AMI, top, seeds",
            "stability, ami",
            "top, another seed, another tenth held out",
            "the same at the top",
        ),
        Shown(
            "Come again, base, seeds",
            "stability, share in clusters that come again",
            "base, another seed, another tenth held out",
            "share of conversations in base clusters that the other run has too (Jaccard index of 0.5 or more)",
        ),
        Shown(
            "AMI, base, halves",
            "stability, ami",
            "base, two halves, all placed by the nearest centroid",
            "of two runs on one half of the log each, by which all are then placed",
        ),
        Shown(
            "AMI, top, halves",
            "stability, ami",
            "top, two halves, all placed by the nearest centroid",
            "the same at the top",
        ),
    ),
    "Shares": (
        Shown(
            "Correlation, by a codebook and members",
            "shares, correlation",
            "categories by a codebook and members",
            "Pearson's, of the categories' shares, as clusters are given to categories by their members, with the true ones",
        ),
        Shown(
            "Mean error, by a codebook and members",
            "shares, mean error",
            "categories by a codebook and members",
            "mean absolute error of a category's share",
            -1,
            digits=4,
        ),
        Shown(
            "Correlation, by a codebook",
            "shares, correlation",
            "categories by a codebook",
            "the first, as names tell them by the codebook",
            of_names=True,
        ),
        Shown(
            "Mean error, by a codebook",
            "shares, mean error",
            "categories by a codebook",
            "the second, as names tell them by the codebook",
            -1,
            True,
            4,
        ),
        Shown(
            "Correlation",
            "shares, correlation",
            "categories",
            "the same by the categories' names alone",
            of_names=True,
        ),
        Shown(
            "Mean error",
            "shares, mean error",
            "categories",
            "the same by the categories' names alone",
            -1,
            True,
            4,
        ),
    ),
}


@dataclass(frozen=True)
class Cost:
    """A cost as it is shown."""

    title: str
    means: str
    of: Callable[[Sequence[Mapping[str, float]]], float]
    digits: int = 0


COSTS = (
    Cost(
        "CPU-seconds, first run",
        "of one run with the start of its process and what it compiles, one thread, beside other work: for comparison only",
        lambda runs: runs[0]["cpu"],
        1,
    ),
    Cost(
        "CPU-seconds, second run",
        "of the next in the same process",
        lambda runs: runs[1]["cpu"],
        1,
    ),
    Cost(
        "Peak memory, MB",
        "the most that the process held",
        lambda runs: max(run["peak_mb"] for run in runs),
    ),
    Cost("Model calls", "of a chat model, in the first run", lambda runs: runs[0]["calls"]),
    Cost(
        "Left out",
        "share of conversations that are put in no base cluster",
        lambda runs: fmean(run["outside"] for run in runs),
        2,
    ),
)


def write(kept: Mapping[str, Any], out: Path) -> None:
    """Put the tables between the two marks of a document, which is begun if it is not there."""
    old = out.read_text("utf-8") if out.exists() else f"# Quality\n\n{BEGIN}\n{END}\n"
    before, _, rest = old.partition(BEGIN)
    _, _, after = rest.partition(END)
    tables = "\n".join(_document(kept))
    out.write_text(f"{before}{BEGIN}\n{tables}\n{END}{after}", "utf-8")


def _document(kept: Mapping[str, Any]) -> Iterator[str]:
    """Its lines."""
    logs = {name: log for name, log in kept.items() if log["systems"]}
    yield from (
        "",
        "| log | conversations | labels | categories | embedder | seeds |",
        "|---|---|---|---|---|---|",
    )
    for name, log in logs.items():
        told = (log[key] for key in ("conversations", "labels", "categories", "embedder", "seeds"))
        yield f"| {name} | " + " | ".join(f"{one:,}" if isinstance(one, int) else one for one in told) + " |"
    versions = {
        f"{found['version']} ({found['date']})"
        for log in logs.values()
        for system, found in log["systems"].items()
        if SYSTEMS[system].script not in ("by_clio.py", "by_terms.py")
    }
    yield from ("", f"Measured with {', '.join(sorted(versions))}.", "")
    for title, measures in GROUPS.items():
        yield from (f"### {title}", "")
        yield from (f"- *{one.title}*: {one.means}." for one in measures)
        yield from ("", *_table(logs, [(one.title, _cells(logs, one)) for one in measures]))
    yield from ("### Cost without embedding, and what is left out", "")
    yield from (f"- *{one.title}*: {one.means}." for one in COSTS)
    yield from ("", *_table(logs, [(one.title, _costs(logs, one)) for one in COSTS]))


Cells = Mapping[tuple[str, str], str]


def _table(logs: Mapping[str, Any], rows: Sequence[tuple[str, Cells]]) -> Iterator[str]:
    """A table: a block of systems a measure, a column a log."""
    yield "| measure | system | " + " | ".join(logs) + " |"
    yield "|---|---|" + "---|" * len(logs)
    for title, cells in rows:
        shown = title
        for system in SYSTEMS:
            line = [cells.get((system, log), "") for log in logs]
            if any(line):
                yield f"| {shown} | {system} | " + " | ".join(one or "–" for one in line) + " |"
                shown = ""
    yield ""


def _cells(logs: Mapping[str, Any], shown: Shown) -> Cells:
    """Each system's figure on each log, with half its interval; the best in bold."""
    cells: dict[tuple[str, str], str] = {}
    for name, log in logs.items():
        values: dict[str, float] = {}
        for system, found in log["systems"].items():
            if (shown.of_names and not found["named"]) or (not shown.of_names and SYSTEMS[system].only_names):
                continue
            for one in found["measures"]:
                if (one["measure"], one["case"]) == (shown.measure, shown.case):
                    values[system] = round(one["value"], shown.digits)
                    cells[system, name] = f"{one['value']:.{shown.digits}f}"
                    if one["low"] is not None and shown.digits:
                        cells[system, name] += f" ± {(one['high'] - one['low']) / 2:.{shown.digits}f}"
        if shown.better and len(values) > 1:
            best = max(values.values(), key=lambda value: shown.better * value)
            for system, value in values.items():
                if value == best:
                    number, _, half = cells[system, name].partition(" ")
                    cells[system, name] = f"**{number}** {half}".strip()
    return cells


def _costs(logs: Mapping[str, Any], cost: Cost) -> Cells:
    """Each system's cost on each log, and how many times Clio's it is."""
    cells: dict[tuple[str, str], str] = {}
    for name, log in logs.items():
        own = cost.of(log["systems"]["Clio"]["costs"]) if "Clio" in log["systems"] else 0
        for system, found in log["systems"].items():
            if SYSTEMS[system].only_names:
                continue
            value = cost.of(found["costs"])
            cells[system, name] = f"{value:,.{cost.digits}f}"
            if own and system != "Clio":
                cells[system, name] += f" ({value / own:.1f} ×)"
    return cells
