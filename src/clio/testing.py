"""A stand-in for a model server, for tests and trying things out: it speaks OpenAI's protocol on 127.0.0.1
and knows no model.

``with openai_server() as server: chat_model("openai:stand-in", base_url=server.url)``. Answers depend on the
prompt alone: a facet question gets a summary made of the conversation's words, a request for names gets the
words that most of the texts share, and so on. Latency and faults can be set; its error messages quote the
prompt on purpose, as some real servers' do.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Literal

from clio.text import stop_words, tokens

#: what may go wrong with a request: an error status, a closed connection, a body that ends early, a body
# that is no JSON
Fault = Literal["400", "401", "404", "429", "500", "drop", "truncate", "garble"]

DIMENSIONS = 64
_BLOCK = re.compile(r"<(\w+)>(.*?)</\1>", re.DOTALL)


@dataclass
class Server:
    """The running stand-in: where it is, and what it was asked."""

    url: str = ""
    latency: float = 0.0
    faults: Mapping[Fault, float] = field(default_factory=dict)
    seed: int = 0
    #: requests that reached it, faults included; chat answers given; texts embedded
    requests: int = 0
    calls: int = 0
    embedded: int = 0
    #: highest number of requests at one time
    most_at_once: int = 0
    #: raw bodies in order of arrival, if asked to record
    bodies: list[str] | None = field(default=None, repr=False)
    _at_once: int = field(default=0, repr=False)
    _times: Counter[bytes] = field(default_factory=Counter, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def arrive(self, body: bytes) -> Fault | None:
        """Note a request and draw its fault: the same body meets the same faults in the same order."""
        name = hashlib.sha256(body).digest()
        with self._lock:
            self.requests += 1
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            self._times[name] += 1
            times = self._times[name]
            if self.bodies is not None:
                self.bodies.append(body.decode(errors="replace"))
        drawn = _share(f"{self.seed} {times} ".encode() + name)
        for fault, rate in self.faults.items():
            if drawn < rate:
                return fault
            drawn -= rate
        return None

    def leave(self, *, calls: int = 0, embedded: int = 0) -> None:
        """Note that a request is answered."""
        with self._lock:
            self._at_once -= 1
            self.calls += calls
            self.embedded += embedded


@contextmanager
def openai_server(
    *, latency: float = 0.0, faults: Mapping[Fault, float] | None = None, seed: int = 0, record: bool = False
) -> Iterator[Server]:
    """Serve chat completions and embeddings on a free port of 127.0.0.1 until the block ends.

    Args:
        latency: seconds that every answer takes.
        faults: share of requests, 0 to 1, that meet each fault; a repeated request is drawn anew.
        seed: of the faults.
        record: keep the bodies of all requests.
    """
    server = Server(latency=latency, faults=dict(faults or {}), seed=seed, bodies=[] if record else None)
    handler = type("Handler", (_Handler,), {"server_state": server})
    http = _Http(("127.0.0.1", 0), handler)
    server.url = f"http://127.0.0.1:{http.server_port}/v1"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


class _Http(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server_state: ClassVar[Server]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one packet
    timeout = 60

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Nothing is logged."""

    def do_GET(self) -> None:
        """List the one model."""
        self._send(
            200, {"object": "list", "data": [{"id": "stand-in", "object": "model", "owned_by": "clio"}]}
        )

    def do_POST(self) -> None:
        """Answer a chat completion or an embedding request."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        state = self.server_state
        fault = state.arrive(body)
        calls = embedded = 0
        try:
            time.sleep(state.latency)
            if fault == "drop":
                self.close_connection = True
                return
            if fault is not None and fault.isdigit():
                self._fail(int(fault), body)
                return
            try:
                asked = json.loads(body)
                if self.path.endswith("/chat/completions"):
                    reply, calls = _chat(asked), 1
                elif self.path.endswith("/embeddings"):
                    reply = _embeddings(asked)
                    embedded = len(reply["data"])
                else:
                    self._fail(404, body)
                    return
            except (ValueError, KeyError, TypeError):
                self._fail(400, body)
                return
            self._send(200, reply, fault)
        finally:
            state.leave(calls=calls if fault is None else 0, embedded=embedded if fault is None else 0)

    def _fail(self, status: int, body: bytes) -> None:
        message = f"fault {status} for: {body.decode(errors='replace')[:2000]}"
        self._send(status, {"error": {"message": message, "type": "error", "param": None, "code": None}})

    def _send(self, status: int, reply: dict[str, Any], fault: Fault | None = None) -> None:
        content = json.dumps(reply).encode()
        if fault == "garble":
            content = content[: len(content) // 2]
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if status in {429, 500}:
            self.send_header("retry-after-ms", "5")
        self.end_headers()
        if fault == "truncate":
            content = content[: len(content) // 2]
            self.close_connection = True
        self.wfile.write(content)


def _share(content: bytes) -> float:
    """A number from 0 to 1 that depends on the content alone."""
    return int.from_bytes(hashlib.sha256(content).digest()[:6], "big") / 2**48


def _chat(asked: dict[str, Any]) -> dict[str, Any]:
    """A chat completion in the protocol's shape."""
    messages = [(message["role"], message["content"]) for message in asked["messages"]]
    if asked.get("stream") or not asked["model"]:
        raise ValueError
    text = answer(messages)
    used = {
        "prompt_tokens": sum(len(content.split()) for _, content in messages),
        "completion_tokens": len(text.split()),
    }
    return {
        "id": "chatcmpl-" + hashlib.sha256(text.encode()).hexdigest()[:12],
        "object": "chat.completion",
        "created": 0,
        "model": asked["model"],
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "usage": {**used, "total_tokens": sum(used.values())},
    }


