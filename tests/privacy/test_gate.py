"""The gate: what it lets through, what it folds, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from clio.errors import PrivacyError
from clio.insights import Insights
from clio.privacy.gate import band, gate
from clio.privacy.policy import Policy, policy

RULES = Policy("test", 3, 5, 3, 5, 3, None, "test")


def candidates(**changes: dict) -> pa.Table:
    """One theme over three clusters; ``changes`` by id."""
    rows = [
        {"id": "1.1", "parent": None, "level": 1, "name": "Cards", "description": ""},
        {
            "id": "2.1",
            "parent": "1.1",
            "level": 2,
            "name": "Report a lost card",
            "description": "People report a lost card.",
        },
        {"id": "2.2", "parent": "1.1", "level": 2, "name": "Pay a bill", "description": ""},
        {"id": "2.3", "parent": "1.1", "level": 2, "name": "Order checks", "description": ""},
    ]
    for row in rows:
        row.update(audit=5, x=0.0, y=0.0)
        row.update(changes.get(row["id"], {}))
    return pa.Table.from_pylist(rows)


def members(
    sizes: dict[str | None, int], *, users: int = 100, duplicates: bool = False
) -> tuple[pa.Table, list[str]]:
    """``sizes`` conversations in each cluster, of ``users`` users in turn."""
    texts = {
        "2.1": "how do i report a lost card",
        "2.2": "pay my bill",
        "2.3": "order more checks",
        None: "something else",
    }
    rows = [(cluster, n) for cluster, size in sizes.items() for n in range(size)]
    table = pa.table(
        {
            "cluster": pa.array([c for c, _ in rows], pa.string()),
            "user": pa.array([f"u{i % users}" for i in range(len(rows))], pa.string()),
            "duplicate": pa.array([0 if duplicates else i for i in range(len(rows))], pa.int32()),
            "language": pa.array(["en" if i % 3 else "es" for i in range(len(rows))], pa.string()),
        }
    )
    return table, [texts[c] for c, _ in rows]


def shown(insights: Insights) -> set[str]:
    return {cluster.id for cluster in insights}


def test_clusters_with_enough_behind_them_are_shown_and_others_fold() -> None:
    """A cluster below the thresholds is not shown, and its sibling hides it from subtraction."""
    table, texts = members({"2.1": 20, "2.2": 9, "2.3": 2})
    found = gate(candidates(), table, texts, RULES)
    assert shown(found) == {"1.1", "2.1"}
    assert found.other_of("1.1").conversations == 11
    assert found.coverage == pytest.approx(20 / 31)


def test_few_users_do_not_make_a_cluster() -> None:
    """Many conversations of two users are still two users."""
    table, texts = members({"2.1": 20, "2.2": 20, "2.3": 20}, users=2)
    with pytest.raises(PrivacyError, match="too few to publish"):
        gate(candidates(), table, texts, RULES)


def test_near_duplicates_do_not_count_as_support() -> None:
    """A thousand copies of one conversation are one conversation of one user."""
    table, texts = members({"2.1": 1000}, duplicates=True)
    with pytest.raises(PrivacyError, match="too few to publish"):
        gate(candidates(), table, texts, RULES)


def test_no_user_field_is_refused_with_what_to_set() -> None:
    """Without users nothing can be shown to be many people's; the owner may say otherwise."""
    table, texts = members({"2.1": 20, "2.2": 20})
    blind = table.set_column(1, "user", pa.nulls(len(table), pa.string()))
    with pytest.raises(PrivacyError, match="users=conversation"):
        gate(candidates(), blind, texts, RULES)
    assert shown(gate(candidates(), blind, texts, RULES, users="conversation")) >= {"2.1", "2.2"}


