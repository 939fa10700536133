"""Canaries: what is planted is secret, the search finds it in every form, and nothing of it is published by any run."""

from __future__ import annotations

import base64
import codecs
import gzip
import html
import json
import random
import unicodedata
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clio import demo
from clio.errors import RunError
from clio.evaluation.attacks.canaries import check
from clio.evaluation.attacks.commands import write_log
from clio.evaluation.attacks.planting import COLUMN, Secret, plant, secrets
from clio.evaluation.attacks.searching import forms_of, pieces_of, published, search, squeezed
from clio.evaluation.ground import Row

SECRETS = secrets(600)


def sample(step: int) -> list[Row]:
    """Every so many-th conversation of the bundled sample."""
    with gzip.open(demo.path(), "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in list(file)[::step]]


def entities(text: str) -> str:
    return "".join(f"&#{ord(c)};" if i % 2 else f"&#x{ord(c):X};" for i, c in enumerate(text))


def typo(text: str) -> str:
    """A letter near the end left out."""
    return text[:-2] + text[-1]


FORMS: dict[str, Callable[[str], bytes]] = {
    "as it is": str.encode,
    "small": lambda s: s.casefold().encode(),
    "capitals": lambda s: s.upper().encode(),
    "nfd": lambda s: unicodedata.normalize("NFD", s).encode(),
    "nfkc": lambda s: unicodedata.normalize("NFKC", s).encode(),
    "without spaces": lambda s: "".join(s.split()).encode(),
    "spread out": lambda s: " ".join(s).encode(),
    "punctuated": lambda s: "-".join(s).encode(),
    "without marks": lambda s: "".join(
        c for c in unicodedata.normalize("NFD", s) if unicodedata.category(c) != "Mn"
    ).encode(),
    "json": lambda s: json.dumps(s).encode(),
    "json in json": lambda s: json.dumps(json.dumps(s)).encode(),
    "url": lambda s: urllib.parse.quote(s).encode(),
    "url twice": lambda s: urllib.parse.quote(urllib.parse.quote_plus(s)).encode(),
    "html": lambda s: html.escape(s).encode(),
    "entities": lambda s: entities(s).encode(),
    "base64 0": lambda s: base64.b64encode(s.encode()),
    "base64 1": lambda s: base64.b64encode(b"x" + s.encode() + b"yy"),
    "base64 2": lambda s: base64.b64encode(b"xx" + s.encode() + b"y"),
    "base64url": lambda s: base64.urlsafe_b64encode(s.encode()),
    "hex": lambda s: s.encode().hex().encode(),
    "reversed": lambda s: s[::-1].encode(),
    "rot13": lambda s: codecs.encode(s, "rot13").encode(),
    "utf-16": lambda s: s.encode("utf-16"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_every_secret_is_found(form: str) -> None:
    """Among other bytes, in each of some twenty forms."""
    content = b"".join(b'{"a": "' + FORMS[form](one.text) + b'"}\xff\n' for one in SECRETS)
    assert {hit.secret for hit in search([("x", content)], SECRETS)} == set(range(len(SECRETS)))


def test_a_near_copy_is_found_by_a_piece() -> None:
    """With its last but one letter missing, in other letter case, a secret that is long enough is still found."""
    long = [one for one in SECRETS if len(squeezed(max(one.cores, key=len))) >= 16]
    assert len(long) > 100
    content = "\n".join(typo(max(one.cores, key=len)).upper() for one in long).encode()
    assert {hit.secret for hit in search([("x", content)], long)} == set(range(len(long)))


@given(st.binary(max_size=300), st.sampled_from(SECRETS), st.binary(max_size=300))
def test_a_secret_is_found_wherever_it_stands(before: bytes, one: Secret, after: bytes) -> None:
    """At every offset, between any bytes, in its own form."""
    assert any(hit.form == "as it is" for hit in search([("x", before + one.text.encode() + after)], [one]))


def test_nothing_is_found_where_nothing_is() -> None:
    """Neither in the log before planting, nor in random bytes and letters."""
    dice = random.Random(0)
    rows, planted = plant(sample(6), 600, seed=1)
    letters = "".join(dice.choices("abcdefghijklmnopqrstuvwxyz .", k=500_000))
    places = [
        ("log", json.dumps(sample(6)).encode()),
        ("random", dice.randbytes(500_000)),
        ("letters", letters.encode()),
        ("short", b"1234567"),
        ("empty", b""),
    ]
    assert search(places, planted) == []
    assert rows != sample(6)


def test_what_is_compressed_is_searched_too(tmp_path: Path) -> None:
    """Values, column names and metadata of Parquet files, gzip, and names of files."""
    value, column, note, zipped, name = SECRETS[:5]
    table = pa.table({"a": [value.text] * 3, column.text: [1, 2, 3]}).replace_schema_metadata(
        {"k": note.text}
    )
    pq.write_table(table, tmp_path / "t.parquet", compression="zstd")
    (tmp_path / "z").write_bytes(gzip.compress(zipped.text.encode()))
    (tmp_path / name.text.replace("/", "")).touch()
    found = search(published(tmp_path), SECRETS[:5])
    assert {hit.secret for hit in found} == set(range(5))
    assert {"values of t.parquet", "inside of z"} <= {hit.place for hit in found}


def test_short_forms_are_not_sought() -> None:
    """Under eight bytes a form says nothing; pieces have ten bytes and four characters."""
    assert all(len(form) >= 8 for one in SECRETS for _, form in forms_of(one))
    pieces = [piece for one in SECRETS for core in one.cores for piece in pieces_of(squeezed(core))]
    assert min(map(len, pieces)) == 10
    assert min(len(piece.decode()) for piece in pieces) == 4
    assert list(pieces_of("岚峄垚")) == []


def test_secrets_are_of_many_kinds_and_scripts_and_no_ordinary_words() -> None:
    """Ten kinds, ten scripts, all different; each has a core that is sought by its pieces; the same seed gives the same."""
    assert len({one.text for one in SECRETS}) == 600
    assert len({one.kind for one in SECRETS}) == 10
    assert len({one.script for one in SECRETS}) == 10
    for one in SECRETS:
        assert one.cores
        assert all(core in one.text for core in one.cores)
        assert all(list(pieces_of(squeezed(core))) for core in one.cores)
    assert secrets(600) == SECRETS
    assert secrets(600, seed=1) != SECRETS


@pytest.mark.parametrize("with_users", [True, False])
def test_each_secret_is_planted_with_one_user(with_users: bool) -> None:
    """In one to three conversations of one user, in a user's text, an answer, an id and a metadata column."""
    rows = sample(4)
    if not with_users:
        rows = [{key: value for key, value in row.items() if key != "user"} for row in rows]
    planted, hidden = plant(rows, 300)
    assert len(hidden) == 300
    whole = [json.dumps(row, ensure_ascii=False) for row in planted]
    for one in hidden:
        own = [row for row, text in zip(planted, whole, strict=True) if one.text in text]
        asked = [
            row
            for row in own
            if any(one.text in m["content"] for m in row["messages"] if m["role"] == "user")
        ]
        said = [row for row in own if one.text in row["messages"][-1]["content"]]
        assert 1 <= len(asked) <= 3
        assert said
        assert len({row.get("user") for row in own}) == 1 if with_users else len(own) == 1
        assert any(one.text in row["id"] for row in own)
    assert any(row.get(COLUMN) for row in planted)
    assert rows == (
        sample(4) if with_users else [{k: v for k, v in r.items() if k != "user"} for r in sample(4)]
    )


def test_what_stands_in_the_log_already_is_no_secret() -> None:
    """A made-up secret that the log happens to hold is not planted."""
    known = secrets(50, seed=3)[7]
    rows = [
        *sample(20),
        {"id": "x", "user": "y", "messages": [{"role": "user", "content": known.text.upper()}]},
    ]
    _, hidden = plant(rows, 50, seed=3)
    assert known not in hidden
    assert len(hidden) == 50


def test_a_search_that_finds_nothing_is_no_proof(tmp_path: Path) -> None:
    """The attack refuses to go on where it does not find what it planted."""
    rows, hidden = plant(sample(20), 50)
    check(write_log(rows, tmp_path / "log.jsonl"), hidden)
    with pytest.raises(RunError, match="misses 50 of 50"):
        check(write_log(sample(20), tmp_path / "clean.jsonl"), hidden)
