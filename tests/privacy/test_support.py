"""A word may be published only if enough distinct users said it, or it says nothing of anyone."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from clio.clustering.topics import topics
from clio.privacy import support
from clio.privacy.accounts import Accounts
from clio.privacy.support import generalised, hear, needed, runs_of
from clio.privacy.support import unsupported as lacking
from clio.text import tokens


def unsupported(text, base, said, min_users, trust=None):
    """What a text lacks where accounts 0 to 9 are trusted."""
    accounts = Accounts(
        np.ones(10, bool), np.arange(10, dtype=np.int32), np.ones(10) if trust is None else trust
    )
    return lacking(text, base, said, accounts, min_users)


def test_describing_words_need_no_support_and_specifics_do() -> None:
    """Function words, describing words and tasks are free; names and numbers are not."""
    assert needed("Ask for help with writing an email") == frozenset()
    assert needed("Visit Zarquon in 1987") == {"zarquon", "1987"}


def test_support_counts_distinct_users_of_that_very_cluster() -> None:
    """The same word of one user many times, or of users elsewhere, is no support."""
    texts = ["zarquon cards"] * 5 + ["zarquon"] * 5
    clusters = np.asarray([0] * 5 + [1] * 5, np.int32)
    users = np.asarray([1, 1, 1, 2, 2, 3, 4, 5, 6, 7], np.int32)
    said = hear({"zarquon"}, texts, clusters, users)
    assert unsupported("Zarquon", [0], said, 2) == {"zarquon"}
    assert unsupported("Zarquon", [1], said, 4) == frozenset()
    assert unsupported("Zarquon", [0, 1], said, 6) == frozenset()


def test_a_word_must_hold_without_any_one_account() -> None:
    """Four accounts of one person and a fifth who is the target do not make a word of five."""
    said = hear({"zarquon"}, ["zarquon"] * 5, np.zeros(5, np.int32), np.arange(5, dtype=np.int32))
    assert unsupported("Zarquon", [0], said, 5)
    assert not unsupported("Zarquon", [0], said, 4)


def test_accounts_support_by_how_far_they_are_trusted() -> None:
    """Ten accounts of a tenth of trust are one."""
    said = hear({"zarquon"}, ["zarquon"] * 10, np.zeros(10, np.int32), np.arange(10, dtype=np.int32))
    assert unsupported("Zarquon", [0], said, 1, trust=np.full(10, 0.1))
    assert not unsupported("Zarquon", [0], said, 0.9, trust=np.full(10, 0.1))


def test_two_specific_words_side_by_side_must_be_said_together() -> None:
    """What some say of hearts and others of failure does not publish "heart failure"."""
    texts = ["my heart aches"] * 4 + ["power failure"] * 4
    said = hear(needed("Heart failure"), texts, np.zeros(8, np.int32), np.arange(8, dtype=np.int32))
    assert unsupported("Heart failure", [0], said, 3) == {"heart", "failure"}
    assert not unsupported("Heart and failure", [0], said, 3)


def test_sensitive_words_are_free_only_as_a_task_of_the_vocabulary() -> None:
    """ "Ask about medication" is public; a medication in another sentence must be said by many."""
    assert needed("Ask about medication") == frozenset()
    assert needed("Users ask which medication helps") == {"medication"}


def test_a_name_is_cut_before_what_few_say() -> None:
    """The longest beginning that still reads is kept; a single word is none."""

    def holds(text: str) -> bool:
        return "Ann" not in text

    assert generalised("Plan a trip with Ann in May", holds) == "Plan a trip"
    assert generalised("Ask for Ann", holds) == ""


def test_a_name_cut_short_answers_one_question_only() -> None:
    """Only one beginning is tried, so a list of guesses does not tell which of them holds."""
    tried = []
    generalised("Ask about scurvy, rabies and gout", lambda text: bool(tried.append(text)))
    assert len(tried) == 1


def test_what_one_person_said_in_a_row_is_no_description() -> None:
    """However plain the words, seven of them in a row must be said by many, and nobody's "I" is published."""
    quotation = "what should one ask at the next visit here"
    said = hear(
        needed(quotation),
        [quotation, *["what should one ask"] * 5],
        np.zeros(6, np.int32),
        np.arange(6, dtype=np.int32),
        runs_of(quotation),
    )
    assert unsupported(quotation, [0], said, 3)
    assert not unsupported("What should one ask", [0], said, 3)
    assert unsupported("I ask about work", [0], said, 3)
    assert not unsupported("Say “i ask you”", [0], said, 3)


def test_inflected_words_support_each_other() -> None:
    """ "flights" supports "flight"."""
    said = hear(
        needed("Zarquon gramophones"),
        ["zarquon gramophone"] * 3,
        np.zeros(3, np.int32),
        np.arange(3, dtype=np.int32),
    )
    assert unsupported("Zarquon gramophones", [0], said, 2) == frozenset()


def test_chinese_words_are_supported_by_the_texts_that_hold_them() -> None:
    """Text without spaces counts by containment."""
    said = hear(needed("留声机"), ["怎么修留声机"] * 3, np.zeros(3, np.int32), np.arange(3, dtype=np.int32))
    assert unsupported("留声机", [0], said, 2) == frozenset()
    assert unsupported("留声机", [0], said, 3)


TASKS = (*topics().tasks, *topics().themes)
PIECE = st.one_of(st.sampled_from(TASKS), st.sampled_from(["a", "und", "é", "ſ", "'s", "x-"]))


@settings(deadline=None)
@given(
    st.lists(PIECE, max_size=6),
    st.sampled_from([" ", "-", ", "]),
    st.sampled_from([str, str.upper, str.lower]),
)
def test_whole_tasks_are_left_out_longest_first(
    pieces: list[str], between: str, written: Callable[[str], str]
) -> None:
    """In whatever case a text is, what is left of it is what one list of all tasks, the longest first, leaves."""
    text = written(between.join(pieces))
    every = "|".join(re.escape(task) for task in sorted(TASKS, key=len, reverse=True))
    plain = re.split(rf"\b(?:{every})\b", text, flags=re.IGNORECASE)
    assert [tokens(part) for part in support._without_tasks(text)] == [tokens(part) for part in plain]
