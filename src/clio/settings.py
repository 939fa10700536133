"""All settings of a run in one frozen value: defaults, then ``clio.toml``, then ``--set key=value``, then flags."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clio.errors import SettingsError

#: the settings file that is read from the working directory if it is there
FILE = "clio.toml"


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
    model: str | None = Field(
        None, description="Chat model, as `openai:NAME`; none: everything runs locally."
    )
    base_url: str | None = Field(None, description="Base URL of an OpenAI-compatible server.")
    concurrency: int = Field(16, ge=1, le=1024, description="Model calls at once.")
    max_failures: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Share of failed model calls above which a run stops (it can be resumed).",
    )
    embedder: str = Field(
        "auto",
        description="`minilm` (English), `e5` (many languages), `openai:NAME`; `auto` chooses by the languages found.",
    )
    cluster_facet: Literal["request", "task"] = Field(
        "request", description="The text facet whose values are embedded and clustered."
    )
    cluster_size: int | None = Field(
        None,
        ge=2,
        description="Mean size of a base cluster; by default the square root of the count, within 25 to 100.",
    )
    clusters: int | None = Field(
        None, ge=1, description="Number of base clusters, instead of `cluster_size`."
    )
    top: int = Field(10, ge=1, description="Wanted number of clusters at the top.")
    levels: int | None = Field(
        None, ge=1, le=6, description="Levels of the hierarchy; by default by the number of base clusters."
    )
    policy: str = Field("internal", description="Named thresholds: `public-data`, `internal`, `publish`.")
    min_users: int | None = Field(
        None, ge=1, description="Distinct users behind anything shown, instead of the policy's."
    )
    min_conversations: int | None = Field(
        None, ge=1, description="Conversations behind anything shown, instead of the policy's."
    )
    audit_min: int | None = Field(
        None, ge=1, le=5, description="Lowest audit rating shown, instead of the policy's."
    )
    duplicates: float = Field(
        0.9, gt=0, le=1, description="Similarity from which two conversations are near-duplicates."
    )
    keep_salt: bool = Field(
        False, description="Keep the key that hashes user ids, so that a later run gives the same hashes."
    )
    prompts: str | None = Field(
        None, description="Folder of prompts that replace the built-in ones of the same name."
    )


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
        SettingsError: for a pair without "=".
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals:
            raise SettingsError(f"--set {key[:40]}: needs a value, as in --set seed=1")
        first, *rest = key.strip().split(".", 1)
        value = _value(text.strip())
        if rest:
            found.setdefault(first, {})[rest[0]] = str(value)
        else:
            found[first] = (
                [value] if first in {"facets", "breakdown"} and not isinstance(value, list) else value
            )
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
            if isinstance(value, Mapping) and isinstance(merged.get(key), dict):
                merged[key] = {**merged[key], **value}
            else:
                merged[key] = value
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"setting '{where}': {first['msg'][0].lower()}{first['msg'][1:]}") from None


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
