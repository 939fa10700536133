"""OpenAI's protocol: chat completions, embeddings and models, in the shapes of its reference."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import struct
import time
from collections.abc import Mapping
from typing import Any

from clio.testing import openai_batches as batches
from clio.testing.standin import answer, count_tokens, spoiled
from clio.testing.state import BROKEN, Fault, RefusedError, Reply, Request, Server, made_id, name_of, quoted
from clio.text import tokens

DIMENSIONS = 64
_CHAT, _EMBED = "/v1/chat/completions", "/v1/embeddings"
_ROLES = {"system", "developer", "user", "assistant", "tool"}
#: type and code of an error by its status
_ERRORS: dict[int, tuple[str, str | None]] = {
    401: ("invalid_request_error", "invalid_api_key"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}


def respond(server: Server, request: Request) -> Reply | None:
    """Answer a request, or None if the address is not one of OpenAI's."""
    path, method = request.path.rstrip("/"), request.method
    try:
        match [method, *path.split("/")[2:]]:
            case ["POST", "chat", "completions"] | ["POST", "embeddings"]:
                wait = server.wait_for_turn()
                if wait is not None:
                    return _error(429, "Rate limit reached for requests", retry=wait)
                return _call(server, path, request.body)
            case ["GET", "models"]:
                model = {"id": "stand-in", "object": "model", "created": 0, "owned_by": "clio"}
                return Reply(200, {"object": "list", "data": [model]})
            case _:
                return batches.respond(server, request, _call)
    except RefusedError as error:
        return _error(error.status, str(error), param=error.param)
    except (ValueError, KeyError, TypeError, AttributeError):
        return _error(400, f"We could not parse the request: {quoted(request.body)}")


def _call(server: Server, path: str, body: bytes) -> Reply:
    """Answer a chat completion or an embedding request, or meet a fault."""
    try:
        asked = json.loads(body)
        schema = _schema(asked) if path == _CHAT else None
        fault = server.draw(body, has_schema=bool(schema))
        if fault in {"drop", "stall"}:
            return Reply(0, b"", broken=fault)
        if fault is not None and fault.isdigit():
            return _error(int(fault), f"fault {fault} for: {quoted(body)}")
        if fault == "no_schema":
            raise RefusedError(
                "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this "
                f"model: {quoted(body)}",
                param="response_format",
            )
        return _chat(server, asked, schema, fault) if path == _CHAT else _embeddings(asked, fault)
    except RefusedError as error:
        return _error(error.status, str(error), param=error.param)
    except (ValueError, KeyError, TypeError, AttributeError):
        return _error(400, f"We could not parse the request: {quoted(body)}")


def _chat(server: Server, asked: Mapping[str, Any], schema: Any, fault: Fault | None) -> Reply:
    """A chat completion."""
    messages = [(message["role"], _text(message["content"])) for message in asked["messages"]]
    if asked.get("stream") or not asked["model"] or not messages or {role for role, _ in messages} - _ROLES:
        raise ValueError
    text = spoiled(answer(messages, schema, gullible=server.gullible, leaky=server.leaky), fault)
    used = sum(count_tokens(text) + 4 for _, text in messages) + 3
    written = count_tokens(text)
    refused = "I'm sorry, I can't help with that." if fault == "refuse" else None
    choice = {
        "index": 0,
        "message": {
            "role": "assistant",
            "content": None if refused else text,
            "refusal": refused,
            "annotations": [],
        },
        "logprobs": None,
        "finish_reason": {"cut": "length", "refuse": "content_filter"}.get(fault or "", "stop"),
    }
    said = {
        "id": made_id("chatcmpl-", server.seed, name_of(asked), server.calls),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": asked["model"],
        "choices": [choice],
        "usage": {
            "prompt_tokens": used,
            "completion_tokens": written,
            "total_tokens": used + written,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "service_tier": "default",
        "system_fingerprint": None,
    }
    if fault in BROKEN:
        return Reply(200, said, broken=fault)
    return Reply(200, said, calls=1, paid=None if fault in {"empty", "refuse"} else name_of(asked))


def _embeddings(asked: Mapping[str, Any], fault: Fault | None) -> Reply:
    """Vectors that are near where texts share words, as numbers or in base64."""
    texts = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise ValueError
    data = []
    for number, text in enumerate(texts):
        vector = [0.001] * DIMENSIONS
        for word in tokens(text):
            at = hashlib.sha256(word.encode()).digest()
            vector[at[0] % DIMENSIONS] += 1 if at[1] % 2 else -1
        short = base64.b64encode(struct.pack(f"<{DIMENSIONS}f", *vector)).decode()
        shown = short if asked.get("encoding_format") == "base64" else vector
        data.append({"object": "embedding", "index": number, "embedding": shown})
    used = sum(map(count_tokens, texts))
    usage = {"prompt_tokens": used, "total_tokens": used}
    said = {"object": "list", "data": data, "model": asked["model"], "usage": usage}
    broken = fault if fault in BROKEN else None
    return Reply(200, said, embedded=0 if broken else len(data), broken=broken)


def _text(content: Any) -> str:
    """A message's text: a string, nothing, or text blocks."""
    if content is None or isinstance(content, str):
        return content or ""
    if any(block["type"] != "text" for block in content):
        raise RefusedError("only text is understood here", param="messages")
    return "\n".join(block["text"] for block in content)


def _schema(asked: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schema of the answer that is asked for; an empty one for JSON of any form."""
    form = asked.get("response_format") or {"type": "text"}
    if form["type"] == "text":
        return None
    if form["type"] == "json_object":
        # a schema here is llama.cpp's and others' way
        return dict(form.get("schema") or {})
    if form["type"] != "json_schema":
        raise RefusedError(f"Invalid value: {form['type']!r}", param="response_format.type")
    told = form["json_schema"]
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", told.get("name") or ""):
        raise RefusedError("Missing or wrong name", param="response_format.json_schema.name")
    if told.get("strict"):
        _check_strict(told["schema"])
    return dict(told["schema"])


def _check_strict(schema: Any) -> None:
    """Refuse what OpenAI's strict schemas may not have: optional properties, or additional ones."""
    if isinstance(schema, list):
        for one in schema:
            _check_strict(one)
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is not False or set(schema.get("required", ())) != set(
            properties
        ):
            raise RefusedError(
                "Invalid schema for response_format: 'additionalProperties' is required to be false and "
                "'required' to name every key in properties",
                param="response_format",
            )
    for one in schema.values():
        _check_strict(one)


def _error(status: int, message: str, *, param: str | None = None, retry: float | None = None) -> Reply:
    """An error in OpenAI's shape."""
    kind, code = _ERRORS.get(status, ("invalid_request_error" if status < 500 else "server_error", None))
    headers = {}
    if retry is not None:
        headers = {"retry-after": str(int(retry) + 1), "retry-after-ms": str(int(retry * 1000) + 1)}
    elif status in {429, 500, 503, 529}:
        headers = {"retry-after": "0", "retry-after-ms": "5"}  # tests should not wait
    return Reply(status, {"error": {"message": message, "type": kind, "param": param, "code": code}}, headers)
