"""Kura's whole pipeline as its documentation begins, with an instant embedder: whole_kura.py LOG FOLDER; prints as whole_clio.py does.

Left out, for the good of Kura, are the progress display, the cache beside the checkpoints, and the tree that is printed at the end. The
chat model is the stand-in at OPENAI_BASE_URL. It gives most groups the same name, so what is drawn at random is added to the vectors, as
real names differ; and only one name for each group of groups, so a real model is called more often.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

import instructor
import numpy as np
from form import peak_mb
from kura.base_classes import BaseEmbeddingModel
from kura.checkpoints import JSONLCheckpointManager
from kura.cluster import ClusterDescriptionModel, generate_base_clusters_from_conversation_summaries
from kura.dimensionality import HDBUMAP, reduce_dimensionality_from_clusters
from kura.meta_cluster import MetaClusterModel, reduce_clusters_from_base_clusters
from kura.summarisation import SummaryModel, summarise_conversations
from kura.types import Conversation
from words import Words

MODEL = "openai/stand-in"
#: length of what is added to a vector of unit length
_DRAWN = 0.5


class Drawn(BaseEmbeddingModel):
    """The vectors of ``Words``, and a random one added to each."""

    def __init__(self, words: Words) -> None:
        self.words, self.dice = words, np.random.default_rng(0)

    async def embed(self, texts: list[str]) -> list[list[float]]:
        """The vectors of n texts."""
        begin = time.process_time()
        told = self.words.seconds
        drawn = self.dice.standard_normal((len(texts), self.words.dimensions)) / self.words.dimensions**0.5
        found = (self.words.encode(texts) + _DRAWN * drawn).tolist()
        self.words.seconds = told + time.process_time() - begin
        return found

    def slug(self) -> str:
        """What checkpoints know it by."""
        return self.words.name


def main() -> None:
    """Run."""
    words, stages = Words(), {}

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        begin = time.monotonic()
        yield
        stages[name] = round(time.monotonic() - begin, 3)

    async def whole(log: Path, folder: Path) -> None:
        np.random.seed(0)
        embedding = Drawn(words)
        kept = JSONLCheckpointManager(str(folder / "checkpoints"))
        with stage("read"):
            conversations = _conversations(log)
        with stage("summaries"):
            summaries = await summarise_conversations(
                conversations, model=SummaryModel(model=MODEL), checkpoint_manager=kept
            )
        with stage("base clusters"):
            base = await generate_base_clusters_from_conversation_summaries(
                summaries,
                embedding_model=embedding,
                clustering_model=ClusterDescriptionModel(model=MODEL),
                checkpoint_manager=kept,
            )
        with stage("hierarchy"):
            reducing = MetaClusterModel(model=MODEL, embedding_model=embedding)
            clusters = await reduce_clusters_from_base_clusters(base, model=reducing, checkpoint_manager=kept)
        with stage("map"):
            mapping = HDBUMAP(embedding_model=embedding)
            await reduce_dimensionality_from_clusters(clusters, model=mapping, checkpoint_manager=kept)

    asyncio.run(whole(Path(sys.argv[1]), Path(sys.argv[2])))
    print(json.dumps({"embedding": words.seconds, "peak_mb": peak_mb(), "stages": stages}))


def _conversations(log: Path) -> list[Conversation]:
    """The conversations of a log, all of one moment where it tells none."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    found = []
    for line in log.read_text("utf-8").splitlines():
        row = json.loads(line)
        messages = [{**message, "created_at": moment} for message in row["messages"]]
        found.append(Conversation(chat_id=row["id"], created_at=moment, messages=messages, metadata={}))
    return found


if __name__ == "__main__":
    # the stand-in keeps to JSON schemas and knows no tools; and where one client makes way for the next, its calls may hang
    instructor.from_provider = cache(partial(instructor.from_provider, mode=instructor.Mode.JSON_SCHEMA))
    main()
