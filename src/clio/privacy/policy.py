"""Policies: named thresholds below which nothing is shown, each with where its numbers come from."""

from __future__ import annotations

from dataclasses import dataclass, replace

from clio.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds of what may be shown.

    A cluster needs ``min_users`` distinct users and ``min_conversations``; a breakdown cell needs ``min_cell_users`` and
    ``min_cell_conversations``; a text needs an audit rating of ``audit_min`` (1..5) or more.
    """

    name: str
    min_users: int
    min_conversations: int
    min_cell_users: int
    min_cell_conversations: int
    audit_min: int
    source: str


POLICIES = {
    policy.name: policy
    for policy in (
        Policy("public-data", 3, 5, 3, 5, 3, "ours: for data that anyone may read anyway"),
        Policy("internal", 5, 15, 5, 15, 3, "the Economic Index's cells: 5 accounts and 15 conversations"),
        Policy(
            "publish",
            250,
            500,
            5,
            15,
            3,
            "the Economic Index: text clusters of 250 accounts and 500 conversations, cells of 5 and 15",
        ),
    )
}


def policy(
    name: str,
    *,
    min_users: int | None = None,
    min_conversations: int | None = None,
    audit_min: int | None = None,
) -> Policy:
    """A policy by name, with some of its thresholds set otherwise; a threshold given here holds for clusters and cells alike.

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
    return found if audit_min is None else replace(found, audit_min=audit_min)
