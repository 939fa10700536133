import asyncio
import json
import logging
from collections.abc import Iterator

import numpy as np
import pytest

from clio import models
from clio.errors import ModelError
from clio.models.openai import OpenAIChat, OpenAIEmbedder, is_loopback
from clio.models.protocols import Answer, Prompt
from clio.testing import Fault, Server, openai_server

WORDS = "xyzzy-private"
PROMPT = Prompt((("user", f"say something about {WORDS}"),))


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "CLIO_OFFLINE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    with openai_server(record=True) as running:
        yield running


def ask(model: OpenAIChat, prompt: Prompt = PROMPT) -> Answer:
    async def once() -> Answer:
        try:
            return await model.complete(prompt)
        finally:
            await model.close()

    return asyncio.run(once())


def test_an_answer_comes_with_its_tokens_and_no_key_is_needed_here(server: Server) -> None:
    answer = ask(OpenAIChat("stand-in", base_url=server.url))
    assert answer.text
    assert answer.input_tokens == 4
    assert answer.output_tokens > 0
    assert server.calls == 1


def test_messages_and_sampling_arrive_as_they_were_set(server: Server) -> None:
    ask(
        OpenAIChat("stand-in", base_url=server.url),
        Prompt((("user", "a"), ("assistant", "b"), ("user", "c")), 0.7, 33),
    )
    assert server.bodies is not None
    body = json.loads(server.bodies[0])
    assert [tuple(message.values()) for message in body["messages"]] == [
        ("user", "a"),
        ("assistant", "b"),
        ("user", "c"),
    ]
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("stand-in", 0.7, 33)


def test_the_address_may_come_from_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    assert ask(models.chat_model("openai:stand-in")).text  # type: ignore[arg-type]


def test_no_key_for_another_machine_is_told_before_anything_is_sent() -> None:
    with pytest.raises(ModelError, match=r"no key for models\.example: set OPENAI_API_KEY"):
        OpenAIChat("m", base_url="https://models.example/v1")


def test_offline_refuses_every_address_but_this_machines(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIO_OFFLINE", "1")
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    for url in (
        None,
        "https://models.example/v1",
        "http://127.0.0.1.models.example/v1",
        "http://10.0.0.1/v1",
    ):
        with pytest.raises(ModelError, match="CLIO_OFFLINE=1"):
            OpenAIChat("m", base_url=url)
        with pytest.raises(ModelError, match="CLIO_OFFLINE=1"):
            OpenAIEmbedder("m", base_url=url)
    assert ask(OpenAIChat("m", base_url=server.url)).text


def test_loopback_is_known_by_address_not_by_look() -> None:
    assert all(map(is_loopback, ("http://localhost:1", "http://127.0.0.9/v1", "http://[::1]:80/")))
    assert not any(
        map(is_loopback, ("http://localhost.example", "https://127.example", "http://user@10.1.1.1", "x"))
    )


def test_a_proxy_never_sees_what_is_meant_for_this_machine(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert ask(OpenAIChat("m", base_url=server.url)).text


def test_an_address_that_is_none_is_told() -> None:
    with pytest.raises(ModelError, match="not an http"):
        OpenAIChat("m", base_url="127.0.0.1:8000")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("400", "400"),
        ("401", "check OPENAI_API_KEY"),
        ("404", "404"),
        ("429", "429"),
        ("500", "the server fails"),
        ("drop", "no connection"),
        ("truncate", "no connection"),
        ("garble", "cannot be read"),
    ],
)
def test_every_fault_becomes_one_line_without_the_prompt(
    fault: Fault, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with openai_server(faults={fault: 1.0}) as server:
        model = OpenAIChat("m", base_url=server.url, retries=0)
        with pytest.raises(ModelError, match=told) as caught:
            ask(model)
    assert WORDS not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert WORDS not in caplog.text


@pytest.mark.parametrize("fault", ["429", "500"])
def test_the_sdk_tries_again_after_a_passing_fault(fault: Fault) -> None:
    with openai_server(faults={fault: 0.5}, seed=4) as server:
        model = OpenAIChat("m", base_url=server.url, retries=8)
        for number in range(8):
            assert ask(model, Prompt((("user", f"prompt {number}"),))).text
        assert server.calls == 8 < server.requests


def test_a_server_that_is_not_there_is_told() -> None:
    with openai_server() as server:
        url = server.url
    with pytest.raises(ModelError, match="check that the server runs"):
        ask(OpenAIChat("m", base_url=url, retries=0))


def test_without_the_sdk_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openai", None)
    with pytest.raises(ModelError, match=r"pip install 'clio-insights\[openai\]'"):
        models.chat_model("openai:m")


def test_embeddings_keep_the_order_of_texts_across_requests(server: Server) -> None:
    model = models.embedder("openai:vectors", base_url=server.url)
    texts = [f"word{number} word{number % 7}" for number in range(300)] + [""]
    vectors = model.encode(texts)
    assert vectors.shape == (301, model.dimensions)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(vectors[200:201], model.encode([texts[200]]))
    assert model.encode([]).shape == (0, model.dimensions)


def test_an_embedding_fault_is_one_line_without_the_text(server: Server) -> None:
    model = OpenAIEmbedder("m", base_url=server.url, retries=0)
    server.faults = {"400": 1.0}
    with pytest.raises(ModelError, match="400") as caught:
        model.encode([WORDS])
    assert WORDS not in str(caught.value)
