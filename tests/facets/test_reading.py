"""Answers of chat models, read into values: whatever their form, a value is one that the facet allows, or none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clio.facets.definition import Facet, builtin
from clio.facets.reading import declines, read_answer, read_object

TEXT = builtin()["request"]
CONCERN = builtin()["concern"]
MOOD = Facet("mood", "How does the user feel?", "category", values=("work", "not work", "unclear"))
TURNS = Facet("questions", "How many questions are asked?", "number", bands=(1, 3, 10))
ALL = (TEXT, CONCERN, MOOD, TURNS)
GOOD = {"request": "plan a trip", "concern": 2, "mood": "work", "questions": 4}
VALUES = {"request": "Plan a trip", "concern": "2", "mood": "work", "questions": "3 to under 10"}


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps(GOOD),
        f"```json\n{json.dumps(GOOD, indent=2)}\n```",
        f"Sure! Here it is:\n\n```json\n{json.dumps(GOOD)}\n```\n\nTell me if you need more.",
        str(GOOD),
        json.dumps(GOOD)[:-1] + ",}",
        json.dumps(GOOD)[:-1],
        json.dumps({key.upper(): str(value) for key, value in GOOD.items()}),
        json.dumps({**GOOD, "concern": "2: slightly concerning", "mood": "Work.", "more": [1]}),
        json.dumps({**GOOD, "request": "The user's overall request for the assistant is to plan a trip"}),
    ],
)
def test_an_object_is_read_whatever_stands_around_it(answer: str) -> None:
    """Fences, prose, single quotes, a stray comma, a missing end, other letter case, further keys."""
    assert read_object(answer, ALL) == VALUES


@pytest.mark.parametrize(
    ("change", "lacks"),
    [
        ({"concern": 9}, "concern"),
        ({"concern": True}, "concern"),
        ({"mood": "glad"}, "mood"),
        ({"mood": ["work"]}, "mood"),
        ({"questions": "none"}, "questions"),
        ({"request": ""}, "request"),
        ({"request": None}, "request"),
        ({"request": {"a": 1}}, "request"),
        ({"request": "I'm sorry, but I can't help with that."}, "request"),
    ],
)
def test_a_value_that_the_facet_does_not_allow_is_none_and_the_others_stand(
    change: dict[str, object], lacks: str
) -> None:
    """One wrong value costs no other."""
    assert read_object(json.dumps({**GOOD, **change}), ALL) == {**VALUES, lacks: None}


@pytest.mark.parametrize("answer", ["", "no", "[1, 2]", "I'm sorry, I can't do that", "{", "{]", "{{{{"])
def test_an_answer_without_an_object_gives_no_value(answer: str) -> None:
    """Nothing is made up."""
    assert read_object(answer, ALL) == dict.fromkeys(VALUES)


@given(st.text(max_size=200) | st.binary(max_size=80).map(lambda b: "{" + b.decode("latin-1")))
def test_no_answer_breaks_the_reading(answer: str) -> None:
    """Any text at all is read into allowed values or none."""
    found = read_object(answer, ALL)
    assert set(found) == set(VALUES)
    assert found["concern"] in {None, "1", "2", "3", "4", "5"}
    assert found["mood"] in {None, *MOOD.values}


@pytest.mark.parametrize(
    ("answer", "is_one"),
    [
        ("I'm sorry, but I can't assist with that request.", True),
        ("I’m sorry, but I can’t help.", True),
        ("<answer>I cannot help with this.</answer>", True),
        (json.dumps(GOOD), False),
        ("I'm sorry for the delay: " + json.dumps(GOOD), False),
        ("plan a trip", False),
        ("", False),
    ],
)
def test_a_model_that_declines_in_words_is_told_from_one_that_answers(answer: str, is_one: bool) -> None:
    """A refusal holds no object and begins like one."""
    assert declines(answer) is is_one


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("<answer>The user's overall request for the assistant is to plan a trip.</answer>", "Plan a trip."),
        ("plan a trip.</answer>", "Plan a trip."),
        ("<answer> plan\n a trip", "Plan a trip"),
        ("Sure: <ANSWER>plan a trip</ANSWER> Anything else?", "Plan a trip"),
        ("<answer>first</answer> no, wait: <answer>plan a trip</answer>", "Plan a trip"),
        ("<answer>Plan a trip. Book it. Pay it.</answer>", "Plan a trip. Book it."),
        ("<answer>compare 3.5 with e.g. 4.1</answer>", "Compare 3.5 with e.g. 4.1"),
        ("<answer>I'm sorry, but I can't help with that.</answer>", None),
        ("<answer></answer>", None),
        ("", None),
    ],
)
def test_a_text_answer_is_read_with_or_without_its_tags(answer: str, value: str | None) -> None:
    """At most two sentences, without the prefill; a refusal is no answer."""
    assert read_answer(answer, TEXT) == value


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("<answer>Not work</answer>", "not work"),
        ("WORK.", "work"),
        ("I would say: unclear", "unclear"),
        ("It is not work.", "not work"),
        ("work or unclear", None),
        ("<answer>play</answer>", None),
    ],
)
def test_a_category_is_one_of_its_values_or_nothing(answer: str, value: str | None) -> None:
    """The longest value that is named wins; two are none."""
    assert read_answer(answer, MOOD) == value


@pytest.mark.parametrize(
    ("answer", "value"), [("4", "4"), ("Level 2: slightly", "2"), ("6", None), ("0", None), ("x", None)]
)
def test_a_level_lies_on_the_scale(answer: str, value: str | None) -> None:
    """What is off the scale is no answer."""
    assert read_answer(f"<answer>{answer}</answer>", CONCERN) == value


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("0", "under 1"),
        ("1", "1 to under 3"),
        ("about 3 questions", "3 to under 10"),
        ("1000", "10 or more"),
        ("none", None),
    ],
)
def test_a_number_falls_in_its_band(answer: str, value: str | None) -> None:
    """Bands are closed below and open above."""
    assert read_answer(answer, TURNS) == value
