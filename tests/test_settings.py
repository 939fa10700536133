"""Settings: defaults, file, --set, flags; unknown keys name the nearest."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest

import clio
from clio.errors import SettingsError
from clio.pipeline import estimated
from clio.settings import Settings, parse_set, resolve


def test_later_layers_win(tmp_path: Path) -> None:
    """The file is over the defaults, --set over the file."""
    file = tmp_path / "clio.toml"
    file.write_text("seed = 3\ntop = 7\n[columns]\nid = 'conv'\n")
    found = resolve(parse_set(["seed=5", "columns.user=who", "policy=publish", "breakdown=label"]), file=file)
    assert (found.seed, found.top, found.policy, found.breakdown) == (5, 7, "publish", ("label",))
    assert found.columns == {"id": "conv", "user": "who"}


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (["sed=1"], "did you mean 'seed'"),
        (["seed"], "needs a value"),
        (["seed=-1"], "setting 'seed': expected a whole number >= 0"),
        (["users=nobody"], "setting 'users': expected field or conversation"),
        (["top=many"], "setting 'top': expected a whole number, got a text"),
        (["timeout=0"], "setting 'timeout': expected a number > 0"),
        (["seed=1.5"], "setting 'seed': expected a whole number, got a number with a point"),
        (["models.reading=openai:x"], "setting 'models', a key of it: expected facets or naming or auditing"),
        (["facets=[1]"], "setting 'facets', a value in it: expected a text, got a whole number"),
        (["ledger="], "ledger is a folder, or off"),
        (["options.facets.x=nan"], "options holds what no request can"),
        (["options.facets.x=1979-05-27"], "options holds what no request can"),
    ],
)
def test_a_wrong_setting_is_one_line(pairs: list[str], message: str) -> None:
    """Unknown keys and wrong values say which and what would do."""
    with pytest.raises(SettingsError, match=message) as error:
        resolve(parse_set(pairs))
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_toml_says_so(tmp_path: Path) -> None:
    """A broken or missing settings file is one line."""
    (tmp_path / "clio.toml").write_text("seed = = 3")
    with pytest.raises(SettingsError, match="not TOML"):
        resolve(file=tmp_path / "clio.toml")
    with pytest.raises(SettingsError, match="no such settings file"):
        resolve(file=tmp_path / "none.toml")


def test_the_reference_names_every_setting() -> None:
    """docs/reference/settings.md is in step with the code."""
    text = (Path(__file__).parent.parent / "docs/reference/settings.md").read_text("utf-8")
    for name, kind in get_type_hints(Settings, include_extras=True).items():
        assert f"`{name}`" in text
        assert kind.__metadata__[-1] in text


def test_tables_are_merged_at_every_depth() -> None:
    """One option on the command line leaves the others of its role in place; an empty model switches a role off."""
    file = {"options": {"facets": {"a": 1, "b": 2}, "naming": {"c": 3}}, "model": "openai:x"}
    found = resolve(file, parse_set(["options.facets.b=5", "options.auditing.d=x", "models.auditing="]))
    assert found.options == {"facets": {"a": 1, "b": 5}, "naming": {"c": 3}, "auditing": {"d": "x"}}
    assert found.model_of("facets") == "openai:x"
    assert found.model_of("auditing") is None


def test_strata_need_a_sample() -> None:
    """A column to draw by is no use without a number to draw."""
    with pytest.raises(SettingsError, match="sample_by needs sample"):
        resolve(parse_set(["sample_by=country"]))


@pytest.mark.parametrize(
    "wrong", [{"seed": -1}, {"count": "Requests"}, {"keep_salt": "no"}, {"facets": "task"}]
)
def test_settings_made_in_python_are_checked_too(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """A value that no settings file may have is refused where a run is given it."""
    with pytest.raises(SettingsError, match=f"setting '{next(iter(wrong))}'"):
        clio.run(tmp_path / "log.jsonl", tmp_path / "run", Settings(**wrong))


def test_values_of_numpy_and_any_collection_do() -> None:
    """What Python has for a number or a list stands for it; sets have one order in all processes."""
    found = resolve(
        {
            "seed": np.int64(3),
            "timeout": np.float32(5),
            "batch": np.bool_(True),
            "prices": Path("a.toml"),
            "facets": (name for name in ("task",)),
            "breakdown": {"b", "c", "a"},
        }
    )
    assert (found.seed, found.timeout, found.batch) == (3, 5.0, True)
    assert (found.prices, found.facets, found.breakdown) == ("a.toml", ("task",), ("a", "b", "c"))


def test_settings_that_are_given_stand_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With settings of its own a run asks no model that a file in the working directory names, also with single settings over them."""
    monkeypatch.chdir(tmp_path)
    Path("clio.toml").write_text("[models]\nfacets = 'openai:x@http://127.0.0.1:9/v1'\n")
    log = tmp_path / "log.jsonl"
    log.write_text('{"messages": [{"role": "user", "content": "hello there"}]}\n')
    found = estimated(log, tmp_path / "run", Settings(users="conversation"), seed=1)
    assert found.calls == 0


def test_a_mark_of_byte_order_is_no_matter(tmp_path: Path) -> None:
    """A settings file as some editors save it is read."""
    file = tmp_path / "clio.toml"
    file.write_text("seed = 3\n", "utf-8-sig")
    assert resolve(file=file).seed == 3


def test_python_and_toml_write_true_each_in_its_way() -> None:
    """Both are taken; of several lines none is dropped in silence."""
    assert parse_set(["batch=True", "keep_salt=true", "model=a\nb=2"]) == {
        "batch": True,
        "keep_salt": True,
        "model": "a\nb=2",
    }


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"breakdown": ["team", "nowhere"]},
            "setting 'breakdown': no conversation has a column 'nowhere'; known: team",
        ),
        ({"trust": "nowhere"}, "setting 'trust': no conversation has a column 'nowhere'; known: team"),
        ({"cluster_facet": "task"}, "setting 'cluster_facet': task needs a chat model that answers it"),
    ],
)
def test_what_a_log_or_a_run_does_not_have_is_told_at_once(
    tmp_path: Path, wrong: dict[str, Any], message: str
) -> None:
    """A column in no conversation, or a facet that nobody answers, ends a run before anything is asked."""
    log = tmp_path / "log.jsonl"
    line = '{"team": "red", "messages": [{"role": "user", "content": "what is the time in %d places"}]}\n'
    log.write_text("".join(line % i for i in range(9)))
    with pytest.raises(SettingsError, match=message):
        clio.run(log, tmp_path / "run", users="conversation", ledger="off", **wrong)


def test_a_missing_column_is_told_without_a_persons_words(tmp_path: Path) -> None:
    """What the error lists are names of columns that several conversations have: no value, and no key that one person alone wrote."""
    said = [
        {"team": "zarquon", "messages": [{"role": "user", "content": f"what is the time in {i} places"}]}
        for i in range(9)
    ]
    said[4]["jeltz_is_ill"] = True
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(one) + "\n" for one in said))
    for setting in ({"breakdown": ["nowhere"]}, {"trust": "nowhere"}):
        with pytest.raises(SettingsError) as error:
            clio.run(log, tmp_path / "run", users="conversation", ledger="off", **setting)
        assert str(error.value).endswith("known: team")
        assert not {"zarquon", "jeltz"} & set(re.findall("[a-z]+", str(error.value)))
