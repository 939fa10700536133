"""No planted secret leaves the private zone: not in insights, exports, the page, output, messages or names of files."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from clio import demo
from clio.evaluation.attacks.canaries import canaries
from clio.evaluation.ground import Ground
from clio.insights import Insights
from clio.settings import Settings


@pytest.mark.slow
def test_no_canary_is_published_or_said(tmp_path: Path) -> None:
    """On the embedded route, with a model that repeats all it reads and fails with errors that quote it, and in failing runs.

    That the search would find them is what ``tests/evaluation/attacks/test_canaries.py`` shows; here it has to find all in the log.
    """
    with gzip.open(demo.path(), "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in list(file)[::8]]
    settings = Settings(embedder="minilm", min_users=4, min_conversations=6, cluster_size=12)
    done: list[int] = []
    results = canaries(Ground(rows, settings, tmp_path), 400, progress=done.append, quick=True)
    assert [result.case for result in results] == [
        "embedded route",
        "chat-model route, a model that repeats all",
        "failing runs",
    ]
    for result in results:
        assert result.tried == 400
        assert result.value == 0, result.note
        assert result.holds
    assert sum(done) == 14
    for name in ("embedded", "leaky"):
        assert Insights.load(tmp_path / "canaries" / name).coverage > 0.5
