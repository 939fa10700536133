"""Whether languages meet: counted over pairs, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from clio.evaluation.languages import LANGUAGES, meeting


def test_pairs_are_counted_across_languages_and_within() -> None:
    """Each language's two requests lie in two clusters that all languages share: half of the pairs across meet, none within."""
    spoken = [f"l{n}" for n in range(LANGUAGES) for _ in range(2)]
    clusters = np.tile(np.arange(2, dtype=np.int32), LANGUAGES)
    found = meeting(["a"] * len(spoken), spoken, clusters)
    assert found is not None
    assert found.across == pytest.approx(0.5)
    assert found.alone == 0.0


def test_those_in_no_cluster_meet_nobody_and_few_languages_say_nothing() -> None:
    """A conversation in no cluster counts as a pair that did not meet; a label in nine languages is not counted."""
    spoken = [f"l{n}" for n in range(LANGUAGES) for _ in range(2)]
    clusters = np.zeros(len(spoken), np.int32)
    clusters[:2] = -1
    found = meeting(["a"] * len(spoken), spoken, clusters)
    assert found is not None
    assert found.alone == pytest.approx(0.9)
    assert found.across == pytest.approx(0.8)
    assert meeting(["a"] * 18, spoken[:18], clusters[:18]) is None
