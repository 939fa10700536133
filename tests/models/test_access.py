"""Where models are called and with which key, what an error means, and that no word of a prompt is in it; for both vendors."""

from __future__ import annotations

import asyncio
import importlib
import logging
import sys
import time
import traceback
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clio import models
from clio.errors import ModelError
from clio.models import chat_model
from clio.models.access import Clients, Manner, host, is_loopback, key, split, told
from clio.models.protocols import Answer, ChatModel, Prompt, Refused, Transient
from clio.testing import Fault, Server, model_server

WORDS = "xyzzy-private"
PROMPT = Prompt((("system", "You describe."), ("user", f"say something about {WORDS}")), cached=1)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"x": {"type": "string"}},
    "required": ["x"],
    "additionalProperties": False,
}
MAIN_ADDRESS = {"openai": "https://api.openai.com/v1", "anthropic": "https://api.anthropic.com"}
At = Callable[[Server], str]


def ask(model: ChatModel, prompt: Prompt = PROMPT) -> Answer:
    async def once() -> Answer:
        try:
            return await model.complete(prompt)
        finally:
            await model.close()  # type: ignore[attr-defined]

    return asyncio.run(asyncio.wait_for(once(), 20))


# --- names and addresses ---


def test_a_name_has_a_kind_a_model_and_perhaps_an_address() -> None:
    """Colons, slashes and at signs may stand in a model's name; only an http address is split off."""
    assert split("openai:gpt") == ("openai", "gpt", None)
    assert split("openai:org/m:free@http://127.0.0.1:1/v1") == (
        "openai",
        "org/m:free",
        "http://127.0.0.1:1/v1",
    )
    assert split("openai:a@b@https://h") == ("openai", "a@b", "https://h")
    assert split("minilm") == ("minilm", "", None)


def test_this_machine_is_known_by_address_not_by_look() -> None:
    """Names that only look like this machine's are not, whatever stands before or after them."""
    assert all(map(is_loopback, ("http://localhost:1", "http://127.0.0.9/v1", "http://[::1]:80/")))
    assert not any(
        map(
            is_loopback,
            (
                "http://localhost.example",
                "https://127.example",
                "http://user@10.1.1.1",
                "http://127.0.0.1@10.1.1.1",
                "http://10.0.0.1/127.0.0.1",
                "x",
            ),
        )
    )


def test_a_host_is_shown_without_password_path_or_query() -> None:
    """What people read of an address holds no secret."""
    assert host("https://u:secret@models.example:8443/v1?key=secret") == "models.example:8443"
    assert host("https://models.example/v1") == "models.example"


