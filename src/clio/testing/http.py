"""A small HTTP/1.1 server on asyncio: just enough to serve the SDKs fast, over a thousand open connections."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

from clio.testing import anthropic, openai
from clio.testing.standin import count_tokens
from clio.testing.state import Fault, Reply, Request, Server

_LONGEST_HEAD = 64 * 1024
_LONGEST_BODY = 512 * 1024 * 1024
#: a client that sends more connections at once than this has to try again
_BACKLOG = 4096


class _UnreadableError(Exception):
    """What came is no HTTP that is understood here: the status says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@contextmanager
def model_server(
    *,
    latency: float = 0.0,
    faults: Mapping[Fault, float] | None = None,
    seed: int = 0,
    record: bool = False,
    stall: float = 30.0,
    batch_delay: float = 0.0,
    limit_per_second: float | None = None,
    gullible: bool = False,
    leaky: bool = False,
) -> Iterator[Server]:
    """Serve OpenAI's and Anthropic's protocols on a free port of 127.0.0.1 until the block ends.

    Args:
        latency: seconds that every answer takes.
        faults: share of model calls and of batch lines, 0 to 1, that meet each fault; a repeated one is drawn
            anew.
        seed: of the faults.
        record: keep the bodies of all POST requests.
        stall: seconds of silence of the fault "stall".
        batch_delay: seconds until a batch job is worked off.
        limit_per_second: model calls a second; above that they are answered with 429.
        gullible: the worst that an injection can meet: any order in what it is shown (``clio.testing.misled``) is obeyed.
        leaky: the worst that privacy can meet: it repeats the words of users, names groups by an outlier's words, and finds all of it fine.
    """
    server = Server(
        latency=latency,
        faults=dict(faults or {}),
        seed=seed,
        bodies=[] if record else None,
        stall=stall,
        batch_delay=batch_delay,
        limit_per_second=limit_per_second,
        gullible=gullible,
        leaky=leaky,
    )
    count_tokens("")  # loads the tokenizer here: its warnings cannot be silenced safely in another thread
    ready = threading.Event()
    stops: list[Callable[[], object]] = []

    async def until_stopped() -> None:
        """Serve until the block ends."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        async def waiting() -> None:
            """Tell that the server runs, then wait for the end."""
            stops.append(lambda: loop.call_soon_threadsafe(stop.set))
            ready.set()
            await stop.wait()

        await serve(server, 0, waiting)

    def run() -> None:
        """The thread's work; a server that cannot start must not leave the block waiting."""
        try:
            asyncio.run(until_stopped())
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="clio-model-server", daemon=True)
    thread.start()
    ready.wait()
    if not stops:
        raise OSError("the stand-in server could not be started")
    try:
        yield server
    finally:
        for stop in stops:
            stop()
        thread.join()


async def serve(server: Server, port: int, until: Callable[[], Awaitable[None]]) -> None:
    """Listen on 127.0.0.1, on any free port if it is 0, until what is waited for is over."""
    connections: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection in a task of its own, which ends with the server."""
        task = asyncio.get_running_loop().create_task(_connection(server, reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)

    listening = await asyncio.start_server(
        connected, "127.0.0.1", port, limit=_LONGEST_HEAD, backlog=_BACKLOG
    )
    address = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    server.anthropic_url, server.url = address, f"{address}/v1"
    try:
        await until()
    finally:
        listening.close()
        left = [*connections, *server.tasks()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await asyncio.sleep(0)  # the closed connections are let go of in the loop's next round


async def _connection(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection one after another."""
    try:
        while (request := await _read(reader, writer)) is not None:
            if not await _answer(server, request, reader, writer):
                break
    except _UnreadableError as error:
        said = {"error": {"message": HTTPStatus(error.status).phrase, "type": "invalid_request_error"}}
        writer.write(_encoded(Reply(error.status, said), last=True))
        with contextlib.suppress(ConnectionError):
            await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return  # a client that went away is no news
    finally:
        writer.close()


async def _answer(
    server: Server, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Answer one request; whether the connection goes on."""
    if (request.method, request.path) == ("GET", "/stats"):
        # looking on must not change what is seen
        writer.write(_encoded(Reply(200, server.stats())))
        await writer.drain()
        return True
    last = request.headers.get("connection", "").lower() == "close"
    server.arrive(request)
    try:
        reply = _reply(server, request)
        await asyncio.sleep(server.stall if reply.broken == "stall" else server.latency)
    finally:
        server.leave()
    if reply.broken in {"drop", "stall"}:
        return False
    if reader.at_eof() or writer.is_closing():
        return False  # nobody waits for it any more, so nothing is delivered
    content = _encoded(reply, last=last)
    # before it is sent: who has the answer must find it counted
    server.book(reply)
    writer.write(content)
    await writer.drain()
    return not last and reply.broken is None


def _reply(server: Server, request: Request) -> Reply:
    """The answer of the vendor whose address it is."""
    found = None
    if request.path.startswith("/v1/"):
        found = anthropic.respond(server, request) or openai.respond(server, request)
    message = f"Unknown request URL: {request.method} {request.path}"
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": "unknown_url"}
    return found or Reply(404, {"type": "error", "error": error})


def _encoded(reply: Reply, *, last: bool = False) -> bytes:
    """A reply as bytes, spoiled where its sending fails."""
    said = reply.said
    content = said if isinstance(said, bytes) else json.dumps(said).encode()
    if reply.broken == "garble":
        content = content[: len(content) // 2]
    headers = {
        "Content-Type": "application/json",
        **reply.headers,
        "Content-Length": str(len(content)),
        "Connection": "close" if last or reply.broken else "keep-alive",
    }
    if reply.broken == "truncate":
        content = content[: len(content) // 2]
    try:
        phrase = HTTPStatus(reply.status).phrase
    except ValueError:
        phrase = "Overloaded"  # 529 is Anthropic's own
    lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {told}" for name, told in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    """The next request of a connection, or None when the client has closed it."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise _UnreadableError(400) from None
        return None
    except asyncio.LimitOverrunError:
        raise _UnreadableError(431) from None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    try:
        method, target, version = first.split(" ")
        headers = {
            name.strip().lower(): told.strip() for name, told in (line.split(":", 1) for line in lines)
        }
        length = int(headers.get("content-length", 0))
    except ValueError:
        raise _UnreadableError(400) from None
    if version == "HTTP/1.0":
        headers.setdefault("connection", "close")
    if not 0 <= length <= _LONGEST_BODY:
        raise _UnreadableError(413 if length > 0 else 400)
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = await _chunks(reader)
    else:
        body = await reader.readexactly(length)
    address = urlsplit(target)
    return Request(method, address.path, dict(parse_qsl(address.query)), headers, body)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    """A body that comes in chunks."""
    found = bytearray()
    while True:
        line = await reader.readuntil(b"\r\n")
        try:
            length = int(line.split(b";")[0], 16)
        except ValueError:
            raise _UnreadableError(400) from None
        if not 0 <= length <= _LONGEST_BODY - len(found):
            raise _UnreadableError(413 if length > 0 else 400)
        if length == 0:
            # trailers end with an empty line
            while await reader.readuntil(b"\r\n") != b"\r\n":
                continue
            return bytes(found)
        found += await reader.readexactly(length)
        await reader.readexactly(2)
