"""Insights: the published value, its files, and its other forms."""

from __future__ import annotations

import ast
import csv
import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from rich.console import Console

import clio
from clio.cli.show import show
from clio.errors import RunError, SettingsError
from clio.explorer.answers import Answers
from clio.insights import Cell, Group, Insight, Insights
from clio.insights.export import write
from clio.insights.intervals import Sample, share_interval
from clio.report import show_cluster, show_summary

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


def sampled() -> Insights:
    """The example as a sample of 200 of 1,000, so that a cluster of 100 stands for 500."""
    return replace(example(), sample=Sample(1000, 200, "[red]language"))


def printed(insights: Insights) -> str:
    """What a run says at its end, and one cluster of it."""
    console = Console(file=StringIO(), width=80, highlight=False)
    model = {"calls": 0}
    show_summary(
        insights, {"conversations": 200, "seconds": {"read": 1.0}, "model": model, "out": "run"}, console
    )
    show_cluster(insights, insights.cluster("1.1"), console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


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


def test_an_interval_looks_at_all_conversations_or_at_a_cluster_as_part_of_its_population() -> None:
    """None without a sample; a part of the sample stands for the same part of the population."""
    assert example().interval(100) is None
    assert example().coverage_interval is None
    assert sampled().interval(100) == share_interval(100, 200, 1000)
    assert sampled().interval(20, 100) == share_interval(20, 100, 500)
    assert sampled().interval(0, 0) is None
    assert sampled().coverage_interval == share_interval(80, 200, 1000)
    assert replace(example(), sample=Sample(200, 200)).interval(60) == (0.3, 0.3)
    # some that were drawn may have been set aside: the rate of the draw holds for those that are left
    assert replace(example(), sample=Sample(2500, 250)).interval(60) == share_interval(60, 200, 2000)
    with pytest.raises(ValueError, match="no share"):
        sampled().interval(101, 100)


def test_a_sample_is_saved_with_its_intervals_and_loaded_without_them(tmp_path: Path) -> None:
    """The intervals are columns of the tables and follow anew from what is loaded."""
    sampled().save(tmp_path)
    assert Insights.load(tmp_path) == sampled()
    facts = json.loads((tmp_path / "insights.json").read_text("utf-8"))
    assert facts["sample"] == {"population": 1000, "conversations": 200, "by": "[red]language"}
    assert facts["coverage_low"] < facts["coverage"] < facts["coverage_high"]
    clusters = pq.read_table(tmp_path / "clusters.parquet").to_pylist()
    assert [(row["share_low"], row["share_high"]) for row in clusters] == [
        share_interval(n, 200, 1000) for n in (100, 60, 20)
    ]
    base, own = pq.read_table(tmp_path / "breakdowns.parquet").to_pylist()
    assert (base["share_low"], base["share_high"]) == share_interval(20, 200, 1000)
    assert (own["share_low"], own["share_high"]) == share_interval(20, 100, 500)


def test_without_a_sample_the_columns_of_intervals_are_empty_numbers(tmp_path: Path) -> None:
    """The tables have the same columns in every run."""
    example().save(tmp_path)
    for name in ("clusters", "breakdowns"):
        table = pq.read_table(tmp_path / f"{name}.parquet")
        for column in ("share_low", "share_high"):
            assert table.schema.field(column).type == pa.float64()
            assert table[column].null_count == len(table)
    assert json.loads((tmp_path / "insights.json").read_text("utf-8"))["sample"] is None


def test_insights_from_before_there_were_samples_can_be_loaded(tmp_path: Path) -> None:
    """The version is the same; what is not there is no sample."""
    example().save(tmp_path)
    for name in ("clusters", "breakdowns"):
        path = tmp_path / f"{name}.parquet"
        pq.write_table(pq.read_table(path).drop_columns(["share_low", "share_high"]), path)
    facts = json.loads((tmp_path / "insights.json").read_text("utf-8"))
    for gone in ("sample", "coverage_low", "coverage_high"):
        del facts[gone]
    (tmp_path / "insights.json").write_text(json.dumps(facts), "utf-8")
    assert Insights.load(tmp_path) == example()


def test_every_export_of_a_sample_shows_intervals(tmp_path: Path) -> None:
    """CSV and JSON as numbers, Markdown to read, with the column's name escaped."""
    write(sampled(), tmp_path, ["csv", "json", "markdown"])
    low, high = share_interval(60, 200, 1000)
    with (tmp_path / "clusters.csv").open(encoding="utf-8", newline="") as file:
        row = list(csv.DictReader(file))[1]
    assert (float(row["share_low"]), float(row["share_high"])) == (low, high)
    document = json.loads((tmp_path / "insights.json").read_text("utf-8"))
    assert (document["clusters"][1]["share_low"], document["clusters"][1]["share_high"]) == (low, high)
    cell = share_interval(20, 100, 500)
    assert document["clusters"][0]["breakdown"][0]["share_low"] == cell[0]
    assert document["base"][0]["share_high"] == share_interval(20, 200, 1000)[1]
    text = (tmp_path / "insights.md").read_text("utf-8")
    assert f"**Report a lost card** 30.0 % ({100 * low:.1f}–{100 * high:.1f} %)" in text
    assert "a sample of 200 of 1,000, stratified by \\[red\\]language" in text
    assert all("–" in line for line in text.splitlines() if line.lstrip().startswith("- "))
    write(example(), tmp_path, ["json", "markdown"])
    assert "**Report a lost card** (30.0%)\n" in (tmp_path / "insights.md").read_text("utf-8")
    assert json.loads((tmp_path / "insights.json").read_text("utf-8"))["clusters"][0]["share_low"] is None


def test_exports_of_a_restricted_run_are_their_owners_only(tmp_path: Path) -> None:
    """Whatever the umask: what has no thresholds is for a few."""
    restricted = replace(example(), about={"policy": {"restricted": True}})
    for path in write(restricted, tmp_path / "out", ["csv", "json"]):
        assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700


def test_the_report_of_a_sample_says_so_and_puts_a_margin_on_every_share() -> None:
    """Half the interval's width in points after each share; within 80 columns; nothing of it without a sample."""
    text = printed(sampled())
    assert "a sample of 200 of 1,000 conversations (stratified by [red]language); shares ± at 95 %" in text
    low, high = share_interval(60, 200, 1000)
    assert f"30.0% ±{50 * (high - low):.1f}" in text
    shares = [
        line for line in text.splitlines() if "%" in line and "95 %" not in line and "withheld" not in line
    ]
    assert all("±" in line or "–" in line for line in shares)
    low, high = share_interval(100, 200, 1000)
    assert f"50.0% ({100 * low:.1f}–{100 * high:.1f}%) of all" in text
    row = next(line for line in text.splitlines() if line.startswith("  ja"))
    assert row.count("±") == 2
    plain = printed(example())
    assert "±" not in plain
    assert "sample" not in plain
    assert "  ja" + " " * 24 + "20.0%  ▇▇▇▇" + " " * 15 + "base 10.0%  ?\n" in plain
    # four in five are withheld: a share of what is shown says nothing against a base rate of which nine in ten are
    assert "\nlanguage  80% withheld here, 90% of all\n" in plain


def test_show_prints_the_intervals_of_a_sample_and_nothing_new_without_one(tmp_path: Path) -> None:
    """As a tree with margins, and as JSON with both ends."""
    sampled().save(tmp_path / "a")
    example().save(tmp_path / "b")
    tree = CliRunner().invoke(show, [str(tmp_path / "a")]).output
    assert tree.count("±") == 7  # coverage, the sample's own line, three clusters, two groups not shown
    document = json.loads(CliRunner().invoke(show, [str(tmp_path / "a"), "1.1", "--json"]).output)
    assert document["sample"]["population"] == 1000
    assert document["clusters"][0]["share_low"] == share_interval(100, 200, 1000)[0]
    assert document["clusters"][0]["breakdown"][0]["share_high"] == share_interval(20, 100, 500)[1]
    plain = CliRunner().invoke(show, [str(tmp_path / "b"), "--json"]).output
    assert not any(word in plain for word in ("share_low", "coverage_low", "sample"))
    assert "±" not in CliRunner().invoke(show, [str(tmp_path / "b")]).output


def test_the_explorer_is_given_the_sample_and_every_interval() -> None:
    """Coverage, clusters and base rates with the intervals of all logs; those of clusters null without a sample."""
    answers, plain = Answers("run", sampled()), Answers("run", example())
    assert answers.run.sample is not None
    assert answers.run.sample.model_dump() == {
        "population": 1000,
        "conversations": 200,
        "by": "[red]language",
    }
    assert (answers.run.coverage_low, answers.run.coverage_high) == share_interval(80, 200, 1000)
    assert answers.clusters.share_low == [share_interval(n, 200, 1000)[0] for n in (100, 60, 20)]
    assert answers.run.facets[0].values[0].share_low == share_interval(20, 200, 1000)[0]
    assert plain.run.sample is None
    assert plain.clusters.share_low == [None, None, None]
    assert plain.run.facets[0].values[0].share_low == share_interval(20, 200)[0]
