"""All settings of a run in one frozen value: defaults, then ``clio.toml``, then ``--set key=value``, then flags."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct, field

from clio.errors import SettingsError

#: the settings file that is read from the working directory if it is there
FILE = "clio.toml"

#: what a chat model can be asked to do
Role = Literal["facets", "naming", "auditing"]
ROLES: tuple[Role, ...] = get_args(Role)

# what msgspec calls kinds of values, and what people do
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
}

Natural = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
AboveZero = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(ge=0, le=1)]


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a run can be told; every key is also a line of ``clio.toml`` and a ``--set key=value``."""

    seed: Annotated[
        Natural, "Of all randomness; the same input and settings give the same insights, byte for byte."
    ] = 0
    format: Annotated[
        str, "Format of the logs; `clio sources` lists them, `auto` looks at the first records."
    ] = "auto"
    columns: Annotated[
        dict[str, str],
        "Where a log of no known format keeps things: `columns.messages=chat.turns`; "
        "also id, user, text, prompt, response, created_at, model, country, language.",
    ] = field(default_factory=dict)
    users: Annotated[
        Literal["field", "conversation"],
        "Who counts as a user: the log's user field, or, where there is none, each conversation (you vouch for that).",
    ] = "field"
    count: Annotated[
        Literal["conversations", "requests"],
        "What is placed and counted: each conversation, or each request in it: an English conversation is then parted where "
        "its user begins to ask for something else, and a person still counts once.",
    ] = "conversations"
    max_characters: Annotated[
        Annotated[int, Meta(ge=1000)], "A conversation longer than this is set aside and counted."
    ] = 400_000
    facets: Annotated[
        tuple[str, ...], "Facets that a chat model answers, by name or as paths of facet files (TOML)."
    ] = ("request", "task", "concern")
    breakdown: Annotated[
        tuple[str, ...], "Metadata columns to publish as facets, with the same thresholds."
    ] = ()
    sample: Annotated[
        Positive | None, "Conversations to draw at random; all shares then come with an interval."
    ] = None
    sample_by: Annotated[
        str | None,
        "Draw in proportion within each value of this column: `model`, `country`, `week`, or one of the log's own.",
    ] = None
    model: Annotated[
        str | None,
        "Chat model for all roles: `openai:NAME`, `anthropic:NAME`, at another address "
        "`openai:NAME@http://…/v1`; none: everything runs locally.",
    ] = None
    models: Annotated[
        dict[Role, str],
        "Chat model of one role instead of `model`: `models.facets` reads the conversations, `models.naming` "
        "names and arranges clusters, `models.auditing` rates what is to be shown; empty: done locally.",
    ] = field(default_factory=dict)
    options: Annotated[
        dict[Role, dict[str, Any]],
        "Further fields of a role's requests, as its vendor names them: `options.facets.reasoning_effort=minimal`.",
    ] = field(default_factory=dict)
    key_command: Annotated[
        str | None,
        "Command that prints the key instead of the usual variable: `pass show {host}` ({name}: the variable).",
    ] = None
    facet_calls: Annotated[
        Literal["conversation", "facet"],
        "Model calls for facets: one a conversation for all of them, or one a facet as in the paper.",
    ] = "conversation"
    conversation_tokens: Annotated[
        Annotated[int, Meta(ge=200)],
        "Tokens of a conversation that a chat model is shown; a longer one is cut.",
    ] = 6000
    batch: Annotated[bool, "Ask facets by the vendors' batch jobs: about half the price, within a day."] = (
        False
    )
    concurrency: Annotated[Annotated[int, Meta(ge=1, le=1024)], "Model calls at once."] = 16
    per_minute: Annotated[
        Positive | None, "Model calls begun in a minute, where the account has such a limit."
    ] = None
    timeout: Annotated[AboveZero, "Seconds after which a model call is given up and made again."] = 120
    max_failures: Annotated[
        Share, "Share of failed model calls above which a run stops (it can be resumed)."
    ] = 0.2
    max_cost: Annotated[
        Annotated[float, Meta(ge=0)] | None,
        "USD that model calls may cost; a run stops before (it can be resumed).",
    ] = None
    prices: Annotated[
        str | None, "Price table (TOML) whose entries replace the built-in ones of the same name."
    ] = None
    mask_names: Annotated[
        bool,
        "Mask names of people and postal addresses in Latin script, too, before anything is embedded or sent: by a small "
        "local model (extra `names`), about 4 ms a sentence.",
    ] = False
    embedder: Annotated[
        str,
        "`minilm` (English), `static` (English, for very large logs), `e5` (many languages), `openai:NAME`, "
        "at another address `openai:NAME@http://…/v1`; `auto` chooses by the languages found.",
    ] = "auto"
    cluster_facet: Annotated[
        Literal["request", "task"], "The text facet whose values are embedded and clustered."
    ] = "request"
    describe_from: Annotated[
        Literal["summaries", "terms"],
        "What a chat model names clusters from: only `terms` that enough users share, so that it reads no text of a person, "
        "or `summaries` of conversations as in the paper, which may give it orders (docs/privacy.md).",
    ] = "terms"
    cluster_size: Annotated[
        Annotated[int, Meta(ge=2)] | None,
        "Mean size of a base cluster; by default the square root of the count, within 25 to 100, or up to half or twice that, "
        "as clusters stand apart most; smaller only where there are users enough for so many.",
    ] = None
    clusters: Annotated[
        Positive | None,
        "Number of base clusters, instead of `cluster_size`; fewer where some would be too small to be shown.",
    ] = None
    top: Annotated[Positive, "Wanted number of clusters at the top."] = 10
    levels: Annotated[
        Annotated[int, Meta(ge=1, le=6)] | None,
        "Levels of the hierarchy; by default by the number of base clusters.",
    ] = None
    policy: Annotated[
        str,
        "Named thresholds: `public-data`, `internal`, `publish`, or `safety` (restricted: no thresholds).",
    ] = "internal"
    min_users: Annotated[
        Positive | None, "Distinct users behind anything shown, instead of the policy's."
    ] = None
    min_conversations: Annotated[
        Positive | None, "Conversations behind anything shown, instead of the policy's."
    ] = None
    max_per_user: Annotated[
        Natural | None,
        "Conversations of one user that count anywhere, instead of the policy's; 0: all of them.",
    ] = None
    trust: Annotated[
        str | None,
        "Metadata column that says how far an account is trusted (a weight, or its age in days): accounts count towards "
        "every threshold by it.",
    ] = None
    trust_full: Annotated[
        AboveZero, "Value of `trust` from which an account counts as a whole person, such as 30 days."
    ] = 1.0
    audit_min: Annotated[
        Annotated[int, Meta(ge=1, le=5)] | None, "Lowest audit rating shown, instead of the policy's."
    ] = None
    duplicates: Annotated[
        Annotated[float, Meta(gt=0, le=1)], "Similarity from which two conversations are near-duplicates."
    ] = 0.9
    ledger: Annotated[
        str,
        "Folder that records every release, beside the run folder or for a whole team (a path); "
        "a release that could be subtracted from an earlier one is refused; `off`: none.",
    ] = "clio-ledger"
    keep_salt: Annotated[
        bool, "Keep the key that hashes user ids, so that a later run gives the same hashes."
    ] = False
    encryption_key_command: Annotated[
        str | None,
        "Command that prints the key that `private/` is encrypted with, instead of the variable `CLIO_KEY`: "
        "`pass show clio`; no key: not encrypted.",
    ] = None
    retention_days: Annotated[
        Annotated[int, Meta(ge=1, le=36_500)] | None,
        "Days that `private/` is kept: after them `clio purge --expired`, or a run in the folder, deletes it.",
    ] = None
    prompts: Annotated[str | None, "Folder of prompts that replace the built-in ones of the same name."] = (
        None
    )

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for values that do not go together."""
        if self.sample_by and not self.sample:
            raise ValueError("sample_by needs sample, the number of conversations to draw")
        if self.sample and self.count == "requests":
            # those of one conversation are drawn together, so that the intervals would be too narrow
            raise ValueError("sample draws whole conversations: leave it out, or set count=conversations")
        if not self.ledger:
            raise ValueError("ledger is a folder, or off")
        try:
            json.dumps(self.options, allow_nan=False)
        except (TypeError, ValueError):
            raise ValueError(
                "options holds what no request can: texts, numbers, lists, tables, true and false go"
            ) from None

    def as_dict(self) -> dict[str, Any]:
        """All settings by their names."""
        return msgspec.structs.asdict(self)

    def model_of(self, role: Role) -> str | None:
        """The name of a role's chat model, None where the work is done locally."""
        return self.models.get(role, self.model) or None

    @property
    def embeds_elsewhere(self) -> bool:
        """Whether a server embeds."""
        return self.embedder.startswith("openai:")


