"""The page that is packed was built of the sources beside it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
#: as in web/vite.config.ts
MADE_OF = ("index.html", "package-lock.json", "package.json", "public", "src", "vite.config.ts")


@pytest.mark.skipif(not WEB.exists(), reason="a source archive holds the built page only")
def test_the_built_page_is_of_these_sources() -> None:
    """The digest that the build wrote is that of the page's sources; if not: npm run build, in web."""
    files = [
        file.relative_to(WEB).as_posix()
        for path in MADE_OF
        for file in (sorted((WEB / path).rglob("*")) if (WEB / path).is_dir() else [WEB / path])
        if file.is_file()
    ]
    digest = sha256()
    for name in sorted(files):
        digest.update(f"{name}\n".encode() + sha256((WEB / name).read_bytes()).digest())
    built = (ROOT / "src/clio/explorer/static/app.js").read_text("utf-8").partition("\n")[0]
    assert built == f"/* sources {digest.hexdigest()} */"


@pytest.mark.skipif(not WEB.exists(), reason="a source archive holds the built page only")
def test_the_lock_file_names_no_registry() -> None:
    """Whoever builds the page takes its packages from where they take all others."""
    assert '"resolved"' not in (WEB / "package-lock.json").read_text("utf-8")
