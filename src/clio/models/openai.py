"""Any server that speaks OpenAI's protocol, over the official SDK: chat completions, batches of them, and embeddings."""

from __future__ import annotations

import io
import json
import re
from collections.abc import AsyncIterator, Container, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clio.errors import ModelError
from clio.models.access import Clients, Manner, about, address, direct, host, key, sdk, told
from clio.models.protocols import (
    WORDLESS,
    Answer,
    Failure,
    Job,
    Prompt,
    Refused,
    Transient,
    Unusable,
    Usage,
)
from clio.models.weights import readable

VENDOR = "https://api.openai.com/v1"
EMBEDDED_AT_ONCE = 128  # texts in one embedding request
_REQUESTS_AT_ONCE = 8
_EMBED_CHARACTERS = 8000  # of a text to embed; servers refuse what their model cannot hold
_THOUGHT = re.compile(r"^.*?</think>", re.DOTALL)
# how a schema is asked for, and whether a temperature is: a server that refuses one way is asked the next
_FORMS = ("json_schema", "json_object", None)
_WARMTHS = (True, False)
#: the options that bound an answer, instead of the prompt's own bound
LIMITS = frozenset({"max_tokens", "max_completion_tokens"})


def _client_options(name: str, base_url: str | None, key_command: str | None) -> dict[str, Any]:
    """Where to call and with which key; refuses what is not allowed before anything is sent."""
    url = address(name, base_url, "OPENAI_BASE_URL", VENDOR)
    return {"base_url": url, "api_key": key(name, url, "OPENAI_API_KEY", key_command)}


