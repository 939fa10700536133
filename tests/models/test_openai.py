"""OpenAI's protocol: what is sent, what is read, and what a server need not understand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from clio import models
from clio.errors import ModelError
from clio.models.openai import OpenAIChat, OpenAIEmbedder
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
HELD = Prompt(PROMPT.messages, schema=SCHEMA)
#: prompts that differ
MANY = [Prompt((("user", f"prompt {number}"),), schema=SCHEMA) for number in range(12)]


@pytest.fixture
def server() -> Iterator[Server]:
    with model_server(record=True) as running:
        yield running


def ask(model: OpenAIChat, *prompts: Prompt) -> list[Answer]:
    async def each() -> list[Answer]:
        try:
            return [await model.complete(prompt) for prompt in prompts]
        finally:
            await model.close()

    return asyncio.run(asyncio.wait_for(each(), 20))


def said(content: Any = "hello", finish: str = "stop", **more: Any) -> dict[str, Any]:
    """A chat completion."""
    message = {"role": "assistant", "content": content, **more}
    return {
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 8},
        },
    }


def refusal(message: str, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": None}}


# --- what is sent and read ---


def test_an_answer_comes_with_its_tokens_and_no_key_is_needed_here(server: Server) -> None:
    """What the server counts is told with the answer."""
    (answer,) = ask(OpenAIChat("stand-in", base_url=server.url), PROMPT)
    assert answer.text
    assert answer.usage.input > 4
    assert answer.usage.output > 0
    assert not answer.cut
    assert server.calls == 1


def test_messages_and_sampling_arrive_as_they_were_set(server: Server) -> None:
    """Roles, texts, temperature, limit and options are in the body, and nothing else is."""
    prompt = Prompt((("system", "s"), ("user", "a"), ("assistant", "b"), ("user", "c")), 0.7, 33, cached=1)
    ask(OpenAIChat("stand-in", base_url=server.url, options={"seed": 7, "temperature": 0.1}), prompt)
    assert server.bodies is not None
    assert json.loads(server.bodies[0]) == {
        "model": "stand-in",
        "messages": [{"role": role, "content": text} for role, text in prompt.messages],
        "temperature": 0.1,
        "max_tokens": 33,
        "seed": 7,
    }


def test_the_vendor_is_told_the_limit_by_its_newer_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The vendor's newer models refuse max_tokens, which is all that other servers know."""
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    assert OpenAIChat("m")._body(PROMPT, 0, 0)["max_completion_tokens"] == 400
    assert "max_tokens" not in OpenAIChat("m")._body(PROMPT, 0, 0)


def test_half_a_character_is_no_error(server: Server, scripted: Any) -> None:
    """A lone surrogate, which JSON can name and UTF-8 not hold, becomes a question mark on both ways."""
    (answer,) = ask(OpenAIChat("m", base_url=server.url), Prompt((("user", "a \ud83d b"),)))
    assert answer.text
    assert server.bodies is not None
    assert "a ? b" in server.bodies[0]
    other = scripted(lambda asked: (200, {}, said("cut in \ud83d")))
    assert ask(OpenAIChat("m", base_url=other.url), PROMPT)[0].text == "cut in ?"


def test_cached_tokens_thoughts_and_cuts_are_read(scripted: Any) -> None:
    """What a cache held is counted apart, thoughts are no part of the answer, and an answer at its limit is marked."""
    replies = [
        said("<think>private</think>\n\n yes "),
        said("half", "length"),
        {**said("bare"), "usage": None},
    ]
    server = scripted(lambda asked: (200, {}, replies[asked.number]))
    assert ask(OpenAIChat("m", base_url=server.url), PROMPT, PROMPT, PROMPT) == [
        Answer("yes", Usage(10, 5, 8)),
        Answer("half", Usage(10, 5, 8), cut=True),
        Answer("bare"),
    ]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (said("some", "content_filter"), Refused),
        (said(None, refusal="I can't"), Refused),
        (said(""), Transient),
        (said("  \n"), Transient),
        (said("<think>only thoughts</think>"), Transient),
        (said(None), Transient),
    ],
)
def test_an_answer_that_is_none_tells_what_it_cost(
    reply: Any, kind: type[Refused] | type[Transient], scripted: Any
) -> None:
    """Refusals and empty answers are told apart, and carry their tokens: they were paid for."""
    server = scripted(lambda asked: (200, {}, reply))
    with pytest.raises(kind) as caught:
        ask(OpenAIChat("m", base_url=server.url), PROMPT)
    assert caught.value.usage == Usage(10, 5, 8)


# --- what a server need not understand ---


