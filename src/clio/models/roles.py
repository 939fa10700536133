"""Which chat model does what in a run: one reads conversations, one names clusters, one audits; each may be another, or none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clio.errors import ModelError, SettingsError
from clio.models import chat_model, host_of
from clio.models.access import split
from clio.models.protocols import ChatModel
from clio.run_folder import RunFolder
from clio.settings import ROLES, Settings

if TYPE_CHECKING:
    from clio.models.answers import Answers
    from clio.models.prices import Price


@dataclass(frozen=True, slots=True)
class Model:
    """A chat model with the store that keeps its answers, and the folder of one's own prompts."""

    chat: ChatModel
    answers: Answers
    prompts: Path | None = None


@dataclass(frozen=True, slots=True)
class Roles:
    """The chat model of each role (None: done locally).

    ``answers`` is where all answers are kept, and counts what is spent (None: nothing is called); ``prices`` what each model's tokens
    cost by its name, where that is known. ``judge`` has no part in a run: it is what an evaluation of runs asks.
    """

    facets: Model | None = None
    naming: Model | None = None
    auditing: Model | None = None
    answers: Answers | None = None
    prices: Mapping[str, Price] | None = None
    judge: Model | None = None

    @property
    def chat(self) -> bool:
        """Whether any role has a chat model."""
        return bool(self.facets or self.naming or self.auditing)


@contextmanager
def opened(settings: Settings, folder: RunFolder, judge: str | None = None) -> Iterator[Roles]:
    """The chat models of a run, with one store of answers and one budget; connections are closed at the end.

    Args:
        settings: that name the models.
        folder: in whose private zone answers are kept.
        judge: the name of the judge, if one is wanted.

    Raises:
        ModelError: a model is unknown, not installed, without key, not allowed offline, or without a price though ``max_cost``
            is set.
        SettingsError: the price table cannot be used.
    """
    chats = _chats(settings, judge)
    if not chats and not settings.embeds_elsewhere:
        yield Roles()
        return
    from clio.models import prices
    from clio.models.answers import Answers

    table = prices.table(Path(settings.prices) if settings.prices else None)
    found = {
        chat.name: prices.price_of(chat.name, getattr(chat, "host", ""), table) for chat in chats.values()
    }
    if settings.embeds_elsewhere:
        name = without_address(settings.embedder)
        found[name] = prices.price_of(name, host_of(settings.embedder), table)
    known = {name: price for name, price in found.items() if price}
    if settings.max_cost is not None and len(known) < len(found):
        unknown = next(name for name, price in found.items() if not price)
        raise ModelError(
            f"no price is known for {unknown}, which max_cost needs: add it to a price table (setting prices)"
        )
    with Answers(
        folder.private / "answers.sqlite",
        cipher=folder.cipher,
        concurrency=settings.concurrency,
        per_minute=settings.per_minute,
        max_failures=settings.max_failures,
        budget=prices.Budget(settings.max_cost, {**table, **known}, _longest(settings, chats))
        if settings.max_cost is not None
        else None,
    ) as answers:
        prompts = Path(settings.prompts) if settings.prompts else None
        models = {role: Model(chat, answers, prompts) for role, chat in chats.items()}
        yield Roles(**models, answers=answers, prices=known)


def _chats(settings: Settings, judge: str | None) -> dict[str, ChatModel]:
    """The chat model of each role that has one; roles of the same name and options share it, and so its connections and pace."""
    made: dict[str, ChatModel] = {}
    chats: dict[str, ChatModel] = {}
    named: dict[str, tuple[str | None, dict[str, Any]]] = {
        role: (settings.model_of(role), settings.options.get(role, {})) for role in ROLES
    }
    for role, (name, options) in {**named, "judge": (judge, {})}.items():
        if name is None:
            continue
        same = f"{name} {sorted(options.items())!r}"
        if same not in made:
            made[same] = chat_model(
                name, key_command=settings.key_command, options=options, timeout=settings.timeout
            )
        chats[role] = made[same]
    return chats


def _longest(settings: Settings, chats: Mapping[str, ChatModel]) -> dict[str, int]:
    """The tokens that answers may have where a role's options say so, by the model's name."""
    from clio.models.openai import LIMITS

    found = {}
    for role in ROLES:
        told = [value for key, value in settings.options.get(role, {}).items() if key in LIMITS]
        if not all(isinstance(value, int) for value in told):
            raise SettingsError(
                f"setting 'options': {' and '.join(sorted(LIMITS))} of {role} want whole numbers"
            )
        if told and role in chats:
            found[chats[role].name] = max(told)
    return found


def without_address(name: str) -> str:
    """A model's name without the address that it is served at, which is nobody else's business."""
    kind, model, _ = split(name)
    return f"{kind}:{model}" if model else kind
