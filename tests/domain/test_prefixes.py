"""Prefixes of ids: as few as say the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemstore.domain.ids import InvalidItemId, prefix_of
from itemstore.domain.prefixes import EVERY_ID, collapsed, narrowed

FEW = st.text(st.sampled_from("ab/"), max_size=4)


@pytest.mark.parametrize(
    ("prefixes", "expected"),
    [
        (["b", "a"], ("a", "b")),
        (["a", "a"], ("a",)),
        (["ab", "a", "abc"], ("a",)),
        (["ab", "a/", "abc"], ("a/", "ab")),
        (["", "x"], EVERY_ID),
        ([], ()),
        (["\U0001f600", "\uffff"], ("\uffff", "\U0001f600")),
    ],
)
def test_nested_ones_collapse(prefixes: list[str], expected: tuple[str, ...]) -> None:
    """In the order of their bytes."""
    assert collapsed(prefixes) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("", ("eu/", "us/east/")),
        ("eu/", ("eu/",)),
        ("eu/de/", ("eu/de/",)),
        ("us", ("us/east/",)),
        ("us/west/", ()),
        ("asia/", ()),
    ],
)
def test_what_is_wanted_is_never_more_than_what_is_allowed(
    wanted: str, expected: tuple[str, ...]
) -> None:
    """The ids that begin with both."""
    assert narrowed(("eu/", "us/east/"), wanted) == expected
    assert narrowed(EVERY_ID, wanted) == (wanted,)


@given(st.lists(FEW, min_size=1, max_size=5), FEW, FEW)
def test_an_id_begins_with_the_result_where_it_begins_with_both(
    prefixes: list[str], wanted: str, item: str
) -> None:
    """And no two of the result are nested, so no id is counted twice."""
    result = narrowed(collapsed(prefixes), wanted)
    has_both = item.startswith(tuple(prefixes)) and item.startswith(wanted)
    assert sum(item.startswith(each) for each in result) == has_both


@pytest.mark.parametrize("text", ["eu/", ".", "..", " ", "é", "x" * 512])
def test_what_an_id_can_begin_with(text: str) -> None:
    """Also with what can't be a whole one."""
    assert prefix_of(text.encode()) == text


@pytest.mark.parametrize("raw", [b"", b"\n", b"\xff", b"x" * 513])
def test_what_no_id_begins_with(raw: bytes) -> None:
    """It would open nothing, or everything."""
    with pytest.raises(InvalidItemId):
        prefix_of(raw)