def forms(asked: list[Any]) -> list[str | None]:
    """How a schema was asked for in each request."""
    return [(one.body.get("response_format") or {}).get("type") for one in asked]


@pytest.mark.parametrize("status", [400, 422, 501])
@pytest.mark.parametrize("knows", [{"json_object", None}, {None}])
def test_a_schema_is_asked_for_in_ever_simpler_ways_and_the_one_that_works_is_remembered(
    status: int, knows: set[str | None], scripted: Any
) -> None:
    """Even where a server does not say what it does not know, only the first prompt is asked more than once."""

    def script(asked: Any) -> Any:
        form = (asked.body.get("response_format") or {}).get("type")
        return (200, {}, said()) if form in knows else (status, {}, refusal("wrong"))

    server = scripted(script)
    ask(OpenAIChat("m", base_url=server.url), *MANY)
    tries: list[str | None] = ["json_schema", "json_object", None][: 4 - len(knows)]
    assert forms(server.asked) == tries + tries[-1:] * 11
    if "json_object" in knows:
        assert server.asked[-1].body["response_format"]["schema"] == SCHEMA


def test_a_server_that_takes_an_unknown_format_for_its_own_failure_is_asked_in_a_simpler_way(
    scripted: Any,
) -> None:
    """A 500 that names the format is a refusal of it; any other 500 is not."""

    def script(asked: Any) -> Any:
        told = refusal("[{'loc': ('body', 'response_format', 'type'), 'msg': 'Input should be ...'}]")
        return (500, {}, told) if "response_format" in asked.body else (200, {}, said())

    server = scripted(script)
    ask(OpenAIChat("m", base_url=server.url), *MANY)
    assert len(server.asked) == 2 + len(MANY)
    broken = scripted(lambda asked: (500, {}, refusal("busy")))
    with pytest.raises(Transient):
        ask(OpenAIChat("m", base_url=broken.url), HELD)
    assert len(broken.asked) == 1


def test_what_has_worked_is_not_given_up_for_one_prompt(scripted: Any) -> None:
    """A prompt that is only answered without schema does not take it from those after it."""

    def script(asked: Any) -> Any:
        odd = "prompt 5" in str(asked.body["messages"])
        return (400, {}, refusal("no")) if odd and "response_format" in asked.body else (200, {}, said())

    server = scripted(script)
    ask(OpenAIChat("m", base_url=server.url), *MANY)
    assert forms(server.asked).count("json_schema") == len(MANY)
    assert len(server.asked) == len(MANY) + 2


def test_a_prompt_that_is_refused_in_every_way_changes_nothing(scripted: Any) -> None:
    """The next prompt is asked in the fullest way again."""

    def script(asked: Any) -> Any:
        bad = WORDS in str(asked.body["messages"])
        return (400, {}, refusal(f"no: {json.dumps(asked.body)}")) if bad else (200, {}, said())

    server = scripted(script)
    model = OpenAIChat("m", base_url=server.url)
    with pytest.raises(ModelError, match="400"):
        ask(model, HELD)
    assert forms(server.asked) == ["json_schema", "json_object", None]
    ask(model, MANY[0])
    assert forms(server.asked)[3:] == ["json_schema"]


def test_a_temperature_that_is_refused_is_left_out_from_then_on(scripted: Any) -> None:
    """By the parameter or by the message: one more request in all, and the schema stays."""
    for told in (
        refusal("Unsupported value", "temperature"),
        refusal("'temperature' does not support 0.2 with this model."),
    ):

        def script(asked: Any, told: Any = told) -> Any:
            return (400, {}, told) if "temperature" in asked.body else (200, {}, said())

        server = scripted(script)
        ask(OpenAIChat("m", base_url=server.url), *MANY)
        assert ["temperature" in one.body for one in server.asked] == [True] + [False] * len(MANY)
        assert set(forms(server.asked)) == {"json_schema"}


def test_a_quoted_request_does_not_tell_what_is_wrong(scripted: Any) -> None:
    """A server that quotes the request names the temperature too; a permanent error is still asked about once."""
    server = scripted(lambda asked: (400, {}, refusal(f"bad request: {json.dumps(asked.body)}")))
    with pytest.raises(ModelError, match="400"):
        ask(OpenAIChat("m", base_url=server.url), PROMPT)
    assert len(server.asked) == 1


def test_both_may_be_refused_one_after_the_other(scripted: Any) -> None:
    """Schema and temperature are left out together where neither is understood."""

    def script(asked: Any) -> Any:
        for param in ("response_format", "temperature"):
            if param in asked.body:
                return 400, {}, refusal("no", param)
        return 200, {}, said()

    server = scripted(script)
    ask(OpenAIChat("m", base_url=server.url), *MANY)
    assert len(server.asked) == 3 + len(MANY)
    assert forms(server.asked)[-1] is None
    assert "temperature" not in server.asked[-1].body


