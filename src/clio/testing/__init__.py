"""A stand-in for a model server, for tests and trying things out: it speaks OpenAI's and Anthropic's protocols
on 127.0.0.1, their batch APIs included, and knows no model.

``with model_server() as server: chat_model(f"openai:stand-in@{server.url}")``, or from a shell
``python -m clio.testing --port 0``. Answers depend on the prompt alone: a facet question gets a summary made of
the conversation's words, a request for names gets the words that most of the texts share, and so on. Latency,
faults and a rate limit can be set, and every call is counted; its error messages quote the prompt on purpose,
as some real servers' do. For attacks it can be gullible (it obeys what it is shown) and leaky (it repeats what it is shown).
"""

from clio.testing.http import model_server
from clio.testing.openai import DIMENSIONS
from clio.testing.standin import answer
from clio.testing.state import Fault, Server
from clio.testing.words import Words

__all__ = ["DIMENSIONS", "Fault", "Server", "Words", "answer", "model_server"]
