"""Any server that speaks OpenAI's protocol, over the official SDK: chat completions and embeddings.

The key comes from OPENAI_API_KEY (none is needed on this machine), the address from the setting or
OPENAI_BASE_URL. With CLIO_OFFLINE=1 an address that is not this machine's is refused. Errors are told by
their status alone, since a server's own message may quote the prompt.
"""

from __future__ import annotations

import ipaddress
import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from clio.errors import ModelError
from clio.models.protocols import Answer, Prompt

VENDOR = "https://api.openai.com/v1"
_BATCH = 128  # texts in one embedding request
_EMBED_AT_ONCE = 8
_EMBED_CHARACTERS = 8000  # of a text to embed; servers refuse what their model cannot hold
_ADVICE = {
    400: "it refuses the request (400): check the model's name and its context length",
    401: "it refuses the key (401): check OPENAI_API_KEY",
    403: "it forbids the request (403): check what the key may do",
    404: "it does not know the model or the path (404): check the model's name and OPENAI_BASE_URL",
    408: "it timed out (408)",
    413: "the prompt is too long for it (413)",
    422: "it cannot read the request (422): check that it speaks the OpenAI protocol",
    429: "too many requests, or no credit left (429): lower the concurrency or check the account",
}


def is_loopback(url: str) -> bool:
    """Whether an address is this machine's own."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _sdk() -> Any:
    try:
        import openai
    except ImportError:
        raise ModelError(
            "the openai SDK is not installed: run `pip install 'clio-insights[openai]'`"
        ) from None
    logging.getLogger("openai").setLevel(logging.WARNING)  # its debug log (OPENAI_LOG) would hold prompts
    return openai


def _client_options(name: str, base_url: str | None) -> dict[str, Any]:
    """Where to call and with which key; refuses what is not allowed before anything is sent."""
    url = base_url or os.environ.get("OPENAI_BASE_URL") or VENDOR
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise ModelError(f"{name}: the base URL is not an http(s) address: set OPENAI_BASE_URL like {VENDOR}")
    if os.environ.get("CLIO_OFFLINE") == "1" and not is_loopback(url):
        raise ModelError(
            f"{name}: CLIO_OFFLINE=1 allows models on this machine only, not {urlsplit(url).hostname}: "
            "unset it or name a local base URL"
        )
    key = os.environ.get("OPENAI_API_KEY")
    if not key and not is_loopback(url):
        raise ModelError(f"{name}: no key for {urlsplit(url).hostname}: set OPENAI_API_KEY")
    return {"base_url": url, "api_key": key or "none"}


def _told(sdk: Any, name: str, error: Exception) -> ModelError:
    """An SDK's error by its kind and status, without a word of its message."""
    if isinstance(error, sdk.APIStatusError):
        status = error.status_code
        return ModelError(f"{name}: {_ADVICE.get(status) or f'the server fails ({status}): try again later'}")
    if isinstance(error, sdk.APITimeoutError):
        return ModelError(f"{name}: no answer in time")
    if isinstance(error, sdk.APIConnectionError):
        return ModelError(f"{name}: no connection: check that the server runs and OPENAI_BASE_URL")
    return ModelError(f"{name}: the answer cannot be read ({type(error).__name__})")


class OpenAIChat:
    """A chat model on an OpenAI-compatible server; retries of 429, 5xx and lost connections are the SDK's."""

    def __init__(self, model: str, *, base_url: str | None = None, retries: int = 4) -> None:
        self.name = f"openai:{model}"
        self._model = model
        self._sdk = _sdk()
        self._options = _client_options(self.name, base_url) | {"max_retries": retries}
        self._client: Any = None
        # the vendor's newer models refuse the old name, other servers do not know the new one
        self._limit = (
            "max_completion_tokens" if self._options["base_url"].startswith(VENDOR) else "max_tokens"
        )

    async def complete(self, prompt: Prompt) -> Answer:
        """Answer one prompt; ``ModelError`` (without its text) where the server does not."""
        if self._client is None:
            self._client = self._sdk.AsyncOpenAI(
                **self._options, http_client=_direct(self._sdk.DefaultAsyncHttpxClient, self._options)
            )
        try:
            response = await self._client.chat.completions.create(
                model=self._model,
                messages=[{"role": role, "content": text} for role, text in prompt.messages],
                temperature=prompt.temperature,
                **{self._limit: prompt.max_tokens},
            )
            text = response.choices[0].message.content
            usage = response.usage
        except Exception as error:  # noqa: BLE001 - whatever the SDK raises may quote the prompt
            raise _told(self._sdk, self.name, error) from None
        if not text:
            raise ModelError(f"{self.name}: the answer is empty")
        return Answer(text, usage.prompt_tokens if usage else 0, usage.completion_tokens if usage else 0)

    async def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()


class OpenAIEmbedder:
    """An embedder on an OpenAI-compatible server; asks for one vector when made, to learn the dimensions."""

    def __init__(self, model: str, *, base_url: str | None = None, retries: int = 4) -> None:
        self.name = f"openai:{model}"
        self._model = model
        self._sdk = _sdk()
        self._options = _client_options(self.name, base_url) | {"max_retries": retries}
        self.dimensions = int(self._batches(["clio"])[0].shape[1])

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed n texts: float32, shape (n, dimensions), rows of unit length; 8 requests at once."""
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for start, found in zip(range(0, len(texts), _BATCH), self._batches(texts), strict=True):
            vectors[start : start + len(found)] = found
        return vectors

    def _batches(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        with (
            self._sdk.OpenAI(
                **self._options, http_client=_direct(self._sdk.DefaultHttpxClient, self._options)
            ) as client,
            ThreadPoolExecutor(_EMBED_AT_ONCE) as pool,
        ):
            starts = range(0, len(texts), _BATCH)
            return list(pool.map(lambda start: self._request(client, texts[start : start + _BATCH]), starts))

    def _request(self, client: Any, texts: Sequence[str]) -> NDArray[np.float32]:
        try:
            # servers refuse an empty text
            response = client.embeddings.create(
                model=self._model, input=[text[:_EMBED_CHARACTERS] or " " for text in texts]
            )
            ordered = sorted(response.data, key=lambda item: item.index)
            vectors = np.array([item.embedding for item in ordered], np.float32)
        except Exception as error:  # noqa: BLE001 - whatever the SDK raises may quote the texts
            raise _told(self._sdk, self.name, error) from None
        if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
            raise ModelError(
                f"{self.name}: asked for {len(texts)} vectors, got shape {vectors.shape} or values that "
                "are no numbers"
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not lengths.all():
            raise ModelError(f"{self.name}: a vector is all zeros")
        normal: NDArray[np.float32] = vectors / lengths
        return normal


def _direct(client: Any, options: dict[str, Any]) -> Any:
    """An HTTP client; to this machine it goes past any proxy and follows no redirect: nothing leaves."""
    here = is_loopback(options["base_url"])
    return client(trust_env=not here, follow_redirects=not here)
