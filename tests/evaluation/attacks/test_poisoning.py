"""The poisoning attack: what is planted tells nothing of the secret, the reader finds what gives it away, and a weak policy falls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from clio.clustering.duplicates import near_duplicates
from clio.evaluation.attacks import medical, poisoning
from clio.evaluation.attacks.evidence import Shadow, evidence
from clio.evaluation.attacks.medical import STRATEGIES, Strategy, Target
from clio.evaluation.ground import Ground
from clio.evaluation.remembering import Remembering
from clio.facets.request import extract
from clio.insights import Cell, Insight, Insights
from clio.models import embedder
from clio.privacy.sensitive import factor_of_text
from clio.run_folder import RunFolder
from clio.settings import Settings
from clio.text import lemma, tokens

PLANTING = [strategy for strategy in STRATEGIES if strategy != "none"]
TARGET = medical.people(1, np.random.default_rng(3))[0]
TIPPING = [5] * 5 + [10] * 5


def text(row: medical.Row) -> str:
    return str(row["messages"][0]["content"])


def words(said: str) -> set[str]:
    return {lemma(token) for token in tokens(said)}


@pytest.mark.parametrize("strategy", PLANTING)
def test_the_attacker_does_not_know_the_secret(strategy: Strategy) -> None:
    """What is planted must be the same whatever the target's secret is, or the attack would prove nothing."""
    planted = [
        medical.plant(strategy, replace(TARGET, cause=cause), 60, 6, tipping=TIPPING, injection=True)
        for cause in range(10)
    ]
    assert all(chats == planted[0] for chats in planted)
    assert len({text(medical.chat(replace(TARGET, cause=cause), 0)) for cause in range(10)}) == 10


@pytest.mark.parametrize("strategy", PLANTING)
@pytest.mark.parametrize(("k", "m"), [(10, 1), (50, 4), (200, 12)])
def test_chats_and_accounts_are_as_many_as_paid_for(strategy: Strategy, k: int, m: int) -> None:
    """An attack must plant k chats of at most m accounts that are neither the target's nor another target's."""
    rows = [chat.row for chat in medical.plant(strategy, TARGET, k, m, tipping=TIPPING)]
    accounts = {row["user"] for row in rows}
    assert len(rows) == k == len({row["id"] for row in rows})
    assert 1 <= len(accounts) <= m
    other = replace(TARGET, number=1)
    assert not accounts & {chat.row["user"] for chat in medical.plant(strategy, other, k, m, tipping=TIPPING)}
    assert not accounts & {medical.chat(TARGET, 0)["user"]}


def test_hedging_stays_one_account_short() -> None:
    """Each cause must be named by exactly as many accounts as leave it one short of its threshold, and the wish shared by all."""
    chats = medical.plant("hedge", TARGET, 60, 12, tipping=[5] * 10)
    naming: dict[int, set[str]] = defaultdict(set)
    for chat in chats:
        for cause in chat.causes:
            assert words(medical.causes(TARGET.complaint)[cause]) <= words(text(chat.row))
            naming[cause].add(chat.row["user"])
    assert {len(accounts) for accounts in naming.values()} == {5}
    assert len(naming) == 10
    assert all("checklist" in text(chat.row) for chat in chats)


@pytest.mark.parametrize("strategy", [strategy for strategy in PLANTING if strategy != "near"])
@pytest.mark.parametrize("injection", [False, True])
def test_poison_is_varied_and_fits_a_request(strategy: Strategy, injection: bool) -> None:
    """Poison that collapses as near-duplicates, or that a request cuts off, would be a straw man."""
    texts = [
        text(chat.row)
        for target in medical.people(4, np.random.default_rng(1))
        for chat in medical.plant(strategy, target, 50, 6, tipping=TIPPING, injection=injection)
    ]
    assert len(set(near_duplicates(texts).tolist())) >= 0.85 * len(texts)
    # all but a greeting at its beginning
    whole = [" ".join(said.split()).endswith(extract([said])) for said in texts]
    assert whole.count(False) <= 0.03 * len(texts)


