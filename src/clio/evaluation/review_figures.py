"""What filled sheets of a review say of the run, and how far raters agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm
from scipy.stats import t as student

from clio.evaluation.review import Kind, allowed
from clio.evaluation.review_sheet import Filled
from clio.insights.intervals import share_interval

Floats = NDArray[np.float64]
#: a sheet and an item of it
Place = tuple[str, str]
#: the answers of one rater
Answers = Mapping[Place, str]

_DRAWS = 2000
_PARTS: Mapping[Kind, str] = {"summary": "summaries", "members": "members", "name": "names"}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its value, its 95 % interval (None where nothing varies), what chance would give, if anything, and of how many items."""

    part: str
    figure: str
    value: float
    low: float | None
    high: float | None
    chance: float | None
    items: int


def figures(filled: Filled) -> list[Figure]:
    """All figures that the answers allow.

    Answers of several raters to an item count as one, their mean: intervals rest on how many items there are, and more raters alone make
    none narrower.
    """
    found: list[Figure | None] = []
    for kind, part in _PARTS.items():
        asked = {place: truth for place, truth in filled.key.items() if truth["kind"] == kind}
        answers = [{place: one[place] for place in asked if place in one} for one in filled.raters]
        if kind == "summary":
            found.append(_mean(part, "mean rating (1–5)", _worth(answers)))
        elif kind == "members":
            found.append(_intruders(part, answers, asked))
        else:
            found += _names(part, answers, asked)
        found.append(_agreement(part, answers, asked, "nominal" if kind == "members" else "ordinal"))
    return [figure for figure in found if figure]


def _worth(
    answers: Iterable[Answers], worth: Callable[[Place, str], float] = lambda _place, answer: float(answer)
) -> list[float]:
    """What the answers to each item are worth on average."""
    given: dict[Place, list[float]] = {}
    for one in answers:
        for place, answer in one.items():
            given.setdefault(place, []).append(worth(place, answer))
    return [fmean(values) for values in given.values()]


def _mean(part: str, figure: str, values: Sequence[float]) -> Figure | None:
    """A mean of ratings over items with Student's interval."""
    n = len(values)
    if not n:
        return None
    middle = fmean(values)
    half = float(student.ppf(0.975, n - 1)) * stdev(values) / sqrt(n) if n > 1 else 0.0
    # what does not vary tells nothing of how it would
    if not half:
        return Figure(part, figure, middle, None, None, None, n)
    return Figure(part, figure, middle, max(1.0, middle - half), min(5.0, middle + half), None, n)


def _intruders(
    part: str, answers: Sequence[Answers], asked: Mapping[Place, Mapping[str, str]]
) -> Figure | None:
    """The share of intruders that were found."""
    hits = _worth(answers, lambda place, answer: answer == asked[place]["answer"])
    if not hits:
        return None
    low, high = share_interval(sum(hits), len(hits))
    chance = fmean(_worth(answers, lambda place, _answer: 1 / int(asked[place]["of"])))
    return Figure(part, "intruders found", fmean(hits), low, high, chance, len(hits))


def _names(
    part: str, answers: Sequence[Answers], asked: Mapping[Place, Mapping[str, str]]
) -> list[Figure | None]:
    """Ratings of true names and of names of near clusters, and how often the first are above the second."""
    is_true = {place: truth["shown"] == truth["cluster"] for place, truth in asked.items()}
    true, near = (
        [{place: a for place, a in one.items() if is_true[place] == wanted} for one in answers]
        for wanted in (True, False)
    )
    found = [
        _mean(part, "mean rating, true names", _worth(true)),
        _mean(part, "mean rating, near names", _worth(near)),
    ]
    # pairs within a rater, for each may use the scale in a way of their own
    pairs = [
        (a > b) + (a == b) / 2
        for one, other in zip(true, near, strict=True)
        for a in one.values()
        for b in other.values()
    ]
    if pairs:
        sizes = len(_worth(true)), len(_worth(near))
        low, high = auc_interval(fmean(pairs), *sizes)
        found.append(Figure(part, "pairs ranked right (AUC)", fmean(pairs), low, high, 0.5, sum(sizes)))
    return found


def auc_interval(auc: float, m: int, n: int) -> tuple[float, float]:
    """The 95 % interval of an area under the curve, of m and n items on either side.

    Newcombe 2006 (Statistics in Medicine 25:559), method 5: a score interval, so that it has a width where all pairs are ranked right.
    """
    middle, z2 = (m + n) / 2 - 1, float(norm.ppf(0.975)) ** 2

    def low(value: float) -> float:
        def beyond(x: float) -> float:
            spread = x * (1 - x) * (1 + middle * (1 - x) / (2 - x) + middle * x / (1 + x)) / (m * n)
            return (value - x) ** 2 - z2 * spread

        return float(brentq(beyond, 0, min(value, 1 - 1e-9))) if value > 0 else 0.0

    return low(auc), 1 - low(1 - auc)


def _agreement(
    part: str,
    answers: Sequence[Answers],
    asked: Mapping[Place, Mapping[str, str]],
    level: Literal["nominal", "ordinal"],
) -> Figure | None:
    """Krippendorff's alpha with a bootstrap over items; None where no two raters answered one item, or all answers are the same."""
    values = max((allowed(truth) for truth in asked.values()), key=len, default="")
    counts = np.asarray(
        [[sum(one.get(place) == value for one in answers) for value in values] for place in asked], np.float64
    ).reshape(len(asked), len(values))
    counts = counts[counts.sum(axis=1) >= 2]
    n = len(counts)
    if not n or np.isnan(value := float(alpha(counts, level)[0])):
        return None
    drawn = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), _DRAWS).astype(np.float64)
    low, high = (float(end) for end in np.nanquantile(alpha(counts, level, drawn), [0.025, 0.975]))
    varies = low < high
    return Figure(
        part,
        f"agreement ({level} alpha)",
        value,
        low if varies else None,
        high if varies else None,
        0.0,
        n,
    )


def alpha(counts: Floats, level: Literal["nominal", "ordinal"], weights: Floats | None = None) -> Floats:
    """Krippendorff's alpha: 1 where raters agree, 0 where they agree as by chance.

    Krippendorff 2011, "Computing Krippendorff's alpha-reliability". Whoever did not answer is left out.

    Args:
        counts: float64 (items, values), how many raters gave each value to each item; values in their order.
        level: whether values have an order.
        weights: float64 (draws, items), how often each item counts; None is one draw, each once.

    Returns:
        float64 (draws,), at most 1; NaN where it is not defined: no item with two answers, or one value only.
    """
    raters = counts.sum(axis=1)
    paired = raters >= 2
    counts, raters = counts[paired], raters[paired]
    weights = np.ones((1, len(counts))) if weights is None else weights[:, paired]
    same = np.eye(counts.shape[1])
    pairs = counts[:, :, None] * counts[:, None, :] - same * counts[:, :, None]
    observed = np.tensordot(weights, pairs / (raters - 1)[:, None, None], 1)
    totals = observed.sum(axis=2)
    if level == "nominal":
        apart = np.broadcast_to(1 - same, observed.shape)
    else:
        ranks = np.cumsum(totals, axis=1) - totals / 2
        apart = (ranks[:, :, None] - ranks[:, None, :]) ** 2
    by_chance = (totals[:, :, None] * totals[:, None, :] * apart).sum(axis=(1, 2))
    off = (totals.sum(axis=1) - 1) * (observed * apart).sum(axis=(1, 2))
    return np.where(by_chance > 0, 1 - off / np.where(by_chance > 0, by_chance, 1), np.nan)
