"""Ward's method as SciPy has it, and what is the same is one from the start."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import adjusted_rand_score

from clio.clustering.vectors import unit
from clio.clustering.ward import grown


def spread(n: int, seed: int) -> np.ndarray:
    """n unit vectors, some of them near to each other."""
    dice = np.random.default_rng(seed)
    return unit(dice.normal(size=(12, 24))[dice.integers(0, 12, n)] + 0.4 * dice.normal(size=(n, 24)))


@pytest.mark.parametrize("n", [2, 3, 50, 400])
def test_clusters_grow_as_in_scipy(n: int) -> None:
    """The same heights, and the same clusters at each number of them."""
    vectors = spread(n, n)
    merges, tree = linkage(vectors.astype(np.float64), "ward"), grown(vectors)
    assert np.sort(tree.height)[:-1] == pytest.approx(merges[:, 2], rel=1e-4)
    for k in (1, 2, n // 10, n // 2, n):
        expected = fcluster(merges, max(k, 1), "maxclust")
        found = tree.cut(max(k, 1))
        assert adjusted_rand_score(expected, found) == 1.0
        assert np.unique(found).tolist() == list(range(found.max() + 1))


def test_the_same_vectors_are_one_cluster_whatever_their_number() -> None:
    """Sixty vectors that are three are cut into three, though more are wanted, and count by their number as they grow on."""
    three = np.eye(3, dtype=np.float32)
    three[1] = unit(np.array([[1, 0.5, 0]]))[0]
    tree = grown(np.repeat(three, [30, 20, 10], axis=0))
    assert np.bincount(tree.cut(60)).tolist() == [30, 20, 10]
    assert np.bincount(tree.cut(2)).tolist() == [50, 10]
    merges = linkage(np.repeat(three, [30, 20, 10], axis=0).astype(np.float64), "ward")
    assert np.sort(tree.height)[-3:-1] == pytest.approx(merges[-2:, 2], rel=1e-4)
    assert grown(three[:1]).cut(1).tolist() == [0]
