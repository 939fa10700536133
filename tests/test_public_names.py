"""The public names are pinned, and importing them costs nothing until they are used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import clio

ASKED = ["book a table for two", "what is my balance", "play some jazz music", "set an alarm for seven"]


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


def test_a_run_without_a_chat_model_loads_only_what_it_needs(tmp_path: Path) -> None:
    """A small log is done before SciPy, rich or an HTTP client would have been loaded."""
    rows = [
        {"id": str(i), "messages": [{"role": "user", "content": f"{ASKED[i % 4]} {i}"}]} for i in range(160)
    ]
    (tmp_path / "logs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    heavy = ["scipy", "sklearn", "rich", "requests", "httpx", "fastapi", "openai", "anthropic", "onnxruntime"]
    code = (
        "import sys, clio\nfrom clio.testing.words import Words\n"
        "shown = clio.run('logs.jsonl', 'run', encoder=Words(), users='conversation', ledger='off')\n"
        f"print(len(shown.levels), [name for name in {heavy} if name in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split(maxsplit=1) == ["1", "[]\n"]


def test_run_is_the_function_even_after_its_parts_are_imported() -> None:
    """No module of the same name hides ``clio.run``."""
    import clio.pipeline

    assert callable(clio.run)
