"""What a run's model calls will come to, before any is made: calls, tokens, price, time, and which hosts the texts would go to.

The facets' input is counted with a tokenizer on a sample of the real prompts and carried over to all conversations by their length (a
regression estimator: Cochran 1977, "Sampling Techniques", chapter 7), with its error. All else is counted on prompts of the usual size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from clio.clustering import hierarchy
from clio.clustering import with_model as naming
from clio.clustering.base import expected_k
from clio.clustering.tree import OUTSIDERS
from clio.facets import with_model as reading
from clio.facets.definition import builtin
from clio.facets.transcript import Turns
from clio.facets.with_model import Asking
from clio.models import host_of, prices, tokens
from clio.models.openai import EMBEDDED_AT_ONCE
from clio.models.prices import Price
from clio.models.protocols import Prompt, Usage
from clio.models.roles import without_address
from clio.privacy import pii
from clio.privacy.auditor import audit_prompt
from clio.prompts import load
from clio.settings import ROLES, Role, Settings

#: conversations whose prompts are counted
_SAMPLE = 400
#: tokens that an answer usually has for a facet, its key in the object included, and for the object itself
_SAID = {"text": 23, "category": 9, "scale": 6, "number": 7}
_OBJECT = 4
_REQUEST = 40  # tokens of a request found without a chat model
# a call of the usual length: seconds until it begins to answer, and tokens a second then
_FIRST_TOKEN, _PACE = 1.0, 60.0

# what is not known yet has the usual size
_SUMMARY = "Find out why a washing machine does not drain and how to repair it at home."
_TERM, _TERMS = "repair a washing machine", 12
_NAME = "Diagnose faults of household appliances and repair them"
_DESCRIPTION = (
    "Users asked why an appliance had stopped working and how to repair it themselves. "
    "They described noises, error codes and leaks, and wanted instructions step by step."
)
_CLUSTER = (_NAME, _DESCRIPTION)
_FORM = 40  # tokens of a description's tags, and of what it is usually longer than ours
_SCRATCHPAD = 70  # tokens of thinking aloud before a list of names
_JUSTIFIED = 50  # tokens of a rating with its reason


@dataclass(frozen=True, slots=True)
class Step:
    """One stage's calls, and its tokens in all.

    ``error`` is the half-width of the 95% interval of ``input_tokens``, ``cost`` in USD (None: no price is known).
    """

    stage: str
    model: str
    host: str
    calls: int
    input_tokens: int
    output_tokens: int
    error: int
    cost: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will come to.

    ``counted`` says what ``conversations`` counts, ``asked`` is their number without near-duplicates, ``priced`` the date (ISO) of the
    oldest price used.
    """

    conversations: int
    counted: str
    asked: int
    batch: bool
    concurrency: int
    priced: str | None
    steps: tuple[Step, ...]

    @property
    def calls(self) -> int:
        """Model calls in all."""
        return sum(step.calls for step in self.steps)

    @property
    def input_tokens(self) -> int:
        """Tokens that models read."""
        return sum(step.input_tokens for step in self.steps)

    @property
    def output_tokens(self) -> int:
        """Tokens that models write."""
        return sum(step.output_tokens for step in self.steps)

    @property
    def cost(self) -> float | None:
        """USD in all; None where a price is not known."""
        costs = [step.cost for step in self.steps]
        return None if None in costs else sum(cost for cost in costs if cost is not None)

    @property
    def seconds(self) -> float:
        """Time that the calls take; of batch jobs nobody can say more than that they end within a day."""
        return sum(step.seconds for step in self.steps)

    @property
    def hosts(self) -> list[str]:
        """Where texts would go."""
        return list(dict.fromkeys(step.host for step in self.steps))

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {
            "conversations": self.conversations,
            "counted": self.counted,
            "asked": self.asked,
            "calls": self.calls,
            "input_tokens": self.input_tokens,
            "input_tokens_error": sum(step.error for step in self.steps),
            "output_tokens": self.output_tokens,
            "cost": None if self.cost is None else round(self.cost, 6),
            "seconds": round(self.seconds, 1),
            "batch": self.batch,
            "concurrency": self.concurrency,
            "priced": self.priced,
            "hosts": self.hosts,
            "stages": [asdict(step) for step in self.steps],
        }

    def line(self) -> str:
        """All of it in one line."""
        price = "at no price" if self.cost == 0 else "at a price unknown"
        if self.cost:
            price = f"for about ${self.cost:,.2f}"
        from clio.report import duration  # loads what is shown on terminals

        time = "within a day (batch jobs)" if self.batch else f"in about {duration(self.seconds)}"
        return (
            f"estimate {self.calls:,} model calls {price}, {time}: {short(self.input_tokens)} tokens in, "
            f"{short(self.output_tokens)} out; texts go to {', '.join(self.hosts)}, identifiers masked"
        )


