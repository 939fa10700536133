"""Where answers, their cost and batch jobs are kept."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from pathlib import Path

import pytest

from clio.models.protocols import Answer, Failure, Prompt, Usage
from clio.models.store import Spent, Store, StoreError, key

USED = Usage(input=100, output=20, cached=60, written=30)
A, B = key("m", Prompt((("user", "a"),))), key("m", Prompt((("user", "b"),)))


def test_a_prompt_with_other_settings_or_another_model_is_another_prompt() -> None:
    """Each of them has a key of its own; where its text may be cached changes nothing."""
    base = Prompt((("user", "a"),))
    keys = {
        key("m", base),
        key("n", base),
        key("m", Prompt((("user", "a"),), temperature=1.0)),
        key("m", Prompt((("user", "a"),), max_tokens=1)),
        key("m", Prompt((("system", "a"),))),
        key("m", Prompt((("user", "a"), ("user", "")))),
        key("m", Prompt((("user", "a"),), schema={"type": "object"})),
    }
    assert len(keys) == 7
    assert all(len(name) == 32 for name in keys)
    assert key("m", Prompt((("user", "a"),), cached=1)) == key("m", base)


def test_the_order_of_a_schemas_words_changes_no_key_and_half_a_character_has_one() -> None:
    """Equal schemas are equal prompts; a lone surrogate, which UTF-8 cannot hold, is no error."""
    one = Prompt((("user", "a \ud800"),), schema={"type": "object", "title": "x"})
    other = Prompt((("user", "a \ud800"),), schema={"title": "x", "type": "object"})
    assert key("m", one) == key("m", other)


def test_what_is_kept_comes_back_as_it_was(tmp_path: Path) -> None:
    """Answers and refusals, with their tokens and whether they were cut, also from a file opened anew."""
    cut, refusal = Answer("said \u2028 é", USED, cut=True), Failure("m: declines", True, Usage(9, 1))
    with Open(tmp_path / "a.sqlite") as store:
        assert store.get(A) is None
        store.keep(A, cut, stage="facets", model="m")
        store.keep(B, refusal, stage="facets", model="m")
    with Open(tmp_path / "a.sqlite") as store:
        assert store.get(A) == cut
        assert store.get(B) == refusal


def test_spending_is_told_by_stage_model_and_batch() -> None:
    """Sums of tokens are exact; answers that could not be used and refusals count as calls too."""
    store = Store()
    store.keep(A, Answer("a", USED), stage="facets", model="m")
    store.keep(B, Failure("declines", True, Usage(9, 1)), stage="facets", model="m")
    store.paid(Usage(5, 0, 1, 2), stage="facets", model="m")
    store.keep(key("n", Prompt(())), Answer("a", USED), stage="facets", model="n", batch=True)
    store.paid(Usage(7, 0), stage="facets", model="n", batch=True)
    store.paid(Usage(3, 0), stage="audit", model="m")
    assert store.spent() == [
        Spent("audit", "m", False, 1, Usage(3, 0)),
        Spent("facets", "m", False, 3, Usage(114, 21, 61, 32)),
        Spent("facets", "n", True, 2, Usage(107, 20, 60, 30)),
    ]
    store.close()


def test_a_job_is_open_from_before_it_is_submitted_until_it_is_fetched(tmp_path: Path) -> None:
    """Each step is on disk when it returns, and a job that never came to be is forgotten."""
    before = time.time()
    path = tmp_path / "a.sqlite"
    with Open(path) as store:
        store.submitting("t1", "m", "facets", 3)
        store.submitting("t2", "m", "names", 4)
        store.submitting("t3", "other", "facets", 5)
    with Open(path) as store:
        one, two = store.open_jobs("m")
        assert (one.tag, one.stage, one.requests, one.job) == ("t1", "facets", 3, None)
        assert before <= one.since <= two.since <= time.time()
        assert store.known_jobs("m") == frozenset()
        store.submitted("t1", "job_1")
        store.submitted("t2", None)
    with Open(path) as store:
        assert [(job.tag, job.job) for job in store.open_jobs("m")] == [("t1", "job_1")]
        store.fetched("t1")
        assert store.open_jobs("m") == []
        assert store.known_jobs("m") == {"job_1"}
        assert [job.tag for job in store.open_jobs("other")] == ["t3"]


def test_the_files_are_for_their_owner_only(tmp_path: Path) -> None:
    """Whatever the umask: the database and what SQLite puts beside it can be read by nobody else."""
    old = os.umask(0)
    try:
        with Open(tmp_path / "a.sqlite") as store:
            store.keep(A, Answer("a", USED), stage="", model="m")
            files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    finally:
        os.umask(old)
    assert files.pop("a.sqlite") == 0o600
    assert files
    assert set(files.values()) == {0o600}


@pytest.mark.parametrize("content", [b"not a database, whatever it is" * 100, b"\0" * 100])
def test_a_file_that_is_no_store_is_one_line(tmp_path: Path, content: bytes) -> None:
    """The error names the file and what to do, and the file is closed."""
    path = tmp_path / "answers.sqlite"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"answers\.sqlite.*delete it") as caught:
        Store(path)
    assert "\n" not in str(caught.value)


def test_a_store_of_another_form_is_refused_at_once(tmp_path: Path) -> None:
    """A table without our columns is told when it is opened, not at the first answer."""
    path = tmp_path / "answers.sqlite"
    old = sqlite3.connect(path)
    old.execute("CREATE TABLE answers (key BLOB PRIMARY KEY, text TEXT)")
    old.close()
    with pytest.raises(StoreError, match="delete it to ask anew"):
        Store(path)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """Where no file can be made the error is ours, too."""
    with pytest.raises(StoreError, match="cannot be used"):
        Store(tmp_path / "missing" / "a.sqlite")


def test_a_full_disk_is_told_without_a_word_of_the_answer(tmp_path: Path) -> None:
    """What cannot be kept raises our error, and what was kept before can be read."""
    with Open(tmp_path / "a.sqlite") as store:
        store.keep(A, Answer("short", USED), stage="", model="m")
        store._db.execute("PRAGMA max_page_count = 1")
        with pytest.raises(StoreError, match="free disk space") as caught:
            store.keep(B, Answer("private words " * 10_000, USED), stage="", model="m")
        assert "private" not in str(caught.value)
        assert store.get(A) == Answer("short", USED)


def test_a_reader_beside_it_sees_the_answers_while_they_arrive(tmp_path: Path) -> None:
    """Another connection may read what is kept without waiting for the end."""
    path = tmp_path / "a.sqlite"
    with Open(path) as store:
        store.keep(A, Answer("a", USED), stage="", model="m")
        other = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        assert other.execute("SELECT text FROM answers").fetchall() == [("a",)]
        other.close()


class Open:
    """A store that is closed at the end of a block."""

    def __init__(self, path: Path) -> None:
        self._store = Store(path)

    def __enter__(self) -> Store:
        return self._store

    def __exit__(self, *_error: object) -> None:
        self._store.close()
