"""Agreement of clusters with labels, where the labels were not known: of base clusters, of every level, and of the hierarchy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clio.clustering.stability import adjusted_mutual_information, contingency, information
from clio.errors import RunError
from clio.evaluation.clustered import Clustered
from clio.run_folder import RunFolder


@dataclass(frozen=True, slots=True)
class Scores:
    """Agreement of clusters with labels: ``ami``, ``ari`` (chance-corrected, up to 1), ``v`` (0..1) and ``purity`` (0..1)."""

    ami: float
    ari: float
    v: float
    purity: float


def score(truth: Sequence[str], clusters: Sequence[str] | NDArray[np.int32]) -> Scores:
    """Score n clusters' labels against n true ones (adjusted mutual information, adjusted Rand index, V-measure, purity)."""
    table = contingency(*(np.unique(np.asarray(some), return_inverse=True)[1] for some in (truth, clusters)))
    mutual, entropy = information(table)
    return Scores(
        adjusted_mutual_information(table),
        _adjusted_rand(table),
        mutual / entropy if entropy else 1.0,
        float(table.max(axis=0).sum() / table.sum()),
    )


def _adjusted_rand(table: NDArray[np.int64]) -> float:
    """How far two partitions agree on pairs beyond chance, by their contingency (Hubert and Arabie 1985)."""
    both, rows, columns, every = (
        float((some * (some - 1.0) / 2).sum())
        for some in (table, table.sum(axis=1), table.sum(axis=0), table.sum())
    )
    chance = rows * columns / every if every else 0.0
    most = (rows + columns) / 2
    return (both - chance) / (most - chance) if most > chance else 1.0


def score_run(folder: str | Path, truth: Mapping[str, str]) -> Scores:
    """Score a run's base clusters against labels by conversation id.

    Raises:
        RunError: if the run's private zone is gone or its key is missing (CLIO_KEY), or no id has a label.
    """
    run = RunFolder(Path(folder))
    if not run.file("assignments").is_file():
        raise RunError(f"{folder}: has no private/assignments.parquet; it was purged or is not finished")
    rows = [row for row in run.read("assignments").to_pylist() if row["cluster"] and row["id"] in truth]
    if not rows:
        raise RunError(f"{folder}: none of its conversations has a label; compare the ids")
    return score([truth[row["id"]] for row in rows], [row["cluster"] for row in rows])


def dendrogram_purity(found: Clustered, truth: Sequence[str], pairs: int = 20_000, seed: int = 0) -> float:
    """How pure the smallest cluster is that holds two conversations of one label, on average over such pairs, 0..1.

    Heller & Ghahramani 2005 (ICML, Bayesian hierarchical clustering), estimated on random pairs. Two that share no cluster meet in all.

    Args:
        found: n conversations.
        truth: n labels.
        pairs: how many are drawn, of each label in proportion to its pairs.
        seed: of the draw.
    """
    rng = np.random.default_rng(seed)
    names, label = np.unique(np.asarray(truth), return_inverse=True)
    sizes = np.bincount(label)
    order, starts = np.argsort(label, kind="stable"), np.cumsum(sizes) - sizes
    odds = sizes * (sizes - 1.0)
    if not odds.any():
        return 1.0
    chosen = rng.choice(len(names), pairs, p=odds / odds.sum())
    first = rng.integers(0, sizes[chosen])
    second = (first + 1 + rng.integers(0, sizes[chosen] - 1)) % sizes[chosen]
    a, b = order[starts[chosen] + first], order[starts[chosen] + second]
    # where none holds both, all conversations do
    purity = sizes[chosen] / len(label)
    open_ = np.ones(pairs, bool)
    for level in found.levels:
        meet = open_ & (level[a] == level[b]) & (level[a] >= 0)
        table = contingency(level, label)
        share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
        purity[meet] = share[level[a[meet]], chosen[meet]]
        open_ &= ~meet
    return float(purity.mean())


def singletons(clusters: NDArray[np.int32]) -> float:
    """Share of clusters with a single conversation, 0..1."""
    sizes = np.bincount(clusters[clusters >= 0])
    return float((sizes == 1).sum() / (sizes > 0).sum())


def balance(clusters: NDArray[np.int32]) -> float:
    """Entropy of the clusters' sizes over its maximum, 0 (all in one) to 1 (all of one size)."""
    sizes = np.bincount(clusters[clusters >= 0]).astype(float)
    share = sizes[sizes > 0] / sizes.sum()
    return float(-(share * np.log(share)).sum() / np.log(len(share))) if len(share) > 1 else 1.0