def estimate(
    conversations: Iterable[Turns], total: int, asked: int, settings: Settings, asking: Asking
) -> Estimate:
    """Estimate the model calls of a run.

    Args:
        conversations: (role, text) turns of those that will be asked about.
        total: conversations of the run, near-duplicates included.
        asked: how many ``conversations`` are.
        settings: of the run.
        asking: what each conversation is asked.

    Raises:
        ModelError: a model is unknown or not allowed offline, or there is no tokenizer.
        SettingsError: the price table cannot be used.
    """
    asked_of = [settings.model_of(role) for role in ROLES]
    asked_of += [settings.embedder] if settings.embeds_elsewhere else []
    # an unknown name is told before all is counted
    hosts = {name: host_of(name) for name in asked_of if name}
    work: dict[tuple[str, str], _Work] = {}
    if (name := settings.model_of("facets")) and asking.facets:
        read, error = _facet_tokens(conversations, asked, asking)
        each = sum(_SAID[facet.type] for facet in asking.facets) + (_OBJECT if asking.together else 0)
        work[reading.STAGE, name] = _Work(asked * asking.calls_each, read, asked * each, error)
    if settings.embeds_elsewhere:
        read = asked * (_SAID["text"] if name else _REQUEST)
        work["embed", settings.embedder] = _Work(math.ceil(asked / EMBEDDED_AT_ONCE), read)
    later = settings.model_of("naming") or settings.model_of("auditing")
    for role, stage, calls, prompt, output in _naming(asked, settings) if later else ():
        if name := settings.model_of(role):
            before = work.get((stage, name), _Work())
            read = before.read + calls * tokens.of_prompt(prompt)
            work[stage, name] = _Work(before.calls + calls, read, before.written + calls * output)
    table = prices.table(Path(settings.prices) if settings.prices else None)
    known = {name: prices.price_of(without_address(name), hosts[name], table) for _, name in work}
    steps = [
        _step(stage, name, hosts[name], one, known[name], settings) for (stage, name), one in work.items()
    ]
    dates = [price.date for price in known.values() if price and price.date]
    priced = min(dates) if dates else None
    return Estimate(total, settings.count, asked, settings.batch, settings.concurrency, priced, tuple(steps))


@dataclass(frozen=True, slots=True)
class _Work:
    """What one stage asks of a model, in tokens of our tokenizer."""

    calls: int = 0
    read: float = 0.0
    written: float = 0.0
    error: float = 0.0


def _step(stage: str, name: str, host: str, work: _Work, price: Price | None, settings: Settings) -> Step:
    """One stage's sums; a model's own tokens are the tokenizer's times its ratio."""
    ratio = price.ratio if price else 1.0
    usage = Usage(round(work.read * ratio), round(work.written * ratio))
    batch = settings.batch and stage == reading.STAGE
    rounds = math.ceil(work.calls / settings.concurrency)
    took = rounds * (_FIRST_TOKEN + work.written / max(1, work.calls) / _PACE)
    if settings.per_minute:
        took = max(took, 60.0 * work.calls / settings.per_minute)
    return Step(
        stage=stage,
        model=without_address(name),
        host=host,
        calls=work.calls,
        input_tokens=usage.input,
        output_tokens=usage.output,
        error=round(work.error * ratio),
        cost=price.cost(usage, batch=batch) if price else None,
        seconds=0.0 if batch else took,
    )


