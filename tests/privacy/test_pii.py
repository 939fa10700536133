"""Identifiers are found by form and checksum, and masked so that the sentence stays readable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clio.privacy.pii import find, mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("write to ann.other@example.co.uk today", "write to [email] today"),
        ("call 415-555-0132 now", "call [phone] now"),
        ("call +49 30 901820 now", "call [phone] now"),
        ("card 4111 1111 1111 1111 please", "card [card] please"),
        ("DE89 3704 0044 0532 0130 00 is mine", "[iban] is mine"),
        ("from 192.168.17.4 again", "from [ip] again"),
        ("mac 00:1A:2B:3C:4D:5E here", "mac [mac] here"),
        ("key sk-abcdEFGH1234567890abcd leaked", "key [key] leaked"),
        ("ssn 078-05-1120 ok", "ssn [id] ok"),
        ("see https://example.org/u/42?x=1 there", "see [link] there"),
        ("My name is Jordan Example and I ask", "My name is [name] and I ask"),
        ("ich heiße Petra Muster.", "ich heiße [name]."),
        ("我叫王小明，你好", "我叫[name]，你好"),
        ("my passport number is X1234567", "my passport number is [id]"),
        ("I live at 12 Baker Street today", "I live at [address] today"),
    ],
)
def test_identifiers_are_masked(text: str, masked: str) -> None:
    """Each kind is replaced by its name in brackets and the rest stays."""
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "card 4111 1111 1111 1112",
        "I'm looking for a hotel for 4 people on 12/03/2024",
        "version 3.11.7 of python",
        "convert 1200 to miles",
        "table for 2 at 7pm",
    ],
)
def test_ordinary_numbers_are_left_alone(text: str) -> None:
    """Wrong checksums, dates, versions and amounts are no identifiers."""
    assert mask(text) == text


@given(st.text(max_size=300))
def test_spans_are_in_order_and_do_not_overlap(text: str) -> None:
    """Whatever the text, spans lie within it, in order, without overlap."""
    end = 0
    for span in find(text):
        assert end <= span.start < span.end <= len(text)
        end = span.end


def test_a_span_never_carries_the_identifier() -> None:
    """A span says where and of what kind, not what."""
    assert "example" not in repr(find("a@example.com"))
