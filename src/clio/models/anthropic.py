"""Anthropic's Messages API over the official SDK: single calls with prompt caching, and message batches."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Container, Mapping, Sequence
from contextlib import suppress
from typing import Any

from clio.models.access import Clients, Manner, about, address, direct, host, key, sdk, told
from clio.models.protocols import WORDLESS, Answer, Failure, Job, Prompt, Refused, Transient, Unusable, Usage

VENDOR = "https://api.anthropic.com"
# how a schema is asked for, and whether a temperature is: a model that refuses one way is asked the next
_FORMS = ("json_schema", None)
_WARMTHS = (True, False)


class AnthropicChat:
    """A chat model on a server that speaks Anthropic's protocol. Trying again is the caller's business (``clio.models.pace``).

    What a model does not understand it is not asked again: a schema, or a temperature, that it refuses is left out from then on.
    """

    most_requests = 100_000
    most_bytes = 200_000_000

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
        self.name = f"anthropic:{model}" + (f" {json.dumps(extra, sort_keys=True)}" if extra else "")
        self._model = model
        self._extra = extra
        self._sdk = sdk("anthropic")
        self._url = address(f"anthropic:{model}", base_url, "ANTHROPIC_BASE_URL", VENDOR)
        self._key = key(f"anthropic:{model}", self._url, "ANTHROPIC_API_KEY", key_command)
        self._timeout = timeout
        self.host = host(self._url)
        self._clients = Clients(self._client)
        self._schema = Manner()
        self._temperature = Manner()

    async def complete(self, prompt: Prompt) -> Answer:
        """Answer one prompt; raises ``ModelError`` (without its text) where the server does not."""
        form, warmth = self._schema.way, self._temperature.way
        while True:
            try:
                with self._clients.one() as client:
                    # not by messages.create: checking the answer costs time, and the newest SDK knows no temperature
                    body = self._body(prompt, form, warmth)
                    answer = _answer(await client.post("/v1/messages", body=body, cast_to=object))
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
        """The request as the protocol has it: system texts apart, and a mark where a shared beginning ends."""
        system: list[dict[str, Any]] = []
        messages: list[dict[str, Any]] = []
        for place, (role, text) in enumerate(prompt.messages, 1):
            block: dict[str, Any] = {"type": "text", "text": text.encode(errors="replace").decode()}
            if place == prompt.cached:
                block["cache_control"] = {"type": "ephemeral"}
            if role == "system":
                system.append(block)
            else:
                messages.append({"role": role, "content": [block]})
        body: dict[str, Any] = {
            "model": self._model,
            "max_tokens": prompt.max_tokens,
            "messages": messages,
        }
        if system:
            body["system"] = system
        if prompt.schema and _FORMS[form]:
            body["output_config"] = {"format": {"type": "json_schema", "schema": dict(prompt.schema)}}
        if _WARMTHS[warmth]:
            body["temperature"] = prompt.temperature
        return body | self._extra

    def _simpler(self, error: Exception, prompt: Prompt, form: int, warmth: int) -> tuple[int, int] | None:
        """The request with less in it that may be understood, None if the error is about something else."""
        if not isinstance(error, self._sdk.APIStatusError) or error.status_code not in {400, 422}:
            return None
        if _WARMTHS[warmth] and "temperature" in about(error):
            return form, warmth + 1
        if prompt.schema and _FORMS[form] and re.search("output_config|schema", about(error)):
            return form + 1, warmth
        return None

    async def submit(self, requests: Sequence[tuple[str, Prompt]], _tag: str) -> str:
        """Start a message batch; the API keeps no tag."""
        form, warmth = self._schema.way, self._temperature.way
        lines = [{"custom_id": name, "params": self._body(prompt, form, warmth)} for name, prompt in requests]
        try:
            with self._clients.one() as client:
                job = await client.post("/v1/messages/batches", body={"requests": lines}, cast_to=object)
            return str(job["id"])
        except Exception as error:  # noqa: BLE001 - as above
            raise told(self._sdk, self.name, error) from None

    async def find(self, _tag: str, since: float, count: int, known: Container[str]) -> str | None:
        """The first unknown batch of as many requests since a time: answers are matched by their ids, so a stranger's does no harm."""
        found = None
        try:
            with self._clients.one() as client:
                async for job in client.messages.batches.list(limit=100):
                    if job.created_at.timestamp() < since - 60:  # the newest come first; clocks may differ
                        break
                    counts = job.request_counts
                    done = counts.succeeded + counts.errored + counts.canceled + counts.expired
                    if done + counts.processing == count and job.id not in known:
                        found = str(job.id)
        except Exception as error:  # noqa: BLE001 - as above
            raise told(self._sdk, self.name, error) from None
        return found

    async def poll(self, job: str) -> Job:
        """How a batch stands."""
        try:
            with self._clients.one() as client:
                found = await client.messages.batches.retrieve(job)
        except Exception as error:  # noqa: BLE001 - as above
            raise told(self._sdk, self.name, error) from None
        counts = found.request_counts
        return Job(found.processing_status == "ended", counts.succeeded + counts.errored + counts.expired)

    async def fetch(self, job: str) -> AsyncIterator[tuple[str, Answer | Failure]]:
        """The answers of a finished batch; requests that it did not answer are left out, to be asked singly."""
        try:
            with self._clients.one() as client:
                # not by messages.batches.results, which goes to whatever address the server names
                path = f"/v1/messages/batches/{job}/results"
                lines = {"headers": {"Accept": "application/binary"}}
                content = await client.get(path, cast_to=object, options=lines)
        except Exception as error:  # noqa: BLE001 - as above
            raise told(self._sdk, self.name, error) from None
        for line in (content if isinstance(content, str) else json.dumps(content)).split("\n"):
            if (read := _batched(line)) is not None:
                yield read

    async def forget(self, job: str) -> None:
        """Delete a batch with its requests and results."""
        with suppress(self._sdk.AnthropicError), self._clients.one() as client:
            await client.messages.batches.delete(job)

    def _client(self) -> Any:
        http = direct(self._sdk.DefaultAsyncHttpxClient, self._url)
        return self._sdk.AsyncAnthropic(
            base_url=self._url, api_key=self._key, max_retries=0, timeout=self._timeout, http_client=http
        )

    async def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        await self._clients.close()


