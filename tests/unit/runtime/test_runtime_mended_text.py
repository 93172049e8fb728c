"""Bytes that a database calls UTF-8, and the text that is made of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.mended_text import ENCODING


@given(st.text())
def test_text_is_read_and_written_as_it_is(text: str) -> None:
    """What is UTF-8 stays what it is."""
    assert text.encode("utf-8").decode(ENCODING) == text
    assert text.encode(ENCODING) == text.encode("utf-8")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("61EDA0BDEDB88062", "a\U0001f600b"),
        ("61EDA0BD62", "a\ufffdb"),
        ("EDB880EDA0BD", "\ufffd\ufffd"),
        ("61FF62C3", "a\ufffdb\ufffd"),
        ("EDA0", "\ufffd\ufffd"),
    ],
    ids=["two halves", "one half", "halves the wrong way round", "no text", "cut off"],
)
def test_what_is_none_is_mended(data: str, text: str) -> None:
    """Its neighbours stay."""
    assert bytes.fromhex(data).decode(ENCODING) == text


@given(st.binary())
def test_any_bytes_are_read(data: bytes) -> None:
    """As text that can be written."""
    data.decode(ENCODING).encode("utf-8")
