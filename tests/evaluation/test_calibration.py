"""The labelled audit set: labels by construction, halves that share nothing, and figures that can be checked by hand."""

from __future__ import annotations

import tomllib
from collections import Counter
from importlib.resources import files

import pytest

from clio.evaluation import calibration
from clio.evaluation.calibration import HALVES, Labelled, audit_set, score
from clio.privacy.auditor import audit
from clio.privacy.rules import given_names, public_names

NAMES = ["report_lost_card", "account_blocked", "play_music", "weather_query", "tell_joke", "alarm_set"]
WORDS = tomllib.loads(files("clio.evaluation").joinpath("audit_words.toml").read_text("utf-8"))


def test_the_set_is_large_enough_and_the_same_for_the_same_seed() -> None:
    """At least 400 texts, 30 of each of 10 private kinds or more, no text twice; another seed makes another set."""
    made = audit_set(NAMES)
    kinds = Counter(one.kind for one in made if one.private)
    assert len(made) >= 400
    assert len(kinds) >= 10
    assert min(kinds.values()) >= 30
    assert len({one.text for one in made}) == len(made)
    assert made == audit_set(NAMES)
    assert made != audit_set(NAMES, 1)


def test_each_half_is_balanced() -> None:
    """As many harmless texts as private ones where there are names enough, and every harmless kind in both halves."""
    made = audit_set(NAMES)
    for half in HALVES:
        inside = [one for one in made if one.half == half]
        private = sum(one.private for one in inside)
        assert len(inside) - private > 0.7 * private
        assert {one.kind for one in inside if not one.private} == {"intent", "topic", "public"}


def test_the_halves_share_no_material() -> None:
    """Rules tuned on one half have not seen a name, a detail or a template of the other."""
    for kind in WORDS["private"].values():
        assert not set(kind["dev"]["edits"]) & set(kind["test"]["edits"])
        assert not set(kind["dev"]["details"]) - {"{given} {family}"} & set(kind["test"]["details"])
    for slot, words in WORDS["slots"]["dev"].items():
        assert not set(words.split("|")) & set(WORDS["slots"]["test"][slot].split("|"))
    for part in ("descriptions", "public"):
        assert not set(WORDS["safe"]["dev"][part]) & set(WORDS["safe"]["test"][part])
    names: dict[str, set[str]] = {half: set() for half in HALVES}
    for one in audit_set(NAMES):
        if not one.private:
            names[one.half].add(one.text.split(":")[0].casefold())
    assert not names["dev"] & names["test"]


def test_the_material_is_not_that_of_the_rules() -> None:
    """No made-up name stands in a list of the rules, and the generator knows nothing of the rules."""
    made_up = {
        name
        for half in HALVES
        for slot in ("given", "family", "town")
        for name in WORDS["slots"][half][slot].split("|")
    }
    assert not {name.casefold() for name in made_up} & (given_names() | public_names())
    source = files("clio.evaluation").joinpath("calibration.py").read_text("utf-8")
    assert "clio.privacy" not in source


def test_details_of_another_source_take_the_place_of_the_written_ones() -> None:
    """Only their kinds are made, each detail in one text of one half."""
    given = [f"Detail{n} Someone" for n in range(40)]
    made = [one for one in audit_set(NAMES, each=30, details={"name": given}) if one.private]
    assert {one.kind for one in made} == {"name"}
    for detail in given:
        assert (
            sum(
                detail + " " in one.text + " " or detail + ":" in one.text or detail + "." in one.text
                for one in made
            )
            <= 1
        )
    assert len({one.half for one in made}) == 2


def test_names_read_as_people_write_them() -> None:
    """A label becomes a name, and a task a phrase inside a sentence."""
    verbs = frozenset({"Write", "Set", "See"})
    assert calibration._plain("report_lost_card") == "Report lost card"
    assert calibration._doing("Write a poem", verbs) == "writing a poem"
    assert calibration._doing("Set an alarm", verbs) == "setting an alarm"
    assert calibration._doing("See a doctor", verbs) == "seeing a doctor"
    assert calibration._doing("Account blocked", verbs) == "account blocked"
    assert calibration._doing("ID check", verbs) == "ID check"


def test_the_score_counts_what_is_held_back() -> None:
    """Three private texts of which two are held back, two harmless ones of which one is."""
    labels = [(True, "name"), (True, "name"), (True, "firm"), (False, "topic"), (False, "topic")]
    labelled = [Labelled("x", private, kind, "dev") for private, kind in labels]
    found = score(labelled, [1, 2, 3, 2, 5])
    assert (found.recall.hits, found.recall.of) == (2, 3)
    assert (found.precision.hits, found.precision.of) == (2, 3)
    assert (found.false_alarms.hits, found.false_alarms.of) == (1, 2)
    assert (found.accuracy.hits, found.accuracy.of) == (3, 5)
    assert [(k, s.hits, s.of) for k, s in found.by_kind.items()] == [
        ("name", 2, 2),
        ("firm", 0, 1),
        ("topic", 1, 2),
    ]
    assert score(labelled, [1, 2, 3, 2, 5], minimum=4).recall.hits == 3
    low, high = found.recall.interval
    assert 0 < low < 2 / 3 < high < 1


def test_a_share_of_nothing_has_no_value_and_the_widest_interval() -> None:
    """Where nothing is held back there is no precision."""
    found = score([Labelled("x", False, "topic", "dev")], [5])
    assert found.precision.value != found.precision.value
    assert found.precision.interval == (0.0, 1.0)


def test_ratings_and_labels_must_be_as_many() -> None:
    """A rating missing is a mistake of the caller."""
    with pytest.raises(ValueError, match="zip"):
        score([Labelled("x", False, "topic", "dev")], [])


@pytest.mark.parametrize("half", HALVES)
def test_the_rules_do_not_get_worse(half: str) -> None:
    """Below 2 % false alarms, and a recall that only a change of the rules can lower."""
    labelled = [one for one in audit_set(NAMES) if one.half == half]
    found = score(labelled, [rating.score for rating in audit([one.text for one in labelled])])
    assert found.false_alarms.value < 0.02
    assert found.recall.value > {"dev": 0.88, "test": 0.8}[half]
