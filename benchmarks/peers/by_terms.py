"""Clio's clusters, named as k-means' are: by the commonest terms, whoever said them. What Clio's names lack beside them is their price."""

from __future__ import annotations

import numpy as np
from by_clio import clusters as by_clio
from form import Given, Made, Text, serve, terms


def clusters(given: Given) -> Made:
    """A run's clusters, with terms for names."""
    made = by_clio(given)
    assert made.ids is not None
    said = dict(zip(given.ids, given.texts, strict=True))
    found: list[list[Text]] = []
    for level, shown in zip(made.levels, made.texts, strict=True):
        inside = np.flatnonzero(np.asarray(level) >= 0)
        told = terms([said[made.ids[row]] for row in inside], np.asarray(level)[inside])
        found.append([*told, *[None] * (len(shown) - len(told))])
    return Made(made.levels, found, made.ids)


if __name__ == "__main__":
    serve("clio-insights", clusters)
