"""The auditor: rules that say what they cannot judge, and a model whose unreadable answers count against a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clio.models.answers import Answers
from clio.models.protocols import Answer, Prompt
from clio.privacy.auditor import CAVEAT, audit, audit_with_model, judge

FIXED = {
    "identifier", "account", "number", "address", "date", "site", "small group", "one person", "person", "place", "organisation",
    "another script", "rare combination", "name-like", "capitals", "unknown place", "unknown name", "no rule fired",
}  # fmt: skip


def test_rules_rate_identifiers_lowest_and_plain_topics_highest() -> None:
    """A mail address is 1, an organisation's form and a name's form 2, a single unknown word 3, a topic 5."""
    texts = [
        "Write to a@example.com",
        "Shifts at Wexley Bakery",
        "Stories, told by Petra Wexley",
        "Fix errors of Zorblat servers",
        "Report a lost card: People report cards.",
    ]
    assert [r.score for r in audit(texts)] == [1, 2, 2, 3, 5]


@pytest.mark.parametrize(
    "text",
    [
        "Write letters: Several mention Mr. Wexley.",
        "Write letters: Ottokar Wexley is named in most.",
        "Report Lost Card for Ottokar Wexley: Users asked how.",
        "Write letters: Several mention Наталья Орлова.",
        "Write letters: Several mention 이하늘.",
        "Case study of 14-year-old Ottoline: Users asked for help.",
        "Ask about leave for patient Wexley: Users asked how.",
        "Ask about leave for Ottokar B. Wexley: Users asked how.",
        "Post as @wexley77: Users asked how.",
        "Post as user wexley_77: Users asked how.",
        "Pay a bill: Users quote 2213 4455 901.",
        "Renew a car: Users quote KX-QP 417.",
        "Pay a bill: All live at Wexley Lane.",
        "Plan a visit: All are members of the mosque in Wexley.",
        "Plan a visit: All are members of the Wexley quartet.",
        "Plan a visit: They come from a village of 80 people.",
        "Plan a visit: They come from the village of Wexley.",
        "Plan a visit: They run wexleyfans.org together.",
        "Write about the fire of 3 May 2019: Users asked how.",
        "Write about 2019-05-03: Users asked how.",
        "Tell a story: It is about the only survivor of a fire.",
        "Tell a story: It is about the widow who sued a town.",
        "Live with illness: A 41-year-old divorced cook with epilepsy asked.",
    ],
)
def test_rules_hold_back_what_looks_as_if_it_named_someone(text: str) -> None:
    """One text of each form that the rules know is rated below what is shown."""
    assert audit([text])[0].score < 3


@pytest.mark.parametrize(
    "text",
    [
        "Talk about severe depression: Users described hopeless thoughts.",
        "Compare the candidates of an election: Users asked about Joe Biden and Donald Trump.",
        "Debug Python and JavaScript: Users on Windows, macOS or Linux asked about Docker.",
        "Plan a dinner for Christmas or Diwali: Users asked in German, Hindi and French.",
        "Report Lost Card: Users reported cards.",
        "Advanced Data Structures: Users asked about trees.",
        "Explain the theory of Einstein: Users asked about E = mc² and the letter π.",
        "Learn about the Second World War: Users asked about 1939-1945 and 6 June 1944.",
        "Write a budget: Users asked about 700-1000 dollars or 1,000,000 euros.",
        "Find gifts for a 6-year-old: Users asked for toys.",
        "Change the point of view: Users asked for the first person or the third person.",
        "Find the only way to fix an error: Users asked how.",
        "Ask about apartments: Users asked for the rent of a flat.",
        "Compare Laravel, Symfony and Odoo: Users asked which is faster.",
        "Ask about COVID-19: Users asked about UTF-16, SHA-256 and ISO-27001.",
        "Discuss the murder of John F. Kennedy: Users asked about Valentine's Day in New York City.",
    ],
)
def test_rules_show_what_is_public_or_sensitive_alone(text: str) -> None:
    """Sensitive subjects, public people, products, languages and holidays are no reason to hold a text back."""
    assert audit([text])[0].score >= 3


@given(st.text(max_size=200))
def test_any_text_is_rated_by_a_fixed_phrase(text: str) -> None:
    """No text breaks the rules, and none of it is in the reason."""
    rating = audit([text])[0]
    assert 1 <= rating.score <= 5
    assert rating.reason in FIXED


def test_the_caveat_says_what_rules_cannot_judge() -> None:
    """A name in lower case and an unusual event pass, and readers are told so."""
    texts = [
        "Write letters: several mention wexley marlowby.",
        "Tell a story: A pilot who landed on a motorway asked.",
    ]
    assert [rating.score for rating in audit(texts)] == [5, 5]
    assert "lower case" in CAVEAT
    assert "unusual events" in CAVEAT


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


def test_what_a_model_alone_says_is_not_corrected_by_the_rules() -> None:
    """For calibration the two are told apart."""
    with Answers() as answers:
        assert judge(["Write to a@example.com"], Judge("<rating>5</rating>"), answers)[0].score == 5
        assert judge(["Order checks"], Judge("none"), answers)[0].reason == "no readable rating"
