"""See what people do with your AI, without reading what they wrote."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from clio.version import __version__ as __version__

if TYPE_CHECKING:
    from clio.errors import ClioError, ModelError, PrivacyError, RunError, SettingsError, SourceError
    from clio.insights import Cell, Group, Insight, Insights
    from clio.pipeline import run
    from clio.run_folder import purge
    from clio.settings import Settings

__all__ = [
    "Cell",
    "ClioError",
    "Group",
    "Insight",
    "Insights",
    "ModelError",
    "PrivacyError",
    "RunError",
    "Settings",
    "SettingsError",
    "SourceError",
    "purge",
    "run",
]

_HOMES = {
    **dict.fromkeys(("Cell", "Group", "Insight", "Insights"), "clio.insights"),
    **dict.fromkeys(
        ("ClioError", "ModelError", "PrivacyError", "RunError", "SettingsError", "SourceError"), "clio.errors"
    ),
    "Settings": "clio.settings",
    "purge": "clio.run_folder",
    "run": "clio.pipeline",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that ``import clio`` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'clio' has no attribute {name!r}")
    from clio.process import seldom_collected

    with seldom_collected():
        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
