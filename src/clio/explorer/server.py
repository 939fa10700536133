"""The explorer's server: read-only, this machine only, and nothing but ``Insights`` behind it."""

from __future__ import annotations

import ipaddress
import socket
import sys
import threading
import webbrowser
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from importlib.resources import files
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.staticfiles import StaticFiles

from clio.errors import RunError
from clio.insights import Cell, Insight, Insights
from clio.insights.store import cell_document, share_bounds
from clio.insights.text import one_line

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_PORTS = 20


def app(runs: Mapping[str, Insights]) -> FastAPI:
    """The explorer of some runs, by name.

    Every answer is made of ``Insights``. A request whose Host is not this machine is refused (DNS rebinding).
    """
    made = FastAPI(
        title="Insights Explorer", docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json"
    )

    @made.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if not _is_local(request.url.hostname or ""):
            return Response("this explorer answers on this machine only\n", 403, _HEADERS)
        response = await call_next(request)
        response.headers.update(_HEADERS)
        return response

    def chosen(name: str) -> Insights:
        if name not in runs:
            raise HTTPException(404, "no such run")
        return runs[name]

    @made.get("/healthz")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @made.get("/api/v1/runs")
    def list_runs() -> list[dict[str, Any]]:
        return [_run(name, insights) for name, insights in runs.items()]

    @made.get("/api/v1/runs/{run}/clusters")
    def clusters(run: str) -> dict[str, Any]:
        return _columns(chosen(run))

    @made.get("/api/v1/runs/{run}/clusters/{cluster}")
    def detail(run: str, cluster: str) -> dict[str, Any]:
        insights = chosen(run)
        try:
            return _detail(insights, insights.cluster(cluster))
        except KeyError:
            raise HTTPException(404, "no such cluster") from None

    made.mount(
        "/", StaticFiles(directory=str(files("clio.explorer").joinpath("static")), html=True), name="page"
    )
    return made


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _run(name: str, insights: Insights) -> dict[str, Any]:
    low, high = insights.coverage_interval or (None, None)
    return {
        "id": name,
        "conversations": insights.conversations,
        "users": insights.users,
        "coverage": insights.coverage,
        "coverage_low": low,
        "coverage_high": high,
        "levels": insights.levels,
        "withheld": {one_line(reason): count for reason, count in insights.withheld.items()},
        "about": dict(insights.about),
        "sample": asdict(insights.sample) if insights.sample else None,
    }


def _columns(insights: Insights) -> dict[str, Any]:
    names = (
        "id",
        "parent",
        "level",
        "name",
        "description",
        "conversations",
        "share",
        "users",
        "audit",
        "x",
        "y",
    )
    bounds = [share_bounds(insights, cluster.conversations) for cluster in insights]
    return {
        "clusters": {
            **{name: [getattr(cluster, name) for cluster in insights] for name in names},
            **{
                name: [one_line(getattr(cluster, name)) for cluster in insights]
                for name in ("name", "description")
            },
            **{name: [ends[name] for ends in bounds] for name in ("share_low", "share_high")},
        },
        "other": [
            {
                "parent": group.parent,
                "conversations": group.conversations,
                **share_bounds(insights, group.conversations),
            }
            for group in insights.other
        ],
        "base": _cells(insights, insights.base),
    }


def _detail(insights: Insights, cluster: Insight) -> dict[str, Any]:
    group = insights.other_of(cluster.id)
    return {
        "id": cluster.id,
        "breakdown": _cells(insights, cluster.breakdown, cluster.conversations),
        "children": [child.id for child in insights.children(cluster.id)],
        "other": group.conversations if group else 0,
    }


def _cells(insights: Insights, cells: tuple[Cell, ...], of: int | None = None) -> list[dict[str, Any]]:
    return [
        {
            **cell_document(insights, c, of),
            "facet": one_line(c.facet),
            "value": one_line(c.value),
            "lift": c.lift,
        }
        for c in cells
    ]


def serve(
    runs: Mapping[str, Insights], *, host: str = "127.0.0.1", port: int = 8765, open_browser: bool = False
) -> None:
    """Serve until Ctrl-C; says the address on stderr.

    Args:
        runs: insights by name.
        host: an address of this machine.
        port: the first port to try; the next free one of twenty is taken.
        open_browser: whether to open the page.

    Raises:
        RunError: for a host that is not this machine, or when no port is free.
    """
    import uvicorn

    if not _is_local(host):
        raise RunError(
            f"--host {host[:60]}: the explorer listens on this machine only; forward the port to reach it from elsewhere"
        )
    listener = _listener(host, port)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listener.getsockname()[1]}/"
    sys.stderr.write(f"explorer of {', '.join(runs)} at {address}  (Ctrl-C ends it)" + "\n")
    sys.stderr.flush()
    if open_browser:
        threading.Timer(0.6, webbrowser.open, [address]).start()
    server = uvicorn.Server(
        uvicorn.Config(app(runs), log_level="warning", access_log=False, timeout_graceful_shutdown=1)
    )
    try:
        server.run([listener])
    except KeyboardInterrupt:
        pass
    finally:
        listener.close()


def _listener(host: str, port: int) -> socket.socket:
    for number in (port, *range(port + 1, port + _PORTS)) if port else (0,):
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, number))
        except OSError:
            listener.close()
            continue
        return listener
    raise RunError(f"ports {port} to {port + _PORTS - 1} are all taken; choose another with --port")