def _facet_tokens(conversations: Iterable[Turns], asked: int, asking: Asking) -> tuple[float, float]:
    """Input tokens of all facet calls, and the half-width of their 95% interval."""
    asking = replace(asking, mask=pii.mask)  # fewer or more names masked make no price
    # what a model is shown is bounded, so length counts only up to about there
    most = 5 * asking.budget
    every = max(1, asked // _SAMPLE)
    lengths = np.zeros(asked)
    rows: list[int] = []
    counted: list[int] = []
    for row, turns in enumerate(conversations):
        lengths[row] = min(most, sum(len(text.encode("utf-8", "replace")) for _, text in turns))
        if row % every == every // 2:
            rows.append(row)
            counted.append(sum(map(tokens.of_prompt, reading.prompts([turns], asking))))
    if not counted:
        return 0.0, 0.0
    x, y = lengths[rows], np.asarray(counted, np.float64)
    spread = x - x.mean()
    slope = float(spread @ (y - y.mean()) / (spread @ spread)) if spread.any() else 0.0
    total = asked * (y.mean() + slope * (lengths.mean() - x.mean()))
    left = y - y.mean() - slope * spread
    variance = float(left @ left) / max(1, len(y) - 2) / len(y) * (1 - len(y) / asked)
    return float(total), 1.96 * asked * math.sqrt(variance)


def _naming(distinct: int, settings: Settings) -> Iterator[tuple[Role, str, int, Prompt, float]]:
    """(role, stage, calls, a prompt of the usual size, output tokens of each) of all that follows the facets, by the hierarchy's sizes."""
    folder = Path(settings.prompts) if settings.prompts else None
    base = settings.clusters or expected_k(distinct, settings.cluster_size)
    criteria = builtin()[settings.cluster_facet].criteria
    inside = max(1, round(distinct / base))
    described, each = tokens.count(f"{_NAME} {_DESCRIPTION}") + _FORM, tokens.count(_NAME) + 4
    if settings.describe_from == "terms":
        prompt = naming.describe_terms_prompt(load("describe_terms", folder), [_TERM] * _TERMS, criteria)
    else:
        around = min(naming.SAMPLE, distinct - inside)
        summaries = [_SUMMARY] * min(naming.SAMPLE, inside), [_SUMMARY] * around
        prompt = naming.describe_prompt(load("describe", folder), *summaries, criteria)
    yield "naming", "describe", base, prompt, described
    below = base
    sizes = hierarchy.level_sizes(base, settings.top, settings.levels)
    for wanted in reversed(sizes[:-1]):
        hoods = max(1, round(below / hierarchy.NEIGHBOURHOOD))
        aim = max(1, round(wanted / hoods))
        shown = [_CLUSTER] * min(below, round(below / hoods) + OUTSIDERS)
        prompt = naming.propose_prompt(load("propose", folder), shown, aim)
        yield "naming", "propose", hoods, prompt, _SCRATCHPAD + each * aim
        names = [_NAME] * min(naming.PROPOSALS, hoods * aim)
        prompt = naming.deduplicate_prompt(load("deduplicate", folder), names, wanted)
        calls = math.ceil(hoods * aim / naming.PROPOSALS)
        yield "naming", "deduplicate", calls, prompt, _SCRATCHPAD + each * min(wanted, len(names))
        prompt = naming.assign_prompt(load("assign", folder), _CLUSTER, [_NAME] * wanted)
        yield "naming", "assign", below, prompt, each + 4
        children = [_CLUSTER] * max(1, round(below / wanted))
        yield "naming", "rename", wanted, naming.rename_prompt(load("rename", folder), children), described
        below = wanted
    text = f"{_NAME}: {_DESCRIPTION}"
    yield "auditing", "audit", sum(sizes), audit_prompt(load("auditor", folder), text), _JUSTIFIED


def short(count: float) -> str:
    """A number of tokens as people read it: "640", "12.3k", "7.9M"."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return f"{count:.0f}"
