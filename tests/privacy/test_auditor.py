"""The auditor: rules that say what they cannot judge, and a model whose unreadable answers count against a text."""

from __future__ import annotations

from clio.models.answers import Answers
from clio.models.protocols import Answer, Prompt
from clio.privacy.auditor import audit, audit_with_model


def test_rules_rate_identifiers_lowest_and_plain_topics_highest() -> None:
    """A mail address is 1, an organisation's form 2, a name's form 3, a topic 5."""
    texts = [
        "Write to a@example.com",
        "Shifts at Wexley Bakery",
        "Stories, told by Petra Muster",
        "Report a lost card: People report cards.",
    ]
    assert [r.score for r in audit(texts)] == [1, 2, 3, 5]


class Judge:
    """Answers every prompt with the same text."""

    name = "judge"

    def __init__(self, text: str) -> None:
        self.text = text

    async def complete(self, prompt: Prompt) -> Answer:
        """Answer."""
        return Answer(self.text)


def test_a_model_is_read_by_its_rating_and_an_unreadable_one_counts_as_one() -> None:
    """What nobody vouched for is not shown."""
    with Answers() as answers:
        assert (
            audit_with_model(
                ["Pay a bill"], Judge("<justification>x</justification><rating>4</rating>"), answers
            )[0].score
            == 4
        )
        assert audit_with_model(["Order checks"], Judge("it is fine"), answers)[0].score == 1


def test_the_rules_overrule_a_lenient_model() -> None:
    """A model's 5 does not publish a mail address."""
    with Answers() as answers:
        assert (
            audit_with_model(["Write to a@example.com"], Judge("<rating>5</rating>"), answers)[0].score == 1
        )
