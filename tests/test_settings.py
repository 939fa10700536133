"""Settings: defaults, file, --set, flags; unknown keys name the nearest."""

from __future__ import annotations

from pathlib import Path
from typing import get_type_hints

import pytest

import clio
from clio.errors import SettingsError
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
        (["models.reading=openai:x"], "setting 'models': expected facets or naming or auditing"),
        (["facets=[1]"], "setting 'facets': expected a text"),
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


def test_settings_made_in_python_are_checked_too(tmp_path: Path) -> None:
    """A value that no settings file may have is refused where a run is given it."""
    with pytest.raises(SettingsError, match="setting 'seed': expected a whole number >= 0"):
        clio.run(tmp_path / "log.jsonl", tmp_path / "run", Settings(seed=-1))
