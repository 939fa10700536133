"""Prices, what calls cost by them, and the limit of cost."""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clio.errors import ModelError, SettingsError
from clio.models import tokens
from clio.models.prices import Budget, BudgetError, Price, price_of, table
from clio.models.protocols import Prompt, Usage

NANO = Price(input=0.05, output=0.40, cached=0.005, written=0.05)
HAIKU = Price(input=1.0, output=5.0, cached=0.1, written=1.25, ratio=1.3)
PRICES = {"openai:nano": NANO, "anthropic:haiku": HAIKU}


def prompt(text: str, max_tokens: int = 400) -> Prompt:
    return Prompt((("user", text),), max_tokens=max_tokens)


# --- the arithmetic ---


def test_every_kind_of_token_has_its_own_rate() -> None:
    """Plain, cached and written input and output add up as a bill by hand does."""
    usage = Usage(input=1_000_000, output=200_000, cached=600_000, written=100_000)
    by_hand = 0.3 * 1.0 + 0.6 * 0.1 + 0.1 * 1.25 + 0.2 * 5.0
    assert HAIKU.cost(usage) == pytest.approx(by_hand)
    assert HAIKU.cost(usage, batch=True) == pytest.approx(by_hand / 2)
    assert replace(HAIKU, batch=0.8).cost(usage, batch=True) == pytest.approx(by_hand * 0.8)


def test_a_server_that_counts_cached_tokens_apart_costs_no_less_than_nothing() -> None:
    """Input below what was cached of it makes no negative cost."""
    assert NANO.cost(Usage(input=10, cached=2_000_000)) == pytest.approx(0.01)
    assert NANO.cost(Usage()) == 0


def test_the_cost_of_many_calls_is_the_sum_of_theirs() -> None:
    """Spending that is kept as a sum of tokens costs what its calls did one by one."""
    calls = [Usage(100 * n, 7 * n, 40 * n, 5 * n) for n in range(20)]
    whole = Usage(
        *(sum(getattr(call, f) for call in calls) for f in ("input", "output", "cached", "written"))
    )
    assert HAIKU.cost(whole) == pytest.approx(sum(map(HAIKU.cost, calls)))


# --- the table ---


def test_the_built_in_table_is_well_formed() -> None:
    """Each entry names its provider, is cheaper from the cache than without, has a day and a source, and holds no slip of a decimal."""
    prices = table()
    assert len(prices) > 40
    for name, price in prices.items():
        assert name.startswith(("openai:", "anthropic:")), name
        day = datetime.date.fromisoformat(price.date)
        assert datetime.date(2024, 3, 1) <= day <= datetime.date(2026, 11, 26), name
        assert price.source.startswith("https://"), name
        assert 0.01 <= price.input <= 20, name
        assert 0 < price.cached <= price.input <= price.written <= 1.26 * price.input, name
        assert price.output == 0 if "embedding" in name else 3 <= price.output / price.input <= 8, name
        assert price.batch == 0.5, name
        assert price.ratio == 1.0 if name.startswith("openai:") and "emb" not in name else 1 < price.ratio < 2
        assert price.longest == 0 or price.longest >= 100_000, name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openai:gpt-5-nano", (0.05, 0.4, 0.005, 0.05)),
        ("openai:gpt-6-luna", (0.1, 0.5, 0.01, 0.125)),
        ("anthropic:claude-haiku-4-5", (1, 5, 0.1, 1.25)),
        ("anthropic:claude-3-haiku-20240307", (0.25, 1.25, 0.03, 0.3)),
        ("anthropic:claude-3-5-sonnet-20240620", (3, 15, 0.3, 3.75)),
    ],
)
def test_prices_that_documents_speak_of_are_in_the_table(name: str, expected: tuple[float, ...]) -> None:
    """Small models of both vendors and the paper's pair have their known prices."""
    price = table()[name]
    assert (price.input, price.output, price.cached, price.written) == expected