def test_the_address_may_come_from_the_environment(
    vendor: str, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an address in the name the vendor's usual variable is used, and the name stays the same."""
    with model_server() as server:
        monkeypatch.setenv(f"{vendor.upper()}_BASE_URL", at(server).split("@")[1])
        model = chat_model(f"{vendor}:m")
        assert model.name == f"{vendor}:m" == chat_model(at(server)).name
        assert models.host_of(f"{vendor}:m") == model.host == at(server).split("/")[2]
        assert ask(model).text


def test_an_address_that_is_none_or_holds_a_password_is_refused(
    vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told before anything is sent, without the password."""
    with pytest.raises(ModelError, match="holds a name or password") as caught:
        chat_model(f"{vendor}:m@https://me:hunter2@models.example")
    assert "hunter2" not in str(caught.value)
    monkeypatch.setenv(f"{vendor.upper()}_BASE_URL", "127.0.0.1:8000")
    with pytest.raises(ModelError, match="not an http"):
        chat_model(f"{vendor}:m")


def test_offline_refuses_every_address_but_this_machines(
    vendor: str, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With CLIO_OFFLINE=1 no model of another machine can be made, not even its host be asked for; a local one answers."""
    monkeypatch.setenv("CLIO_OFFLINE", "1")
    monkeypatch.setenv(f"{vendor.upper()}_API_KEY", "k")
    for url in ("", "@https://models.example/v1", "@http://127.0.0.1.models.example/v1", "@http://10.0.0.1"):
        with pytest.raises(ModelError, match="CLIO_OFFLINE=1"):
            chat_model(f"{vendor}:m{url}")
        with pytest.raises(ModelError, match="CLIO_OFFLINE=1"):
            models.host_of(f"{vendor}:m{url}")
    with pytest.raises(ModelError, match="CLIO_OFFLINE=1"):
        models.embedder("openai:m@https://models.example/v1")
    with model_server() as server:
        assert ask(chat_model(at(server))).text


def test_a_proxy_never_sees_what_is_meant_for_this_machine(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment, here one that does not exist, is gone past."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with model_server() as server:
        assert ask(chat_model(at(server))).text


def test_a_redirect_away_from_this_machine_is_not_followed(vendor: str, scripted: Any) -> None:
    """A local server that points elsewhere gets an error, and the other address no request."""
    elsewhere = scripted(lambda asked: (200, {}, {}))
    here = scripted(lambda asked: (307, {"Location": f"{elsewhere.url}{asked.path}"}, {}))
    with pytest.raises(ModelError, match="307"):
        ask(chat_model(f"{vendor}:m@{here.url}"))
    assert len(here.asked) == 1
    assert elsewhere.asked == []


# --- keys ---


def test_no_key_for_another_machine_is_told_before_anything_is_sent(vendor: str) -> None:
    """The error names the host and the variable to set; on this machine none is needed."""
    with pytest.raises(ModelError, match=rf"no key for models\.example: set {vendor.upper()}_API_KEY"):
        chat_model(f"{vendor}:m@https://models.example/v1")
    chat_model(f"{vendor}:m@http://127.0.0.1:1/v1")


def test_the_key_of_a_command_is_what_the_server_gets(
    vendor: str, scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first line is sent in the vendor's way, and wins over the environment."""
    monkeypatch.setenv(f"{vendor.upper()}_API_KEY", "of-the-environment")
    server = scripted(lambda asked: (401, {}, {}))
    command = f"{sys.executable} -c \"print('of-the-command\\nmore')\""
    with pytest.raises(ModelError, match="401"):
        ask(chat_model(f"{vendor}:m@{server.url}", key_command=command))
    sent = " ".join(server.asked[0].headers.values())
    assert "of-the-command" in sent
    assert "environment" not in sent
    assert "more" not in sent


def test_a_key_command_is_told_the_host_and_the_variable_and_runs_in_no_shell(tmp_path: Path) -> None:
    """Its marks are filled in word by word; what a shell would run is only text."""
    script = f"{sys.executable} -c 'import sys; print(sys.argv[1:])'"
    found = key(
        "m", "https://models.example/v1", "OPENAI_API_KEY", f"{script} {{host}}/{{name}} '$(x)' ; touch"
    )
    assert found == "['models.example/OPENAI_API_KEY', '$(x)', ';', 'touch']"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (f"{sys.executable} -c \"import sys; print('s3cret'); sys.exit(3)\"", r"no key \(exit code 3\)"),
        (f'{sys.executable} -c ""', r"no key \(exit code 0\)"),
        ("/no/such/command s3cret", r"FileNotFoundError"),
        ("unclosed 'quote s3cret", r"ValueError"),
    ],
)
def test_a_key_command_that_fails_is_told_without_what_it_printed(command: str, told: str) -> None:
    """Neither its output nor its words are in the error."""
    with pytest.raises(ModelError, match=told) as caught:
        chat_model("openai:m@https://models.example/v1", key_command=command)
    assert "s3cret" not in str(caught.value)


def test_without_the_sdk_the_error_says_how_to_install_it(
    vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exact command, for the vendor that was named."""
    monkeypatch.setitem(sys.modules, vendor, None)
    with pytest.raises(ModelError, match=rf"pip install 'clio-insights\[{vendor}\]'"):
        chat_model(f"{vendor}:m@http://127.0.0.1:1")


def test_other_options_make_another_model(vendor: str) -> None:
    """Answers of a model with other options are kept apart: the options are in its name, in one order."""
    one = chat_model(f"{vendor}:m@http://127.0.0.1:1", options={"top_p": 0.5, "seed": 1})
    other = chat_model(f"{vendor}:m@http://127.0.0.1:1", options={"seed": 1, "top_p": 0.5})
    assert one.name == other.name == f'{vendor}:m {{"seed": 1, "top_p": 0.5}}'


# --- errors ---


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        ("400", ModelError, r"refuses the request \(400\)"),
        ("401", ModelError, r"refuses the key \(401\)"),
        ("404", ModelError, r"does not know the model or the path \(404\)"),
        ("413", ModelError, r"too long for it \(413\)"),
        ("422", ModelError, r"cannot read the request \(422\)"),
        ("408", Transient, r"timed out \(408\)"),
        ("429", Transient, r"too many requests, or no credit left \(429\)"),
        ("500", Transient, r"the server fails \(500\)"),
        ("502", Transient, r"the server fails \(502\)"),
        ("503", Transient, r"the server fails \(503\)"),
        ("529", Transient, r"the server fails \(529\)"),
        ("drop", Transient, "no connection"),
        ("truncate", Transient, "no connection"),
        ("garble", Transient, "cannot be read"),
        ("stall", Transient, "no answer in time"),
        ("empty", Transient, "the answer is empty"),
        ("refuse", Refused, "declines to answer"),
    ],
)
def test_every_fault_becomes_one_line_without_a_word_of_the_prompt(
    fault: Fault, kind: type[ModelError], reason: str, at: At, caplog: pytest.LogCaptureFixture
) -> None:
    """Its kind tells whether to try again; error, traceback and log hold nothing of what was asked, though the server quotes it."""
    caplog.set_level(logging.DEBUG)
    importlib.import_module("openai")
    with model_server(faults={fault: 1.0}, stall=2) as server:
        model = chat_model(at(server), timeout=0.5 if fault == "stall" else 10)
        with pytest.raises(ModelError, match=reason) as caught:
            ask(model)
        assert server.requests == 1
    assert type(caught.value) is kind
    shown = [str(caught.value), repr(caught.value), *traceback.format_exception(caught.value), caplog.text]
    assert not any(WORDS in text for text in shown)
    assert "\n" not in str(caught.value)
    if isinstance(caught.value, Transient):
        assert caught.value.overloaded == (fault in {"429", "503", "529", "stall"})


def test_a_server_that_is_not_there_is_told(at: At) -> None:
    """The error says to check that it runs, and is worth another try."""
    with model_server() as server:
        name = at(server)
    with pytest.raises(Transient, match="check that the server runs"):
        ask(chat_model(name))


def test_a_log_at_its_most_talkative_holds_no_prompt_and_no_key(
    vendor: str, at: At, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the SDK is told to log all it does, an answered call leaves no word in the log."""
    monkeypatch.setenv(f"{vendor.upper()}_API_KEY", "sk-hidden")
    logging.getLogger(vendor).setLevel(logging.DEBUG)  # what the SDK does where its variable says so
    with model_server() as server:
        model = chat_model(at(server))
        caplog.set_level(logging.DEBUG)
        assert ask(model).text
    assert WORDS not in caplog.text
    assert "sk-hidden" not in caplog.text
    assert WORDS not in repr(PROMPT) + repr(model)
    assert "SECRET" not in repr(Answer("SECRET"))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "in an hour"}, 3600),
        ({"retry-after": "an hour ago"}, 0.0),
    ],
)
def test_how_long_to_wait_is_read_in_all_its_forms(
    vendor: str, headers: dict[str, str], seconds: float | None, scripted: Any
) -> None:
    """Milliseconds, seconds, a date; what is none of them is as if it were not there."""
    # as dates of now: the tests may have been collected long ago
    dates = {"in an hour": 3600, "an hour ago": -3600}
    headers = {
        name: formatdate(time.time() + dates[value], usegmt=True) if value in dates else value
        for name, value in headers.items()
    }
    server = scripted(lambda asked: (429, headers, {"error": {"message": "slow down"}}))
    with pytest.raises(Transient) as caught:
        ask(chat_model(f"{vendor}:m@{server.url}"))
    assert caught.value.overloaded
    assert caught.value.retry_after == (
        None if seconds is None else pytest.approx(seconds, abs=0.01 if seconds < 60 else 300)
    )


