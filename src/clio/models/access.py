"""What all vendors' SDKs have in common: where to call, with which key, and what their errors mean.

Keys come from the usual environment variables or from a command that prints them; they are never stored. With CLIO_OFFLINE=1 an
address that is not this machine's is refused before anything is sent. Errors are told by their status alone, since a server's own
message may quote the prompt.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from clio.errors import ModelError
from clio.models.protocols import Transient

_SECONDS_FOR_KEY = 60
_CALLS_OF_A_CLIENT = 64
_ABOUT = 300  # characters of an error's message that may tell what it is about
_ADVICE = {
    400: "it refuses the request (400): check the model's name and its context length",
    401: "it refuses the key (401): check it",
    402: "the account has no credit left (402)",
    403: "it forbids the request (403): check what the key may do",
    404: "it does not know the model or the path (404): check the model's name and the base URL",
    408: "it timed out (408)",
    413: "the prompt is too long for it (413)",
    422: "it cannot read the request (422): check that it speaks the protocol",
    429: "too many requests, or no credit left (429): lower the concurrency or check the account",
}
# trying again may help: time-outs, conflicts, limits and all that is the server's own fault
_PASSING = frozenset({408, 409, 425, 429})
_OVERLOADED = frozenset({429, 503, 529})
_NAME = re.compile(r"(?P<model>.*?)(?:@(?P<url>https?://.*))?", re.DOTALL)


def split(name: str) -> tuple[str, str, str | None]:
    """The parts of "kind:MODEL@URL": kind, model, and the address if one is given ("" and None where absent)."""
    kind, _, rest = name.partition(":")
    found = _NAME.fullmatch(rest)
    return (kind, found["model"], found["url"]) if found else (kind, rest, None)


def is_loopback(url: str) -> bool:
    """Whether an address is this machine's own."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host(url: str) -> str:
    """Where texts go, for people to read: the host's name, and the port if one is given; never a password or a query."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def sdk(name: str) -> Any:
    """A vendor's SDK, imported only where its model is named.

    Raises:
        ModelError: it is not installed; says the exact command.
    """
    try:
        module = import_module(name)
    except ImportError:
        raise ModelError(
            f"the {name} SDK is not installed: run `pip install 'clio-insights[{name}]'`"
        ) from None
    logging.getLogger(name).setLevel(logging.WARNING)  # its debug log would hold prompts
    return module


def address(name: str, base_url: str | None, variable: str, vendor: str) -> str:
    """Where a model is called: the setting, else the environment variable, else the vendor.

    Raises:
        ModelError: it is no http(s) address, holds a password, or is not this machine's though CLIO_OFFLINE=1.
    """
    url = base_url or os.environ.get(variable) or vendor
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise ModelError(f"{name}: the base URL is not an http(s) address: set {variable} like {vendor}")
    if parts.query or parts.fragment:
        raise ModelError(
            f"{name}: the base URL holds a query, which would be stored: give a key by {variable.replace('BASE_URL', 'API_KEY')}"
        )
    if parts.username or parts.password:
        raise ModelError(
            f"{name}: the base URL holds a name or password, which would be stored: give a key instead"
        )
    if os.environ.get("CLIO_OFFLINE") == "1" and not is_loopback(url):
        raise ModelError(
            f"{name}: CLIO_OFFLINE=1 allows models on this machine only, not {parts.hostname}: "
            "unset it or name a local base URL"
        )
    return url


def key(name: str, url: str, variable: str, command: str | None) -> str:
    """The key for an address: what a command prints, else the environment variable; none is needed on this machine.

    Args:
        name: of the model, for errors.
        url: where the key will be sent.
        variable: the vendor's usual environment variable.
        command: run without a shell, such as ``pass show {host}``; its first line is the key. ``{host}`` stands for the
            server's name, ``{name}`` for the variable's.

    Raises:
        ModelError: there is none, or the command fails; never quotes what it printed.
    """
    if command:
        try:
            told = {"{name}": variable, "{host}": urlsplit(url).hostname or ""}
            words = shlex.split(command)
            for mark, value in told.items():
                words = [word.replace(mark, value) for word in words]
            done = subprocess.run(  # noqa: S603 - the owner's own command, without a shell
                words, capture_output=True, text=True, timeout=_SECONDS_FOR_KEY, check=False
            )
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            raise ModelError(
                f"{name}: the key command cannot be run ({type(error).__name__}): check key_command"
            ) from None
        found = done.stdout.splitlines()[0].strip() if done.stdout.strip() else ""
        if done.returncode or not found:
            raise ModelError(f"{name}: the key command printed no key (exit code {done.returncode})")
        return found
    found = os.environ.get(variable, "")
    if not found and not is_loopback(url):
        raise ModelError(
            f"{name}: no key for {urlsplit(url).hostname}: set {variable}, or key_command to a command that prints it"
        )
    return found or "none"


def direct(client: Any, url: str) -> Any:
    """An HTTP client; to this machine it goes past any proxy and follows no redirect: nothing leaves."""
    here = is_loopback(url)
    library = client.__mro__[1].__module__.partition(".")[0]
    return client(verify=_certificates(library, not here), trust_env=not here, follow_redirects=not here)


@cache
def _certificates(library: str, trust_env: bool) -> Any:
    """Whom an HTTP library trusts; read once, since that takes longer than twenty calls."""
    return import_module(library).create_ssl_context(trust_env=trust_env)


class Manner:
    """How something is asked for, the fullest way first: the fullest that has worked, or the first until one has."""

    def __init__(self) -> None:
        self.way = 0
        self._worked = False

    def worked(self, way: int) -> None:
        """Note that a way has worked; one that is less full was only what a single prompt needed if a fuller one works too."""
        self.way = min(self.way, way) if self._worked else way
        self._worked = True


class Clients:
    """A vendor's clients, as many as are needed: one looks through all of its connections at each call, so it gets few at a time."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._all: list[Any] = []
        self._free: list[Any] = []  # each client once for each call that it may take on

    @contextmanager
    def one(self) -> Iterator[Any]:
        """A client for the time of a call; the one used last, so that its connections stay open."""
        free = self._free
        if not free:
            self._all.append(self._make())
            free.extend([self._all[-1]] * _CALLS_OF_A_CLIENT)
        client = free.pop()
        try:
            yield client
        finally:
            free.append(client)

    async def close(self) -> None:
        """Close all connections; the next call opens new ones."""
        every, self._all, self._free = self._all, [], []
        for client in every:
            await client.close()


