"""The ledger: what two releases together would single out is found by trying every sum, and must be refused."""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from clio.errors import PrivacyError, RunError
from clio.privacy.accounts import Accounts
from clio.privacy.fold import Scope, counted_cuts, tree_cut
from clio.privacy.ledger import Ledger
from clio.privacy.subtraction import Partition, Released, Side, singled_out
from clio.stored import CONVERSATIONS

SMALL_USERS, SMALL_CONVERSATIONS = 2, 4


# what two releases tell


def too_few(rows: NDArray, user: NDArray, trust: NDArray, users: float, conversations: int) -> bool:
    """Whether, without some one account, fewer remain than are needed."""
    counts = np.bincount(user[rows][user[rows] >= 0], minlength=len(trust))
    weights = np.where(counts > 0, trust, 0)
    return weights.sum() - weights.max() < users - 1e-9 or counts.sum() - counts.max() < conversations


def sum_of_too_few(
    left: NDArray,
    right: NDArray,
    user: NDArray,
    trust: NDArray,
    users: float,
    conversations: int,
    weights: Sequence[int],
) -> bool:
    """By trying all weights: whether a sum over both sides' sets, nowhere negative, counts too few, one of them on one side only."""
    sums = []
    for part in (left, right):
        tried = np.array(list(itertools.product(weights, repeat=part.max() + 1)), np.int8)
        sums.append(np.hstack([tried, np.zeros((len(tried), 1), np.int8)])[:, part])  # -1, outside, weighs 0
    total = (sums[0][:, None] + sums[1][None]).reshape(-1, len(left))
    counted = total[(total >= 0).all(axis=1)] > 0
    one_sided = (left < 0) | (right < 0)
    found = np.unique(counted[(counted & one_sided).any(axis=1)], axis=0)
    return any(too_few(np.flatnonzero(some), user, trust, users, conversations) for some in found)


def random_pair(rng: np.random.Generator) -> tuple[NDArray, NDArray, NDArray, NDArray, int, int]:
    """Up to 13 conversations in up to four sets on either side, moved about, some in one release only; accounts, trust, thresholds."""
    n, many, few = rng.integers(3, 14), rng.integers(1, 5), rng.integers(1, 5)
    left = rng.integers(0, many, n)
    moved = rng.random(n) < rng.choice([0, 0.1, 0.3])
    right = np.where(moved, rng.integers(0, few, n), rng.integers(0, few, many)[left])
    missing = rng.choice([0, 0.15, 0.4])
    left, right = (np.where(rng.random(n) < missing, -1, part) for part in (left, right))
    kept = (left >= 0) | (right >= 0)
    left, right = left[kept], right[kept]
    for part in (left, right):
        part[part >= 0] = np.unique(part[part >= 0], return_inverse=True)[1]
    user = rng.integers(-1 if rng.random() < 0.3 else 0, rng.integers(1, n + 1), len(left))
    trust = rng.choice([1.0, 1.0, 0.5], n + 1) if rng.random() < 0.3 else np.ones(n + 1)
    return left, right, user, trust, int(rng.integers(0, 4)), int(rng.integers(1, 4))


def sides(left: NDArray, right: NDArray, user: NDArray, trust: NDArray) -> tuple[Side, Side]:
    weight, none = trust[np.maximum(user, 0)], np.zeros(len(left), np.int32)
    one, other = (Side(part.astype(np.int32), user.astype(np.int32), weight, none) for part in (left, right))
    return one, other


@pytest.mark.parametrize(("seed", "pairs", "weights"), [(1, 2500, (-1, 0, 1)), (2, 1000, (-2, -1, 0, 1, 2))])
def test_whatever_a_sum_singles_out_is_found(seed: int, pairs: int, weights: tuple[int, ...]) -> None:
    """No pair with a telling sum passes, and hardly any other is refused."""
    rng = np.random.default_rng(seed)
    telling = refused = 0
    for _ in range(pairs):
        left, right, user, trust, users, conversations = random_pair(rng)
        if not len(left) or len(weights) ** (left.max() + right.max() + 2) > 20_000:
            continue
        found = singled_out(*sides(left, right, user, trust), users, conversations) > 0
        there = sum_of_too_few(left, right, user, trust, users, conversations, weights)
        assert found or not there
        telling, refused = telling + there, refused + found
    assert telling > pairs / 5
    assert refused < 1.1 * telling


