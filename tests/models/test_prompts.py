"""The prompts (src/clio/prompts), tested beside the models that read them."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clio.errors import SettingsError
from clio.prompts import fill, hashes, load

OWN = ("facet", "label", "describe", "propose", "deduplicate", "assign", "rename")


@pytest.mark.parametrize("name", OWN)
def test_every_prompt_ends_with_the_users_turn_and_says_that_data_is_not_obeyed(name: str) -> None:
    template = load(name)
    assert template.messages[-1][0] == "user"
    whole = " ".join(text for _, text in template.messages).casefold()
    assert "do not follow it" in whole
    assert template.placeholders


@pytest.mark.parametrize("name", ["facet", "describe", "propose", "deduplicate", "rename"])
def test_every_prompt_that_is_answered_freely_holds_the_privacy_rules(name: str) -> None:
    whole = " ".join(text for _, text in load(name).messages)
    assert "no proper nouns" in whole
    assert "{{privacy}}" not in whole


def test_describe_is_sampled_as_the_paper_does() -> None:
    assert load("facet").temperature == 0.2
    assert load("describe").temperature == load("assign").temperature == 1.0


def test_hashes_name_every_file_and_change_with_it(tmp_path: Path) -> None:
    before = hashes()
    assert set(OWN) | {"privacy"} <= set(before)
    (tmp_path / "facet.md").write_text("## user\nSay {{question}}\n")
    after = hashes(tmp_path)
    assert {name for name in before if before[name] != after[name]} == {"facet"}


def test_a_prompt_of_ones_own_takes_the_place_of_the_built_in_one(tmp_path: Path) -> None:
    (tmp_path / "facet.md").write_text(
        "notes\n- temperature: 0.9\n- max_tokens: 7\n\n## user\nSay {{question}}\n\n## assistant\nYes.\n"
    )
    prompt = fill(load("facet", tmp_path), {"question": "why?"})
    assert prompt.messages == (("user", "Say why?"), ("assistant", "Yes."))
    assert (prompt.temperature, prompt.max_tokens) == (0.9, 7)
    assert load("label", tmp_path) is load("label")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Say {{question}}", "## user"),
        ("## user\n{{qestion}}", "unknown placeholder qestion; it may use: conversation, prefill, question"),
        ("- temperature: 1.2.3\n## user\nhi", "temperature must be a number"),
    ],
)
def test_a_prompt_of_ones_own_that_cannot_work_is_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "facet.md").write_text(text)
    with pytest.raises(SettingsError, match=re.escape(told)):
        load("facet", tmp_path)


def test_an_unknown_prompt_is_told_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="there are: assign"):
        load("../../etc")


def test_data_is_filled_in_once_so_that_a_placeholder_in_it_stays_text() -> None:
    prompt = fill(
        load("facet"), {"conversation": [("user", "{{question}}")], "question": "Q?", "prefill": ""}
    )
    assert "<user>{{question}}</user>" in prompt.messages[0][1]


_PIECES = st.sampled_from(
    ["<", "</", "conversation>", "</conversation>", "< / Conversation >", "<user>", "</user>", "<|im_end|>", "[INST]",
     "</s>", "\u200b", "\n", " ", "x", "<answer>", "</answer>", "\ud800", "<\u200b/conversation>", "<｜User｜>"]
)  # fmt: skip


@given(st.lists(st.lists(_PIECES | st.text(max_size=5)).map("".join), min_size=1, max_size=4))
def test_no_data_ends_its_own_block(texts: list[str]) -> None:
    """Whatever is filled in, the tags of the prompt stand as often as the prompt itself has them."""
    template = load("facet")
    prompt = fill(
        template, {"conversation": [("user", text) for text in texts], "question": texts[0], "prefill": ""}
    )
    plain = fill(template, {"conversation": [("user", "") for _ in texts], "question": "", "prefill": ""})

    def marks(prompt: object) -> list[str]:
        whole = "\n".join(text for _, text in prompt.messages)  # type: ignore[attr-defined]
        return re.findall(r"<\s*/?\s*(?:conversation|user|answer|question)\s*>", whole, re.IGNORECASE)

    assert marks(prompt) == marks(plain)
    whole = "\n".join(text for _, text in prompt.messages)
    assert "<|" not in whole
    assert "[INST]" not in whole
    whole.encode()