def test_a_users_table_replaces_entries_and_adds_some(tmp_path: Path) -> None:
    """An entry of the user's file replaces the whole built-in one, in either way of writing it, and the others stay."""
    mine = tmp_path / "mine.toml"
    mine.write_text(
        '["openai:gpt-5-nano"]\ninput = 1\noutput = 2\n\n'
        '["openai:mine"]\ninput = 0.5\noutput = 1.5\ncached = 0.1\nbatch = 0.4\nratio = 1.2\ndate = 2026-11-01\n'
    )
    prices = table(mine)
    assert prices["openai:gpt-5-nano"] == Price(1.0, 2.0, 1.0, 1.0)
    assert prices["openai:mine"] == Price(0.5, 1.5, 0.1, 0.5, 0.4, 1.2, "2026-11-01")
    assert {name for name, price in prices.items() if table().get(name) != price} == {
        "openai:gpt-5-nano",
        "openai:mine",
    }
    assert table()["openai:gpt-5-nano"].input == 0.05


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("input = 3", "'input': must be a table"),
        ('["openai:x"]\ninput = 1', "'openai:x': output is missing (USD for a million tokens)"),
        ('["openai:x"]\ninput = 1\noutput = "2"', "'openai:x': output must be a number of 0 or more"),
        ('["openai:x"]\ninput = -1\noutput = 2', "'openai:x': input must be a number of 0 or more"),
        ('["openai:x"]\ninput = true\noutput = 2', "'openai:x': input must be a number of 0 or more"),
        ('["openai:x"]\ninput = nan\noutput = inf', "'openai:x': input must be a number of 0 or more"),
        ('["openai:x"]\ninput = 1\noutput = 2\nratio = 0', "'openai:x': ratio must be more than 0"),
        ('["openai:x"]\ninput = 1\noutput = 2\nlongest = 0.5', "'openai:x': longest must be a whole number"),
        ('["openai:x"]\ninput = 1\noutput = 2\ndate = 2026', "'openai:x': date must be a day"),
        ('["openai:x"]\ninput = 1\noutput = 2\nsource = 1', "'openai:x': source must be a text"),
        ('["openai:x"]\ninput = 1\noutput = 2\nprice = 1', "'openai:x': unknown key 'price'; known: input, "),
        ("[openai:x]\ninput = 1", "is not valid TOML: "),
    ],
)
def test_a_bad_table_is_told_in_one_line(tmp_path: Path, text: str, wrong: str) -> None:
    """What is wrong with a user's table is told with the file and the entry, in one line."""
    bad = tmp_path / "bad.toml"
    bad.write_text(text)
    with pytest.raises(SettingsError) as told:
        table(bad)
    assert str(told.value).startswith(f"price table {bad}")
    assert wrong in str(told.value)
    assert "\n" not in str(told.value)


def test_a_table_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A missing file, a folder and a file that is no UTF-8 are told by name."""
    (tmp_path / "latin").write_bytes(b"\xff\xfe")
    for name in ("missing", ".", "latin"):
        with pytest.raises(SettingsError, match="cannot be read"):
            table(tmp_path / name)


# --- which price ---


@pytest.mark.parametrize(
    ("model", "entry"),
    [
        ("openai:gpt-5-nano", "openai:gpt-5-nano"),
        ("openai:gpt-5-nano-2025-08-07", "openai:gpt-5-nano"),
        ("openai:gpt-5-nano-latest", "openai:gpt-5-nano"),
        ("openai:gpt-5-2025-08-07", "openai:gpt-5"),
        ("openai:gpt-4o-2024-08-06", "openai:gpt-4o"),
        ("openai:gpt-4o-2024-05-13", "openai:gpt-4o-2024-05-13"),
        ("openai:gpt-5.4-mini-2026-03-17", "openai:gpt-5.4-mini"),
        ("anthropic:claude-haiku-4-5-20251001", "anthropic:claude-haiku-4-5"),
        ("anthropic:claude-haiku-4-5@20251001", "anthropic:claude-haiku-4-5"),
        ("anthropic:claude-opus-4-5-20251101-v1:0", "anthropic:claude-opus-4-5"),
        ('anthropic:claude-opus-4-5-20251101 {"top_k": 1}', "anthropic:claude-opus-4-5"),
        ('openai:gpt-5-nano {"service_tier": "flex", "a": {"b": " "}}', "openai:gpt-5-nano"),
        ("openai:gpt-5-nano-turbo", None),
        ("openai:gpt-5-nan", None),
        ("openai:gpt-5.9", None),
        ("openai:gpt-5-codex", None),
        ("openai:gpt-4o-audio-preview", None),
        ("openai:ft:gpt-4o-mini-2024-07-18:me::id", None),
        ("anthropic:claude-opus-5-6", None),
        ("anthropic:claude-opus-4", None),
        ("gpt-5-nano", None),
    ],
)
def test_a_snapshot_has_the_price_of_its_model_and_a_sibling_has_not(model: str, entry: str | None) -> None:
    """Only a date or the like may follow an entry's name: another model never takes its price."""
    prices = table()
    assert price_of(model, "api.openai.com", prices) == (prices[entry] if entry else None)


