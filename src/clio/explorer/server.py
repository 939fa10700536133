"""The explorer's server: read-only, this machine only unless told otherwise, and nothing but ``Insights`` behind it."""

from __future__ import annotations

import errno
import re
import secrets
import socket
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from starlette.middleware.gzip import GZipMiddleware

from clio.errors import RunError
from clio.explorer.answers import Answers
from clio.explorer.documents import Clusters, Compared, Detail, Overlay, Run
from clio.explorer.guard import Door, Guard, is_local
from clio.insights import Insights
from clio.insights.export import write

_PORTS = 20
_EXPORTS = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "html": "text/html; charset=utf-8",
}
_FILES = ("clusters.csv", "breakdowns.csv", "clusters.parquet", "breakdowns.parquet", "insights.html")
_UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"description": "there is no such thing"}}
_Values = Annotated[list[str], Query(min_length=1)]


def app(runs: Mapping[str, Insights], door: Door | None = None) -> FastAPI:
    """The explorer of some runs, by name.

    Every answer is made of ``Insights``. A request that the door does not let in is refused; without a door, whatever names another
    Host than this machine (DNS rebinding).
    """
    made = FastAPI(
        title="Insights Explorer", docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json"
    )
    made.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=6)
    made.add_middleware(Guard, door=door or Door())
    answers = {name: Answers(name, insights) for name, insights in runs.items()}

    def of(run: str) -> Answers:
        if run not in answers:
            raise HTTPException(404, "no such run")
        return answers[run]

    @made.get("/healthz")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @made.get("/api/v1/runs", response_model=list[Run])
    def list_runs(request: Request) -> Response:
        tag = "-".join(one.tag[:16] for one in answers.values()) or "none"
        own = (one.run.model_dump_json() for one in answers.values())
        return _answer(request, tag, lambda: f"[{','.join(own)}]".encode())

    @made.get("/api/v1/runs/{run}", response_model=Run, responses=_UNKNOWN)
    def one_run(request: Request, run: str) -> Response:
        return _document(request, of(run), lambda: of(run).run)

    @made.get("/api/v1/runs/{run}/clusters", response_model=Clusters, responses=_UNKNOWN)
    def clusters(request: Request, run: str) -> Response:
        return _document(request, of(run), lambda: of(run).clusters)

    @made.get("/api/v1/runs/{run}/clusters/{cluster}", response_model=Detail, responses=_UNKNOWN)
    def detail(request: Request, run: str, cluster: str) -> Response:
        return _document(request, of(run), lambda: of(run).detail(cluster))

    @made.get("/api/v1/runs/{run}/overlay", response_model=Overlay, responses=_UNKNOWN)
    def overlay(request: Request, run: str, facet: str, value: str) -> Response:
        return _document(request, of(run), lambda: of(run).overlay(facet, value))

    @made.get("/api/v1/runs/{run}/comparisons/{comparison}", response_model=Compared, responses=_UNKNOWN)
    def comparison(request: Request, run: str, comparison: str) -> Response:
        return _document(request, of(run), lambda: of(run).comparison(comparison))

    @made.get("/api/v1/runs/{run}/compare", response_model=Compared, responses=_UNKNOWN)
    def compare(request: Request, run: str, facet: str, a: _Values, b: _Values) -> Response:
        if set(a) & set(b):
            raise HTTPException(404, "no value stands on both sides of a comparison")
        return _document(request, of(run), lambda: of(run).compare(facet, a, b))

    @made.get(
        "/api/v1/runs/{run}/export/{name}",
        response_class=Response,
        responses={**_UNKNOWN, 200: {"content": {media: {} for media in _EXPORTS.values()}}},
    )
    def export(request: Request, run: str, name: str) -> Response:
        own = of(run)
        if name not in _FILES:
            raise HTTPException(404, "no such file")
        media = _EXPORTS[name.rpartition(".")[2]]
        # a file takes seconds to make, and is there in any case
        answer = _unchanged(request, own.tag) or _answer(
            request, own.tag, lambda: _exported(own, name), media
        )
        kept = re.sub(r"[^\w.-]+", "-", run, flags=re.ASCII).strip("-.") or "run"
        answer.headers["Content-Disposition"] = f'attachment; filename="{kept}-{name}"'
        return answer

    made.state.answers = answers
    made.mount(
        "/", StaticFiles(directory=str(files("clio.explorer").joinpath("static")), html=True), name="page"
    )
    return made


