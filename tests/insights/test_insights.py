"""Insights: the published value, its files, and its other forms."""

from __future__ import annotations

import ast
from pathlib import Path

import pyarrow as pa
import pytest

import clio
from clio.errors import RunError, SettingsError
from clio.insights import Cell, Group, Insight, Insights
from clio.insights.export import write

HOSTILE = '=1+1 <img src=x onerror="alert(1)"> [x](y) | *b*'


def example() -> Insights:
    cell = Cell("language", "ja", 20, 0.2, 0.1)
    clusters = (
        Insight("1.1", None, 1, "Cards", "All about cards.", 100, "50-99", 0.5, 5, 0.1, 0.2, (cell,)),
        Insight("2.1", "1.1", 2, "Report a lost card", "", 60, "10-49", 0.3, 5, 0.1, 0.1),
        Insight("2.2", "1.1", 2, HOSTILE, "", 20, "10-49", 0.1, 4, 0.3, 0.1),
    )
    return Insights(
        clusters,
        (Group("1.1", 20, "5-9"), Group(None, 100, "50-99")),
        (cell,),
        200,
        "100-499",
        {"failed audit": 20},
        {"seed": 0},
    )


def test_saved_and_loaded_insights_are_the_same(tmp_path: Path) -> None:
    """What is saved comes back equal, twice with the same bytes."""
    example().save(tmp_path / "a")
    Insights.load(tmp_path / "a").save(tmp_path / "b")
    assert Insights.load(tmp_path / "b") == example()
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_coverage_is_the_share_that_stands_under_a_name() -> None:
    """Nameless groups at any level count against coverage."""
    assert example().coverage == pytest.approx(0.4)
    assert example().levels == (1, 2)


def test_children_come_by_size_and_the_tree_names_what_is_not_shown() -> None:
    """The tree lists siblings by size and says how much is hidden."""
    assert [c.id for c in example().children("1.1")] == ["2.1", "2.2"]
    assert "(not shown)" in example().tree()
    assert len(repr(example()).splitlines()) == 1


def test_any_frame_library_can_take_insights() -> None:
    """Insights are an Arrow stream of clusters."""
    assert pa.table(example()).column("name").to_pylist()[0] == "Cards"


def test_notebook_page_escapes_names() -> None:
    """A hostile name is text in a notebook."""
    assert "<img" not in example()._repr_html_()


def test_exports_are_inert(tmp_path: Path) -> None:
    """No CSV cell starts a formula, no Markdown holds a name's markup."""
    paths = write(example(), tmp_path, ["csv", "markdown", "json", "parquet"])
    assert {p.name for p in paths} >= {
        "clusters.csv",
        "breakdowns.csv",
        "insights.md",
        "insights.json",
        "clusters.parquet",
    }
    assert (
        ",'=1+1" in (tmp_path / "clusters.csv").read_text()
        or "\"'=1+1" in (tmp_path / "clusters.csv").read_text()
    )
    assert "<img" not in (tmp_path / "insights.md").read_text().replace("\\<img", "")
    with pytest.raises(SettingsError, match="known: parquet"):
        write(example(), tmp_path, ["xls"])


def test_missing_insights_say_how_to_make_them(tmp_path: Path) -> None:
    """An empty folder is one line that says what to type."""
    with pytest.raises(RunError, match="clio run LOGS"):
        Insights.load(tmp_path)


def test_only_the_gate_and_the_store_make_insights() -> None:
    """``Insights(`` is called in privacy/gate.py and insights/store.py, nowhere else."""
    root = Path(clio.__file__).parent
    makers = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Insights"
            ):
                makers.add(path.relative_to(root).as_posix())
    assert makers == {"privacy/gate.py", "insights/store.py"}
