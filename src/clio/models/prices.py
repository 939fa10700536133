"""What calls cost by the vendors' list prices (``prices.toml``, with the user's own file over it), and a limit that is never passed."""

from __future__ import annotations

import datetime
import ipaddress
import json
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from clio.errors import ModelError, SettingsError
from clio.models import tokens
from clio.models.protocols import Prompt, Usage

_MILLION = 1_000_000
_MARGIN = 1.2  # tokens that a vendor may count for each that we expect
_FOR_A_SCHEMA = 300  # tokens that a vendor may add to a prompt to hold its answer to a schema
_NUMBERS = ("input", "output", "cached", "written", "batch", "ratio")
_KEYS = (*_NUMBERS, "longest", "date", "source")
_OPTIONS = re.compile(r" \{.*\}\Z", re.DOTALL)
# what may follow a model's name in that of one of its snapshots
_SNAPSHOT = re.compile(r"[-@](?:latest|\d{8}|\d{4}-\d{2}-\d{2}|\d{4})(?:-v\d+(?::\d+)?)?")


@dataclass(frozen=True, slots=True)
class Price:
    """List price of a model, in USD for a million tokens.

    ``cached`` is for input that the server's cache held, ``written`` for input that went into it, ``batch`` the share of the price
    in a batch job, ``ratio`` the tokens of this model for a token of o200k_base. The price is that of prompts of up to ``longest``
    tokens (0: of all). ``date`` (ISO) and ``source`` tell where it stood.
    """

    input: float
    output: float
    cached: float
    written: float
    batch: float = 0.5
    ratio: float = 1.0
    date: str = ""
    source: str = ""
    longest: int = 0

    def cost(self, usage: Usage, *, batch: bool = False) -> float:
        """USD for the tokens of one call, or of many."""
        plain = max(0, usage.input - usage.cached - usage.written)
        paid = (
            plain * self.input
            + usage.cached * self.cached
            + usage.written * self.written
            + usage.output * self.output
        )
        return paid / _MILLION * (self.batch if batch else 1.0)


#: the price of what is computed on this machine
FREE = Price(0.0, 0.0, 0.0, 0.0)


class BudgetError(ModelError):
    """A limit of cost would be passed, or cannot be kept since a price is not known."""


def table(path: Path | None = None) -> dict[str, Price]:
    """Prices by the name of the model ("openai:gpt-5-nano").

    Args:
        path: the user's own table, of the form of ``prices.toml``; its entries replace those that come with the package.

    Raises:
        SettingsError: it cannot be read; names the file, the entry and what is wrong.
    """
    return {**_built_in(), **(_read(path) if path else {})}


def price_of(model: str, host: str, prices: Mapping[str, Price]) -> Price | None:
    """The price of a model, None if it is not known.

    Args:
        model: a ``ChatModel.name``. A dated snapshot costs what its model does ("openai:gpt-5-nano-2025-08-07"), options are
            looked past unless an entry names them.
        host: where it is called; on this machine a model without an entry costs nothing.
        prices: a table (see ``table``).
    """
    name = _OPTIONS.sub("", model)
    if found := prices.get(model) or prices.get(name):
        return found
    entries = [
        entry for entry in prices if name.startswith(entry) and _SNAPSHOT.fullmatch(name, pos=len(entry))
    ]
    if entries:
        return prices[max(entries, key=len)]
    return FREE if _is_here(host) else None


class Budget:
    """What calls have cost, in USD, and what those under way may cost at most; together they never pass ``most`` (None: no limit).

    ``prices`` is keyed by ``ChatModel.name``, of earlier sessions too; so is ``longest``, the tokens that a model's answers may have
    where its options say so. The bound of a call is an estimate where a vendor's tokenizer
    is not public (``Price.ratio``); what was paid is counted by the tokens that the server told. For use on one thread.
    """

    def __init__(
        self, most: float | None, prices: Mapping[str, Price], longest: Mapping[str, int] | None = None
    ) -> None:
        self._most = most
        self._longest = longest or {}
        self._prices = prices
        self._spent = 0.0
        self._reserved = 0.0
        self._unpriced: set[str] = set()
        if most is not None and any(price.input for price in prices.values()):
            tokens.count("")  # a tokenizer that is not installed is missed before the first call

    @property
    def spent(self) -> float:
        """USD paid so far, earlier sessions included; models without a price are left out."""
        return self._spent

    def reserve(self, model: str, prompts: Iterable[Prompt], *, batch: bool = False) -> float:
        """Set aside what prompts can cost at most: each once, at the dearest rate of input, answered in full length.

        Args:
            model: the name of who answers.
            prompts: taken only if there is a limit.
            batch: whether they are sent as a batch job.

        Returns:
            USD; to be handed to ``release`` once all has been paid.

        Raises:
            BudgetError: the limit would be passed, or a price is not known that is needed to keep it.
        """
        if self._most is None:
            return 0.0
        price = self._price(model)
        unpriced = self._unpriced | ({model} if price is None else set())
        if price is None or unpriced:
            raise BudgetError(
                f"no price is known for {min(unpriced)}: add it to a price table (setting prices) to use max_cost"
            )
        bound = 0.0
        for prompt in prompts:
            room = max(prompt.max_tokens, self._longest.get(model, 0))
            bound += _bound(model, price, prompt, room) * (price.batch if batch else 1.0)
            if self._spent + self._reserved + bound > self._most:
                raise BudgetError(
                    f"the limit of {_usd(self._most)} (max_cost) would be passed: {_usd(self._spent)} is spent, and the next "
                    f"{'batch job' if batch else 'call'} may cost {_usd(bound)} or more. Answers so far are kept: raise max_cost "
                    "and run the same command again"
                )
        self._reserved += bound
        return bound

    def release(self, amount: float) -> None:
        """Give back what ``reserve`` returned."""
        self._reserved = max(0.0, self._reserved - amount)

    def pay(self, model: str, usage: Usage, *, batch: bool = False) -> None:
        """Count what one call, or many of earlier sessions, took; never raises."""
        price = self._price(model)
        if price is not None:
            self._spent += price.cost(usage, batch=batch)
        elif usage.input or usage.output:
            self._unpriced.add(model)  # the next call is refused: nobody knows what is spent

    def _price(self, model: str) -> Price | None:
        # a name that an earlier session used may be known as a snapshot only
        return self._prices.get(model) or price_of(model, "", self._prices)