def _document(request: Request, answers: Answers, make: Callable[[], BaseModel]) -> Response:
    """A document of a run as JSON; what its makers do not know is 404."""
    try:
        return _answer(request, answers.tag, lambda: make().model_dump_json().encode())
    except KeyError:
        raise HTTPException(404, "no such thing in this run") from None


def _answer(
    request: Request, tag: str, make: Callable[[], bytes], media: str = "application/json"
) -> Response:
    """What is made, or 304 if the asker has it: all that a run can answer changes with its tag only."""
    body = make()  # first, for what is not there is never unchanged
    return _unchanged(request, tag) or Response(body, media_type=media, headers={"ETag": _etag(tag)})


def _unchanged(request: Request, tag: str) -> Response | None:
    """304 if the asker has it already."""
    known = {one.strip() for one in request.headers.get("if-none-match", "").split(",")}
    return Response(status_code=304, headers={"ETag": _etag(tag)}) if known & {_etag(tag), "*"} else None


def _etag(tag: str) -> str:
    return f'W/"{tag}"'


def _exported(answers: Answers, name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        write(answers.insights, Path(folder), [name.rpartition(".")[2]], answers.name)
        return (Path(folder) / name).read_bytes()


def serve(
    runs: Mapping[str, Insights],
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    open_browser: bool = False,
    token: bool = False,
    identity: str | None = None,
    hosts: frozenset[str] = frozenset(),
    prefix: str = "",
) -> None:
    """Serve until Ctrl-C; says the address on stderr.

    Args:
        runs: insights by name.
        host: address to listen on. On any but this machine's own a token is asked for, unless a proxy says who asks.
        port: the first port to try; the next free one of twenty is taken. 0: any.
        open_browser: whether to open the page.
        token: whether to ask for a token in any case; a new one is made each time and is part of the printed address.
        identity: header in which a trusted proxy says who asks. Only that proxy may reach the port.
        hosts: names that requests may give as Host besides this machine's own.
        prefix: path under which a proxy puts the explorer, such as /insights.

    Raises:
        RunError: for a host that cannot be listened on, a prefix that is no path, a header that has no name, or when no port is free.
    """
    import uvicorn

    elsewhere = not is_local(host)
    path = prefix.strip("/")
    if not re.fullmatch(r"[\w.~/-]*", path, re.ASCII):
        raise RunError(f"--prefix {prefix[:60]}: no path such as /insights")
    if identity is not None and not re.fullmatch(r"[\w-]+", identity, re.ASCII):
        raise RunError(f"--proxy-header {identity[:60]}: no header's name such as X-Forwarded-User")
    secret = secrets.token_urlsafe(32) if token or (elsewhere and not identity) else None
    names = {name.lower() for name in hosts} | (
        {socket.gethostname().lower(), host.lower()} if elsewhere else set()
    )
    door = Door(frozenset(names), elsewhere, secret, identity, f"/{path}" if path else "")
    listener = _listener(host, port)
    try:
        shown = socket.gethostname() if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host  # noqa: S104
        address = (
            f"http://{shown}:{listener.getsockname()[1]}{door.prefix}/{f'?token={secret}' if secret else ''}"
        )
        sys.stderr.write(f"explorer of {', '.join(runs)} at {address}  (Ctrl-C ends it)\n")
        sys.stderr.flush()
        if open_browser:
            threading.Timer(0.6, webbrowser.open, [address]).start()
        served = app(runs, door)
        # the page is there at once; its first data is computed meanwhile
        threading.Thread(target=_prepare, args=(served.state.answers.values(),), daemon=True).start()
        server = uvicorn.Server(
            uvicorn.Config(
                served,
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=1,
                server_header=False,
            )
        )
        server.run([listener])
    except KeyboardInterrupt:
        pass
    finally:
        listener.close()


def _prepare(answers: Iterable[Answers]) -> None:
    for own in answers:
        _ = own.tag, own.run, own.clusters, own.statistics.measures


def _listener(host: str, port: int) -> socket.socket:
    for number in (port, *range(port + 1, port + _PORTS)) if port else (0,):
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, number))
            # who comes before the server is ready waits
            listener.listen()
        except socket.gaierror:
            listener.close()
            raise RunError(f"--host {host[:60]}: no address of this machine") from None
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRNOTAVAIL:
                raise RunError(f"--host {host[:60]}: no address of this machine") from None
            continue
        return listener
    raise RunError(
        f"{host[:60]}: ports {port} to {port + _PORTS - 1} are all taken; choose another with --port"
    )