def test_an_entry_with_options_comes_before_that_without() -> None:
    """Options that change the price can have an entry of their own."""
    dear = replace(NANO, input=9.0)
    prices = {"openai:nano": NANO, 'openai:nano {"service_tier": "priority"}': dear}
    assert price_of('openai:nano {"service_tier": "priority"}', "x", prices) is dear
    assert price_of('openai:nano {"service_tier": "flex"}', "x", prices) is NANO


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("localhost:11434", True),
        ("127.0.0.1:8000", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::1:8080", True),
        ("[::1]:8080", True),
        ("10.0.0.7:8000", False),
        ("localhost.example.org", False),
        ("2001:db8::1", False),
        ("", False),
    ],
)
def test_a_model_on_this_machine_costs_nothing(host: str, here: bool) -> None:
    """Without an entry a model here is free, one elsewhere has no price; an entry counts anywhere."""
    found = price_of("openai:llama", host, table())
    assert (found is not None) == here
    assert found is None or found.cost(Usage(10**6, 10**6, 10**5, 10**5)) == 0
    assert price_of("openai:gpt-5-nano", host, table()) == table()["openai:gpt-5-nano"]


# --- the limit ---


def test_without_a_limit_nothing_is_counted_beforehand() -> None:
    """With no limit prompts are not even taken, no price is needed, and what is paid is still told."""

    def never() -> Iterator[Prompt]:
        raise AssertionError
        yield

    budget = Budget(None, PRICES)
    assert budget.reserve("unknown", never()) == 0.0
    budget.pay("unknown", Usage(100, 100))
    budget.pay("openai:nano", Usage(1_000_000, 0))
    assert budget.spent == pytest.approx(0.05)
    assert budget.reserve("openai:nano", never()) == 0.0


def test_what_is_reserved_is_bounded_by_the_dearest_rate_and_the_longest_answer() -> None:
    """The bound of a prompt is never below what it costs with all its input written to the cache and its answer in full length."""
    budget = Budget(100.0, PRICES)
    asked = prompt("How do I bake rye bread? " * 500)
    read = tokens.of_prompt(asked)
    dearest = HAIKU.cost(Usage(round(1.3 * read), 400, 0, round(1.3 * read)))
    bound = budget.reserve("anthropic:haiku", [asked])
    assert dearest <= bound <= 1.3 * dearest
    assert budget.reserve("anthropic:haiku", [asked], batch=True) == pytest.approx(bound / 2)
    assert budget.reserve("anthropic:haiku", [asked] * 3) == pytest.approx(3 * bound)


def test_a_schema_counts_too() -> None:
    """The schema that an answer must follow is read by the model, so it is in the bound."""
    budget = Budget(100.0, PRICES)
    asked = prompt("text")
    held = replace(asked, schema={"type": "object", "properties": {"word": {"type": "string"}}})
    assert budget.reserve("openai:nano", [held]) > budget.reserve("openai:nano", [asked])


def test_the_limit_is_told_in_one_line() -> None:
    """Who reaches the limit is told what it is, what is spent and how to go on."""
    budget = Budget(1.0, PRICES)
    budget.pay("anthropic:haiku", Usage(970_000))
    with pytest.raises(BudgetError) as told:
        budget.reserve("anthropic:haiku", [prompt("text", max_tokens=10_000)])
    assert isinstance(told.value, ModelError)
    assert str(told.value) == (
        "the limit of $1.00 (max_cost) would be passed: $0.97 is spent, and the next call may cost $0.0500 or more. "
        "Answers so far are kept: raise max_cost and run the same command again"
    )
    assert budget.reserve("anthropic:haiku", [prompt("text", max_tokens=100)]) > 0


def test_what_is_released_can_be_reserved_again() -> None:
    """A call that cost less than its bound gives the rest back, however often."""
    budget = Budget(0.001, PRICES)
    for _ in range(1000):
        amount = budget.reserve("openai:nano", [prompt("text", max_tokens=2000)])
        with pytest.raises(BudgetError):
            budget.reserve("openai:nano", [prompt("text", max_tokens=2000)])
        budget.release(amount)
    assert budget.spent == 0