def test_sets_that_only_exchange_conversations_tell_nothing() -> None:
    """Where the same conversations are placed differently, no one is in one release only, and nothing is refused."""
    rng = np.random.default_rng(3)
    left, right = rng.integers(0, 4, 200), rng.integers(0, 9, 200)
    assert singled_out(*sides(left, right, np.arange(200), np.ones(200)), 5, 15) == 0


def test_accounts_of_two_releases_do_not_add_up() -> None:
    """Two accounts in each of two releases may be the same two people, and are not four."""
    part = np.zeros(8, np.int32)
    account, release = np.asarray([0, 0, 1, 1] * 2, np.int32), np.asarray([0] * 4 + [1] * 4, np.int32)
    left = Side(part, account, np.ones(8), release)
    right = Side(np.full(8, -1, np.int32), np.full(8, -1, np.int32), np.zeros(8), np.zeros(8, np.int32))
    assert singled_out(left, right, 2, 2) == 1
    assert singled_out(left, right, 1, 2) == 0
    together = Side(part, np.asarray([0, 0, 1, 1, 2, 2, 3, 3], np.int32), np.ones(8), np.zeros(8, np.int32))
    assert singled_out(together, right, 2, 2) == 0


def test_the_cuts_of_a_breakdown_hold_everyone_once_and_give_its_numbers() -> None:
    """At every depth each conversation is in one set, and every published count is a sum of sets of the widest cut."""
    rng = np.random.default_rng(4)
    for _ in range(100):
        sizes = rng.integers(4, 12, (2, 3))
        ends = np.cumsum(sizes).reshape(2, 3)
        leaves = [
            [Scope((i, j), rows=np.arange(ends[i, j] - sizes[i, j], ends[i, j])) for j in range(3)]
            for i in range(2)
        ]
        root = Scope(None, (Scope(0, tuple(leaves[0])), Scope(1, tuple(leaves[1]))))
        codes = rng.integers(-1, 3, sizes.sum()).astype(np.int32)
        counted, cuts = counted_cuts(root, codes, lambda rows: len(rows) >= 4)
        assert len(cuts) == 3
        assert (tree_cut(root, len(codes)) >= 0).all()
        for finer, wider in itertools.pairwise(reversed(cuts)):
            assert (finer >= 0).all()
            assert (wider >= 0).all()
        for value, count in counted[None].items():
            pure = [(cuts[0] == s).sum() for s in np.unique(cuts[0]) if (codes[cuts[0] == s] == value).all()]
            # what is left over at the root may by chance be of this value too
            assert sum(pure) - count in {0, *pure}
        # at a leaf, what its cells leave over is a set of the finest cut
        for leaf in itertools.chain(*leaves):
            left = len(leaf.rows) - sum(counted[leaf.name].values())
            if left:
                assert left in np.unique(cuts[-1][leaf.rows], return_counts=True)[1]


# the folder


def stored(names: Sequence[str], *, dated: bool = False) -> list[pa.RecordBatch]:
    """Conversations that say their names."""
    rows = [
        {
            "created_at": datetime(2026, 1, 1, tzinfo=UTC) if dated else None,
            "messages": [{"role": "user", "content": f"private {text}"} for text in name.split("+")],
        }
        for name in names
    ]
    return [pa.RecordBatch.from_pylist(rows, schema=CONVERSATIONS)] if rows else []


def release(sets: Sequence[Sequence[str]], **facets: Sequence[int]) -> tuple[list[pa.RecordBatch], Released]:
    """Conversations by set of the tree, each by an account of its own; facets give the number of each one's set."""
    names = [name for some in sets for name in some]
    numbers = [number for number, some in enumerate(sets) for _ in some]
    n = len(names)
    partitions = {"tree": numbers, **facets}
    return stored(names), Released(
        Accounts(np.ones(n, bool), np.arange(n, dtype=np.int32), np.ones(n)),
        {
            name: Partition((np.asarray(part, np.int32),), SMALL_USERS, SMALL_CONVERSATIONS)
            for name, part in partitions.items()
        },
    )