def unknown_key(key: str, known: Sequence[str]) -> SettingsError:
    """The error for a key that does not exist; names the nearest that does."""
    near = difflib.get_close_matches(key, known, 1, 0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(sorted(known))}"
    return SettingsError(f"unknown setting '{key[:40]}': {hint}")


def _value(text: str) -> Any:
    """A value as TOML reads it; what is no TOML value is a string."""
    try:
        found = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return {"True": True, "False": False}.get(text, text)  # as Python writes them
    return found["value"] if len(found) == 1 else text


def parse_set(pairs: Sequence[str]) -> dict[str, Any]:
    """``key=value`` pairs as a nested mapping ("columns.id=conv" gives ``{"columns": {"id": "conv"}}``).

    Raises:
        SettingsError: for a pair without "=", or one that is both a value and a table.
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals:
            raise SettingsError(f"--set {key[:40]}: needs a value, as in --set seed=1")
        *path, last = key.strip().split(".")
        value = _value(text.strip())
        inner = found
        for step in path:
            inner = inner.setdefault(step, {})
            if not isinstance(inner, dict):
                raise SettingsError(f"--set {key[:40]}: {step[:40]} has a value already")
        if path[:1] in (["columns"], ["models"]):
            value = str(value)
        if not path and last in {"facets", "breakdown"} and not isinstance(value, list):
            value = [value]
        inner[last] = value
    return found


def resolve(*layers: Mapping[str, Any], file: Path | None = None) -> Settings:
    """Merge layers of settings, later over earlier, over those of a file (``clio.toml`` where none is named).

    Raises:
        SettingsError: for an unknown key, naming the nearest, or a value of the wrong kind.
    """
    return layered(_read(file), *layers)


def layered(*layers: Mapping[str, Any]) -> Settings:
    """Merge layers of settings, later over earlier.

    Raises:
        SettingsError: as ``resolve``.
    """
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            if key not in Settings.__struct_fields__:
                raise unknown_key(key, Settings.__struct_fields__)
            merged[key] = _merged(merged.get(key), value)
    try:
        return msgspec.convert(_plain(merged), Settings)
    except msgspec.ValidationError as error:
        raise SettingsError(_in_our_words(str(error))) from None


def _plain(value: Any) -> Any:
    """Values of Python, also those of numpy, as the kinds that a settings file knows."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)  # in one order in every process
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else value


