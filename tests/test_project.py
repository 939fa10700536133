"""The project's own rules, checked by their tools: style, types, the border between the zones, and what the wheel holds."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    "command",
    [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"], ["importlinter.cli"]],
    ids=["style", "format", "types", "border"],
)
def test_the_tools_find_nothing(command: list[str]) -> None:
    """Ruff, mypy --strict and import-linter pass over the whole tree."""
    if command[0] == "importlinter.cli":
        arguments = [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ]
    else:
        arguments = [sys.executable, "-m", *command]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_holds_all_that_is_read_at_run_time(tmp_path: Path) -> None:
    """Prompts, facets, word lists, the page, the sample and the type marker are packed."""
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    with zipfile.ZipFile(tmp_path / done.stdout.split()[-1]) as wheel:
        names = set(wheel.namelist())
    data = [p for p in (ROOT / "src").rglob("*") if p.is_file() and p.suffix not in {".py", ".pyc"}]
    assert {p.relative_to(ROOT / "src").as_posix() for p in data} <= names
    assert "clio/explorer/static/app.js" in names


def test_no_file_grows_beyond_reading() -> None:
    """No module is longer than about 400 lines."""
    for path in (ROOT / "src").rglob("*.py"):
        assert len(path.read_text("utf-8").splitlines()) <= 430, path


def test_documents_point_at_what_exists() -> None:
    """Relative links of README and docs lead to files."""
    for path in [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "SECURITY.md",
        *(ROOT / "docs").rglob("*.md"),
    ]:
        for link in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", path.read_text("utf-8")):
            assert (path.parent / link).exists(), f"{path.name}: {link}"