@pytest.mark.parametrize(
    "name",
    [
        "Report a card lost by Annabelle",
        "Report a card ending 4417",
        "Cards of Wexley Bakery",
        "Write to jo@example.com",
    ],
)
def test_specifics_that_few_support_are_not_published(name: str) -> None:
    """A name with a person, a number, a firm or an address that fewer than min_users say is withheld with its cluster."""
    table, texts = members({"2.1": 20, "2.2": 20, "2.3": 20})
    texts[0] += " annabelle 4417 wexley bakery"
    found = gate(candidates(**{"2.1": {"name": name, "description": ""}}), table, texts, RULES)
    said = str([(c.name, c.description) for c in found]).casefold()
    assert not any(word in said for word in ("annabelle", "4417", "wexley", "jo@"))


def test_a_supported_fallback_name_stands_in() -> None:
    """Where the model's name is not supported, the composed one is shown instead of hiding the cluster."""
    table, texts = members({"2.1": 20, "2.2": 20, "2.3": 20})
    rows = candidates(**{"2.1": {"name": "Ask for Annabelle"}})
    rows = rows.append_column(
        "fallback_name", pa.array(["Cards", "Report a lost card", "Pay a bill", "Order checks"])
    )
    rows = rows.append_column("fallback_description", pa.array([""] * 4))
    rows = rows.append_column("fallback_audit", pa.array([5] * 4))
    assert gate(rows, table, texts, RULES).cluster("2.1").name == "Report a lost card"


def test_an_unsupported_description_is_left_out_and_the_name_stays() -> None:
    """A description that names what few said is dropped; the cluster stays under its name."""
    table, texts = members({"2.1": 20, "2.2": 20, "2.3": 20})
    found = gate(candidates(**{"2.1": {"description": "Mentions Annabelle of Wexley."}}), table, texts, RULES)
    assert found.cluster("2.1").description == ""


def test_nothing_is_shown_that_one_account_decides() -> None:
    """Three accounts and a fourth make a cluster of four only if three others would do without any one of them."""
    table, texts = members({"2.1": 20, "2.2": 20, "2.3": 20}, users=20)
    few = pa.array(["s1", "s2", "s3"] * 6 + ["target"] * 2, pa.string())
    table = table.set_column(1, "user", pa.chunked_array([few, table["user"].slice(20).combine_chunks()]))
    assert "2.1" in shown(gate(candidates(), table, texts, RULES))
    without = few.filter(pc.not_equal(few, "target"))
    table = table.slice(2).set_column(
        1, "user", pa.chunked_array([without, table["user"].slice(20).combine_chunks()])
    )
    assert "2.1" not in shown(gate(candidates(), table, texts[2:], RULES))
    heavy = pa.array(["one"] * 17 + ["s1", "s2", "s3"], pa.string())
    table, texts = members({"2.1": 20, "2.2": 20, "2.3": 20}, users=20)
    table = table.set_column(1, "user", pa.chunked_array([heavy, table["user"].slice(20).combine_chunks()]))
    assert "2.1" not in shown(gate(candidates(), table, texts, RULES))


def test_sensitive_subjects_need_more_people() -> None:
    """Six users are enough for a lost card and too few for a disease; the plain name stands in."""
    table, texts = members({"2.1": 20, "2.2": 20, "2.3": 6})
    texts = texts[:40] + ["diabetes of mine"] * 6
    rows = candidates(**{"2.3": {"name": "Manage diabetes"}})
    assert "2.3" not in shown(gate(rows, table, texts, RULES))
    assert "2.3" in shown(gate(rows, table, texts, replace(RULES, sensitive=False)))


def test_a_harmless_name_does_not_lower_what_a_sensitive_detail_needs() -> None:
    """Where the conversations are about health, a detail needs as many people as if the text said so."""
    table, texts = members({"2.1": 20, "2.2": 20, "2.3": 20})
    detail = {"name": "Make a list", "description": "Often mentioned: zarquon."}
    plain = ["make a list of zarquon"] * 5 + ["make a list"] * 15
    ill = [f"{text} for my diabetes" for text in plain]
    rows = candidates(**{"2.1": detail})
    assert "zarquon" in gate(rows, table, plain + texts[20:], RULES).cluster("2.1").description
    assert gate(rows, table, ill + texts[20:], RULES).cluster("2.1").description == ""


