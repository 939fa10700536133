"""Vectors to named clusters: embed, base clusters, describe, hierarchy, layout."""
