"""Plain k-means with as many clusters as Clio chose, or as told, named by class-based tf-idf; Ward's method on the centroids above it."""

from __future__ import annotations

from form import TOP, Given, Made, serve, terms, upwards
from sklearn.cluster import AgglomerativeClustering, KMeans


def clusters(given: Given) -> Made:
    """As many as Clio or as told, and ten groups of them."""
    k = given.clusters or given.chosen
    means = KMeans(k, random_state=given.seed).fit(given.vectors)
    above = AgglomerativeClustering(min(TOP, k)).fit_predict(means.cluster_centers_)
    levels = [means.labels_, upwards(means.labels_, above)]
    return Made(levels, [terms(given.texts, level) for level in levels])


if __name__ == "__main__":
    serve("scikit-learn", clusters)