class OpenAIChat:
    """A chat model on an OpenAI-compatible server. Trying again is the caller's business (``clio.models.pace``).

    What a server does not understand it is not asked again: a schema, or a temperature, that it refuses is left out from then on.
    """

    most_requests = 50_000
    most_bytes = 150_000_000

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        key_command: str | None = None,
        timeout: float = 120.0,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        extra = dict(options or {})
        self.name = f"openai:{model}" + (f" {json.dumps(extra, sort_keys=True)}" if extra else "")
        self._model = model
        self._extra = extra
        self._sdk = sdk("openai")
        self._options = _client_options(f"openai:{model}", base_url, key_command)
        self._timeout = timeout
        self.host = host(self._options["base_url"])
        self._clients = Clients(self._client)
        self._schema = Manner()
        self._temperature = Manner()
        # the vendor's newer models refuse the old name, other servers do not know the new one
        self._limit = (
            "max_completion_tokens"
            if self._options["base_url"].startswith(VENDOR) or ".openai.azure.com" in self.host
            else "max_tokens"
        )

    async def complete(self, prompt: Prompt) -> Answer:
        """Answer one prompt; raises ``ModelError`` (without its text) where the server does not."""
        form, warmth = self._schema.way, self._temperature.way
        while True:
            try:
                with self._clients.one() as client:
                    # not by chat.completions.create: checking both bodies costs the SDK more time than the rest of a call
                    body = self._body(prompt, form, warmth)
                    answer = _answer(await client.post("/chat/completions", body=body, cast_to=object))
            except Exception as error:  # noqa: BLE001 - whatever the SDK raises may quote the prompt
                if (simpler := self._simpler(error, prompt, form, warmth)) is None:
                    raise told(self._sdk, self.name, error) from None
                form, warmth = simpler
            else:
                self._temperature.worked(warmth)
                if prompt.schema:
                    self._schema.worked(form)
                return answer

    def _body(self, prompt: Prompt, form: int, warmth: int) -> dict[str, Any]:
        """The request as the protocol has it."""
        messages = [
            {"role": role, "content": text.encode(errors="replace").decode()}
            for role, text in prompt.messages
        ]
        body: dict[str, Any] = {"model": self._model, "messages": messages}
        if not LIMITS & self._extra.keys():
            body[self._limit] = prompt.max_tokens
        if _WARMTHS[warmth]:
            body["temperature"] = prompt.temperature
        if prompt.schema and _FORMS[form] == "json_schema":
            named = {"name": "answer", "strict": True, "schema": dict(prompt.schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        elif prompt.schema and _FORMS[form] == "json_object":
            body["response_format"] = {"type": "json_object", "schema": dict(prompt.schema)}
        return body | self._extra

    def _simpler(self, error: Exception, prompt: Prompt, form: int, warmth: int) -> tuple[int, int] | None:
        """The request with less in it that may be understood, None if the error is about something else."""
        if not isinstance(error, self._sdk.APIStatusError):
            return None
        named = about(error)
        # llama-cpp-python's server takes a request that it does not understand for a failure of its own
        if error.status_code not in {400, 422, 501} and "response_format" not in named:
            return None
        if _WARMTHS[warmth] and "temperature" in named:
            return form, warmth + 1
        # some servers do not say what they do not know
        if prompt.schema and _FORMS[form]:
            return form + 1, warmth
        return None

    async def submit(self, requests: Sequence[tuple[str, Prompt]], tag: str) -> str:
        """Start a batch job."""
        try:
            lines = []
            for name, prompt in requests:
                body = self._body(prompt, self._schema.way, self._temperature.way)
                line = {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body}
                lines.append(json.dumps(line, ensure_ascii=False).encode())
            with self._clients.one() as client:
                file = await client.files.create(file=(f"{tag}.jsonl", b"\n".join(lines)), purpose="batch")
                job = await client.batches.create(
                    input_file_id=file.id,
                    endpoint="/v1/chat/completions",
                    completion_window="24h",
                    metadata={"clio": tag},
                )
            return str(job.id)
        except Exception as error:  # noqa: BLE001 - as above
            raise told(self._sdk, self.name, error) from None

    async def find(self, tag: str, since: float, _count: int, _known: Container[str]) -> str | None:
        """The job that carries a tag in its metadata."""
        try:
            with self._clients.one() as client:
                async for job in client.batches.list(limit=100):
                    if (job.metadata or {}).get("clio") == tag:
                        return str(job.id)
                    if job.created_at < since - 600:  # the newest come first; clocks may differ
                        break
        except Exception as error:  # noqa: BLE001 - as above
            raise told(self._sdk, self.name, error) from None
        return None

    async def poll(self, job: str) -> Job:
        """How a job stands."""
        try:
            with self._clients.one() as client:
                found = await client.batches.retrieve(job)
        except Exception as error:  # noqa: BLE001 - as above
            raise told(self._sdk, self.name, error) from None
        counts = found.request_counts
        finished = counts.completed + counts.failed if counts else 0
        return Job(found.status in {"completed", "failed", "expired", "cancelled"}, finished)

    async def fetch(self, job: str) -> AsyncIterator[tuple[str, Answer | Failure]]:
        """The answers of a finished job; requests that it did not answer are left out, to be asked singly."""
        try:
            with self._clients.one() as client:
                found = await client.batches.retrieve(job)
                if not found.output_file_id:
                    return
                content = (await client.files.content(found.output_file_id)).content
        except Exception as error:  # noqa: BLE001 - as above
            raise told(self._sdk, self.name, error) from None
        # not by iter_lines, which also ends a line at marks that JSON may hold in a string
        for line in io.BytesIO(content):
            if (read := _batched(line)) is not None:
                yield read

    async def forget(self, job: str) -> None:
        """Delete a job's files."""
        with suppress(self._sdk.OpenAIError), self._clients.one() as client:
            found = await client.batches.retrieve(job)
            for file in filter(None, (found.input_file_id, found.output_file_id, found.error_file_id)):
                await client.files.delete(file)

    def _client(self) -> Any:
        http = direct(self._sdk.DefaultAsyncHttpxClient, self._options["base_url"])
        return self._sdk.AsyncOpenAI(**self._options, max_retries=0, timeout=self._timeout, http_client=http)

    async def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        await self._clients.close()


def _answer(said: Any) -> Answer:
    """The answer in a chat completion; raises ``Refused``, ``Transient`` or ``Unusable`` where it holds none."""
    used = said.get("usage") or {}
    details = used.get("prompt_tokens_details") or {}
    cached, written = (details.get(key) or 0 for key in ("cached_tokens", "cache_write_tokens"))
    usage = Usage(used.get("prompt_tokens") or 0, used.get("completion_tokens") or 0, cached, written)
    choice = said["choices"][0]
    if choice.get("finish_reason") == "content_filter" or choice["message"].get("refusal"):
        raise Refused("the model declines to answer", usage)
    text = _THOUGHT.sub("", choice["message"].get("content") or "").strip()
    if not text:
        if choice.get("finish_reason") == "length":
            raise Unusable(WORDLESS, usage)
        raise Transient("the answer is empty", usage=usage)
    return Answer(text, usage, cut=choice.get("finish_reason") == "length")


def _batched(line: bytes) -> tuple[str, Answer | Failure] | None:
    """What one line of a job's output says, None if it holds nothing that can be read."""
    try:
        read = json.loads(line)
        try:
            found: Answer | Failure = _answer(read["response"]["body"])
        except (Refused, Transient, Unusable) as error:
            found = Failure(str(error), isinstance(error, Refused), error.usage or Usage())
        return str(read["custom_id"]), found
    except (ValueError, TypeError, LookupError, AttributeError):
        return None


class OpenAIEmbedder:
    """An embedder on an OpenAI-compatible server; asks for one vector when made, to learn the dimensions.

    Retries of 429, 5xx and lost connections are the SDK's: requests are few and carry 128 texts each.
    """

    def __init__(
        self, model: str, *, base_url: str | None = None, key_command: str | None = None, retries: int = 6
    ) -> None:
        self.name = f"openai:{model}"
        self._model = model
        self._sdk = sdk("openai")
        self._options = _client_options(self.name, base_url, key_command)
        self._retries = retries
        self.host = host(self._options["base_url"])
        #: paid for so far
        self.tokens = 0
        self.dimensions = int(self._batches(["clio"])[0].shape[1])

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed n texts: float32, shape (n, dimensions), rows of unit length; 8 requests at once."""
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        starts = range(0, len(texts), EMBEDDED_AT_ONCE)
        for start, found in zip(starts, self._batches(texts), strict=True):
            vectors[start : start + len(found)] = found
        return vectors

    def _batches(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        http = direct(self._sdk.DefaultHttpxClient, self._options["base_url"])
        with (
            self._sdk.OpenAI(**self._options, max_retries=self._retries, http_client=http) as client,
            ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool,
        ):
            starts = range(0, len(texts), EMBEDDED_AT_ONCE)
            found = list(
                pool.map(lambda at: self._request(client, texts[at : at + EMBEDDED_AT_ONCE]), starts)
            )
        self.tokens += sum(used for _, used in found)
        return [vectors for vectors, _ in found]

    def _request(self, client: Any, texts: Sequence[str]) -> tuple[NDArray[np.float32], int]:
        """The vectors of some texts, and the tokens that they cost."""
        try:
            # servers refuse an empty text
            response = client.embeddings.create(
                model=self._model, input=[readable(text, _EMBED_CHARACTERS) or " " for text in texts]
            )
            ordered = sorted(response.data, key=lambda item: item.index)
            vectors = np.array([item.embedding for item in ordered], np.float32)
        except Exception as error:  # noqa: BLE001 - whatever the SDK raises may quote the texts
            raise told(self._sdk, self.name, error) from None
        if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
            raise ModelError(
                f"{self.name}: asked for {len(texts)} vectors, got shape {vectors.shape} or values that "
                "are no numbers"
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not lengths.all():
            raise ModelError(f"{self.name}: a vector is all zeros")
        normal: NDArray[np.float32] = vectors / lengths
        return normal, getattr(response.usage, "total_tokens", None) or 0
