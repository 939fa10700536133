"""How often an interval from a sample holds the true share: python benchmarks/sampling.py LABELLED.jsonl.gz [COLUMN]

Each record holds ``label`` and ``parent_label`` (either may be null), whose shares of all records are the truth. For each size, 1,000
samples are drawn plain and 1,000 stratified by COLUMN (``language`` if none is named). Printed are the share of 95 % intervals that
hold the true share, over all labels, over those of at least 1 % and for the worst of these, and the mean width in percentage points.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from clio.insights.intervals import share_interval
from clio.sampling import choose

SIZES = (100, 500, 2000)
DRAWS = 1000
COMMON = 0.01


def main() -> None:
    """Print a line a size and way of drawing."""
    by = sys.argv[2] if len(sys.argv) > 2 else "language"
    strata: list[str | None] = []
    found: dict[str, list[str | None]] = {"label": [], "parent_label": []}
    with gzip.open(sys.argv[1], "rt", encoding="utf-8") as file:
        for record in map(json.loads, file):
            strata.append(None if record.get(by) is None else str(record[by]))
            for name, values in found.items():
                values.append(record.get(name))
    kinds = [numbered(values) for values in found.values() if any(value is not None for value in values)]
    if not kinds:
        raise SystemExit("no record has a label")
    labels = sum(int(codes.max()) + 1 for codes in kinds)
    print(
        f"{len(strata):,} records, {labels} labels, {len(set(strata))} strata by {by}, {DRAWS:,} draws a line\n"
    )
    print(f"{'size':>5}  {'draw':<10}  {'nominal':>7}  {'all':>6}  {'≥ 1 %':>6}  {'worst':>6}  {'width':>5}")
    for size in (size for size in SIZES if size < len(strata)):
        for title, drawn in (("plain", None), ("stratified", strata)):
            truth, held, width = coverage(kinds, drawn, size)
            common = held[truth >= COMMON]
            rates = [held.mean(), common.mean(), common.min()] if len(common) else [held.mean()]
            shown = "  ".join([f"{rate:6.1%}" for rate in rates] + ["     -"] * (3 - len(rates)))
            print(f"{size:>5}  {title:<10}  {0.95:>7.1%}  {shown}  {100 * width:>5.2f}")


def numbered(values: Sequence[str | None]) -> NDArray[np.int64]:
    """The number of each record's label, those without one having a label of their own; int64 (n,)."""
    seen: dict[str | None, int] = {}
    return np.array([seen.setdefault(value, len(seen)) for value in values], np.int64)


def coverage(
    kinds: Sequence[NDArray[np.int64]], strata: Sequence[str | None] | None, size: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """The true share of each label and how often its interval holds it, both float64 (labels,) in 0..1, and the mean width."""
    population = len(kinds[0])
    interval = cache(lambda count: share_interval(count, size, population))
    truth = np.concatenate([np.bincount(codes) for codes in kinds]) / population
    sizes = [int(codes.max()) + 1 for codes in kinds]
    held = np.zeros(len(truth))
    width = 0.0
    for seed in range(DRAWS):
        rows = choose(strata, population, size, seed)
        counts = [np.bincount(codes[rows], minlength=n) for codes, n in zip(kinds, sizes, strict=True)]
        low, high = np.array([interval(count) for count in np.concatenate(counts).tolist()]).T
        held += (low <= truth) & (truth <= high)
        width += float((high - low).mean())
    return truth, held / DRAWS, width / DRAWS


if __name__ == "__main__":
    main()