def test_an_account_without_credit_is_not_asked_again(scripted: Any) -> None:
    """OpenAI answers 429 then, as to too many calls; its code tells that waiting does not help."""
    said = {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}
    server = scripted(lambda asked: (429, {}, said))
    with pytest.raises(ModelError, match=r"no credit left \(402\)") as caught:
        ask(chat_model(f"openai:m@{server.url}"))
    assert not isinstance(caught.value, Transient)


@pytest.mark.parametrize(
    "said", [{}, [], "text", b"", b"<html>busy</html>", {"choices": []}, {"content": None}, {"error": {}}]
)
def test_an_answer_of_another_form_is_one_that_cannot_be_read(vendor: str, said: Any, scripted: Any) -> None:
    """Whatever comes with status 200, another try may bring better; nothing else is raised."""
    server = scripted(lambda asked: (200, {}, said))
    with pytest.raises(Transient, match=r"cannot be read|empty"):
        ask(chat_model(f"{vendor}:m@{server.url}"))


def test_an_error_that_is_ours_stays_as_it_is() -> None:
    """What has been told once is not told anew."""
    error = Refused("declines")
    assert told(SimpleNamespace(), "m", error) is error


# --- what a server understands, and clients ---


def test_the_fullest_way_that_has_worked_is_kept() -> None:
    """Before any has worked the first is tried; one prompt that needs a lesser way does not bind the others."""
    manner = Manner()
    assert manner.way == 0
    manner.worked(2)
    assert manner.way == 2
    manner.worked(1)
    assert manner.way == 1
    manner.worked(2)
    assert manner.way == 1
    manner.worked(0)
    manner.worked(1)
    assert manner.way == 0


def test_clients_are_made_as_they_are_needed_and_used_again() -> None:
    """Up to 64 calls share one client, the next gets another; calls one after another share one; after the end there are new ones."""

    class Client:
        closed = False

        async def close(self) -> None:
            self.closed = True

    made: list[Client] = []

    def make() -> Client:
        made.append(Client())
        return made[-1]

    clients = Clients(make)
    for _ in range(100):
        with clients.one():
            pass
    assert len(made) == 1
    held = [clients.one() for _ in range(200)]
    used = [each.__enter__() for each in held]
    assert len(made) == 4
    assert max(used.count(client) for client in made) == 64
    asyncio.run(clients.close())
    assert all(client.closed for client in made)
    for each in held:
        each.__exit__(None, None, None)
    with clients.one() as client:
        assert client is made[4]
        assert not client.closed


def test_many_calls_at_once_are_all_under_way_at_once(at: At) -> None:
    """No pool of connections holds some back: 200 calls that take a second are all at the server together."""
    with model_server(latency=1.0) as server:
        model = chat_model(at(server))

        async def many() -> None:
            await asyncio.gather(
                *(model.complete(Prompt((("user", f"prompt {number}"),))) for number in range(200))
            )
            await model.close()  # type: ignore[attr-defined]

        asyncio.run(many())
        assert server.most_at_once == 200
