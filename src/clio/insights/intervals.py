"""How far a share found in a sample may lie from that of all conversations."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist


@dataclass(frozen=True, slots=True)
class Sample:
    """What was drawn: ``conversations`` of the ``population`` that the logs hold, both counts.

    ``by`` names the column by which the draw was stratified in proportion, None for a plain random draw.
    """

    population: int
    conversations: int
    by: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.conversations <= self.population:
            raise ValueError(f"a sample of {self.conversations} of {self.population} conversations")


def share_interval(
    count: int, of: int, population: int | None = None, confidence: float = 0.95
) -> tuple[float, float]:
    """Wilson's score interval for a share, corrected for a finite population.

    Wilson 1927 (JASA 22:209); why it and not the normal interval: Brown, Cai & DasGupta 2001 (Statistical Science 16:101).
    The correction takes the sample for one of n* = n (N-1)/(N-n), which gives the variance of a draw without replacement. A draw
    stratified in proportion varies no more than a plain one, so for it the interval errs, if at all, on the wide side.

    Args:
        count: drawn conversations that have the property.
        of: drawn conversations, n.
        population: conversations drawn from, N; None is without end.
        confidence: how often such an interval holds the true share, in 0..1.

    Returns:
        The low and the high end, in 0..1; both the share itself where all are drawn.

    Raises:
        ValueError: for counts that no draw can give, or a confidence outside of 0..1.
    """
    if of < 1 or not 0 <= count <= of:
        raise ValueError(f"{count} of {of} is no share")
    if population is not None and population < of:
        raise ValueError(f"{of} cannot be drawn from {population}")
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence of {confidence} is not between 0 and 1")
    share = count / of
    if population == of:
        return share, share
    n = float(of) if population is None else of * (population - 1) / (population - of)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    spread = 1 + z * z / n
    centre = (share + z * z / (2 * n)) / spread
    half = z / spread * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # at the ends the two terms cancel exactly; rounding must not leave a trace of them
    low = 0.0 if count == 0 else max(0.0, centre - half)
    high = 1.0 if count == of else min(1.0, centre + half)
    return low, high