def told(module: Any, name: str, error: Exception) -> ModelError:
    """An SDK's error by its kind and status, without a word of its message. OpenAI's and Anthropic's SDK share these kinds."""
    if isinstance(error, ModelError):
        return error
    if isinstance(error, module.APIStatusError):
        status = int(error.status_code)
        if getattr(error, "code", None) == "insufficient_quota":
            status = 402  # OpenAI says 429, as for limits, but no waiting helps
        message = f"{name}: {_ADVICE.get(status) or f'the server fails ({status}): try again later'}"
        if status in _PASSING or status >= 500:
            after = _retry_after(error.response.headers)
            return Transient(message, overloaded=status in _OVERLOADED, retry_after=after)
        return ModelError(message)
    if isinstance(error, module.APITimeoutError):
        return Transient(f"{name}: no answer in time", overloaded=True)
    if isinstance(error, module.APIConnectionError):
        return Transient(f"{name}: no connection: check that the server runs and the base URL")
    return Transient(f"{name}: the answer cannot be read ({type(error).__name__})")


def about(error: Any) -> str:
    """What an SDK's error is about: a parameter's name, or how its message begins. To be looked at, never shown."""
    body = error.body if isinstance(error.body, Mapping) else {}
    inner = body.get("error", body)
    said = inner if isinstance(inner, Mapping) else {"message": inner}
    # a request that is quoted would name everything there is
    return str(said.get("param") or str(said.get("message") or "").partition("messages")[0][:_ABOUT])


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server wants to be left alone; as milliseconds, seconds or a date (RFC 9110, 10.2.3)."""
    from email.utils import parsedate_to_datetime  # loads a parser of mail

    for header, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(header)
        if not value:
            continue
        try:
            return max(0.0, float(value) * unit)
        except ValueError:
            try:
                return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
            except ValueError:
                continue
    return None