def test_a_model_without_a_price_is_refused_under_a_limit() -> None:
    """A limit cannot be kept with a model whose price nobody knows: the message says what to do."""
    budget = Budget(1.0, PRICES)
    with pytest.raises(BudgetError) as told:
        budget.reserve("plug:in", [prompt("text")])
    assert str(told.value) == (
        "no price is known for plug:in: add it to a price table (setting prices) to use max_cost"
    )


def test_spending_without_a_price_in_an_earlier_session_ends_the_limit() -> None:
    """If an earlier session used a model without a price, what is spent is not known, and calls are refused."""
    budget = Budget(1.0, PRICES)
    budget.pay("plug:in", Usage())
    assert budget.reserve("openai:nano", [prompt("text")]) > 0
    budget.pay("plug:in", Usage(10, 10))
    with pytest.raises(BudgetError, match="no price is known for plug:in"):
        budget.reserve("openai:nano", [prompt("text")])


def test_a_model_here_needs_no_room() -> None:
    """A free model is never stopped by a limit, be it 0."""
    free = price_of("openai:llama", "localhost:1", {})
    assert free is not None
    budget = Budget(0.0, {"openai:llama": free})
    assert budget.reserve("openai:llama", [prompt("text" * 100_000)]) == 0
    budget.pay("openai:llama", Usage(100, 100))
    assert budget.spent == 0


def test_a_prompt_beyond_what_its_price_holds_for_is_refused() -> None:
    """Where the vendor asks more for long prompts, such a prompt is not sent under a limit, and the message quotes none of it."""
    budget = Budget(100.0, {"m": replace(NANO, longest=1000)})
    assert budget.reserve("m", [prompt("word " * 700)]) > 0
    with pytest.raises(
        BudgetError, match=r"m: a prompt of up to [0-9,]+ tokens is longer .*\(1,000\)"
    ) as told:
        budget.reserve("m", [prompt("word " * 1000)])
    assert "word" not in str(told.value)


def test_resumed_spending_counts() -> None:
    """A run that goes on starts with what its earlier sessions have spent, at the price of each kind of call."""
    budget = Budget(1.0, PRICES)
    budget.pay("anthropic:haiku", Usage(400_000, 40_000, 100_000, 50_000))
    budget.pay("anthropic:haiku", Usage(400_000, 0), batch=True)
    budget.pay("openai:nano-2025-08-07", Usage(1_000_000, 0))
    assert budget.spent == pytest.approx(0.25 + 0.01 + 0.0625 + 0.2 + 0.2 + 0.05)
    with pytest.raises(BudgetError):
        budget.reserve("anthropic:haiku", [prompt("text", max_tokens=50_000)])


@given(st.integers(0, 2**32), st.floats(0.0001, 0.02))
@settings(deadline=None, max_examples=40)
def test_the_limit_is_never_passed(seed: int, most: float) -> None:
    """Whatever calls start, end, fail or repeat in whatever order, what is paid stays within the limit, over all sessions."""
    dice = random.Random(seed)
    texts = ["short", "some words and then some more of them " * 20, "多くの言葉 " * 60]
    kept: list[tuple[str, Usage, bool]] = []
    for _ in range(3):
        budget = Budget(most, PRICES)
        for model, usage, batch in kept:
            budget.pay(model, usage, batch=batch)
        flying: list[tuple[float, str, list[Prompt], bool]] = []
        for _ in range(60):
            if dice.random() < 0.6:
                model, batch = dice.choice(list(PRICES)), dice.random() < 0.3
                asked = [
                    prompt(dice.choice(texts), dice.choice([10, 400])) for _ in range(dice.choice([1, 1, 9]))
                ]
                try:
                    flying.append((budget.reserve(model, asked, batch=batch), model, asked, batch))
                except BudgetError:
                    continue
            elif flying:
                amount, model, asked, batch = flying.pop(dice.randrange(len(flying)))
                for one in asked:
                    # the vendor's tokenizer makes more of the text, its cache reads or writes any part
                    read = round(tokens.of_prompt(one) * PRICES[model].ratio * dice.uniform(0.7, 1.19))
                    cached = dice.randint(0, read)
                    usage = Usage(
                        read, dice.randint(0, one.max_tokens), cached, dice.randint(0, read - cached)
                    )
                    budget.pay(model, usage, batch=batch)
                    kept.append((model, usage, batch))
                budget.release(amount)
            assert budget.spent <= most + 1e-12
    whole = sum(PRICES[model].cost(usage, batch=batch) for model, usage, batch in kept)
    assert whole <= most + 1e-12
