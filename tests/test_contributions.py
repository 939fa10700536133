"""What one account may contribute: at most so many conversations count anywhere, chosen at random, the others cost nothing."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

import clio
from clio.facets.computed import trust
from clio.run_folder import RunFolder
from clio.sampling import contributed

TASKS = ("book a flight to the coast", "report a lost card", "translate this letter", "fix my python code")


def log(heavy: int = 90) -> pa.Table:
    """Forty accounts of three conversations, and one of ``heavy``; ages in days, the heavy one's is 1."""
    users = [f"u{i // 3}" for i in range(120)] + ["heavy"] * heavy
    rows = [
        {
            "user": user,
            "age": 1 if user == "heavy" else 400,
            "messages": [
                {"role": "user", "content": f"Please {TASKS[i % 4]}, number {i} of mine, for {user}"}
            ],
        }
        for i, user in enumerate(users)
    ]
    return pa.Table.from_pylist(rows)


def stored(folder: Path) -> Counter[str]:
    return Counter(RunFolder(folder).read("conversations", ["user"])["user"].to_pylist())


def test_no_account_contributes_more_than_its_share() -> None:
    """Rows beyond the limit are left out at random; accounts nobody knows stay whole."""
    users = pa.chunked_array([["a"] * 100 + ["b"] * 5 + [None] * 30])
    kept = contributed(users, 10, 0).tolist()
    assert Counter(users.take(pa.array(kept)).to_pylist()) == {"a": 10, "b": 5, None: 30}
    assert kept == sorted(set(kept))
    assert kept != contributed(users, 10, 1).tolist()
    # at random, not the first: over many seeds each of a's rows is chosen
    chosen = {row for seed in range(100) for row in contributed(users, 10, seed).tolist() if row < 100}
    assert len(chosen) == 100


def test_a_heavy_account_counts_for_what_the_policy_allows(tmp_path: Path) -> None:
    """The rest is left out before anything is made of it, and said; without a limit all count again."""
    insights = clio.run(log(), tmp_path / "run", max_per_user=10, ledger="off")
    assert max(stored(tmp_path / "run").values()) == 10
    assert insights.conversations == 130
    assert clio.run_notes.summary(tmp_path / "run")["beyond_max_per_user"] == 80
    assert clio.run(log(), tmp_path / "whole", max_per_user=0, ledger="off").conversations == 210
    assert clio.run(log(), tmp_path / "default", ledger="off").conversations == 170


def test_a_sample_is_drawn_of_what_may_count(tmp_path: Path) -> None:
    """The population of a sample is what remains after the limit; the same folder can go back to all."""
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in log().to_pylist()), "utf-8")
    insights = clio.run(path, tmp_path / "run", max_per_user=10, sample=100, ledger="off")
    assert insights.sample is not None
    assert (insights.sample.population, insights.sample.conversations) == (130, 100)
    assert clio.run(path, tmp_path / "run", max_per_user=0, ledger="off").conversations == 210
    assert clio.run(path, tmp_path / "run", max_per_user=10, ledger="off").conversations == 130


def test_young_accounts_count_by_their_age(tmp_path: Path) -> None:
    """A log of accounts a day old has nobody behind it where thirty days make a person; old ones count in full."""
    old = clio.run(log(), tmp_path / "old", trust="age", trust_full=30, ledger="off")
    assert old.coverage > 0.5
    young = log().set_column(1, "age", pa.array([1] * 210))
    with pytest.raises(clio.PrivacyError, match="too few"):
        clio.run(young, tmp_path / "young", trust="age", trust_full=30, ledger="off")


@pytest.mark.parametrize(
    ("value", "weight"), [(15, 0.5), ("30", 1.0), (300, 1.0), (-5, 0.0), ("old", None), (None, None)]
)
def test_trust_is_a_share_of_what_counts_in_full(value: object, weight: float | None) -> None:
    """Numbers, also as text, become 0 to 1; anything else is unknown."""
    assert trust(value, 30) == weight
