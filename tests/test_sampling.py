"""The draw of a run over a sample: exact sizes, equal chances, strata in proportion, little memory, no value in an error."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import chi2

from clio.errors import SettingsError, SourceError
from clio.insights.intervals import Sample, share_interval
from clio.run_folder import RunFolder
from clio.sampling import choose, sample
from clio.stored import BATCH, CONVERSATIONS

# 1,000 rows of strata of 600, 251, 100, 30, and 19 of one row each
UNEVEN: list[str | None] = (
    ["en"] * 600 + ["zh"] * 251 + [None] * 100 + ["None"] * 30 + [f"rare {i}" for i in range(19)]
)


def stored(path: Path, rows: int, group: int = BATCH, text: int = 1, **columns: Sequence[Any]) -> RunFolder:
    """A run folder whose stage file ``read`` holds that many conversations; columns not named are null."""
    folder = RunFolder(path)
    folder.private.mkdir(parents=True)
    with pq.ParquetWriter(folder.file("read"), CONVERSATIONS) as writer:
        for start in range(0, rows, group):
            numbers = range(start, min(rows, start + group))
            table = {
                name: [columns[name][i] if name in columns else None for i in numbers] for name in COLUMNS
            }
            table["id"] = [f"c{i}" for i in numbers]
            table["messages"] = [[{"role": "user", "content": f"{i:08d}" * text}] for i in numbers]
            writer.write_table(pa.table(table, schema=CONVERSATIONS))
    return folder


COLUMNS = CONVERSATIONS.names


# choose


@pytest.mark.parametrize("strata", [None, UNEVEN], ids=["plain", "stratified"])
@pytest.mark.parametrize("size", [1, 2, 7, 19, 100, 333, 999, 1000, 1001, 10**9])
def test_as_many_rows_are_drawn_as_asked_for(strata: list[str | None] | None, size: int) -> None:
    """Ascending, without repeats, within the population, and all of it where there are no more."""
    for seed in range(20):
        rows = choose(strata, 1000, size, seed)
        assert rows.dtype == np.int64
        assert len(rows) == min(size, 1000)
        assert (np.diff(rows) > 0).all()
        assert 0 <= rows[0] <= rows[-1] < 1000


def test_a_draw_of_nothing_is_nothing_and_nonsense_is_refused() -> None:
    """No rows of no rows; no size below 1, no strata of other rows."""
    assert len(choose(None, 0, 5, 0)) == 0
    assert len(choose([], 0, 5, 0)) == 0
    with pytest.raises(ValueError, match="a sample of 0"):
        choose(None, 10, 0, 0)
    with pytest.raises(ValueError, match="2 strata of 10 rows"):
        choose(["a", "b"], 10, 5, 0)


@pytest.mark.parametrize("strata", [None, UNEVEN], ids=["plain", "stratified"])
def test_the_same_seed_draws_the_same_rows_and_another_seed_others(strata: list[str | None] | None) -> None:
    """What is drawn depends on nothing but the arguments."""
    first = choose(strata, 1000, 100, 3).tolist()
    assert choose(list(strata) if strata else None, 1000, 100, 3).tolist() == first
    assert len({tuple(choose(strata, 1000, 100, seed).tolist()) for seed in range(50)}) == 50


@pytest.mark.parametrize("size", [1, 10, 100, 333, 777])
def test_each_stratum_gets_its_share_rounded_up_or_down(size: int) -> None:
    """Within one of its proportional number, and what is not known is a stratum as any other."""
    sizes = Counter(UNEVEN)
    for seed in range(50):
        drawn = Counter(UNEVEN[i] for i in choose(UNEVEN, 1000, size, seed).tolist())
        for stratum, n in sizes.items():
            assert abs(drawn[stratum] - n * size / 1000) < 1, stratum
        assert set(drawn) <= set(sizes)


def test_what_is_unknown_is_not_the_stratum_of_that_name() -> None:
    """None and "None" each get their own exact number."""
    drawn = Counter(UNEVEN[i] for i in choose(UNEVEN, 1000, 100, 0).tolist())
    assert (drawn["en"], drawn[None], drawn["None"]) == (60, 10, 3)


@pytest.mark.parametrize("strata", [None, UNEVEN], ids=["plain", "stratified"])
@pytest.mark.parametrize("size", [50, 333])
def test_every_row_is_drawn_equally_often(strata: list[str | None] | None, size: int) -> None:
    """Chi-square over the rows, within its 0.1 % and 99.9 % points, for rows of small strata as for those of large ones."""
    draws = 2000
    times = np.zeros(1000)
    for seed in range(draws):
        times[choose(strata, 1000, size, seed)] += 1
    chance = size / 1000
    spread = draws * chance * (1 - chance)
    distance = float((((times - draws * chance) ** 2) / spread).sum()) * 999 / 1000
    low, high = chi2.ppf([0.001, 0.999], 999)
    assert low < distance < high
    # the 19 rare rows together, and the first rows: no place is preferred
    for part in (times[-19:], times[:19]):
        assert abs(part.sum() - 19 * draws * chance) < 4 * (19 * spread) ** 0.5


def test_small_strata_are_drawn_from_though_others_have_larger_remainders() -> None:
    """Half of all in strata of one, half in strata of three: half of the sample is of either, in the mean of many draws."""
    strata = [f"one {i}" for i in range(3000)] + [f"three {i // 3}" for i in range(3000)]
    ones = [int((choose(strata, 6000, 600, seed) < 3000).sum()) for seed in range(200)]
    assert 295 < np.mean(ones) < 305
    assert np.std(ones) < 1.15 * (600 * 0.25 * 5400 / 5999) ** 0.5  # no wider than a plain draw's


def test_what_recurs_in_the_log_at_even_distances_is_drawn_as_by_chance() -> None:
    """Every tenth row, a tenth drawn, each row a stratum: neither all nor none of them, and intervals hold."""
    assert held(np.arange(6000) % 10 == 0, [str(i) for i in range(6000)], 600) >= 0.93


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9])
def test_intervals_of_plain_draws_hold_the_true_share(share: float) -> None:
    """In at least 93 of 100 of 300 draws at nominal 95 %."""
    has = np.arange(6000) < 6000 * share
    assert held(has, None, 400) >= 0.93


@pytest.mark.parametrize("size", [100, 400, 2000])
def test_intervals_of_stratified_draws_hold_the_true_share_as_often_or_oftener(size: int) -> None:
    """In at least 95 of 100 of 300 draws, for something that is commoner in some strata than in others."""
    dice = np.random.default_rng(5)
    strata = dice.choice(["en", "zh", "es", "fr"], 6000, p=[0.5, 0.3, 0.15, 0.05]).tolist()
    rate = {"en": 0.05, "zh": 0.5, "es": 0.2, "fr": 0.9}
    has = dice.random(6000) < np.array([rate[name] for name in strata])
    assert held(has, strata, size) >= 0.95
    assert held(has, strata, size) >= held(has, None, size)


def held(has: np.ndarray[Any, np.dtype[np.bool_]], strata: list[str | None] | None, size: int) -> float:
    """How often the 95 % interval of 300 draws holds the true share."""
    found = 0
    for seed in range(300):
        count = int(has[choose(strata, len(has), size, seed)].sum())
        low, high = share_interval(count, size, len(has))
        found += low <= has.mean() <= high
    return found / 300


# sample


def test_the_drawn_conversations_are_stored_whole_and_in_order(tmp_path: Path) -> None:
    """Every column as it was read, row groups of 2,048, the key in the file, and what was read still there."""
    n, size = 3 * BATCH + 100, 2 * BATCH + 50
    models = [f"m{i % 3}" for i in range(n)]
    metadata = [json.dumps({"channel": "web"}) if i % 2 else None for i in range(n)]
    folder = stored(tmp_path, n, group=700, model=models, metadata=metadata)
    before = folder.file("read").read_bytes()
    passed: list[int] = []
    drawn = sample(folder, "some key", size, "model", 4, passed.append)
    assert drawn == Sample(n, size, "model")
    with pq.ParquetFile(folder.file("conversations")) as file:
        groups = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        table = file.read()
    assert groups == [BATCH, BATCH, 50]
    rows = choose(models, n, size, 4)
    assert table.equals(pq.read_table(folder.file("read")).take(pa.array(rows)))
    assert table.schema.equals(CONVERSATIONS)
    assert folder.is_done("conversations", "some key")
    assert not folder.is_done("conversations", "another key")
    assert folder.file("conversations").stat().st_mode & 0o777 == 0o600
    assert folder.file("read").read_bytes() == before
    assert sum(passed) == n
    first = folder.file("conversations").read_bytes()
    sample(folder, "some key", size, "model", 4)
    assert folder.file("conversations").read_bytes() == first


def test_a_sample_of_no_fewer_than_all_is_all(tmp_path: Path) -> None:
    """Nothing is lost, and the sample says that it is the population."""
    folder = stored(tmp_path, 50)
    assert sample(folder, "key", 50, None, 0) == Sample(50, 50)
    assert sample(folder, "key", 10**6, None, 0) == Sample(50, 50)
    assert pq.read_table(folder.file("conversations")).equals(pq.read_table(folder.file("read")))


@pytest.mark.parametrize("by", ["model", "country", "week", "plan", "stars", "Über-gruppe"])
def test_it_is_stratified_by_any_column_of_the_log(tmp_path: Path, by: str) -> None:
    """Columns of their own, the week of a time, and text or numbers of the metadata; null where there is none."""
    common = [i % 10 < 7 for i in range(400)]
    weeks = [datetime(2026, 3, 2, tzinfo=UTC) if c else datetime(2026, 3, 11, 23, tzinfo=UTC) for c in common]
    extra = [{"plan": "a", "stars": 5, "Über-gruppe": True} if c else {"stars": None} for c in common]
    folder = stored(
        tmp_path,
        400,
        model=["x" if c else "y" for c in common],
        country=["DE" if c else None for c in common],
        created_at=[t if i % 2 else t.replace(hour=i % 23) for i, t in enumerate(weeks)],
        metadata=[
            json.dumps(e) if c or i % 20 == 9 else None
            for i, (c, e) in enumerate(zip(common, extra, strict=True))
        ],
    )
    for seed in range(10):
        assert sample(folder, "key", 40, by, seed) == Sample(400, 40, by)
        numbers = [int(i[1:]) for i in pq.read_table(folder.file("conversations"))["id"].to_pylist()]
        assert sum(common[i] for i in numbers) == 28


def test_a_column_that_no_conversation_has_is_named_with_those_there_are(tmp_path: Path) -> None:
    """One line with names of columns, and nothing is written."""
    metadata = [json.dumps({"plan": f"secret {i}", "channel": "web", "model": "x"}) for i in range(10)]
    folder = stored(tmp_path, 10, model=["gpt"] * 10, metadata=metadata)
    expected = "setting 'sample_by': no conversation has a column 'plam'; known: model, channel, plan"
    with pytest.raises(SettingsError) as caught:
        sample(folder, "key", 5, "plam", 0)
    assert str(caught.value) == expected
    with pytest.raises(
        SettingsError, match="no conversation has a column 'week'; known: model, channel, plan"
    ):
        sample(folder, "key", 5, "week", 0)
    assert [path.name for path in folder.private.iterdir()] == ["read.parquet"]
    with pytest.raises(SettingsError, match=r"'plan'; known: none$"):
        sample(stored(tmp_path / "bare", 5), "key", 5, "plan", 0)


def test_no_text_of_a_person_comes_into_the_error(tmp_path: Path) -> None:
    """No value; no key that is no name, or that fewer than six conversations have; never more than twelve; always one line."""
    hostile = ["mail jane@example.com", "x\ny", "\x1b[31mred", "4915112345678", "a" * 41, "", "[bold]"]
    shared = dict.fromkeys([*hostile, "plan"], "secret")
    rows = [{**shared, "jane_doe": 1}] * 5 + [shared] * 2
    folder = stored(
        tmp_path / "a", 7, metadata=[json.dumps(r) for r in rows], user=["u"] * 7, country=["Atlantis"] * 7
    )
    with pytest.raises(SettingsError) as caught:
        sample(folder, "key", 2, "no\nsuch" + "x" * 100, 0)
    said = str(caught.value)
    assert said.isprintable()
    assert said.endswith("; known: country, plan")
    assert len(said) < 150
    many = [json.dumps({f"k{i}": 1 for i in range(30)})] * 6
    with pytest.raises(SettingsError) as caught:
        sample(stored(tmp_path / "b", 6, metadata=many), "key", 2, "plan", 0)
    assert len(str(caught.value).split("known: ")[1].split(", ")) == 12


@pytest.mark.parametrize("by", ["messages", "id", "user", "created_at", "metadata"])
def test_columns_that_tell_people_apart_are_none_to_stratify_by(tmp_path: Path, by: str) -> None:
    """Texts, ids, users and single moments are refused."""
    folder = stored(tmp_path, 10, user=["u"] * 10, created_at=[datetime(2026, 1, 1, tzinfo=UTC)] * 10)
    with pytest.raises(SettingsError, match=r"known: week$"):
        sample(folder, "key", 5, by, 0)


def test_there_must_be_something_to_draw_from(tmp_path: Path) -> None:
    """An error that a user understands, with and without strata."""
    folder = stored(tmp_path, 0)
    for by in (None, "model"):
        with pytest.raises(SourceError, match="no conversation could be used"):
            sample(folder, "key", 5, by, 0)


def test_messages_are_read_only_where_some_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all row groups the column of the strata alone; messages of at most one row group at a time."""
    folder = stored(tmp_path, 2000, group=10, model=[f"m{i % 4}" for i in range(2000)])
    calls: list[tuple[int, tuple[str, ...]]] = []
    original = pq.ParquetFile.read_row_group

    def spied(self: Any, group: int, columns: list[str]) -> Any:
        calls.append((group, tuple(columns)))
        return original(self, group, columns=columns)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", spied)
    for whole in ("read", "read_row_groups", "iter_batches"):
        monkeypatch.delattr(pq.ParquetFile, whole)
    sample(folder, "key", 12, "model", 0)
    monkeypatch.undo()
    drawn = pq.read_table(folder.file("conversations"))["id"].to_pylist()
    assert [group for group, columns in calls if columns == ("model",)] == list(range(200))
    assert [g for g, columns in calls if "messages" in columns] == sorted({int(i[1:]) // 10 for i in drawn})


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    """Of 40 row groups with 80 MB of messages, no more than a few are held at once."""
    folder = stored(tmp_path, 40 * BATCH, text=128, country=["DE", "FR"] * 20 * BATCH)
    group = 1024 * BATCH
    pool = pa.proxy_memory_pool(pa.default_memory_pool())
    usual = pa.default_memory_pool()
    pa.set_memory_pool(pool)
    try:
        assert sample(folder, "key", 10 * BATCH, "country", 0).conversations == 10 * BATCH
    finally:
        pa.set_memory_pool(usual)
    assert group < pool.max_memory() < 10 * group  # above one: the measure sees what is read
