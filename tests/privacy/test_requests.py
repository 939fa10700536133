"""Counting requests: however many a conversation is parted into, it is one account's, in whatever is counted, shown or recorded."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import clio
from clio import demo
from clio.conversation import Conversation, Message
from clio.errors import PrivacyError
from clio.evaluation.ground import Row
from clio.models import embedder
from clio.privacy.accounts import Accounts
from clio.privacy.gate import gated
from clio.privacy.ledger import Ledger
from clio.privacy.policy import policy
from clio.run_folder import RunFolder
from clio.splitting import EMBEDDER, parts
from clio.stored import CONVERSATIONS

# what one person asks for again and again, each time in other words, and about other things in between
SECRET = "zorblax"
HOW = (
    "renew a {} falconry licence before autumn",
    "register {} hawks with a county falconry office",
    "choose a leather glove for {} falconry training",
    "feed young {} hawks during falconry season",
    "train {} hawks to return at dusk",
    "insure {} hawks against falconry accidents",
    "build an outdoor falconry mews for {} hawks",
    "transport {} hawks to falconry meetings abroad",
    "breed {} hawks under falconry rules",
    "photograph {} hawks during falconry shows",
    "treat sick {} hawks after falconry hunts",
    "buy bells and jesses for {} falconry hawks",
    "weigh {} hawks each morning of falconry season",
    "license {} falconry schools near villages",
    "clean falconry perches used by {} hawks",
    "name newborn {} falconry hawks properly",
    "sell {} hawks at a falconry auction",
    "teach children {} falconry with gentle hawks",
    "track lost {} hawks with falconry radios",
    "plan a {} falconry hunt with three hawks",
    "host a {} falconry dinner for hawk owners",
    "write {} falconry club rules on hawks",
    "paint {} hawks for a falconry museum",
    "judge {} hawks at falconry contests",
    "cook quail meat for {} falconry hawks",
)
BETWEEN = (
    "Convert {} miles to kilometres please",
    "Write a birthday card for grandma turning {}",
    "Which python function sorts a list of {} numbers?",
    "What time does train {} leave Paris for Lyon?",
    "Suggest {} songs by jazz pianists",
    "Find a dentist within {} minutes of downtown",
    "How much flour makes {} pancakes?",
    "Explain why the French revolution took {} years",
    "Tell me the weather in Oslo in {} days",
    "Create a budget of {} dollars for rent and savings",
    "Translate the number {} into Italian",
    "Describe {} exercises against back pain",
    "What was the score of football match {} yesterday?",
)
RULES: dict[str, Any] = {
    "count": "requests",
    "embedder": "static",
    "min_users": 3,
    "min_conversations": 6,
    "cluster_size": 15,
    "max_per_user": 0,
    "ledger": "off",
}


def asked(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}, {"role": "assistant", "content": text}]


def secrets() -> list[str]:
    return [f"How can I {how.format(SECRET)}?" for how in HOW]


def crowd(size: int = 200) -> list[Row]:
    """Ordinary conversations of others, from the sample."""
    with gzip.open(demo.path(), "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in list(file)[:size]]


def of_one(**more: Any) -> Row:
    """One conversation that asks for the secret 25 times, and for other things in between."""
    others = [BETWEEN[n % len(BETWEEN)].format(n + 3) for n in range(2 * len(HOW))]
    turns = [
        asked(text)
        for n, secret in enumerate(secrets())
        for text in (secret, others[2 * n], others[2 * n + 1])
    ]
    return {"id": "one", "user": "somebody", "messages": [m for turn in turns for m in turn], **more}


def of_many(**more: Any) -> list[Row]:
    """The same requests of as many people: what may be shown."""
    return [
        {"id": f"many{n}", "user": f"someone{n}", "messages": asked(text), **more}
        for n, text in enumerate(secrets())
    ]


def published(out: Path) -> str:
    """All that a run shows, as one text."""
    insights = clio.Insights.load(out)
    return repr((insights.clusters, insights.base, insights.about, insights.withheld)).casefold()


def test_the_conversation_of_one_has_fifty_parts() -> None:
    """What follows attacks with something: nearly every turn becomes a part."""
    row = of_one()
    whole = Conversation("one", tuple(Message(m["role"], m["content"]) for m in row["messages"]))
    assert len(parts([whole], embedder(EMBEDDER))[0]) >= 45


@pytest.mark.parametrize("users", ["conversation", "field"])
def test_the_parts_of_one_make_up_no_cluster_and_support_no_word(users: str, tmp_path: Path) -> None:
    """What 25 people ask for is shown and named; what one asks for 25 times in a conversation is neither."""
    clio.run(pa.Table.from_pylist([*crowd(), *of_many()]), tmp_path / "many", users=users, **RULES)
    assert SECRET in published(tmp_path / "many") or "hawk" in published(tmp_path / "many")

    insights = clio.run(pa.Table.from_pylist([*crowd(), of_one()]), tmp_path / "one", users=users, **RULES)
    shown = published(tmp_path / "one")
    for word in (SECRET, "hawk", "falconry"):
        assert word not in shown
    # nor does it stand behind one of another name: without it, each keeps enough
    private = RunFolder(tmp_path / "one")
    cluster = private.read("assignments")["cluster"].to_pylist()
    facets = private.read("facets").to_pylist()
    whose = [row["part_of"] if users == "conversation" else row["user"] for row in facets]
    above = {row["id"]: row["parent"] for row in private.read("candidates", ["id", "parent"]).to_pylist()}
    inside: dict[str, set[Any]] = {}
    for at, who in zip(cluster, whose, strict=True):
        while at is not None:
            inside.setdefault(at, set()).add(who)
            at = above[at]
    assert list(insights)
    assert all(len(inside[one.id]) > RULES["min_users"] for one in insights)


def test_a_run_counts_conversations_as_its_users(tmp_path: Path) -> None:
    """How many users there are is told by conversations, not by their parts."""
    insights = clio.run(
        pa.Table.from_pylist([*crowd(40), of_one()]), tmp_path / "run", users="conversation", **RULES
    )
    assert insights.conversations > 80
    assert insights.users == "10-49"


def test_parts_are_one_account_however_they_are_counted() -> None:
    """50 parts of a conversation beside two others are three accounts, two without any one; equal parts count once."""
    rows = 52
    table = pa.table(
        {
            "user": pa.nulls(rows, pa.string()),
            "part_of": pa.array([7] * 50 + [8, 12], pa.int64()),
            "duplicate": pa.array([0, *range(49), 50, 51], pa.int32()),
        }
    )
    accounts = Accounts.of(table, "conversation")
    everyone = np.arange(rows)
    assert accounts.users(everyone) == 3
    assert accounts.conversations(everyone) == 51
    assert accounts.enough(everyone, 2, 2)
    assert not accounts.enough(everyone, 3, 2)
    assert not accounts.enough(everyone, 2, 3)
    assert not accounts.enough(np.arange(50), 1, 1)


def test_the_parts_of_one_make_up_no_facet_value(tmp_path: Path) -> None:
    """A value that only one conversation has is in no base rate and no breakdown, though 50 parts have it."""
    rules = RULES | {"breakdown": ("team",)}
    rows = [row | {"team": "open"} for row in crowd()]
    many = [*rows, *of_many(team="quiet")]
    clio.run(pa.Table.from_pylist(many), tmp_path / "many", users="conversation", **rules)
    assert "quiet" in published(tmp_path / "many")
    clio.run(
        pa.Table.from_pylist([*rows, of_one(team="quiet")]), tmp_path / "one", users="conversation", **rules
    )
    assert "quiet" not in published(tmp_path / "one")


@pytest.mark.parametrize("users", ["conversation", "field"])
def test_no_more_parts_of_one_count_than_an_account_may_contribute(users: str, tmp_path: Path) -> None:
    """``max_per_user`` holds for the parts of a conversation as for the conversations of a user."""
    rows = [{**row, "id": f"c{n}", "user": f"u{n}"} for n, row in enumerate(crowd())]
    clio.run(
        pa.Table.from_pylist([*rows, of_one()]),
        tmp_path / "run",
        users=users,
        **(RULES | {"max_per_user": 4}),
    )
    ids = RunFolder(tmp_path / "run").read("conversations", ["id"])["id"].to_pylist()
    assert sum(id_.startswith("one/") for id_ in ids) == 4
    assert len(ids) > 200


def recorded(ledger: Ledger, run: str, part_of: list[int]) -> None:
    """Record a release of conversations, or parts of the conversations with these numbers, in two clusters in turn."""
    n = len(part_of)
    sides = [("left", "right")[row % 2] for row in range(n)]
    candidates = pa.Table.from_pylist(
        [
            {"id": side, "parent": None, "level": 1, "name": side, "description": "", "audit": 5}
            | {"x": 0.0, "y": 0.0}
            for side in ("left", "right")
        ]
    )
    members = pa.table(
        {
            "cluster": sides,
            "user": pa.nulls(n, pa.string()),
            "part_of": pa.array(part_of, pa.int64()),
            "duplicate": pa.array(range(n), pa.int32()),
        }
    )
    _, released = gated(candidates, members, sides, policy("internal"), users="conversation")
    rows = [{"messages": [{"role": "user", "content": f"{n}"}]} for n in range(n)]
    ledger.record([pa.RecordBatch.from_pylist(rows, schema=CONVERSATIONS)], released, run, "internal")


@pytest.mark.parametrize("first", [0, 1], ids=["a new conversation", "one counted whole before"])
def test_what_one_conversation_adds_to_a_release_is_refused(first: int, tmp_path: Path) -> None:
    """50 more people may be added to what was released; 50 more parts of one conversation may not, nor counted so later."""
    crowd_of = list(range(60 + first))
    ledger = Ledger(tmp_path / "people")
    recorded(ledger, "before", crowd_of)
    recorded(ledger, "after", [*crowd_of, *range(100, 150)])
    ledger = Ledger(tmp_path / "parts")
    recorded(ledger, "before", crowd_of)
    with pytest.raises(PrivacyError, match="single out"):
        recorded(ledger, "after", [*crowd_of, *[60] * 50])


def test_a_sample_of_requests_is_refused() -> None:
    """Its intervals would be too narrow, for requests of one conversation are drawn together."""
    with pytest.raises(clio.SettingsError, match="set count=conversations") as error:
        clio.settings.resolve({"sample": 100, "count": "requests"})
    assert "\n" not in str(error.value)