def _in_our_words(error: str) -> str:
    """What msgspec says of a wrong value, with the names of its types as people say them, and what could stand there."""
    said, _, at = error.rpartition(" - at ")
    where = re.search(r"\$\.(\w+)(.*)", at)
    if where is None:
        return error
    if said.startswith("Invalid enum value"):
        said = f"expected {' or '.join(_choices(get_type_hints(Settings)[where[1]]))}"
    said = re.sub(r"`([\w.]+)(?: \| null)?`", lambda kind: _KINDS.get(kind[1], kind[1]), said)
    said = said.replace("got a number", "got a number with a point")
    place = ", a key of it" if at.startswith("`key`") else ", a value in it" if "[" in where[2] else ""
    return f"setting '{where[1]}'{place}: {said[0].lower()}{said[1:]}"


def _choices(kind: Any) -> tuple[str, ...]:
    """What a kind of value is one of."""
    inner = get_args(kind)
    return inner if get_origin(kind) is Literal else next(filter(None, map(_choices, inner)), ())


def _merged(before: Any, after: Any) -> Any:
    """Tables are merged key by key, at every depth; all else is replaced."""
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return after
    return {**before, **{key: _merged(before.get(key), value) for key, value in after.items()}}


def _read(file: Path | None) -> dict[str, Any]:
    path = file or Path(FILE)
    if not path.is_file():
        if file:
            raise SettingsError(f"{file}: no such settings file")
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        line = getattr(error, "lineno", None)
        raise SettingsError(
            f"{path}: not TOML{f' at line {line}' if line else ''}; settings are lines like seed = 1"
        ) from None
