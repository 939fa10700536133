"""The membership attacker: sure of a release that quotes its log, at a loss before one that does not."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from clio import demo
from clio.errors import SettingsError
from clio.evaluation.attacks import Result
from clio.evaluation.attacks.membership import account, auc, logistic, membership
from clio.evaluation.attacks.suite import attack, self_test
from clio.evaluation.ground import Ground
from clio.evaluation.remembering import Remembering
from clio.insights import Insight, Insights
from clio.settings import Settings


class Words:
    """An embedder of words: a random direction each, summed."""

    name = "words"
    dimensions = 128

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += texts
        found = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            for word in text.casefold().split():
                found[row] += np.random.default_rng(zlib.crc32(word.encode())).normal(size=self.dimensions)
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)


def log(accounts: int, each: int = 2) -> list[dict]:
    """Conversations with a word of their own each, and of their account."""
    return [
        {
            "id": f"c{who}-{number}",
            "user": f"u{who}",
            "messages": [
                {"role": "user", "content": f"please describe thing{who} and item{who}x{number} for me"}
            ],
        }
        for who in range(accounts)
        for number in range(each)
    ]


class Released(Ground):
    """A ground whose releases quote their logs, or say the same whatever the log."""

    quoting = True

    def run(self, name: str, rows: Sequence[dict], **overrides: object) -> tuple[Insights, Path]:
        assert overrides == {"ledger": "off"}
        said = [row["messages"][0]["content"] for row in rows] if self.quoting else ["Describe things"] * 3
        clusters = [
            Insight(f"1.{i}", None, 1, text, "", 10, "10-49", 0.1, 5, 0.0, 0.0) for i, text in enumerate(said)
        ]
        return Insights(tuple(clusters), (), (), 100, "50-99"), self.folder / name


class Same(Released):
    """Releases that do not depend on the log."""

    quoting = False


def by_case(results: list[Result]) -> dict[str, Result]:
    return {result.case: result for result in results}


def test_a_release_that_quotes_its_log_gives_every_member_away(tmp_path: Path) -> None:
    """Names that are conversations are recognised, by meaning and by rare words, and the limit is seen to be broken."""
    ground = Released(log(160), Settings(), tmp_path, Words())
    results = by_case(membership(ground, splits=3, references=2))
    for case in ("nearest text", "nearest text against reference releases", "rare words in published text"):
        assert results[case].value > 0.99
        assert results[case].low <= results[case].value <= results[case].high
        assert not results[case].holds
    assert results["combination"].value > 0.99
    assert results["whole accounts: combination"].value > 0.99
    assert results["strangest 5%: rare words in published text"].value > 0.99


def test_a_release_that_tells_nothing_of_its_log_gives_nobody_away(tmp_path: Path) -> None:
    """Without a difference there is nothing to guess by: every AUC's interval holds one half, most are exactly that."""
    results = by_case(membership(Same(log(160), Settings(), tmp_path, Words()), splits=3, references=2))
    assert results["nearest text against reference releases"].value == 0.5
    assert results["size of the nearest cluster"].value == 0.5
    for case in ("nearest text", "rare words in published text", "combination"):
        assert results[case].low <= 0.5 <= results[case].high or abs(results[case].value - 0.5) < 0.05


def test_real_runs_of_the_bundled_sample(tmp_path: Path) -> None:
    """On real runs all attackers are there, with values in 0..1 inside their intervals; half the accounts are never guessed about."""
    with gzip.open(demo.path(), "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file][:800]
    settings = Settings(policy="public-data", duplicates=1.0)
    ground = Ground(rows, settings, tmp_path, Remembering(Words()))
    done: list[int] = []
    results = membership(ground, targets=150, splits=2, references=1, progress=done.append)
    assert done == [1, 1, 1]
    assert len(results) >= 8
    for result in results:
        assert result.attack == "membership"
        assert 0 <= result.low <= result.value <= result.high <= 1
        assert result.limit == 0.55
    assert by_case(results)["nearest text"].tried == 300
    assert by_case(results)["nearest text"].value < 0.7


def test_one_split_cannot_teach_the_combined_attacker(tmp_path: Path) -> None:
    """It learns on other splits than the one it is tried on."""
    with pytest.raises(SettingsError, match="two splits"):
        membership(Same(log(20), Settings(), tmp_path, Words()), splits=1)


def test_a_log_without_requests_is_refused(tmp_path: Path) -> None:
    """Where nobody says anything there is nothing to guess about."""
    rows = [{**row, "messages": [{"role": "user", "content": ""}]} for row in log(20)]
    with pytest.raises(SettingsError, match="says anything"):
        membership(Same(rows, Settings(), tmp_path, Words()))


@pytest.mark.parametrize("told", [0.0, 1.0, 6.0])
def test_the_combined_attacker_is_scikit_learns_logistic_regression(told: float) -> None:
    """The same weights, for features that tell nothing, something, or nearly all."""
    rng = np.random.default_rng(3)
    features = rng.normal(size=(300, 4))
    inside = rng.random(300) < 1 / (1 + np.exp(-told * features[:, 0] - 0.5))
    expected = LogisticRegression(C=0.1, tol=1e-10, max_iter=1000).fit(features, inside)
    assert logistic(features, inside) == pytest.approx([*expected.intercept_, *expected.coef_[0]], abs=1e-5)


def test_auc_is_that_of_scikit_learn() -> None:
    """With ties, with weights, and one half where nobody is on one side."""
    rng = np.random.default_rng(0)
    scores, inside = rng.integers(0, 6, 60).astype(float), rng.random(60) < 0.4
    weights = rng.integers(0, 4, (5, 60)).astype(float)
    expected = [roc_auc_score(inside, scores, sample_weight=one) for one in weights]
    assert auc(scores, inside, weights) == pytest.approx(expected)
    assert auc(scores, np.ones(60, bool), np.ones((1, 60))) == [0.5]


def test_accounts_are_those_of_the_run(tmp_path: Path) -> None:
    """The user column as mapped, the usual ones, or each conversation where the owner says so."""
    row = {"id": "7", "who": "a", "user_id": "b"}
    assert account(row, Ground([], Settings(), tmp_path)) == "user b"
    assert account(row, Ground([], Settings(columns={"user": "who"}), tmp_path)) == "user a"
    assert account(row, Ground([], Settings(users="conversation"), tmp_path)) == "7"
    assert account({"id": "7"}, Ground([], Settings(), tmp_path)) == "7"


def test_texts_are_embedded_once() -> None:
    """A remembering embedder asks for new texts only, and gives what the other gave, as float16 keeps it."""
    inner = Words()
    encoder = Remembering(inner)
    first = encoder.encode(["one two", "three", "one two"])
    again = encoder.encode(["three", "four"])
    assert inner.asked == ["one two", "three", "four"]
    assert (encoder.name, encoder.dimensions) == ("words", 128)
    assert first.dtype == np.float32
    assert (first[0] == first[2]).all()
    assert (again[0] == first[1]).all()
    assert first == pytest.approx(inner.encode(["one two", "three", "one two"]), abs=1e-3)
    assert encoder.encode([]).shape == (0, 128)


@pytest.mark.slow
def test_the_bundled_sample_tells_little_of_who_is_in_it(tmp_path: Path) -> None:
    """What clio attack --self-test promises of membership holds, as of today's names and clusters."""
    assert [one.case for one in attack(self_test(tmp_path), ["membership"]) if not one.holds] == []
