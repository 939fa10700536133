"""Sensitive subjects are recognised in several languages, and need more people."""

from __future__ import annotations

import pytest

from clio.clustering.topics import topics
from clio.privacy.policy import POLICIES, policy
from clio.privacy.sensitive import factor_of_text, subjects, subjects_of
from clio.text import tokens


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("Ask about diabetes", "health"),
        ("Manage fibromyalgia and arthritis", "health"),
        ("Preguntas sobre el cáncer", "health"),
        ("关于抑郁症状的问题", "health"),
        ("Come out as bisexual", "sexuality"),
        ("Convert to Islam", "religion"),
        ("Join a trade union", "union"),
        ("Help asylum seekers and refugees", "ethnicity"),
        ("Discuss an arrest for fraud", "crime"),
        ("File for bankruptcy", "finances"),
        ("Advise underage teenagers", "minors"),
        ("Vote for a socialist", "politics"),
    ],
)
def test_sensitive_subjects_are_recognised(text: str, subject: str) -> None:
    """A text that names a subject of the table is held to the table's factor at least."""
    assert subject in subjects_of(tokens(text))
    assert factor_of_text(text) >= 2


def test_plain_subjects_are_not_sensitive() -> None:
    """Most tasks of the vocabulary need no more people than others."""
    tasks = topics().tasks
    assert factor_of_text("Report a lost card") == 1
    assert sum(factor_of_text(task) > 1 for task in tasks) < 0.08 * len(tasks)


def test_every_subject_asks_for_more_and_policies_say_where_they_come_from() -> None:
    """No factor lowers a threshold; every policy names a source; only the restricted one has no thresholds."""
    assert all(subject.factor > 1 and subject.words for subject in subjects())
    assert all(one.source for one in POLICIES.values())
    assert {one.name for one in POLICIES.values() if one.restricted} == {"safety"}
    assert all(one.min_users >= 3 and one.support for one in POLICIES.values() if not one.restricted)
    assert policy("internal").times(2) == (10, 30)
    assert policy("publish").times(1, cells=True) == (5, 15)
    assert policy("internal", max_per_user=0).max_per_user is None