def test_untrusted_accounts_do_not_buy_a_cluster() -> None:
    """Accounts of no trust count for nobody, however many they are."""
    table, texts = members({"2.1": 20, "2.2": 20, "2.3": 20})
    trusted = table.append_column("trust_weight", pa.array([0.0] * 20 + [1.0] * 40))
    assert "2.1" not in shown(gate(candidates(), trusted, texts, RULES))
    assert {"2.2", "2.3"} & shown(gate(candidates(), trusted, texts, RULES))


def test_a_parents_description_names_shown_children_only() -> None:
    """A child that is hidden must not stand in its parent's text."""
    table, texts = members({"2.1": 30, "2.2": 20, "2.3": 9})
    rows = candidates(**{"1.1": {"description": "Brings together: {children}."}, "2.3": {"audit": 1}})
    found = gate(rows, table, texts, RULES)
    assert found.cluster("1.1").description == "Brings together: report a lost card; pay a bill."


def test_audit_below_the_minimum_is_withheld_and_counted() -> None:
    """A text rated 2 is not shown; its conversations are counted under a reason."""
    table, texts = members({"2.1": 20, "2.2": 20, "2.3": 20})
    found = gate(candidates(**{"2.1": {"audit": 2}}), table, texts, RULES)
    assert "2.1" not in shown(found)
    assert found.withheld == {"failed audit": 20}


def test_control_and_bidi_characters_never_reach_a_name() -> None:
    """Escape codes and direction overrides are stripped, so that a terminal or a page shows plain words."""
    table, texts = members({"2.1": 20, "2.2": 20, "2.3": 20})
    found = gate(
        candidates(**{"2.2": {"name": "Pay \x1b[31ma\u202e bill"}}),
        table,
        [t + " 31ma" for t in texts],
        RULES,
    )
    assert not any(c in str([x.name for x in found]) for c in ("\x1b", "\u202e"))


def test_breakdowns_are_lower_bounds_that_meet_the_thresholds() -> None:
    """Every published cell has at least the thresholds behind it and never more than is true."""
    table, texts = members({"2.1": 40, "2.2": 30, "2.3": 20})
    found = gate(candidates(), table, texts, RULES)
    for cluster in found:
        for cell in cluster.breakdown:
            assert 5 <= cell.conversations <= cluster.conversations
            assert cell.share == pytest.approx(cell.conversations / cluster.conversations)


def test_users_are_shown_in_bands_only() -> None:
    """Counts of users come as bands, with exact edges."""
    assert [band(n) for n in (1, 9, 10, 49, 50, 1234, 2_000_000)] == [
        "1-4",
        "5-9",
        "10-49",
        "10-49",
        "50-99",
        "1,000-4,999",
        "1,000,000+",
    ]


def test_policies_are_found_by_name_and_overridden() -> None:
    """A threshold given by hand replaces the policy's for clusters and cells."""
    assert policy("publish").min_users == 250
    assert policy("internal", min_users=7).min_cell_users == 7


def test_neighbours_are_shown_ones_and_told_in_steps() -> None:
    """A hidden cluster stands in no list of nearest ones; places and cosines are rounded."""
    table, texts = members({"2.1": 20, "2.2": 20, "2.3": 20})
    near = {"near": ["2.3", "2.2"], "similarity": [0.987, 0.6612], "x": 0.123456, "y": -0.98765}
    none: dict[str, Any] = {"near": [], "similarity": []}
    rows = {"1.1": none, "2.1": near, "2.2": none, "2.3": {**none, "audit": 1}}
    found = gate(candidates(**rows), table, texts, RULES).cluster("2.1")
    assert [(one.id, one.similarity) for one in found.nearest] == [("2.2", 0.65)]
    assert (found.x, found.y) == (0.123, -0.988)
