import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from clio import models
from clio.errors import ModelError
from clio.models import static
from clio.models.minilm import MiniLM
from clio.models.static import Static

TEXTS = [
    "how do i report a lost card",
    "my card was stolen, what now",
    "write a poem about autumn",
    "",
    "what is the weather in spring " * 60,
    "a\ud800b \0 c",
    "\U0001f9a9 \U00013000",
]


@pytest.fixture(scope="module")
def encoder() -> models.Embedder:
    return models.embedder("static")


def test_rows_are_float32_of_unit_length_also_of_texts_without_a_known_word(encoder: models.Embedder) -> None:
    """Every text has a vector of unit length: empty ones, broken ones and those of unknown signs alone too."""
    vectors = encoder.encode([*TEXTS, " \n\t", "[PAD] [CLS] [unused7]"])
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS) + 2, encoder.dimensions)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert vectors[3].tobytes() == vectors[6].tobytes() == vectors[7].tobytes()
    assert encoder.encode([]).shape == (0, encoder.dimensions)


def test_a_text_has_the_same_vector_whatever_its_batch(
    encoder: models.Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alone, among others and across the borders of chunks a text's vector is the same to the byte."""
    texts = TEXTS * 3
    together = encoder.encode(texts)
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    monkeypatch.setattr(static, "_CHUNK", 4)
    assert together.tobytes() == alone.tobytes() == encoder.encode(texts).tobytes()


def test_the_number_of_cores_changes_no_byte(encoder: models.Embedder) -> None:
    """A process whose tokenizer runs on one thread makes the same vectors."""
    code = (
        "import sys; from clio.models.static import Static; "
        "sys.stdout.buffer.write(Static().encode(sys.stdin.read().splitlines()).tobytes())"
    )
    texts = [f"question number {n} about spreadsheets" + " and charts" * (n % 9) for n in range(200)]
    one = {**os.environ, "RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    out = subprocess.run(
        [sys.executable, "-c", code],
        input="\n".join(texts).encode(),
        capture_output=True,
        env=one,
        check=True,
    ).stdout
    assert out == encoder.encode(texts).tobytes()


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("how do i report a lost card", "my credit card was stolen", "write a poem about autumn"),
        ("turn off the lights in the bedroom", "switch the lamp off", "what is the capital of peru"),
        ("fix the bug in my python script", "debug this code", "suggest a recipe for dinner"),
        ("translate this sentence into french", "how do you say hello in spanish", "is it going to rain"),
    ],
)
def test_texts_of_like_meaning_lie_nearer_than_others(
    encoder: models.Embedder, text: str, near: str, far: str
) -> None:
    """A text of like meaning, with hardly a word in common, is nearer by far than one of another meaning."""
    one, like, other = encoder.encode([text, near, far])
    assert one @ like > one @ other + 0.2


def test_it_agrees_with_the_model_that_it_was_distilled_from(encoder: models.Embedder) -> None:
    """Which of some requests are alike it judges much as MiniLM does."""
    acts = ["explain", "write an email about", "how much costs", "cancel"]
    things = [
        "my phone contract",
        "quantum physics",
        "a flight to rome",
        "the stock market",
        "a python error",
    ]
    texts = [f"{act} {thing}" for act in acts for thing in things]
    upper = np.triu_indices(len(texts), 1)
    ours, theirs = (
        (vectors @ vectors.T)[upper] for vectors in (encoder.encode(texts), MiniLM().encode(texts))
    )
    assert np.corrcoef(ours, theirs)[0, 1] > 0.8


def test_a_text_is_cut_after_the_tokens_allowed() -> None:
    """Words beyond the limit change nothing; words within do."""
    same, cut, other = Static(max_tokens=6).encode(
        ["one two three four five six", "one two three four five six seven", "one two"]
    )
    assert same.tobytes() == cut.tobytes() != other.tobytes()


def test_weights_with_a_changed_byte_are_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is not the one pinned is not loaded, and the error says so in one line that names the embedder."""
    changed = bytearray(static.PATH.read_bytes())
    changed[len(changed) // 2] ^= 1
    file = tmp_path / "static.npz"
    file.write_bytes(changed)
    monkeypatch.setattr(static, "PATH", file)
    with pytest.raises(ModelError, match="embedder static: its weights are not the ones pinned") as caught:
        models.embedder("static")
    assert "\n" not in str(caught.value)
    monkeypatch.setattr(static, "PATH", tmp_path / "absent")
    with pytest.raises(ModelError, match="embedder static: its weights cannot be read"):
        models.embedder("static")


def test_the_weights_are_light_enough_for_the_wheel() -> None:
    """The file takes at most 6 MB."""
    assert static.PATH.stat().st_size < 6e6