def _bound(model: str, price: Price, prompt: Prompt, room: int) -> float:
    """USD that one prompt can cost at most, with an answer of at most ``room`` tokens."""
    output = room * price.output / _MILLION
    dearest = max(price.input, price.written, price.cached)
    if not dearest:
        return output
    expected = tokens.of_prompt(prompt)
    if prompt.schema:
        expected += tokens.count(json.dumps(dict(prompt.schema))) + _FOR_A_SCHEMA
    most = math.ceil(expected * price.ratio * _MARGIN)
    if price.longest and most > price.longest:
        raise BudgetError(
            f"{model}: a prompt of up to {most:,} tokens is longer than its price holds for ({price.longest:,}): "
            "leave out max_cost, or add its price to a price table (setting prices)"
        )
    return most * dearest / _MILLION + output


def _usd(amount: float) -> str:
    return f"${amount:.2f}" if amount >= 0.1 or not amount else f"${amount:.4f}"


def _is_here(host: str) -> bool:
    """Whether a host, with or without a port, is this machine."""
    for name in (host, host.rpartition(":")[0]):
        bare = name.removeprefix("[").removesuffix("]")
        try:
            if bare == "localhost" or ipaddress.ip_address(bare).is_loopback:
                return True
        except ValueError:
            continue
    return False


@cache
def _built_in() -> Mapping[str, Price]:
    return _parsed("prices.toml", files("clio.models").joinpath("prices.toml").read_text("utf-8"))


def _read(path: Path) -> dict[str, Price]:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"price table {path} cannot be read ({type(error).__name__})") from None
    return _parsed(str(path), text)


def _parsed(name: str, text: str) -> dict[str, Price]:
    try:
        entries = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"price table {name} is not valid TOML: {error}") from None
    prices = {}
    for model, entry in entries.items():
        try:
            prices[model] = _price(entry)
        except ValueError as error:
            raise SettingsError(f"price table {name}: {model[:60]!r}: {error}") from None
    return prices


def _price(entry: Any) -> Price:
    """One entry of a table; raises ``ValueError`` saying what is wrong."""
    if not isinstance(entry, dict):
        raise ValueError('must be a table, as in ["openai:NAME"] with input = 0.05 and output = 0.40 below')
    if unknown := sorted(set(entry) - set(_KEYS)):
        raise ValueError(f"unknown key {unknown[0][:40]!r}; known: {', '.join(_KEYS)}")
    for key in ("input", "output"):
        if key not in entry:
            raise ValueError(f"{key} is missing (USD for a million tokens)")
    for key in _NUMBERS:
        value = entry.get(key, 1.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise ValueError(f"{key} must be a number of 0 or more")
    longest, date, source = entry.get("longest", 0), entry.get("date", ""), entry.get("source", "")
    if isinstance(longest, bool) or not isinstance(longest, int) or longest < 0:
        raise ValueError("longest must be a whole number of tokens")
    if not entry.get("ratio", 1.0):
        raise ValueError("ratio must be more than 0")
    if not isinstance(date, str | datetime.date):
        raise ValueError("date must be a day, as in 2026-11-05")
    if not isinstance(source, str):
        raise ValueError("source must be a text")
    paid = float(entry["input"])
    return Price(
        input=paid,
        output=float(entry["output"]),
        cached=float(entry.get("cached", paid)),
        written=float(entry.get("written", paid)),
        batch=float(entry.get("batch", 0.5)),
        ratio=float(entry.get("ratio", 1.0)),
        date=str(date),
        source=source,
        longest=longest,
    )
