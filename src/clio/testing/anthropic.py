"""Anthropic's protocol: messages with prompt caching, and message batches, in the shapes of its reference."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from clio.testing.standin import answer, count_tokens, spoiled
from clio.testing.state import (
    BROKEN,
    Fault,
    RefusedError,
    Reply,
    Request,
    Server,
    made_id,
    name_of,
    packed,
    page,
    quoted,
)

#: a shorter prefix is not cached
LEAST_CACHED = 1024
#: how a batch's line may end
_ENDS = ("succeeded", "errored", "canceled", "expired")
_ERRORS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class _Block(NamedTuple):
    """A text block: its message's number and role, its text and its cache marker."""

    message: int
    role: str
    text: str
    marker: Any


def respond(server: Server, request: Request) -> Reply | None:
    """Answer a request, or None if the address is not one of Anthropic's."""
    parts = request.path.rstrip("/").split("/")[2:]
    if parts[:1] != ["messages"]:
        return None
    try:
        # SDK 2.x sends its key as a bearer token, SDK 1.x and plain HTTP clients as x-api-key
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if not request.headers.get("x-api-key") and not (scheme.lower() == "bearer" and bearer):
            raise RefusedError("x-api-key header is required", status=401)
        if not request.headers.get("anthropic-version"):
            raise RefusedError("anthropic-version: header is required")
        match [request.method, *parts[1:]]:
            case ["POST"]:
                wait = server.wait_for_turn()
                if wait is not None:
                    return _error(429, "This request would exceed your rate limit", retry=wait)
                return _call(server, request.body)
            case ["POST", "batches"]:
                return Reply(200, _create(server, request))
            case ["GET", "batches"]:
                return Reply(200, _list(server, request.query))
            case ["GET", "batches", name]:
                return Reply(200, _batch(server, name))
            case ["GET", "batches", name, "results"]:
                return Reply(200, _results(server, name), {"Content-Type": "application/x-jsonl"})
            case ["POST", "batches", name, "cancel"]:
                return Reply(200, _cancel(server, _batch(server, name)))
            case ["DELETE", "batches", name]:
                _results(server, name)
                del server.anthropic_jobs[name], server.results[name]
                return Reply(200, {"id": name, "type": "message_batch_deleted"})
            case _:
                return None
    except RefusedError as error:
        return _error(error.status, str(error))
    except (ValueError, KeyError, TypeError, AttributeError):
        return _error(400, f"The request is wrong: {quoted(request.body)}")


def _call(server: Server, body: bytes, tier: str = "standard") -> Reply:
    """Answer a request for a message, or meet a fault."""
    try:
        asked = json.loads(body)
        schema = _schema(asked)
        fault = server.draw(body, has_schema=schema is not None)
        if fault in {"drop", "stall"}:
            return Reply(0, b"", broken=fault)
        if fault is not None and fault.isdigit():
            return _error(int(fault), f"fault {fault} for: {quoted(body)}")
        if fault == "no_schema":
            raise RefusedError(f"output_config.format: this model knows no schemas: {quoted(body)}")
        return _message(server, asked, schema, fault, tier)
    except RefusedError as error:
        return _error(error.status, str(error))
    except (ValueError, KeyError, TypeError, AttributeError):
        return _error(400, f"The request is wrong: {quoted(body)}")


def _message(
    server: Server, asked: Mapping[str, Any], schema: Mapping[str, Any] | None, fault: Fault | None, tier: str
) -> Reply:
    """A message in answer to others."""
    _check(asked)
    # a marker at the top stands for one at the last block
    blocks = list(_blocks(asked))
    if asked.get("cache_control"):
        blocks[-1] = blocks[-1]._replace(marker=asked["cache_control"])
    messages = [
        (role, "\n".join(block.text for block in told))
        for (_, role), told in groupby(blocks, key=lambda block: (block.message, block.role))
    ]
    text = spoiled(answer(messages, schema, gullible=server.gullible, leaky=server.leaky), fault)
    stop = {"cut": "max_tokens", "refuse": "refusal"}.get(fault or "", "end_turn")
    said = {
        "id": made_id("msg_", server.seed, name_of(asked), server.calls),
        "type": "message",
        "role": "assistant",
        "model": asked["model"],
        "content": [] if fault == "refuse" else [{"type": "text", "text": text}],
        "stop_reason": stop,
        "stop_sequence": None,
        "stop_details": {"type": "refusal", "category": None, "explanation": None}
        if fault == "refuse"
        else None,
        "usage": {
            **_input_usage(server, asked, blocks),
            "output_tokens": count_tokens(text),
            "service_tier": tier,
        },
    }
    if fault in BROKEN:
        return Reply(200, said, broken=fault)
    return Reply(200, said, calls=1, paid=None if fault in {"empty", "refuse"} else name_of(asked))


