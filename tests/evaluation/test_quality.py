"""The measures of quality say what they claim, on clusterings whose worth is known."""

from __future__ import annotations

import gzip
import itertools
import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from sklearn import metrics

from clio import demo
from clio.cli.evaluate import evaluate
from clio.clustering import stability
from clio.errors import ModelError, SourceError
from clio.evaluation import agreement, labelled, naming, reconstruction, shares
from clio.evaluation.clustered import Clustered
from clio.models.answers import Answers
from clio.models.protocols import Answer, Prompt, Usage
from clio.models.roles import Model
from clio.testing import model_server

TEXTS = [("Report a lost card", ""), ("Plan a trip", ""), ("Cook rice", "")]


class Words:
    """An embedder by words: a text's vector counts those of a small vocabulary."""

    name = "words"
    vocabulary = ("lost", "card", "plan", "trip", "cook", "rice")
    dimensions = len(vocabulary)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        found = [[word in text.casefold() for word in self.vocabulary] for text in texts]
        vectors = np.asarray(found, np.float32).reshape(len(texts), self.dimensions)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def clustered(*levels: Sequence[int], texts: Sequence[tuple[str, str] | None] = TEXTS) -> Clustered:
    numbers = [np.asarray(level, np.int32) for level in levels]
    named = [list(texts)[: int(numbers[0].max()) + 1]]
    named += [[("All", "")] * (int(level.max()) + 1) for level in numbers[1:]]
    return Clustered([str(n) for n in range(len(levels[0]))], numbers, named)


def test_a_labels_words_are_those_people_would_read() -> None:
    """Camel case, underscores and signs part words."""
    assert labelled.in_words("HassClimateGetTemperature") == "hass climate get temperature"
    assert labelled.in_words("credit_cards+ReserveCar") == "credit cards reserve car"