def test_near_copies_join_through_the_target_only() -> None:
    """Copies of the true cause must be nearer to the target's chat than to each other, so that it swallows them."""
    target = replace(TARGET, cause=2)
    chats = medical.plant("near", target, 200, 10, tipping=TIPPING, room=20)
    same = [text(chat.row) for chat in chats if chat.causes == (2,)]
    own = near_duplicates([text(medical.chat(target, 0)), *same])
    assert (own == 0).mean() > 0.7
    assert len(set(near_duplicates(same).tolist())) > 2 * len(set(own.tolist()))


def test_what_the_attacker_says_raises_no_threshold() -> None:
    """But for the causes, poison must name nothing sensitive: that would only make it harder for him."""
    for complaint in range(medical.complaints()):
        target = replace(TARGET, complaint=complaint, sex="woman")
        for chat in medical.plant("echo", target, 40, 8, tipping=TIPPING):
            said = text(chat.row)
            assert factor_of_text(said) == 1, said


def insights(*clusters: tuple[str, str, int], cells: tuple[Cell, ...] = ()) -> Insights:
    """A release of some clusters (name, description, conversations) on one level."""
    shown = tuple(
        Insight(f"1 {name}", None, 1, name, description, size, "10-49", 0.1, 5, 0.0, 0.0, cells)
        for name, description, size in clusters
    )
    return Insights(shown, (), (), 1000, "500-999")


def shadow(shares: np.ndarray, *clusters: tuple[str, int]) -> Shadow:
    known = [(f"1 {name}", name, size) for name, size in clusters]
    return Shadow(known, {0: shares}, {0: np.full(len(clusters), 1 / len(clusters))})


SKIN = Target(0, 1, 40, "man", "XA", "2031-05-06T12:00:00Z", 0)


def guess(release: Insights, control: Insights, known: Shadow, cause: int) -> poisoning._Guess:
    target = replace(SKIN, cause=cause)
    return poisoning._guess(target, evidence(release, control, known, target), "hedge")


def test_the_reader_hears_a_word_that_was_not_there() -> None:
    """A cause named in the release and not in the control must be guessed, by a synonym too, and sworn to."""
    control = insights(("Ask about skin", "People ask about itching.", 40))
    known = shadow(np.zeros((1, 10)), ("Ask about skin", 40))
    names = medical.causes(SKIN.complaint)
    for said, cause in [("rosacea", "rosacea"), ("zoster", "shingles"), ("an athlete", "athlete's foot")]:
        release = insights(("Ask about skin", f"People ask about itching and {said}.", 41))
        found = guess(release, control, known, names.index(cause))
        assert found.right == 1
        assert found.sure
        assert not guess(release, control, known, names.index("lupus")).right


def test_the_reader_sees_sizes_clusters_and_cells() -> None:
    """One conversation more, a cluster or a cell that was not shown must point at the cause whose chats lie there."""
    shares = np.zeros((2, 10))
    shares[0, 3] = shares[1, 4] = 1.0
    known = shadow(shares, ("Plan a trip", 30), ("Bake a cake", 30))
    control = insights(("Plan a trip", "", 30), ("Bake a cake", "", 30))
    larger = insights(("Plan a trip", "", 31), ("Bake a cake", "", 30))
    assert guess(larger, control, known, 3).right == 1
    fewer = insights(("Bake a cake", "", 30))
    assert guess(control, fewer, known, 3).right == 1
    cells = insights(("Plan a trip", "", 30), cells=(Cell("country", "XA", 20, 0.5, 0.1),))
    assert guess(cells, insights(("Plan a trip", "", 30)), known, 3).right == 1


def test_the_reader_sees_what_moved() -> None:
    """Where the number of his own country's chats in a cluster is gone, whatever it is called now, its cause must be the likelier."""
    shares = np.zeros((2, 10))
    shares[0, 3] = shares[1, 4] = 1.0
    known = shadow(shares, ("Plan a trip", 40), ("Bake a cake", 30))

    def shown(trip: tuple[str, int], cake: tuple[str, int]) -> Insights:
        parts = [
            insights((name, "", size), cells=(Cell("country", "XA", size, 0.5, 0.1),))
            for name, size in (trip, cake)
        ]
        return replace(parts[0], clusters=parts[0].clusters + parts[1].clusters)

    control = shown(("Plan a trip", 40), ("Bake a cake", 30))
    release = shown(("See the world", 44), ("Eat sweets", 30))
    assert guess(release, control, known, 3).right == 1
    assert guess(release, control, known, 4).right == 0


