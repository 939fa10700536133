"""Anthropic's protocol: what is sent, what is read, prompt caching, and what a model need not understand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from clio.errors import ModelError
from clio.models import embedder
from clio.models.anthropic import AnthropicChat
from clio.models.protocols import Answer, Failure, Prompt, Refused, Transient, Usage
from clio.testing import Server, model_server

WORDS = "xyzzy-private"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"x": {"type": "string"}},
    "required": ["x"],
    "additionalProperties": False,
}
PROMPT = Prompt((("user", f"say something about {WORDS}"),))
MANY = [Prompt((("user", f"prompt {number}"),), schema=SCHEMA) for number in range(12)]


@pytest.fixture
def server() -> Iterator[Server]:
    with model_server(record=True) as running:
        yield running


def ask(model: AnthropicChat, *prompts: Prompt) -> list[Answer]:
    async def each() -> list[Answer]:
        try:
            return [await model.complete(prompt) for prompt in prompts]
        finally:
            await model.close()

    return asyncio.run(asyncio.wait_for(each(), 20))


def said(*blocks: Any, stop: str = "end_turn") -> dict[str, Any]:
    """A message."""
    return {
        "type": "message",
        "content": list(blocks),
        "stop_reason": stop,
        "usage": {
            "input_tokens": 10,
            "output_tokens": 5,
            "cache_read_input_tokens": 100,
            "cache_creation_input_tokens": None,
        },
    }


def text(content: str) -> dict[str, str]:
    return {"type": "text", "text": content}


def refusal(message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": "invalid_request_error", "message": message}}


def test_a_prompt_arrives_in_the_vendors_form(server: Server) -> None:
    """System texts stand apart, each text is a block, sampling and options are as they were set, and there is nothing else."""
    prompt = Prompt(
        (("system", "s"), ("user", "a"), ("assistant", "b"), ("user", "c")), 0.7, 33, schema=SCHEMA
    )
    (answer,) = ask(AnthropicChat("m", base_url=server.anthropic_url, options={"top_k": 5}), prompt)
    assert answer.usage.input > 4
    assert answer.usage.output > 0
    assert server.bodies is not None
    assert json.loads(server.bodies[0]) == {
        "model": "m",
        "max_tokens": 33,
        "system": [text("s")],
        "messages": [
            {"role": "user", "content": [text("a")]},
            {"role": "assistant", "content": [text("b")]},
            {"role": "user", "content": [text("c")]},
        ],
        "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
        "temperature": 0.7,
        "top_k": 5,
    }


@pytest.mark.parametrize("place", [1, 2])
def test_a_shared_beginning_is_marked_where_it_ends_and_nowhere_else(place: int, server: Server) -> None:
    """One mark, at the last of the cached messages, be it the system's or the user's."""
    prompt = Prompt((("system", "s"), ("user", "a"), ("user", "b")), cached=place)
    ask(AnthropicChat("m", base_url=server.anthropic_url), prompt)
    assert server.bodies is not None
    body = json.loads(server.bodies[0])
    marks = ["cache_control" in body["system"][0]]
    marks += ["cache_control" in message["content"][0] for message in body["messages"]]
    assert marks == [place == 1, place == 2, False]


def test_what_the_cache_reads_and_writes_is_counted(server: Server) -> None:
    """The first prompt of a beginning writes it, the next reads it, and all that was read adds up to the whole input."""
    rules = "A long rule that holds for every conversation. " * 300
    prompts = [Prompt((("system", rules), ("user", f"number {n}")), cached=1) for n in range(3)]
    first, *later = (
        answer.usage for answer in ask(AnthropicChat("m", base_url=server.anthropic_url), *prompts)
    )
    assert first.cached == 0
    assert first.written > 1024
    for used in later:
        assert (used.cached, used.written) == (first.written, 0)
        assert used.input == first.input


def test_texts_are_joined_thoughts_are_left_out_and_cuts_are_marked(scripted: Any) -> None:
    """Only text blocks are the answer; tokens from the cache are part of the input."""
    replies = [
        said({"type": "thinking", "thinking": "private"}, text("yes, "), text("indeed ")),
        said(text("half"), stop="max_tokens"),
        said(text("half \ud83d"), stop="stop_sequence"),
    ]
    server = scripted(lambda asked: (200, {}, replies[asked.number]))
    assert ask(AnthropicChat("m", base_url=server.url), PROMPT, PROMPT, PROMPT) == [
        Answer("yes, indeed", Usage(110, 5, 100)),
        Answer("half", Usage(110, 5, 100), cut=True),
        Answer("half ?", Usage(110, 5, 100)),
    ]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (said(stop="refusal"), Refused),
        (said(text("partly"), stop="refusal"), Refused),
        (said(), Transient),
        (said(text(" \n")), Transient),
    ],
)
def test_an_answer_that_is_none_tells_what_it_cost(
    reply: Any, kind: type[Refused] | type[Transient], scripted: Any
) -> None:
    """Refusals and empty answers are told apart, and carry their tokens: they were paid for."""
    server = scripted(lambda asked: (200, {}, reply))
    with pytest.raises(kind) as caught:
        ask(AnthropicChat("m", base_url=server.url), PROMPT)
    assert caught.value.usage == Usage(110, 5, 100)


@pytest.mark.parametrize(
    "message",
    [
        "output_config.format: Extra inputs are not permitted",
        "output_config.format.schema: Schema is too complex",
        "This model does not support structured outputs: 'json_schema'",
    ],
)
def test_a_model_that_knows_no_schemas_is_asked_without_from_then_on(message: str, scripted: Any) -> None:
    """One more request in all; the temperature stays."""

    def script(asked: Any) -> Any:
        return (400, {}, refusal(message)) if "output_config" in asked.body else (200, {}, said(text("x")))

    server = scripted(script)
    ask(AnthropicChat("m", base_url=server.url), *MANY)
    assert ["output_config" in one.body for one in server.asked] == [True] + [False] * len(MANY)
    assert all("temperature" in one.body for one in server.asked)


def test_a_temperature_that_is_refused_is_left_out_from_then_on(scripted: Any) -> None:
    """Newer models take none: one more request in all, and the schema stays."""

    def script(asked: Any) -> Any:
        told = refusal("`temperature` is deprecated for this model.")
        return (400, {}, told) if "temperature" in asked.body else (200, {}, said(text("x")))

    server = scripted(script)
    ask(AnthropicChat("m", base_url=server.url), *MANY)
    assert ["temperature" in one.body for one in server.asked] == [True] + [False] * len(MANY)
    assert all("output_config" in one.body for one in server.asked)


def test_an_error_about_something_else_is_asked_about_once(scripted: Any) -> None:
    """Too long a prompt, or a request that is quoted whole, tells nothing of schemas and temperatures."""
    for message in ("prompt is too long: 300000 tokens > 200000 maximum", None):

        def script(asked: Any, message: str | None = message) -> Any:
            return 400, {}, refusal(message or f"bad request: {json.dumps(asked.body)}")

        server = scripted(script)
        model = AnthropicChat("m", base_url=server.url)
        with pytest.raises(ModelError, match="400"):
            ask(model, MANY[0])
        assert len(server.asked) == 1


def test_a_schema_that_one_prompt_loses_stays_with_the_others(scripted: Any) -> None:
    """A schema too complex for the model does not take the others' from them."""

    def script(asked: Any) -> Any:
        odd = "prompt 5" in str(asked.body["messages"]) and "output_config" in asked.body
        return (400, {}, refusal("output_config: too complex")) if odd else (200, {}, said(text("x")))

    server = scripted(script)
    ask(AnthropicChat("m", base_url=server.url), *MANY)
    assert ["output_config" in one.body for one in server.asked].count(False) == 1


