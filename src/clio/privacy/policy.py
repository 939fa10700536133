"""Policies: named thresholds below which nothing is shown, each with where its numbers come from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

from clio.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds of what may be shown, each holding whichever one account is left out.

    A cluster needs ``min_users`` distinct users and ``min_conversations``; a breakdown cell needs ``min_cell_users`` and
    ``min_cell_conversations``; a text needs an audit rating of ``audit_min`` (1..5) or more. At most ``max_per_user`` conversations of
    one user count anywhere (None: all). ``sensitive``: sensitive subjects need more, by ``sensitive.toml``. ``support``: a specific in a
    text needs ``min_users`` who say it. ``restricted``: for a few named people; every use is logged.
    """

    name: str
    min_users: int
    min_conversations: int
    min_cell_users: int
    min_cell_conversations: int
    audit_min: int
    max_per_user: int | None
    source: str
    sensitive: bool = True
    support: bool = True
    restricted: bool = False

    def times(self, factor: float, *, cells: bool = False) -> tuple[float, int]:
        """Users and conversations that a cluster, or a breakdown cell, on a sensitive subject needs."""
        users, conversations = (
            (self.min_cell_users, self.min_cell_conversations)
            if cells
            else (self.min_users, self.min_conversations)
        )
        return factor * users, ceil(factor * conversations)


POLICIES = {
    policy.name: policy
    for policy in (
        Policy(
            "public-data", 3, 5, 3, 5, 3, None, "ours: for data that anyone may read anyway", sensitive=False
        ),
        Policy(
            "internal", 5, 15, 5, 15, 3, 50, "the Economic Index's cells: 5 accounts and 15 conversations"
        ),
        Policy(
            "publish",
            250,
            500,
            5,
            15,
            3,
            20,
            "the Economic Index: text clusters of 250 accounts and 500 conversations, cells of 5 and 15",
        ),
        Policy(
            "safety",
            0,
            0,
            0,
            0,
            1,
            None,
            "the paper, 4 and appendix F: no thresholds and no audit, for a few authorised people",
            sensitive=False,
            support=False,
            restricted=True,
        ),
    )
}


def policy(
    name: str,
    *,
    min_users: int | None = None,
    min_conversations: int | None = None,
    audit_min: int | None = None,
    max_per_user: int | None = None,
) -> Policy:
    """A policy by name, with some of its thresholds set otherwise; a threshold given here holds for clusters and cells alike.

    ``max_per_user`` 0 stands for no limit.

    Raises:
        SettingsError: for an unknown name.
    """
    if name not in POLICIES:
        raise SettingsError(f"setting 'policy': no policy '{name[:40]}'; known: {', '.join(POLICIES)}")
    found = POLICIES[name]
    if min_users is not None:
        found = replace(found, min_users=min_users, min_cell_users=min_users)
    if min_conversations is not None:
        found = replace(found, min_conversations=min_conversations, min_cell_conversations=min_conversations)
    if max_per_user is not None:
        found = replace(found, max_per_user=max_per_user or None)
    return found if audit_min is None else replace(found, audit_min=audit_min)
