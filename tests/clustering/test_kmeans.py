"""K-means: as good as scikit-learn's, the same bytes each time."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from clio.clustering.kmeans import kmeans, nearest, settled
from clio.clustering.vectors import means, unit


def blobs(n: int, k: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """n unit vectors around k directions, and whose each is."""
    dice = np.random.default_rng(k)
    truth = np.concatenate([np.arange(k), dice.integers(0, k, n - k)]).astype(np.int32)
    return unit(dice.normal(size=(k, 32))[truth] + noise * dice.normal(size=(n, 32))), truth


@pytest.mark.parametrize("k", [1, 5, 30])
def test_the_best_of_some_tries_is_as_good_as_scikit_learns(k: int) -> None:
    """By the sum of weighed squares, within a hundredth; the same bytes again; no gap in the numbers."""
    vectors, _ = blobs(400, 20, 1.0)
    weights = np.random.default_rng(0).integers(1, 50, 400)
    found = kmeans(vectors, k, 3, tries=10, weights=weights)
    assert found.tobytes() == kmeans(vectors, k, 3, tries=10, weights=weights).tobytes()
    assert np.bincount(found).min() > 0
    middles = np.stack(
        [np.average(vectors[found == c], axis=0, weights=weights[found == c]) for c in range(k)]
    )
    spread = float((((vectors - middles[found]) ** 2).sum(axis=1) * weights).sum())
    expected = KMeans(k, n_init=10, random_state=0).fit(vectors, sample_weight=weights).inertia_
    assert spread <= expected * 1.01


def test_identical_vectors_are_one_cluster() -> None:
    """Though more are wanted."""
    assert kmeans(np.ones((9, 4), np.float32), 3, 0).tolist() == [0] * 9


def test_few_clusters_settle_as_in_scikit_learn() -> None:
    """Round by round, from the same start, where all clusters are among the nearest."""
    vectors, truth = blobs(600, 25, 1.2)
    starts = unit(means(vectors, truth))
    expected = KMeans(25, init=starts, n_init=1, max_iter=3, tol=0).fit_predict(vectors)
    assert adjusted_rand_score(expected, settled(vectors, truth, 4)) == 1.0


def test_many_clusters_settle_among_the_nearest() -> None:
    """Vectors that begin in a cluster next to their own find it, with 150 clusters."""
    vectors, truth = blobs(3000, 150, 0.15)
    middles = means(vectors, truth)
    next_to = np.argsort(-(middles @ middles.T), axis=1)[:, 1].astype(np.int32)
    wrong = np.where(np.random.default_rng(1).random(3000) < 0.2, next_to[truth], truth).astype(np.int32)
    assert adjusted_rand_score(truth, wrong) < 0.75
    assert adjusted_rand_score(truth, settled(vectors, wrong, 5)) > 0.99


def test_the_nearest_middle_is_that_of_the_least_distance() -> None:
    """Also where middles are of other lengths than one."""
    dice = np.random.default_rng(2)
    vectors, middles = dice.normal(size=(5000, 8)).astype("f"), dice.normal(size=(9, 8)).astype("f")
    apart = ((vectors[:, None] - middles) ** 2).sum(axis=2)
    assert (nearest(vectors, middles) == apart.argmin(axis=1)).all()
