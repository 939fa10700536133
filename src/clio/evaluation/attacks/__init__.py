"""Attacks on what a run publishes: each plants or asks something, looks at published bytes only, and counts how often it succeeded.

Every attack is a function from a ``clio.evaluation.ground.Ground`` to ``Result`` values, one
a line of the table in ``docs/privacy.md``. What an attack plants is made up; what it plants into may be anybody's log.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one attack in one case.

    ``value`` is the share of ``tried`` that succeeded, 0..1 (the AUC of a membership attack), ``low`` and ``high`` its 95 % interval.
    ``limit`` is what is promised at most; None where nothing is promised and the figure is there for honesty.
    """

    attack: str
    case: str
    tried: int
    value: float
    low: float
    high: float
    limit: float | None
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether the promise held: the interval of a share reaches down to its limit, an AUC is not above it."""
        if self.limit is None:
            return True
        return (self.value if self.attack == "membership" else self.low) <= self.limit


def share(
    attack: str, case: str, succeeded: float, tried: int, limit: float | None, note: str = ""
) -> Result:
    """The result of ``tried`` independent tries, with Wilson's interval.

    Args:
        attack: its name.
        case: what of it was tried.
        succeeded: how many succeeded; a fraction where a try is a guess among several.
        tried: how many there were, at least 1.
        limit: what is promised at most.
        note: for whoever reads the table; never a text of a person.
    """
    low, high = wilson(succeeded, tried)
    return Result(attack, case, tried, succeeded / tried, low, high, limit, note)


def wilson(succeeded: float, tried: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of a share (Wilson 1927, JASA 22:209); exactly 0 and 1 at the ends."""
    z = 1.959964
    p = succeeded / tried
    middle = (p + z * z / (2 * tried)) / (1 + z * z / tried)
    half = z / (1 + z * z / tried) * (p * (1 - p) / tried + z * z / (4 * tried * tried)) ** 0.5
    return (0.0 if not succeeded else max(0.0, middle - half)), (
        1.0 if succeeded == tried else min(1.0, middle + half)
    )
