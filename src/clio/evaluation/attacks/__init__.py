"""Attacks on what a run publishes: each plants or asks something, looks at published bytes only, and counts how often it succeeded.

Every attack is a function from a ``clio.evaluation.ground.Ground`` to ``Result`` values, one a line of the table in ``docs/privacy.md``.
What an attack plants is made up; what it plants into may be anybody's log.
"""

from __future__ import annotations

from dataclasses import dataclass

from clio.insights.intervals import share_interval

_MANY = 1000  # tries of a membership attack whose interval is narrow enough to hold the figure itself against the limit


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
        """Whether the promise held: the interval reaches down to its limit; an AUC of a thousand tries or more is itself not above it."""
        if self.limit is None:
            return True
        exact = self.attack == "membership" and self.tried >= _MANY
        return (self.value if exact else self.low) <= self.limit


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
    low, high = share_interval(succeeded, tried)
    return Result(attack, case, tried, succeeded / tried, low, high, limit, note)