def _embeddings(asked: dict[str, Any]) -> dict[str, Any]:
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
        packed = base64.b64encode(struct.pack(f"<{DIMENSIONS}f", *vector)).decode()
        shown = packed if asked.get("encoding_format") == "base64" else vector
        data.append({"object": "embedding", "index": number, "embedding": shown})
    used = sum(len(text.split()) for text in texts)
    return {
        "object": "list",
        "data": data,
        "model": asked["model"],
        "usage": {"prompt_tokens": used, "total_tokens": used},
    }


def answer(messages: list[tuple[str, str]]) -> str:
    """What the stand-in says to a prompt, by the blocks that the prompt holds and asks for."""
    whole = "\n".join(text for _, text in messages)
    asks = messages[-1][1]
    blocks: dict[str, str] = {}
    for tag, content in _BLOCK.findall(whole):
        blocks.setdefault(tag, content)
    if "<rating>" in asks:
        return "<justification>It tells of nobody in particular.</justification>\n<rating>5</rating>"
    if "conversation" in blocks:
        return _facet(blocks["conversation"], asks)
    if "categories" in blocks:
        choices = [text for _, text in _BLOCK.findall(blocks["categories"])]
        about = set(_words(blocks.get("cluster", "")))
        # the order in which they stand must not matter: the prompt is shuffled
        best = max(sorted(choices), key=lambda choice: len(about & set(_words(choice))), default="none")
        return f"<answer>{best}</answer>"
    if "numbered list" in asks:
        texts = [text for _, text in _BLOCK.findall(blocks.get("clusters") or blocks.get("names", ""))]
        about_so_many = re.search(r"about (\d+)", asks)
        wanted = int(about_so_many[1]) if about_so_many else 5
        names = dict.fromkeys(text.split(":", 1)[0].strip() for text in sorted(texts))
        lines = "\n".join(f"{number}. {name}" for number, name in enumerate(list(names)[:wanted], 1))
        return f"<scratchpad>They fall apart.</scratchpad>\n<answer>\n{lines}\n</answer>"
    texts = [text for _, text in _BLOCK.findall(blocks.get("group") or blocks.get("clusters", ""))]
    shared = Counter(word for text in texts for word in dict.fromkeys(_words(text)))
    outside = Counter(
        word for _, text in _BLOCK.findall(blocks.get("outside", "")) for word in set(_words(text))
    )
    best_first = sorted(shared, key=lambda word: (outside[word] - shared[word], word))[:3]
    subject = " and ".join(best_first) or "several subjects"
    return f"<summary>Users asked for help with {subject}.</summary>\n<name>Get help with {subject}</name>"


def _facet(conversation: str, asks: str) -> str:
    """An answer to a facet question: of the form that the question asks for."""
    turns = re.findall(r"<user>(.*?)</user>", conversation, re.DOTALL)
    choices = re.findall(r"^- (.+)$", asks, re.MULTILINE)
    if "Answer with exactly one" in asks and choices:
        return f"<answer>{choices[int(_share(conversation.encode()) * len(choices))]}</answer>"
    if "Answer with one digit" in asks:
        return "<answer>1</answer>"
    if "Answer with one number" in asks:
        return f"<answer>{len(turns)}</answer>"
    subject = " ".join(_words(turns[0] if turns else conversation)[:6]) or "something"
    prefill = asks.rsplit("<answer>", 1)[-1].strip() if "<answer>" in asks else ""
    return f"<answer>{prefill} get help with {subject}.</answer>"


def _words(text: str) -> list[str]:
    """The content words of a text in their order, each once."""
    known = stop_words("en") | {
        "help",
        "user",
        "users",
        "asked",
        "name",
        "description",
        "cluster",
        "category",
    }
    return [word for word in dict.fromkeys(tokens(text)) if len(word) > 1 and word not in known]
