"""Who is answered: the Host that a request names, the token or the proxy's identity that it brings; and the headers of every answer."""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
    # no text becomes markup or script, whatever asks for it
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    # kept by a browser only as long as it asks each time whether it still holds
    "Cache-Control": "private, no-cache",
}


@dataclass(frozen=True, slots=True)
class Door:
    """What a request needs to be answered.

    ``hosts`` are the names that its Host may have besides this machine's own; ``any_address`` lets it be any IP address (no name is rebound
    to one); ``token`` is the secret it brings, None for none; ``identity`` is the header in which a trusted proxy says who asks, None for
    no proxy; ``prefix`` is the path under which the explorer stands, "" or beginning with a slash.
    """

    hosts: frozenset[str] = frozenset()
    any_address: bool = False
    token: str | None = None
    identity: str | None = None
    prefix: str = ""

    @property
    def cookie(self) -> str:
        """The cookie's name: each token has its own, for cookies do not tell ports apart."""
        return f"clio-{sha256((self.token or '').encode()).hexdigest()[:12]}"

    def knows(self, host: str) -> bool:
        """Whether a request may name this host, with or without a port."""
        name = _without_port(host)
        if name.lower() in {"localhost", *self.hosts}:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return self.any_address or address.is_loopback


class Guard:
    """An app behind a door: refuses what may not be answered, and puts the headers on all else."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self.app = app
        self.door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI has it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        answer = self._refused(scope) or self._moved(scope)
        await (answer or self.app)(scope, receive, with_headers)

    def _refused(self, scope: Scope) -> Response | None:
        door, headers = self.door, Headers(scope=scope)
        if not door.knows(headers.get("host", "")):
            return PlainTextResponse("this explorer does not answer to that name; see --allow-host\n", 403)
        if self._path(scope) == "/healthz":
            return None
        if door.identity and not headers.get(door.identity, "").strip():
            return PlainTextResponse("the proxy does not say who asks\n", 401)
        if door.token is None:
            return None
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = [value for name, value in query if name == "token"]
        if given and _same(given[-1], door.token):
            # relative, so that it holds under whatever path a proxy puts before ours
            rest = urlencode([pair for pair in query if pair[0] != "token"])
            to = f"./{quote(scope['path'].rsplit('/', 1)[-1])}{'?' + rest if rest else ''}"
            answer = RedirectResponse(to, 303)
            secure = scope.get("scheme") == "https"
            answer.set_cookie(door.cookie, door.token, httponly=True, samesite="strict", secure=secure)
            return answer
        if _same(_cookie(headers, door.cookie), door.token):
            return None
        return PlainTextResponse("open the address that was printed when the explorer was started\n", 401)

    def _path(self, scope: Scope) -> str:
        """The path below the prefix, whether or not a proxy has taken it away."""
        path, prefix = str(scope["path"]), self.door.prefix
        return path.removeprefix(prefix) if path.startswith(f"{prefix}/") else path

    def _moved(self, scope: Scope) -> Response | None:
        """Take the prefix off; a page asked for without its last slash is sent there, for its addresses are relative."""
        if self.door.prefix and scope["path"] == self.door.prefix:
            query = scope["query_string"].decode("latin-1")
            return RedirectResponse(
                f"./{quote(self.door.prefix.rsplit('/', 1)[-1])}/{'?' + query if query else ''}", 307
            )
        scope["path"] = self._path(scope)
        return None


def is_local(host: str) -> bool:
    """Whether a name or address is this machine's own."""
    return Door().knows(f"[{host}]" if ":" in host else host)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _same(given: str, secret: str) -> bool:
    return secrets.compare_digest(given.encode(), secret.encode())


def _cookie(headers: Headers, name: str) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""