def _check(asked: Mapping[str, Any]) -> None:
    """Refuse what Anthropic's reference forbids."""
    for key in ("model", "max_tokens", "messages"):
        if not asked.get(key):
            raise RefusedError(f"{key}: Field required")
    if asked.get("stream"):
        raise RefusedError("stream: not known here")
    for number, message in enumerate(asked["messages"]):
        if message["role"] not in {"user", "assistant"}:
            raise RefusedError(f"messages.{number}.role: Input should be 'user' or 'assistant'")
        if not message["content"]:
            raise RefusedError(f"messages.{number}: user messages must have non-empty content")


def _blocks(asked: Mapping[str, Any]) -> Iterator[_Block]:
    """The text blocks of a prompt in the order in which prefixes are cached: the system's, then the messages'."""
    told: list[tuple[str, Any]] = [("system", asked["system"])] if asked.get("system") else []
    messages = [*told, *((one["role"], one["content"]) for one in asked["messages"])]
    for number, (role, content) in enumerate(messages):
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            if block["type"] != "text":
                raise RefusedError("only text is understood here")
            if not block["text"]:
                raise RefusedError("messages: text content blocks must be non-empty")
            yield _Block(number, role, block["text"], block.get("cache_control"))


def _input_usage(server: Server, asked: Mapping[str, Any], blocks: list[_Block]) -> dict[str, Any]:
    """How many tokens of a prompt are new, written to the cache, and read from it; the prefixes are noted."""
    whole = read = cached = 0
    ttl = "5m"
    prefix = hashlib.sha256(str(asked["model"]).encode())
    if sum(block.marker is not None for block in blocks) > 4:
        raise RefusedError("A maximum of 4 blocks with cache_control may be provided.")
    for number, block in enumerate(blocks):
        begins = number == 0 or blocks[number - 1].message != block.message
        whole += count_tokens(block.text) + (4 if begins else 0)
        prefix.update(f"\0{block.message} {block.role}\0{block.text}".encode(errors="replace"))
        if block.marker is None or whole < LEAST_CACHED:
            continue
        if prefix.digest() in server.prefixes:
            read = whole
        server.prefixes.add(prefix.digest())
        cached, ttl = whole, block.marker.get("ttl", "5m")
    written = cached - read
    return {
        "input_tokens": whole + 3 - cached,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": written if ttl == "5m" else 0,
            "ephemeral_1h_input_tokens": written if ttl == "1h" else 0,
        },
    }


