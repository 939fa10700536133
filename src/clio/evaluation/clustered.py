"""What any system makes of a log, in the one form that is measured: who is in which cluster, level by level, and their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clio.insights import Insights
from clio.run_folder import RunFolder


@dataclass(frozen=True, slots=True)
class Clustered:
    """n conversations and the clusters they are in, base clusters first, then level by level up.

    Args:
        ids: n conversation ids.
        levels: for each level int32 (n,), the number of each one's cluster, -1 in none.
        texts: for each level the name and description of each cluster, None for one that is not shown.
    """

    ids: Sequence[str] = field(repr=False)
    levels: Sequence[NDArray[np.int32]] = field(repr=False)
    texts: Sequence[Sequence[tuple[str, str] | None]] = field(repr=False)

    def parents(self, level: int) -> NDArray[np.int32]:
        """The parent's number of each cluster of a level, int32 (clusters,); -1 for one without members."""
        found = np.full(len(self.texts[level]), -1, np.int32)
        inside = self.levels[level] >= 0
        found[self.levels[level][inside]] = self.levels[level + 1][inside]
        return found


def of_run(insights: Insights, folder: Path) -> Clustered:
    """The clusters of a finished run whose private folder is still there, with the texts that it shows."""
    run = RunFolder(folder)
    rows = run.read("candidates", ["id", "parent", "level"]).to_pylist()
    parents = {row["id"]: row["parent"] for row in rows}
    shown = {cluster.id: (cluster.name, cluster.description) for cluster in insights}
    depth = max(row["level"] for row in rows)
    by_level = [[row["id"] for row in rows if row["level"] == level] for level in range(depth, 0, -1)]
    assigned = run.read("assignments")
    at: list[str | None] = assigned["cluster"].to_pylist()
    levels = []
    for names in by_level:
        levels.append(_numbers(at, names))
        at = [parents[name] if name is not None else None for name in at]
    return Clustered(
        assigned["id"].to_pylist(), levels, [[shown.get(name) for name in names] for names in by_level]
    )


def _numbers(at: Sequence[str | None], names: Sequence[str]) -> NDArray[np.int32]:
    place: Mapping[str | None, int] = {name: number for number, name in enumerate(names)}
    return np.asarray([place.get(name, -1) for name in at], np.int32)
