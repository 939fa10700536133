"""Vectors to base clusters, levels and places: the same bytes each time, nothing empty, nothing lost."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, silhouette_score

from clio.clustering import neighbours
from clio.clustering.base import base_clusters, centroids, expected_k, silhouette, without_small
from clio.clustering.embed import choose_embedder, prepare
from clio.clustering.hierarchy import arrange, level_sizes
from clio.clustering.projection import nearest, project


def blobs(n: int, k: int, seed: int = 0, d: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """n unit vectors around k directions."""
    dice = np.random.default_rng(seed)
    truth = dice.integers(0, k, n)
    vectors = dice.normal(size=(k, d))[truth] + 0.15 * dice.normal(size=(n, d))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), truth


def test_the_expected_number_follows_the_documented_rule() -> None:
    """Square-root sizes within 25 to 100, so 100,000 requests give 1,000 clusters."""
    assert [expected_k(n) for n in (10, 1000, 10_000, 100_000)] == [1, 32, 100, 1000]
    assert expected_k(1000, 50) == 20


@pytest.mark.parametrize(("n", "k"), [(400, 8), (6000, 70)])
def test_base_clusters_find_the_blobs_with_the_same_bytes_each_time(n: int, k: int) -> None:
    """In one cell or in several, clear groups are recovered, deterministically, with no empty cluster."""
    vectors, truth = blobs(n, k)
    a, b = (base_clusters(vectors, k, 0) for _ in range(2))
    assert a.dtype == np.int32
    assert a.tobytes() == b.tobytes()
    assert adjusted_rand_score(truth, a) > 0.95
    assert np.bincount(a).min() > 0
    assert np.allclose(np.linalg.norm(centroids(vectors, a), axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("k", [23, 60])
def test_the_number_is_chosen_where_clusters_stand_apart(k: int) -> None:
    """With 1,600 requests, of which 40 clusters are expected, the true number of clear groups is found, fewer or more."""
    vectors, truth = blobs(1600, k, d=64)
    found = base_clusters(vectors, None, 0)
    assert abs(int(found.max()) + 1 - k) <= 4
    assert adjusted_rand_score(truth, found) > 0.9


def test_silhouettes_are_those_of_scikit_learn() -> None:
    """One alone counts 0."""
    vectors, truth = blobs(200, 9)
    labels = np.where(np.arange(200) == 7, 9, truth).astype(np.int32)
    apart = np.linalg.norm(vectors[:, None] - vectors, axis=2)
    expected = silhouette_score(apart, labels, metric="precomputed")
    assert silhouette(apart, labels) == pytest.approx(expected, abs=1e-5)


def test_vectors_are_drawn_alike_with_and_without_a_sparse_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    """What spares small logs the loading of SciPy changes nothing, in one cell or in several; neighbours come nearer."""
    vectors, truth = blobs(500, 12)
    for cells in (np.zeros(500, np.int32), (np.arange(500) % 3).astype(np.int32)):
        monkeypatch.setattr(neighbours, "_DENSE", 500)
        dense = neighbours.drawn(vectors, cells)
        monkeypatch.setattr(neighbours, "_DENSE", 0)
        assert np.allclose(dense, neighbours.drawn(vectors, cells), atol=1e-6)
        middles = centroids(vectors, truth.astype(np.int32))
        assert (dense * middles[truth]).sum() > (vectors * middles[truth]).sum()


def test_cells_part_large_logs_only() -> None:
    """Up to 4,000 vectors are one cell; more are parted into cells of 600 on average, the same each time."""
    vectors, _ = blobs(6000, 40)
    assert neighbours.cells_of(vectors[:4000], 0).max() == 0
    cells = neighbours.cells_of(vectors, 0)
    assert 8 <= cells.max() + 1 <= 10
    assert np.bincount(cells).max() < 2000
    assert cells.tobytes() == neighbours.cells_of(vectors, 0).tobytes()


def test_small_clusters_join_their_like() -> None:
    """No cluster is left with too few users or requests; two small ones of like meaning join each other, not the large one."""
    middles = np.array([[1, 0, 0], [0, 1, 0.05], [0, 1, -0.05]], np.float32)
    labels = np.repeat(np.arange(3, dtype=np.int32), [90, 10, 10])
    vectors = middles[labels]
    each = np.arange(110, dtype=np.int32)
    assert np.bincount(without_small(vectors, labels, each, (5, 15))).tolist() == [90, 20]
    # ten users, but each speaks twice in the two small ones
    twice = np.concatenate([each[:90], each[90:100], each[90:100]])
    assert np.bincount(without_small(vectors, labels, twice, (10, 15))).tolist() == [90, 20]
    assert np.bincount(without_small(vectors, labels, twice, (11, 15))).tolist() == [110]
    assert without_small(vectors, labels, each, (1, 1)).tolist() == labels.tolist()
    # twenty requests, but eight of them are one user's: without these too few are left to be shown
    often = np.concatenate([each[:98], np.repeat(each[98:99], 8), each[106:110]])
    assert np.bincount(without_small(vectors, labels, often, (5, 13))).tolist() == [90, 20]
    assert np.bincount(without_small(vectors, labels, often, (5, 14))).tolist() == [110]


@pytest.mark.parametrize("n", [1, 2, 7])
def test_few_or_identical_vectors_are_no_problem(n: int) -> None:
    """Fewer points than clusters, and points that are all the same, still get labels."""
    assert len(base_clusters(blobs(n, 1)[0], 5, 0)) == n
    assert base_clusters(np.ones((n, 4), np.float32) / 2, 3, 0).max() < n
    assert base_clusters(np.ones((n, 4), np.float32) / 2, None, 0, least=(5, 15)).max() == 0


def test_language_means_are_taken_away() -> None:
    """Two languages that lie apart come together by meaning."""
    meaning, truth = blobs(400, 4)
    languages = ["en"] * 200 + ["zh"] * 200
    shifted = meaning.copy()
    shifted[200:] += 3
    ready = prepare(shifted, languages)
    assert adjusted_rand_score(truth, base_clusters(ready, 4, 0)) > 0.8


def test_mixed_logs_get_the_multilingual_embedder() -> None:
    """Nine in ten known languages English is enough for the English embedder; unknown ones do not count."""
    assert choose_embedder(["en"] * 95 + ["de"] * 5 + ["unknown"] * 50) == "minilm"
    assert choose_embedder(["en"] * 80 + ["de"] * 20) == "e5"


def test_level_sizes_follow_the_papers_ratio() -> None:
    """1,000 base clusters with ten at the top give 10, 100, 1000; few clusters are not arranged."""
    assert level_sizes(1000) == [10, 100, 1000]
    assert level_sizes(5) == [5]
    assert level_sizes(40, 10) == [10, 40]
    assert len(level_sizes(500, 10, 2)) == 2


def test_every_cluster_gets_a_parent_and_no_parent_is_empty() -> None:
    """Parents are numbered without gaps, about as many as wanted, the same each time."""
    vectors, _ = blobs(120, 12)
    themes = np.eye(12, dtype=np.float32)[np.arange(120) % 12]
    made = [arrange(vectors, np.ones(120, np.int64), themes, [6, 25, 120], 0) for _ in range(2)]
    for (below, above), again in zip([made[0]], [made[1]], strict=True):
        assert below.tobytes() == again[0].tobytes()
        assert len(below) == 120
        assert len(above) == below.max() + 1
        assert set(above) == set(range(above.max() + 1))
        assert 3 <= above.max() + 1 <= 9


def test_the_map_holds_all_levels_without_overlap() -> None:
    """Places lie in -1..1, the same each time, and sibling circles do not overlap much."""
    vectors, _ = blobs(60, 6)
    weights = np.random.default_rng(0).integers(10, 200, 60)
    steps = [(np.arange(60) % 6).astype(np.int32)]
    base, top = project(vectors, weights, steps)
    assert np.array_equal(base, project(vectors, weights, steps)[0])
    assert (base.shape, top.shape) == ((60, 2), (6, 2))
    assert np.abs(base).max() <= 1
    radii = np.sqrt(weights)
    gaps = np.linalg.norm(base[:, None] - base[None], axis=2) / (radii[:, None] + radii[None])
    close = np.sort(gaps[np.triu_indices(60, 1)])
    # the layout's unit is the gap of circles that just touch; few pairs are nearer than nine tenths of it
    assert (close < 0.9 * np.median(close[:60])).sum() < 8


def test_neighbours_are_those_of_the_largest_cosine_on_every_level() -> None:
    """As found by comparing all with all; a level of one has none."""
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(30, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    weights = rng.integers(5, 50, 30).astype(np.int64)
    steps = [np.arange(30, dtype=np.int32) % 4, np.zeros(4, np.int32)]
    base, middle, top = nearest(vectors, weights, steps)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2)
    assert np.array_equal(base[0], np.argsort(-cosines, axis=1)[:, :10])
    assert np.allclose(base[1], -np.sort(-cosines, axis=1)[:, :10], atol=1e-6)
    assert middle[0].shape == (4, 3)
    assert top[0].shape == (1, 0)


def test_a_wide_cell_is_among_its_own_nearest() -> None:
    """A vector's neighbours are found where its cell's middle is nearer to the middles of tight cells than to itself."""
    dice = np.random.default_rng(0)
    tight = dice.normal(size=(1, 24)) + dice.normal(size=(400, 24)) * 0.05
    wide = tight[0] * 0.2 + dice.normal(size=(100, 24))
    vectors = np.concatenate([tight, wide]).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cells = np.concatenate([np.arange(400) % 6, np.full(100, 6)]).astype(np.int32)
    middles = np.stack([vectors[cells == cell].mean(axis=0) for cell in range(7)])
    assert (middles[6] @ middles.T).argmin() == 6
    found = neighbours._nearest(vectors, cells)
    assert found.shape == (500, 500)
    assert (found.sum(axis=1) == 20).all()
    assert not np.diagonal(found).any()
