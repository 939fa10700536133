"""How good the clusters are, measured against labels that somebody else gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from clio.errors import RunError
from clio.run_folder import RunFolder


@dataclass(frozen=True, slots=True)
class Scores:
    """Agreement of clusters with labels: ``ami``, ``ari`` (chance-corrected, up to 1), ``v`` (0..1) and ``purity`` (0..1)."""

    ami: float
    ari: float
    v: float
    purity: float


def score(truth: Sequence[str], clusters: Sequence[str]) -> Scores:
    """Score n clusters' labels against n true ones (adjusted mutual information, adjusted Rand index, V-measure, purity)."""
    from sklearn import metrics

    table = metrics.cluster.contingency_matrix(truth, clusters)
    return Scores(
        float(metrics.adjusted_mutual_info_score(truth, clusters)),
        float(metrics.adjusted_rand_score(truth, clusters)),
        float(metrics.v_measure_score(truth, clusters)),
        float(table.max(axis=0).sum() / table.sum()),
    )


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