def _answer(said: Any) -> Answer:
    """The answer in a message; raises ``Refused``, ``Transient`` or ``Unusable`` where it holds none."""
    used = said.get("usage") or {}
    cached = used.get("cache_read_input_tokens") or 0
    written = used.get("cache_creation_input_tokens") or 0
    # the vendor counts what its cache read and wrote apart from the rest
    read = (used.get("input_tokens") or 0) + cached + written
    usage = Usage(read, used.get("output_tokens") or 0, cached, written)
    if said.get("stop_reason") == "refusal":
        raise Refused("the model declines to answer", usage)
    text = "".join(block["text"] for block in said["content"] if block["type"] == "text").strip()
    if not text:
        if said.get("stop_reason") == "max_tokens":
            raise Unusable(WORDLESS, usage)
        raise Transient("the answer is empty", usage=usage)
    return Answer(text, usage, cut=said.get("stop_reason") == "max_tokens")


def _batched(line: str) -> tuple[str, Answer | Failure] | None:
    """What one line of a batch's results says, None if it holds nothing that can be read."""
    try:
        read = json.loads(line)
        try:
            found: Answer | Failure = _answer(read["result"]["message"])
        except (Refused, Transient, Unusable) as error:
            found = Failure(str(error), isinstance(error, Refused), error.usage or Usage())
        return str(read["custom_id"]), found
    except (ValueError, TypeError, LookupError, AttributeError):
        return None
