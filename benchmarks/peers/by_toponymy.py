"""Toponymy's grouping with its defaults, on the flat map that its documentation begins with.

Its names are a chat model's alone, so it has none here.
"""

from __future__ import annotations

import numpy as np
from form import Given, Made, serve
from toponymy import ToponymyClusterer
from umap import UMAP


def clusters(given: Given) -> Made:
    """Layers of clusters, without names."""
    flat = UMAP(metric="cosine", random_state=given.seed).fit_transform(given.vectors)
    layers, _ = ToponymyClusterer(verbose=False).fit_predict(flat, given.vectors)
    levels = [np.asarray(layer.cluster_labels) for layer in layers]
    texts = [[None] * (int(level.max()) + 1) for level in levels]
    return Made(levels, texts)


if __name__ == "__main__":
    serve("toponymy", clusters)
