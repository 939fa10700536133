"""The public names are pinned, and importing them costs nothing until they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import clio


def test_the_public_names_are_these() -> None:
    """A name is added or removed on purpose only."""
    assert clio.__all__ == [
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
    assert all(getattr(clio, name) for name in clio.__all__)
    with pytest.raises(AttributeError):
        _ = clio.nothing


def test_importing_clio_loads_no_heavy_library() -> None:
    """``import clio`` is instant: numpy, Arrow and models come when something is used."""
    code = "import sys, clio; print([m for m in ('numpy', 'pyarrow', 'sklearn', 'onnxruntime', 'fastapi') if m in sys.modules])"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_run_is_the_function_even_after_its_parts_are_imported() -> None:
    """No module of the same name hides ``clio.run``."""
    import clio.pipeline

    assert callable(clio.run)
