"""Chat models and embedders behind small protocols; one file a provider, imported when named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from clio.errors import ModelError
from clio.models.access import address, host, split
from clio.models.protocols import Answer, ChatModel, Embedder, Prompt

__all__ = ["Answer", "ChatModel", "Embedder", "Prompt", "chat_model", "embedder", "host_of"]

EMBEDDERS = ("minilm", "static", "e5", "openai")
CHAT_MODELS = ("openai", "anthropic")
_SERVED = frozenset({"openai", "anthropic"})  # named with a model, and an address if wanted


def embedder(name: str, *, key_command: str | None = None) -> Embedder:
    """The embedder of a name: "minilm" (English), "static" (English, for very large logs), "e5"
    (multilingual), "openai:MODEL", or a plug-in's "name:rest".

    Args:
        name: which one; "openai:MODEL@URL" for a server at an address (default: OPENAI_BASE_URL, then the
            vendor's). Plug-ins are entry points of the group ``clio.embedders``, called with what follows
            the colon.
        key_command: a command that prints the key, instead of OPENAI_API_KEY.

    Raises:
        ModelError: unknown, not installed, no key, or its weights are not the pinned ones.
    """
    kind, rest, url = split(name)
    if kind == "minilm" and not rest:
        from clio.models.minilm import MiniLM

        return MiniLM()
    if kind == "static" and not rest:
        from clio.models.static import Static

        return Static()
    if kind == "e5" and not rest:
        from clio.models.e5 import E5

        return E5()
    if kind == "openai" and rest:
        from clio.models.openai import OpenAIEmbedder

        return OpenAIEmbedder(rest, base_url=url, key_command=key_command)
    if kind == "anthropic":
        raise ModelError(
            "embedder anthropic: the vendor serves no embeddings; name minilm, e5, or an OpenAI-compatible endpoint "
            "such as openai:voyage-3.5@https://api.voyageai.com/v1"
        )
    made: Embedder = _plugin("embedder", "clio.embedders", name, EMBEDDERS)
    return made


def chat_model(
    name: str,
    *,
    key_command: str | None = None,
    options: Mapping[str, Any] | None = None,
    timeout: float = 120.0,
) -> ChatModel:
    """The chat model of a name: "openai:MODEL" for any OpenAI-compatible server, "anthropic:MODEL", or a
    plug-in's "name:rest".

    Args:
        name: which one; "openai:MODEL@URL" for a server at an address (default: OPENAI_BASE_URL or
            ANTHROPIC_BASE_URL, then the vendor's). Plug-ins are entry points of the group ``clio.models``,
            called with what follows the colon.
        key_command: a command that prints the key, instead of OPENAI_API_KEY or ANTHROPIC_API_KEY.
        options: further fields of every request, as the vendor names them.
        timeout: seconds after which a call is given up and made again.

    Raises:
        ModelError: unknown, not installed, no key, or not allowed offline.
    """
    kind, rest, url = split(name)
    if kind == "openai" and rest:
        from clio.models.openai import OpenAIChat

        return OpenAIChat(rest, base_url=url, key_command=key_command, timeout=timeout, options=options)
    if kind == "anthropic" and rest:
        from clio.models.anthropic import AnthropicChat

        return AnthropicChat(rest, base_url=url, key_command=key_command, timeout=timeout, options=options)
    made: ChatModel = _plugin("chat model", "clio.models", name, CHAT_MODELS)
    return made


def host_of(name: str) -> str:
    """Where the texts of a chat model would go, found without a key or a call; a plug-in is asked for its own.

    Raises:
        ModelError: the name is unknown, or its address is not allowed offline.
    """
    kind, rest, url = split(name)
    if kind in _SERVED and rest:
        from clio.models import anthropic, openai

        variable = f"{kind.upper()}_BASE_URL"
        vendor = openai.VENDOR if kind == "openai" else anthropic.VENDOR
        return host(address(f"{kind}:{rest}", url, variable, vendor))
    return str(getattr(chat_model(name), "host", "unknown"))


def _plugin(what: str, group: str, name: str, own: Iterable[str]) -> Any:
    """What a plug-in makes of the rest of a name; it is loaded only here, where it is named."""
    from importlib.metadata import entry_points  # loads a parser of mail

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
            *(f"{own_name}:MODEL" if own_name in _SERVED else own_name for own_name in own),
            *(f"{point}:…" for point in found),
        }
    )
    near = get_close_matches(kind.casefold(), [*own, *found], n=1)
    raise ModelError(
        f"no {what} {name!r}; known: {', '.join(known)}" + (f"; did you mean {near[0]}?" if near else "")
    )