# --- batches ---


def test_a_line_of_a_job_ends_where_its_line_ends_and_nowhere_else(scripted: Any) -> None:
    """Marks that some call line ends may stand raw in an answer; what cannot be read or failed is left out, alone."""
    text = "one\u2028two\u0085three\x0cfour"
    lines = [
        {"custom_id": "a", "response": {"status_code": 200, "body": said(text)}, "error": None},
        {"custom_id": "b", "response": {"status_code": 200, "body": said("")}, "error": None},
        {"custom_id": "c", "response": {"status_code": 200, "body": said(None, refusal="no")}, "error": None},
        {"custom_id": "d", "response": {"status_code": 500, "body": refusal(WORDS)}, "error": None},
        {"custom_id": "e", "response": None, "error": {"code": "batch_expired"}},
        {"custom_id": "f", "response": {"status_code": 200, "body": said("last")}, "error": None},
    ]
    content = "\n".join([*(json.dumps(line, ensure_ascii=False) for line in lines), '{"broken', "", "[]"])
    job = {"id": "batch_1", "object": "batch", "status": "completed", "output_file_id": "file_1"}

    def script(asked: Any) -> Any:
        if asked.path.endswith("/content"):
            return 200, {"Content-Type": "application/octet-stream"}, content.encode()
        return 200, {}, job

    async def fetch() -> dict[str, Answer | Failure]:
        model = OpenAIChat("m", base_url=scripted(script).url)
        found = {name: answer async for name, answer in model.fetch("batch_1")}
        await model.close()
        return found

    found = asyncio.run(fetch())
    assert set(found) == {"a", "b", "c", "f"}
    assert isinstance(found["a"], Answer)
    assert found["a"].text == text
    assert found["b"] == Failure("the answer is empty", False, Usage(10, 5, 8))
    assert found["c"] == Failure("the model declines to answer", True, Usage(10, 5, 8))


# --- embeddings ---


def test_embeddings_keep_the_order_of_texts_across_requests(server: Server) -> None:
    """Several requests at once give the rows of one, of unit length; an empty text and half a character have one too."""
    model = models.embedder(f"openai:vectors@{server.url}")
    texts = [f"word{number} word{number % 7}" for number in range(300)] + ["", "half \ud800"]
    vectors = model.encode(texts)
    assert vectors.shape == (302, model.dimensions)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(vectors[200:201], model.encode([texts[200]]))
    assert model.encode([]).shape == (0, model.dimensions)


def test_an_embedding_fault_is_one_line_without_the_text(server: Server) -> None:
    """A request that is refused is told by its status."""
    model = OpenAIEmbedder("m", base_url=server.url, retries=0)
    server.faults = {"400": 1.0}
    with pytest.raises(ModelError, match="400") as caught:
        model.encode([WORDS])
    assert WORDS not in str(caught.value)


def test_embeddings_are_asked_for_again_after_a_passing_fault(server: Server) -> None:
    """A third of the requests fails in passing, and every text still gets its vector."""
    model = OpenAIEmbedder("m", base_url=server.url)
    texts = [f"text {number}" for number in range(1500)]
    expected = model.encode(texts)
    server.faults, server.seed = {"429": 0.2, "500": 0.15}, 3
    np.testing.assert_array_equal(model.encode(texts), expected)
    assert sum(server.met.values()) > 0


@pytest.mark.parametrize(
    ("vectors", "told"),
    [
        ([[1.0, 2.0], [3.0, float("inf")]], "no numbers"),
        ([[1.0, 2.0]], "asked for 2"),
        ([[0.0, 0.0], [1.0, 0.0]], "all zeros"),
        ([[1.0], [1.0, 2.0]], "cannot be read"),
    ],
)
def test_vectors_that_are_none_are_told(vectors: list[list[float]], told: str, scripted: Any) -> None:
    """Too few, none of the same length, no numbers or all zeros: each ends with its own message."""
    good = [[1.0, 0.0]]

    def script(asked: Any) -> Any:
        rows = good if asked.number == 0 else vectors
        data = [{"object": "embedding", "index": number, "embedding": row} for number, row in enumerate(rows)]
        return 200, {}, {"object": "list", "data": data, "model": "m", "usage": {}}

    model = OpenAIEmbedder("m", base_url=scripted(script).url, retries=0)
    with pytest.raises(ModelError, match=told):
        model.encode(["a", "b"])