def test_without_evidence_every_cause_is_as_likely() -> None:
    """Where a release is the control's, a guess must be blind: one in ten, and never sworn to."""
    control = insights(("Ask about skin", "People ask about psoriasis and eczema.", 40))
    known = shadow(np.full((1, 10), 1.0), ("Ask about skin", 40))
    found = [guess(control, control, known, cause) for cause in range(10)]
    assert sum(one.right for one in found) == pytest.approx(1)
    assert not any(one.sure for one in found)


WISHES = ("Write a poem about {}.", "How do I bake bread with {}?", "Plan a trip to see {}.")
THINGS = ("rivers", "seeds", "castles", "honey", "old trains", "apples", "lakes", "cheese", "parks", "oats")
LOG: list[medical.Row] = [
    {
        "id": str(n),
        "user_id": f"u{n}",
        "messages": [{"role": "user", "content": WISHES[n % 3].format(THINGS[n // 3])}],
    }
    for n in range(30)
]


class Naive(Ground):
    """Publishes for the chats around each target the words that five accounts say: plain k-anonymity."""

    def run(self, name: str, rows: Sequence[medical.Row], **_overrides: object) -> tuple[Insights, Path]:
        folder = self.folder / name
        cluster = {row["id"]: row["id"].split("-")[1] if row["id"][0] != "b" else "none" for row in rows}
        said: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for row in rows:
            for word in words(text(row)):
                said[cluster[row["id"]]][word].add(row["user"])
        names = {number: f"Group {number}" for number in said}
        shown = [
            (names[number], " ".join(word for word, who in by.items() if len(who) >= 5), 50)
            for number, by in said.items()
        ]
        kept = RunFolder(folder)
        kept.create()
        members = {"id": list(cluster), "cluster": list(cluster.values())}
        kept.write_table("assignments", "", pa.table(members))
        kept.write_table("candidates", "", pa.table({"id": list(names), "name": list(names.values())}))
        return insights(*shown), folder


def test_plain_k_anonymity_falls(tmp_path: Path) -> None:
    """Where a word of five accounts is published, four accounts that name every cause must learn the secret; three must not."""
    naive = Naive(LOG, Settings(min_users=4), tmp_path)
    results = {m: poisoning.poisoning(naive, (60,), (m,), ("hedge",), targets=30)[0] for m in (3, 4, 5)}
    assert results[4].value > 0.4  # what the tool knows as sensitive is not tried with four
    assert results[4].limit is None
    assert results[4].note.startswith("sure of")
    assert results[3].limit == pytest.approx(0.1)
    assert results[3].value == pytest.approx(0.1)
    assert results[3].holds
    assert [result.tried for result in results.values()] == [30, 30, 30]
    (argmax,) = poisoning.poisoning(naive, (60,), (4,), ("argmax",), targets=30)
    assert argmax.low > 0.7
    assert not any(tmp_path.iterdir()), "poisoned runs are left behind"


def test_real_runs_are_poisoned_and_deleted(tmp_path: Path) -> None:
    """The attack must go through whole runs, whatever the log calls a user, and leave nothing of them."""
    settings = Settings(users="conversation", policy="public-data", ledger="off")
    ground = Ground(LOG, settings, tmp_path, Remembering(embedder("minilm")))
    (result,) = poisoning.poisoning(ground, (12,), (2,), ("existence",), injection=(True,), targets=3)
    assert (result.attack, result.tried, result.limit) == ("poisoning", 3, 0.1)
    assert result.case == "existence, 2 accounts, 12 chats, orders"
    assert 0 <= result.low <= result.value <= result.high <= 1
    assert not any(tmp_path.iterdir())