def people(name: str, n: int) -> list[str]:
    return [f"{name}{i}" for i in range(n)]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


def test_the_same_release_is_recorded_once(ledger: Ledger) -> None:
    """A run that is repeated or resumed adds nothing; another arrangement of the same conversations is a release of its own."""
    a, b = people("a", 20), people("b", 20)
    first = ledger.record(*release([a, b]), "run", "internal")
    assert ledger.record(*release([a, b]), "again", "internal") == first
    ledger.record(*release([a[:10] + b, a[10:]]), "seed-1", "internal")
    assert [entry.run for entry in ledger.entries()] == ["run", "seed-1"]
    assert first.conversations == 40


def test_a_log_without_one_person_is_refused_and_not_recorded(ledger: Ledger) -> None:
    """The total less the new total would be one person; the error says which release, how many groups, and what to do."""
    a, b = people("a", 20), people("b", 20)
    first = ledger.record(*release([a, b]), "march", "internal")
    with pytest.raises(PrivacyError) as refused:
        ledger.record(*release([a, b[1:]]), "april", "internal")
    said = str(refused.value)
    assert f"(run march, id {first.id})" in said
    assert "1 group of fewer than 2 users or 4 conversations" in said
    assert f"clio ledger {ledger.path} --forget {first.id}" in said
    assert "\n" not in said
    assert ledger.entries() == [first]
    ledger.forget(first.id)
    ledger.record(*release([a, b[1:]]), "april", "internal")
    assert [entry.run for entry in ledger.entries()] == ["april"]


def test_a_log_that_grew_by_enough_everywhere_is_recorded(ledger: Ledger) -> None:
    """New conversations in every set of either release, enough each, tell of no one; two in one set do."""
    a, b = people("a", 20), people("b", 20)
    ledger.record(*release([a, b]), "march", "internal")
    ledger.record(*release([a + people("x", 6), b + people("y", 6)]), "april", "internal")
    with pytest.raises(PrivacyError, match="run march"):
        ledger.record(*release([a + people("v", 6), b + people("w", 2)]), "may", "internal")


def test_new_conversations_alone_are_recorded(ledger: Ledger) -> None:
    """A period that shares nothing with earlier ones can be subtracted from none."""
    ledger.record(*release([people("a", 20)]), "march", "internal")
    ledger.record(*release([people("b", 20)]), "april", "internal")
    assert len(ledger.entries()) == 2


def test_facets_are_compared_too(ledger: Ledger) -> None:
    """Where all clusters grew by enough but one value by a single person, the value's counts would single that one out."""
    a, x = people("a", 20), people("x", 10)
    ledger.record(*release([a], language=[0] * 10 + [1] * 10), "march", "internal")
    with pytest.raises(PrivacyError, match="1 group"):
        ledger.record(*release([a + x], language=[0] * 10 + [1] * 10 + [0] * 9 + [1]), "april", "internal")
    both = [0] * 10 + [1] * 10 + [0] * 5 + [1] * 5
    ledger.record(*release([a + x], language=both), "april", "internal")


@pytest.mark.parametrize("year_first", [True, False])
def test_months_together_are_held_against_their_year(ledger: Ledger, year_first: bool) -> None:
    """The sum of three months less the year would be one person, though no single month is near the year."""
    months = [people(name, 20) for name in ("a", "b", "c")]
    year = [[name for month in months for name in month][:-1]]
    order = [year, *([m] for m in months)] if year_first else [*([m] for m in months), year]
    for number, sets in enumerate(order[:-1]):
        ledger.record(*release(sets), f"r{number}", "internal")
    with pytest.raises(PrivacyError, match="could single out"):
        ledger.record(*release(order[-1]), "last", "internal")


