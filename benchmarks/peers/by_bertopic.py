"""BERTopic as its documentation begins, with vectors that are there already and UMAP's seed set; its merged topics are the level above."""

from __future__ import annotations

import numpy as np
from bertopic import BERTopic
from form import TOP, Given, Made, serve, upwards
from umap import UMAP


def clusters(given: Given) -> Made:
    """Topics, and ten groups of them."""
    # the defaults of BERTopic's own UMAP, which has no seed
    flat = UMAP(
        n_neighbors=15,
        n_components=5,
        min_dist=0.0,
        metric="cosine",
        low_memory=False,
        random_state=given.seed,
    )
    # merges topics down to so many, one of which is of those in none; it cannot part them
    model = BERTopic(umap_model=flat, nr_topics=given.clusters + 1 if given.clusters else None)
    topics, _ = model.fit_transform(given.texts, given.vectors)
    base = np.asarray(topics)
    k = int(base.max()) + 1
    words = {topic: [word for word, _ in model.get_topic(topic)] for topic in range(k)}
    texts = [(", ".join(words[topic][:4]), ", ".join(words[topic])) for topic in range(k)]
    if k <= TOP:
        return Made([base], [texts])
    merges = model.hierarchical_topics(given.texts)
    groups = {topic: [topic] for topic in range(k)}
    names = dict(enumerate(texts))
    merges = merges.assign(number=merges.Parent_ID.astype(int)).sort_values("number")
    for merge in merges.head(k - TOP).itertuples():
        left, right = int(merge.Child_Left_ID), int(merge.Child_Right_ID)
        groups[merge.number] = groups.pop(left) + groups.pop(right)
        told = ", ".join(merge.Parent_Name.split("_"))
        names[merge.number] = (told, told)
    parents = np.full(k, -1)
    for number, group in enumerate(groups):
        parents[groups[group]] = number
    return Made([base, upwards(base, parents)], [texts, [names[group] for group in groups]])


if __name__ == "__main__":
    serve("bertopic", clusters)
