from pathlib import Path

import pytest

from clio.errors import SettingsError
from clio.facets.definition import Facet, builtin, load


def test_the_built_in_facets_are_request_task_and_a_concern_scale_of_five() -> None:
    found = builtin()
    assert list(found) == ["request", "task", "concern"]
    assert all(name == facet.name for name, facet in found.items())
    assert found["request"].prefill
    assert found["request"].criteria
    assert len(found["concern"].labels) == 5


def write(folder: Path, text: str) -> Path:
    path = folder / "facet.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        'name = "mood"\nquestion = "How does the user feel?"\ntype = "category"\nvalues = ["glad", "cross", "unclear"]\n',
    )
    assert load(path) == Facet(
        "mood", "How does the user feel?", "category", values=("glad", "cross", "unclear")
    )


BASE = 'name = "mood"\nquestion = "How?"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name = ", "not valid TOML"),
        ('question = "How?"\ntype = "text"', "name is missing"),
        (BASE, "type is missing"),
        (BASE + 'type = "text"\nprefil = "x"', "unknown key 'prefil'; did you mean prefill"),
        (BASE + 'type = "mood"', "known: text, category, scale, number"),
        (BASE + 'type = "category"', "needs values"),
        (BASE + 'type = "category"\nvalues = ["one"]', "needs values"),
        (BASE + 'type = "category"\nvalues = ["a", "A"]', "two values are the same"),
        (BASE + 'type = "category"\nvalues = ["a", 2]', "must be a list of texts"),
        (BASE + 'type = "scale"', "needs labels"),
        (BASE + 'type = "number"', "needs bands"),
        (BASE + 'type = "number"\nbands = [3, 2]', "bands must rise"),
        (BASE + 'type = "number"\nbands = [true]', "must be a list of numbers"),
        (BASE + 'type = "text"\nvalues = ["a", "b"]', "values is for type category only"),
        (BASE + 'type = "scale"\nlabels = ["a", "b"]\nprefill = "x"', "prefill is for type text only"),
        ('name = "Mood!"\nquestion = "How?"\ntype = "text"', "small letters"),
        ('name = "cluster"\nquestion = "How?"\ntype = "text"', "none of"),
        ('name = "mood"\nquestion = " "\ntype = "text"', "question is empty"),
        ('name = "mood"\nquestion = 3\ntype = "text"', "question must be a text"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line_that_says_why(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as caught:
        load(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_not_text_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path / "absent.toml")
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not valid TOML"):
        load(path)