def _schema(asked: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schema of the answer that is asked for."""
    form = (asked.get("output_config") or {}).get("format")
    if form is None:
        return None
    if form["type"] != "json_schema":
        raise RefusedError("output_config.format.type: Input should be 'json_schema'")
    _check_schema(form["schema"])
    return dict(form["schema"])


def _check_schema(schema: Any) -> None:
    """Refuse objects that leave additional properties open, as Anthropic does."""
    if isinstance(schema, list):
        for one in schema:
            _check_schema(one)
    if isinstance(schema, dict):
        if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
            raise RefusedError(
                "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly "
                "set to false"
            )
        for one in schema.values():
            _check_schema(one)


def _error(status: int, message: str, *, retry: float | None = None) -> Reply:
    """An error in Anthropic's shape."""
    headers = {}
    if retry is not None:
        headers = {"retry-after": str(int(retry) + 1)}
    elif status in {429, 500, 503, 529}:
        headers = {"retry-after": "0"}  # tests should not wait
    kind = _ERRORS.get(status, "invalid_request_error" if status < 500 else "api_error")
    said = {"type": "error", "error": {"type": kind, "message": message}, "request_id": None}
    return Reply(status, said, headers)


def _now(hours: int = 0) -> str:
    """The time in so many hours, as the protocol writes it."""
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat().replace("+00:00", "Z")


def _batch(server: Server, name: str) -> dict[str, Any]:
    """A batch job by its id."""
    if name not in server.anthropic_jobs:
        raise RefusedError(f"Message batch {name} not found", status=404)
    return server.anthropic_jobs[name]


def _results(server: Server, name: str) -> bytes:
    """The results of a batch job that has ended."""
    if _batch(server, name)["processing_status"] != "ended":
        raise RefusedError(f"Message batch {name} has not ended yet")
    return server.results[name]


def _list(server: Server, query: Mapping[str, str]) -> dict[str, Any]:
    """A page of the batch jobs, newest first."""
    jobs = list(server.anthropic_jobs.values())
    found, more = page(jobs, int(query.get("limit", 20)), query.get("after_id"))
    return {
        "data": found,
        "has_more": more,
        "first_id": found[0]["id"] if found else None,
        "last_id": found[-1]["id"] if found else None,
    }


def _create(server: Server, request: Request) -> dict[str, Any]:
    """Begin a batch job."""
    lines = json.loads(request.body)["requests"]
    if not lines:
        raise RefusedError("requests: List should have at least 1 item")
    names = [line["custom_id"] for line in lines]
    if len(set(names)) < len(names):
        raise RefusedError("requests: custom_id must be unique")
    for number, name in enumerate(names):
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name):
            raise RefusedError(f"requests.{number}.custom_id: String should match '^[a-zA-Z0-9_-]{{1,64}}$'")
    job: dict[str, Any] = {
        "id": made_id("msgbatch_", server.seed, server.batches, names),
        "type": "message_batch",
        "processing_status": "in_progress",
        "request_counts": {"processing": len(lines), **dict.fromkeys(_ENDS, 0)},
        "ended_at": None,
        "created_at": _now(),
        "expires_at": _now(24),
        "archived_at": None,
        "cancel_initiated_at": None,
        "results_url": None,
    }
    server.anthropic_jobs[job["id"]] = job
    server.batches += 1
    server.cancelled[job["id"]] = asyncio.Event()
    server.work(_work(server, job, lines))
    return dict(job)


def _cancel(server: Server, job: dict[str, Any]) -> dict[str, Any]:
    """Ask a batch job to stop."""
    if job["processing_status"] == "ended":
        raise RefusedError("Cannot cancel a batch that has ended")
    job.update(
        {"processing_status": "canceling", "cancel_initiated_at": job["cancel_initiated_at"] or _now()}
    )
    server.cancelled[job["id"]].set()
    return dict(job)


async def _work(server: Server, job: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    """Answer a batch job's lines after its delay, each as a single call is answered."""
    await server.rest(job["id"])
    results: list[dict[str, Any]] = []
    for number, line in enumerate(lines):
        if number % 50 == 0:
            await asyncio.sleep(0)  # others want to be served too
        if job["processing_status"] == "canceling":
            result: dict[str, Any] = {"type": "canceled"}
        else:
            reply = _call(server, packed(line["params"]), "batch")
            server.book(reply)
            result = _result(reply)
        results.append({"custom_id": line["custom_id"], "result": result})
    # in another order than they were asked, as the reference warns
    results.sort(key=lambda line: made_id("", line["custom_id"]))
    server.results[job["id"]] = "".join(
        json.dumps(line, ensure_ascii=False) + "\n" for line in results
    ).encode(errors="replace")
    kinds = [line["result"]["type"] for line in results]
    job.update(
        {
            "processing_status": "ended",
            "ended_at": _now(),
            "results_url": f"{server.anthropic_url}/v1/messages/batches/{job['id']}/results",
            "request_counts": {"processing": 0, **{kind: kinds.count(kind) for kind in _ENDS}},
        }
    )


def _result(reply: Reply) -> dict[str, Any]:
    """The result of a line: its message, its error, or that it was not reached in time."""
    if reply.broken is not None:
        return {"type": "expired"}
    if reply.status != 200:
        return {"type": "errored", "error": reply.said}
    return {"type": "succeeded", "message": reply.said}