def test_the_results_of_a_batch_are_read_line_by_line_and_only_from_our_address(scripted: Any) -> None:
    """An address that the server names is not called; what cannot be read or did not succeed is left out, alone."""
    elsewhere = scripted(lambda asked: (200, {}, {}))
    content = "one\u2028two\x85three"
    results = [
        {"custom_id": "a", "result": {"type": "succeeded", "message": said(text(content))}},
        {"custom_id": "b", "result": {"type": "succeeded", "message": said(stop="refusal")}},
        {"custom_id": "c", "result": {"type": "succeeded", "message": said()}},
        {"custom_id": "d", "result": {"type": "errored", "error": refusal(WORDS)}},
        {"custom_id": "e", "result": {"type": "expired"}},
        {"custom_id": "f", "result": {"type": "succeeded", "message": said(text("last"))}},
    ]
    lines = "\n".join([*(json.dumps(line, ensure_ascii=False) for line in results), '{"broken', "", "[]"])

    def script(asked: Any) -> Any:
        if asked.path.endswith("/results"):
            return 200, {"Content-Type": "application/x-jsonl"}, lines.encode()
        return 200, {}, {"id": "b1", "processing_status": "ended", "results_url": f"{elsewhere.url}/results"}

    async def fetch() -> dict[str, Answer | Failure]:
        model = AnthropicChat("m", base_url=scripted(script).url)
        found = {name: answer async for name, answer in model.fetch("b1")}
        await model.close()
        return found

    assert asyncio.run(fetch()) == {
        "a": Answer(content, Usage(110, 5, 100)),
        "b": Failure("the model declines to answer", True, Usage(110, 5, 100)),
        "c": Failure("the answer is empty", False, Usage(110, 5, 100)),
        "f": Answer("last", Usage(110, 5, 100)),
    }
    assert elsewhere.asked == []


def test_the_vendor_serves_no_embeddings() -> None:
    """Who names it as embedder is told what to name instead."""
    with pytest.raises(ModelError, match=r"serves no embeddings; name minilm, e5"):
        embedder("anthropic:m")
