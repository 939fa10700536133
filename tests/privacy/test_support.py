"""A word may be published only if enough distinct users said it, or it says nothing of anyone."""

from __future__ import annotations

import numpy as np

from clio.privacy.support import needed, supporters, unsupported


def test_describing_words_need_no_support_and_specifics_do() -> None:
    """Function words, describing words and tasks are free; names and numbers are not."""
    assert needed("Ask for help with writing an email") == frozenset()
    assert needed("Visit Zarquon in 1987") == {"zarquon", "1987"}


def test_support_counts_distinct_users_of_that_very_cluster() -> None:
    """The same word of one user many times, or of users elsewhere, is no support."""
    texts = ["zarquon cards"] * 5 + ["zarquon"] * 5
    clusters = np.asarray([0] * 5 + [1] * 5, np.int32)
    users = np.asarray([1, 1, 1, 2, 2, 3, 4, 5, 6, 7], np.int32)
    said = supporters({"zarquon"}, texts, clusters, users)
    assert unsupported("Zarquon", [0], said, 3) == {"zarquon"}
    assert unsupported("Zarquon", [1], said, 3) == frozenset()
    assert unsupported("Zarquon", [0, 1], said, 7) == frozenset()


def test_inflected_words_support_each_other() -> None:
    """ "flights" supports "flight"."""
    said = supporters(
        needed("Zarquon gramophones"),
        ["zarquon gramophone"] * 3,
        np.zeros(3, np.int32),
        np.arange(3, dtype=np.int32),
    )
    assert unsupported("Zarquon gramophones", [0], said, 3) == frozenset()


def test_chinese_words_are_supported_by_the_texts_that_hold_them() -> None:
    """Text without spaces counts by containment."""
    said = supporters(
        needed("留声机"), ["怎么修留声机"] * 3, np.zeros(3, np.int32), np.arange(3, dtype=np.int32)
    )
    assert unsupported("留声机", [0], said, 3) == frozenset()
    assert unsupported("留声机", [0], said, 4)
