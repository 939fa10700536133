"""How much of a clustering comes again."""

from __future__ import annotations

import numpy as np
import pytest

from clio.clustering import stability
from clio.clustering.base import base_clusters


def blobs(n: int, k: int, noise: float) -> np.ndarray:
    """n unit vectors around k directions."""
    dice = np.random.default_rng(0)
    vectors = dice.normal(size=(k, 32))[dice.integers(0, k, n)] + noise * dice.normal(size=(n, 32))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("most", [stability.MOST, 300])
def test_clear_groups_come_again_and_noise_does_not(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clear groups are found again by another seed, in all or in one part of very many; what has no groups is not."""
    monkeypatch.setattr(stability, "MOST", most)
    users = np.arange(900, dtype=np.int32)
    clear, mist = blobs(900, 12, 0.1), blobs(900, 900, 5.0)
    found = stability.anew(clear, base_clusters(clear, 12, 0), users, (0, 0), 0)
    assert found.ami > 0.95
    assert found.matched > 0.95
    assert stability.anew(mist, base_clusters(mist, 12, 0), users, (0, 0), 0).ami < 0.5


def test_one_request_is_stable() -> None:
    """The smallest log there is does not fail."""
    one = blobs(1, 1, 0.0)
    assert stability.anew(one, np.zeros(1, np.int32), np.zeros(1, np.int32), (7, 17), 0).matched == 1.0
