"""Trees named by a chat model: what too few share is written anew from shared terms, and terms are all that it need see."""

from __future__ import annotations

import numpy as np

from clio.clustering import tree
from clio.models.answers import Answers
from clio.models.protocols import Answer, Prompt

USERS = 12


class Describer:
    """Names every cluster after a person, unless it is shown terms only; keeps what it was shown."""

    name = "describer"

    def __init__(self) -> None:
        self.shown: list[str] = []

    async def complete(self, prompt: Prompt) -> Answer:
        """Answer."""
        text = "\n".join(content for _, content in prompt.messages)
        self.shown.append(text)
        if "<terms>" in text:
            return Answer("<summary>Users reported a lost card.</summary><name>Report a lost card</name>")
        return Answer("<summary>Annabelle lost a card.</summary><name>Find the card of Annabelle</name>")


class Embedder:
    """Points at nothing in particular."""

    name, dimensions = "none", 4

    def encode(self, texts):
        """Vectors of unit length."""
        return np.tile(np.eye(4, dtype=np.float32)[:1], (len(texts), 1))


def named(source: str) -> tuple[tree.Tree, Describer]:
    requests = ["how do i report a lost card"] * USERS
    requests[0] += " it is annabelle's"
    data = tree.Clustered(
        requests=requests,
        languages=["en"] * USERS,
        users=np.arange(USERS, dtype=np.int32),
        vectors=np.tile(np.eye(4, dtype=np.float32)[:1], (USERS, 1)),
        labels=np.zeros(USERS, np.int32),
        centroids=np.eye(4, dtype=np.float32)[:1],
        weights=np.asarray([USERS]),
    )
    shape = tree.Shape(top=1)
    tasks = np.zeros((len(tree.topics.topics().tasks), 4), np.float32)
    fallback = tree.without_model(data, tasks, shape)
    model = Describer()
    with Answers() as answers:
        return tree.by_model(data, fallback, tree.Telling(model, answers, source), Embedder(), shape), model


def test_a_text_that_few_share_is_written_anew_from_shared_terms() -> None:
    """The first text stays a candidate, and one made of terms that enough users share stands beside it."""
    made, model = named("summaries")
    assert made.levels[0][0].name == "Find the card of Annabelle"
    assert made.rewritten[0][0].name == "Report a lost card"
    assert made.fallback is not None
    again = next(text for text in model.shown if "<terms>" in text)
    assert "lost card" in again
    assert "annabelle" not in again.casefold()


def test_from_terms_no_text_of_a_person_reaches_the_model() -> None:
    """With describe_from = "terms" the model sees nothing that a single user said."""
    made, model = named("terms")
    assert made.levels[0][0].name == "Report a lost card"
    assert made.rewritten == [{}]
    assert model.shown
    assert not any("annabelle" in text.casefold() for text in model.shown)
