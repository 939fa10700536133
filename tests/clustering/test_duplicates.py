"""Near-duplicates are found; the same words in another order are none."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from clio.clustering import duplicates
from clio.clustering.duplicates import near_duplicates

LONG = "How do I report a lost card to the bank when I am abroad and have no phone with me right now"


def test_case_punctuation_and_small_edits_make_near_duplicates() -> None:
    """Equal after normalisation, or nearly the same word pairs."""
    texts = [
        LONG,
        LONG.upper() + "!!",
        " ".join([LONG, "and more"] * 1),
        "something else entirely about baking bread at home",
    ]
    assert near_duplicates(texts, threshold=0.8).tolist() == [0, 0, 0, 3]


def test_word_order_matters() -> None:
    """Shuffled words are another text."""
    assert near_duplicates([LONG, " ".join(reversed(LONG.split()))]).tolist() == [0, 1]


def test_short_texts_are_duplicates_only_if_equal() -> None:
    """One word of three makes another request; empty texts are nobody's duplicates."""
    assert near_duplicates(["set an alarm", "Set an alarm.", "set a timer", "", ""]).tolist() == [
        0,
        0,
        2,
        3,
        4,
    ]


def test_chinese_is_compared_by_characters() -> None:
    """Text without spaces has near-duplicates too."""
    text = "请帮我写一篇关于人工智能在医疗领域应用的文章，要求内容详细并且有例子"
    assert near_duplicates([text, text + "。", "今天天气怎么样，适合去公园散步吗，需要带伞吗"]).tolist() == [
        0,
        0,
        2,
    ]


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_is_cut_into_the_same_words_as_any_text(text: str) -> None:
    """The fast way for ASCII finds the words that the pattern finds."""
    assert text.translate(duplicates._SPACED).split() == duplicates._WORDS.findall(text)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(2**32 - 2, 2**32 - 1)), max_size=12))
def test_buckets_are_the_rows_that_are_equal(rows: list[tuple[int, int]]) -> None:
    """Rows are together exactly if they are equal, in the order of their first; a row that is alone is in none."""
    expected: dict[tuple[int, int], list[int]] = {}
    for n, row in enumerate(rows):
        expected.setdefault(row, []).append(n)
    parts = np.asarray(rows, np.uintc).reshape(len(rows), 2)
    assert duplicates._buckets(parts) == [some for some in expected.values() if len(some) > 1]
