"""Chat models and embedders behind two small protocols; one file a provider, imported when named."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import Any

from clio.errors import ModelError
from clio.models.protocols import Answer, ChatModel, Embedder, Prompt

__all__ = ["Answer", "ChatModel", "Embedder", "Prompt", "chat_model", "embedder"]

EMBEDDERS = ("minilm", "e5", "openai")
CHAT_MODELS = ("openai",)


def embedder(name: str, *, base_url: str | None = None) -> Embedder:
    """The embedder of a name: "minilm" (English), "e5" (multilingual), "openai:MODEL", or a plug-in's
    "name:rest".

    Args:
        name: which one; plug-ins are entry points of the group ``clio.embedders``, called with what follows
            the colon.
        base_url: address of an OpenAI-compatible server, for "openai:…" only (default: OPENAI_BASE_URL, then
            the vendor's).

    Raises:
        ModelError: unknown, not installed, or its weights are not the pinned ones.
    """
    kind, _, rest = name.partition(":")
    if kind == "minilm" and not rest:
        from clio.models.minilm import MiniLM

        return MiniLM()
    if kind == "e5" and not rest:
        from clio.models.e5 import E5

        return E5()
    if kind == "openai" and rest:
        from clio.models.openai import OpenAIEmbedder

        return OpenAIEmbedder(rest, base_url=base_url)
    made: Embedder = _plugin("embedder", "clio.embedders", name, EMBEDDERS)
    return made


def chat_model(name: str, *, base_url: str | None = None) -> ChatModel:
    """The chat model of a name: "openai:MODEL" for any OpenAI-compatible server, or a plug-in's "name:rest".

    Args:
        name: which one; plug-ins are entry points of the group ``clio.models``, called with what follows the
            colon.
        base_url: address of an OpenAI-compatible server, for "openai:…" only (default: OPENAI_BASE_URL, then
            the vendor's).

    Raises:
        ModelError: unknown, not installed, no key, or not allowed offline.
    """
    kind, _, rest = name.partition(":")
    if kind == "openai" and rest:
        from clio.models.openai import OpenAIChat

        return OpenAIChat(rest, base_url=base_url)
    made: ChatModel = _plugin("chat model", "clio.models", name, CHAT_MODELS)
    return made


def _plugin(what: str, group: str, name: str, own: Iterable[str]) -> Any:
    """What a plug-in makes of the rest of a name; it is loaded only here, where it is named."""
    kind, _, rest = name.partition(":")
    found = {point.name: point for point in entry_points(group=group)}
    if kind in found and kind not in own:
        try:
            return found[kind].load()(rest)
        except ModelError:
            raise
        except Exception as error:  # noqa: BLE001 - a plug-in may raise anything
            raise ModelError(
                f"{what} {kind}: its plug-in fails to load ({type(error).__name__}): reinstall or mend it"
            ) from None
    known = sorted(
        {
            *(f"{own_name}:MODEL" if own_name == "openai" else own_name for own_name in own),
            *(f"{point}:…" for point in found),
        }
    )
    near = get_close_matches(kind.casefold(), [*own, *found], n=1)
    raise ModelError(
        f"no {what} {name!r}; known: {', '.join(known)}" + (f"; did you mean {near[0]}?" if near else "")
    )
