"""The API keeps to its own description, whatever it is asked."""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, settings

from clio.explorer.guard import Door
from clio.explorer.server import app
from clio.insights import Cell, Insight, Insights

BASE = (Cell("week", "2026-W28", 60, 0.6, 0.6), Cell("week", "2026-W29", 40, 0.4, 0.4))
RUN = Insights(
    (Insight("1.1", None, 1, "Cards", "", 100, "50-99", 1.0, 5, 0.0, 0.0, BASE),), (), BASE, 100, "50-99"
)
schema = schemathesis.openapi.from_asgi(
    "/api/v1/openapi.json", app({"run": RUN}, Door(hosts=frozenset({"testserver"})))
)


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_is_answered_otherwise_than_described(case: schemathesis.Case) -> None:
    """Statuses, types and bodies are those of the description, and nothing fails, for requests of any kind."""
    case.call_and_validate()
