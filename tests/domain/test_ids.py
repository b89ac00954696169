"""What can be an item's id."""

from __future__ import annotations

import pytest

from itemstore.domain.ids import LONGEST, InvalidItemId, id_of


@pytest.mark.parametrize("text", ["a", "...", " ", "/", "é" * 256, "x" * LONGEST, "☃"])
def test_nearly_any_text_can_be_an_id(text: str) -> None:
    """It is taken as it is."""
    assert id_of(text.encode()) == text


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        (b".", "normalise"),
        (b"..", "normalise"),
        (b"a\n", "control"),
        (b"\x7f", "control"),
        ("\x85".encode(), "control"),
        (b"\xff", "UTF-8"),
        (b"\xed\xa0\x80", "UTF-8"),
        (b"x" * (LONGEST + 1), "513 bytes; 512 are allowed"),
    ],
)
def test_what_can_be_no_id_is_refused_with_the_reason(raw: bytes, reason: str) -> None:
    """The sentence says what is wrong with it."""
    with pytest.raises(InvalidItemId, match=reason) as refusal:
        id_of(raw)
    assert str(refusal.value) == f"This can't be an item id. {refusal.value.reason}"
