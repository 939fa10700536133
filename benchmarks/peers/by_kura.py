"""Kura's grouping with its defaults, its calls for names answered by the stand-in server at OPENAI_BASE_URL.

What the stand-in answers tells groups apart from nothing, so names are thrown away. Kura groups clusters by vectors of their names; here
the mean vector of a cluster's members stands for that of its name, and its model's further sorting within those groups is left out.
"""

from __future__ import annotations

import asyncio
from functools import partial

import instructor
import numpy as np
from form import TOP, Given, Made, serve, upwards
from kura.cluster import ClusterDescriptionModel, KmeansClusteringModel
from kura.types import ConversationSummary


def clusters(given: Given) -> Made:
    """Base clusters, and groups of them until there are ten or fewer."""
    # Kura takes scikit-learn's global randomness
    np.random.seed(given.seed)
    summaries = [
        ConversationSummary(chat_id=str(number), summary=text, request=text, metadata={})
        for number, text in enumerate(given.texts)
    ]
    # it is told how many go into a cluster
    grouping = (
        KmeansClusteringModel(len(summaries) / given.clusters) if given.clusters else KmeansClusteringModel()
    )
    groups = grouping.cluster(
        [
            {"item": item, "embedding": vector}
            for item, vector in zip(summaries, given.vectors.tolist(), strict=True)
        ]
    )
    namer = ClusterDescriptionModel(model="openai/stand-in")
    named = asyncio.run(namer.generate_clusters(groups))
    base = np.full(len(summaries), -1)
    for number, cluster in enumerate(named):
        base[[int(id_) for id_ in cluster.chat_ids]] = number
    levels = [base]
    while (k := int(levels[-1].max()) + 1) > TOP:
        means = [given.vectors[levels[-1] == number].mean(axis=0) for number in range(k)]
        above = KmeansClusteringModel(12).cluster(
            [{"item": number, "embedding": mean} for number, mean in enumerate(means)]
        )
        parents = np.full(k, -1)
        for parent, children in above.items():
            parents[children] = parent
        levels.append(upwards(levels[-1], parents))
    texts = [[None] * (int(level.max()) + 1) for level in levels]
    return Made(levels, texts, calls=len(named))


if __name__ == "__main__":
    # the stand-in keeps to JSON schemas and knows no tools
    instructor.from_provider = partial(instructor.from_provider, mode=instructor.Mode.JSON_SCHEMA)
    serve("kura", clusters)