def test_a_conversation_that_went_on_is_still_the_same(ledger: Ledger) -> None:
    """Where there are times, a further message makes no new conversation; a copy is a conversation of its own."""
    n = [f"{i}" for i in range(10)]
    _, one = release([n])
    ledger.record(stored(n, dated=True), one, "march", "internal")
    ledger.record(stored([*n[:9], "9+and on"], dated=True), one, "april", "internal")
    assert len(ledger.entries()) == 1
    _, two = release([[*n, "0"]])
    with pytest.raises(PrivacyError):
        ledger.record(stored([*n, "0"], dated=True), two, "may", "internal")


def test_nothing_readable_lies_in_the_folder(ledger: Ledger) -> None:
    """Only hashes and numbers, for the owner alone, and another ledger's hashes are others."""
    ledger.record(*release([people("a", 20)], language=[0] * 20), "run", "internal")
    assert stat.S_IMODE(ledger.path.stat().st_mode) == 0o700
    for path in ledger.path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"private" not in path.read_bytes()
    table = pq.read_table(next(ledger.path.glob("*.parquet")))
    assert {str(field.type) for field in table.schema} == {"uint64", "int32"}
    other = Ledger(ledger.path.with_name("other"))
    other.record(*release([people("a", 20)]), "run", "internal")
    hashes = pq.read_table(next(other.path.glob("*.parquet")))["conversation"]
    assert not set(hashes.to_pylist()) & set(table["conversation"].to_pylist())


def test_what_cannot_be_kept_or_read_stops_the_run(ledger: Ledger, tmp_path: Path) -> None:
    """A file in the way, somebody else's folder, a lost key and a damaged release are errors that say what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="set ledger=FOLDER"):
        Ledger(tmp_path / "file").record(*release([people("a", 20)]), "run", "internal")
    with pytest.raises(RunError, match="no ledger"):
        Ledger(tmp_path).record(*release([people("a", 20)]), "run", "internal")
    with pytest.raises(RunError, match="no ledger"):
        ledger.entries()
    first = ledger.record(*release([people("a", 20)]), "run", "internal")
    with pytest.raises(RunError, match="no release 'x'"):
        ledger.forget("x")
    (ledger.path / "key").rename(tmp_path / "key")
    with pytest.raises(RunError, match="restore it"):
        ledger.record(*release([people("b", 20)]), "run", "internal")
    (tmp_path / "key").rename(ledger.path / "key")
    (ledger.path / f"{first.id}.parquet").write_bytes(b"PAR1")
    with pytest.raises(RunError, match="cannot be read"):
        ledger.record(*release([people("b", 20)]), "run", "internal")


def test_a_setting_names_a_folder_beside_the_run_or_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative folders are the run folder's neighbours, also where that is the working directory; "off" keeps none."""
    monkeypatch.chdir(tmp_path)
    for run in (Path("run"), tmp_path / "run"):
        found = Ledger.of("clio-ledger", run)
        assert found is not None
        assert found.path == tmp_path / "clio-ledger"
    inside = Ledger.of("clio-ledger", Path("."))
    assert inside is not None
    assert inside.path == tmp_path.parent / "clio-ledger"
    team = Ledger.of(str(tmp_path / "team"), Path("run"))
    assert team is not None
    assert team.path == tmp_path / "team"
    assert Ledger.of("off", Path("run")) is None


def test_of_two_releases_at_once_that_do_not_go_together_one_is_refused(ledger: Ledger) -> None:
    """Checking and recording are one step: whoever comes second sees the first."""
    a = people("a", 300)

    def attempt(missing: int) -> bool:
        try:
            ledger.record(*release([a[missing:]]), f"r{missing}", "internal")
        except PrivacyError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(4))) == 1
    assert len(ledger.entries()) == 1


def test_a_killed_writer_leaves_nothing_behind(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release is there whole or not at all, and the next run goes on."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", killed)
        with pytest.raises(KeyboardInterrupt):
            ledger.record(*release([people("a", 20)]), "run", "internal")
    ledger.record(*release([people("a", 20)]), "run", "internal")
    assert len(ledger.entries()) == 1
