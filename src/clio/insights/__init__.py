"""Insights: all that people ever see of a run, and what can be done with it. Nothing here can reach a conversation."""

from __future__ import annotations

from clio.insights.model import Cell, Group, Insight, Insights, Near

__all__ = ["Cell", "Group", "Insight", "Insights", "Near"]