def test_dendrogram_purity_is_that_of_all_pairs() -> None:
    """Drawn pairs come close to the mean over every pair of one label, found by brute force; a perfect tree has 1."""
    rng = np.random.default_rng(0)
    base, truth = rng.integers(0, 6, 60), [str(n) for n in rng.integers(0, 4, 60)]
    found = clustered(base.tolist(), (base // 3).tolist(), texts=[("x", "")] * 6)
    purities = []
    for a, b in itertools.combinations(range(60), 2):
        if truth[a] == truth[b]:
            shared = [level == level[a] for level in found.levels if level[a] == level[b]]
            inside = shared[0] if shared else np.ones(60, bool)
            purities.append(np.mean([truth[n] == truth[a] for n in np.flatnonzero(inside)]))
    assert agreement.dendrogram_purity(found, truth, 40_000) == pytest.approx(np.mean(purities), abs=0.01)
    assert agreement.dendrogram_purity(found, [str(n) for n in base]) == 1.0


def test_singletons_and_balance() -> None:
    """One cluster of four is a single conversation; clusters of one size are balanced."""
    assert agreement.singletons(np.asarray([0, 0, 1, 1, 2, 2, 3, -1], np.int32)) == 0.25
    assert agreement.balance(np.asarray([0, 0, 1, 1], np.int32)) == pytest.approx(1.0)
    assert agreement.balance(np.asarray([0] * 99 + [1], np.int32)) < 0.1


def test_reconstruction_gives_clusters_to_categories_by_their_names() -> None:
    """A conversation is right where its cluster's name leads to its category; one under no name never is."""
    categories = ["lost card", "trip", "rice"]
    truth = np.asarray([0, 0, 1, 1, 2, 0], np.int32)
    found = clustered([0, 0, 1, 1, 2, 2])
    told = reconstruction.Codebook.of_names(categories)
    assert (reconstruction.by_names(found, told, Words()) == truth).tolist() == [True] * 5 + [False]
    assert reconstruction.best(found, truth) == pytest.approx(5 / 6)
    hidden = clustered([0, 0, 1, 1, 2, 2], texts=[None, *TEXTS[1:]])
    assert (reconstruction.by_names(hidden, told, Words()) == truth).tolist()[:3] == [False, False, True]


def test_reconstruction_gives_clusters_to_categories_by_what_most_members_are_nearest_to() -> None:
    """A cluster goes where two of its three members go, by any label of a category, whatever it is called; one in none is given none."""
    categories = ["cards", "journeys"]
    inside = [("cards", "lostCard"), ("cards", "newPIN"), ("journeys", "trip")]
    told = reconstruction.Codebook.of_labels(categories, inside)
    assert (list(told.texts), told.of.tolist()) == (
        ["cards: lost card", "cards: new pin", "journeys: trip"],
        [0, 0, 1],
    )
    found = clustered([0, 0, 0, 1, 1, -1], texts=[None, None])
    said = ["a lost card", "my new pin", "a trip", "plan a trip", "trip", "lost"]
    requests = dict(zip(found.ids, said, strict=True))
    assert reconstruction.by_members(found, told, requests, Words()).tolist() == [0, 0, 0, 1, 1, -1]
    # a cluster whose members ask for nothing is given none
    assert reconstruction.by_members(found, told, {"0": "a trip"}, Words()).tolist() == [1, 1, 1, -1, -1, -1]


def test_what_a_whole_language_sounds_like_gives_no_category() -> None:
    """All requests in one language hold two words that tell of food; without that language's mean they go where they belong."""
    inside = [("cards", "card"), ("journeys", "trip"), ("food", "cook rice")]
    told = reconstruction.Codebook.of_labels(["cards", "journeys", "food"], inside)
    found = clustered(np.repeat([0, 1, 2, 3], 20).tolist(), texts=[None] * 4)
    said = np.repeat(["a card", "a trip", "cook rice card", "cook rice trip"], 20).tolist()
    requests = dict(zip(found.ids, said, strict=True))
    spoken = dict(zip(found.ids, np.repeat(["en", "de"], 40).tolist(), strict=True))
    by_sound = reconstruction.by_members(found, told, requests, Words())
    assert by_sound[::20].tolist() == [0, 1, 2, 2]
    assert reconstruction.by_members(found, told, requests, Words(), spoken)[::20].tolist() == [0, 1, 0, 1]


def test_a_name_is_found_by_its_own_requests_only() -> None:
    """The cluster's own text comes first for what it says, another's for what it does not; one without a text is not found."""
    requests, clusters = ["my card is lost", "a trip", "cook rice"], np.asarray([0, 1, 2], np.int32)
    assert naming.retrieval(requests, clusters, TEXTS, Words()).first == 1.0
    turned = naming.retrieval(requests, clusters, TEXTS[::-1], Words())
    assert (turned.first, turned.tried) == (pytest.approx(1 / 3), 3)
    none = naming.retrieval(requests, clusters, [None, None, TEXTS[2]], Words())
    assert none.reciprocal == pytest.approx(1 / 3)


class Reader:
    """Chooses the group that shares most words with the request; says nothing of requests without words."""

    name, host = "reader", "here"

    async def complete(self, prompt: Prompt) -> Answer:
        whole = prompt.messages[0][1]
        request = re.findall(r"<request>(.*?)</request>", whole, re.DOTALL)[0].split()
        groups = re.findall(r"<group>(\d+): (.*?)</group>", whole)
        scores = [sum(word in text.casefold() for word in request) for _, text in groups]
        best = groups[int(np.argmax(scores))][0]
        return Answer(f"<answer>{best}</answer>" if max(scores) else "none of them", Usage(1, 1))

    async def close(self) -> None: ...


def test_a_chat_model_finds_a_members_cluster_by_its_name_only_where_the_name_tells() -> None:
    """All are found behind their own names and none behind turned ones; a cluster without a text is not tried, silence is counted."""
    requests = [" ".join(text[0].casefold().split()) for text in TEXTS]
    clusters = np.arange(len(TEXTS), dtype=np.int32)
    middles = np.eye(len(TEXTS), 4, dtype=np.float32)
    with Answers() as answers:
        reader = Model(Reader(), answers)
        kept = naming.recognised(requests, clusters, TEXTS, middles, reader)
        assert (kept.tried, kept.right, kept.unread) == (3, 3, 0)
        turned = naming.recognised(requests, clusters, [*TEXTS[1:], TEXTS[0]], middles, reader)
        assert (turned.tried, turned.right) == (3, 0)
        missing = naming.recognised(requests, clusters, [None, *TEXTS[1:]], middles, reader)
        assert (missing.tried, missing.right) == (2, 2)
        silent = naming.recognised(["zzz"], clusters[:1], TEXTS, middles, reader)
        assert (silent.tried, silent.right, silent.unread) == (1, 0, 1)


def test_names_that_say_the_same_are_counted() -> None:
    """Two of three clusters share a name, and the nearest sibling of each is as near as can be."""
    parents = np.zeros(3, np.int32)
    told = naming.names([TEXTS[0], TEXTS[0], TEXTS[1]], parents, Words())
    assert told.repeated == pytest.approx(2 / 3)
    assert told.alike == pytest.approx(2 / 3)
    assert naming.names(TEXTS, np.arange(3, dtype=np.int32), Words()).alike == 0


def test_the_same_clusters_under_other_numbers_come_again_and_random_ones_do_not() -> None:
    """1 for a renumbering, about 0 for chance."""
    rng = np.random.default_rng(1)
    one = rng.integers(0, 8, 2000).astype(np.int32)
    same = stability.again(one, (7 - one).astype(np.int32))
    assert (same.ami, same.matched) == (pytest.approx(1.0), 1.0)
    chance = stability.again(one, rng.integers(0, 8, 2000).astype(np.int32))
    assert abs(chance.ami) < 0.02
    assert chance.matched == 0
    half = stability.again(np.where(one < 4, one, -1).astype(np.int32), one)
    assert half.matched == pytest.approx((one < 4).mean())
    assert half.ami < 0.9


@pytest.mark.parametrize(
    ("n", "k", "other"), [(40, 3, 5), (900, 60, 40), (30, 1, 4), (30, 30, 30), (20, 20, 3)]
)
def test_agreement_is_that_of_scikit_learn(n: int, k: int, other: int) -> None:
    """Clusters that go with their labels, by chance, all in one, or all apart."""
    dice = np.random.default_rng(n)
    truth = dice.permutation(np.arange(n) % k)
    clusters = np.where(dice.random(n) < 0.5, truth % other, dice.integers(0, other, n)).astype(np.int32)
    found = agreement.score([f"label {label}" for label in truth], clusters)
    assert found.ami == pytest.approx(metrics.adjusted_mutual_info_score(truth, clusters), abs=1e-9)
    assert found.ari == pytest.approx(metrics.adjusted_rand_score(truth, clusters), abs=1e-9)
    assert found.v == pytest.approx(metrics.v_measure_score(truth, clusters), abs=1e-9)


def test_intervals_of_samples_hold_the_share_of_all_as_often_as_they_say() -> None:
    """About 95 in 100, and shares that are the true ones have no error."""
    clusters = np.random.default_rng(2).integers(0, 10, 5000).astype(np.int32)
    held, tried = shares.covered(clusters, 400, draws=200)
    assert tried == 2000
    assert held / tried == pytest.approx(0.95, abs=0.02)
    exact = shares.shares(clusters, clusters, 10)
    assert (exact.error, exact.correlation) == (0, pytest.approx(1.0))


def test_a_log_without_labels_is_refused(tmp_path: Path) -> None:
    """With the column that was looked for."""
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps({"messages": [{"role": "user", "content": "hello there"}]}) + "\n", "utf-8")
    with pytest.raises(SourceError, match="column 'topic'"):
        labelled.read([path], "topic")


def labels_of_sample() -> dict[str, list[str]]:
    """Category and label of the made-up sample's conversations, by id."""
    path = Path(__file__).parents[1] / "golden" / "sample_labels.json"
    found: dict[str, list[str]] = json.loads(path.read_text("utf-8"))
    return found


def labelled_sample(folder: Path) -> Path:
    """The made-up sample as a log with labels."""
    truth = labels_of_sample()
    with gzip.open(demo.path(), "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    path = folder / "log.jsonl"
    path.write_text(
        "".join(
            json.dumps({**row, "parent_label": truth[row["id"]][0], "label": truth[row["id"]][1]}) + "\n"
            for row in rows
            if row["id"] in truth
        ),
        "utf-8",
    )
    return path


@pytest.mark.slow
def test_the_command_measures_runs_of_a_labelled_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clusters of the made-up sample agree with its labels far better than chance, every figure is a number, and nothing is left behind."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    told = ["--seeds", "1", "--limit", "400", "--set", "embedder=minilm", "--json", "--quiet"]
    done = CliRunner().invoke(evaluate, [str(labelled_sample(tmp_path)), *told], catch_exceptions=False)
    truth = labels_of_sample()
    found = {(row["measure"], row["case"]): row["value"] for row in json.loads(done.stdout)}
    assert found["agreement ami", "labels, base"] > 0.4
    # told how many labels there are, it makes no more clusters
    assert found["agreement ami", "labels, base, told how many"] > 0.4
    assert 1 < found["clusters", "base, told how many"] <= len({label for _, label in truth.values()})
    assert found["names, a member's own cluster first", "base"] > 0.2
    assert (
        0
        < found["reconstruction", "labels"]
        <= found["reconstruction, the best that clusters allow", "labels"]
    )
    assert all(np.isfinite(value) for value in found.values())
    assert [one.name for one in tmp_path.iterdir()] == ["log.jsonl"]


@pytest.mark.slow
def test_chat_models_are_asked_once_in_whichever_run_and_what_fails_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of no conversation facets are asked twice in any run, also after a judge that failed, and quoted what it read, which is not told."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    path = labelled_sample(tmp_path)

    def evaluated(model: str, judge: str) -> Result:
        told = ["--seeds", "1", "--limit", "150", "--set", "embedder=minilm", "--set", f"model={model}"]
        asked = ["--judge", judge, "--judged", "5", "--json", "--quiet"]
        return CliRunner().invoke(evaluate, [str(path), *told, *asked])

    with model_server(record=True) as server, model_server(faults={"401": 1.0}, record=True) as failing:
        model, judge = (f"openai:{name}@{server.url}" for name in ("stand-in", "judge"))
        stopped = evaluated(model, f"openai:judge@{failing.url}")
        assert isinstance(stopped.exception, ModelError)
        read = [json.loads(body)["messages"][-1]["content"] for body in failing.bodies or ()]
        requests = [re.findall(r"<request>(.*?)</request>", text, re.DOTALL)[0].strip() for text in read]
        assert requests
        assert not any(request in f"{stopped.exception!r} {stopped.output}" for request in requests)
        done = evaluated(model, judge)
        asked = [body for body in server.bodies or () if "<conversation>" in body]
        assert 100 < len(asked) == len(set(asked)) <= 150
        calls = server.calls
        assert evaluated(model, judge).stdout == done.stdout
        assert server.calls == calls
    assert done.exit_code == 0, done.exception
    found = {row["measure"]: row["value"] for row in json.loads(done.stdout)}
    # the stand-in reads nothing, so it does not choose well
    assert 0 <= found["names, own cluster chosen of five"] <= 1
    kept = [one.name for one in (tmp_path / "clio-run-log" / "private").iterdir()]
    assert "answers.sqlite" in kept
    assert "evaluation" not in kept
