"""The form of a row: JSON with its keys in one order, around the very text of the body."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemstore.domain.evolve import Item
from itemstore.projections.row import MalformedRow, decode, encode

POSITIONS = st.builds("{}-{}".format, st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
).map(lambda value: json.dumps(value).encode())
ITEMS = st.builds(Item, st.text(), st.integers(1, 10**14), POSITIONS, POSITIONS, st.none() | BODIES)


@given(ITEMS)
def test_a_row_is_the_whole_item(item: Item) -> None:
    """There and back, deleted or not."""
    assert decode(item.id, encode(item)) == item


@given(ITEMS)
def test_a_row_is_json_that_tells_the_same(item: Item) -> None:
    """For a person who reads it without this store."""
    expected = {"version": item.version, "position": item.position, "created": item.created}
    if item.body is None:
        expected |= {"deleted": True}
    else:
        expected |= {"data": json.loads(item.body)}
    assert json.loads(encode(item)) == expected


def test_the_form_of_a_row_never_changes() -> None:
    """It is what `redis-cli HGET items:current foo` shows."""
    there = Item("foo", 3, "1700000000000-0", "1699999999999-0", b'{"name":"Foo"}')
    deleted = Item("foo", 4, "1700000000001-0", "1699999999999-0", None)
    assert encode(there) == (
        b'{"version":3,"position":"1700000000000-0","created":"1699999999999-0",'
        b'"data":{"name":"Foo"}}'
    )
    assert encode(deleted) == (
        b'{"version":4,"position":"1700000000001-0","created":"1699999999999-0","deleted":true}'
    )


@pytest.mark.parametrize(
    "row",
    [
        b"",
        b"null",
        b'{"version":3}',
        b'{"version":3,"position":"1-0","created":"1-0"}',
        b'{"version":3,"position":"1-0","created":"1-0","data":}',
        b'{"version":3,"position":"1-0","created":"1-0","deleted":false}',
        b'{"version":3,"position":"1-0","created":"1-0","data":1',
        b'{"version":3,"position":"1-0","created":"1-0","data":1}\n',
        b'{"version":-3,"position":"1-0","created":"1-0","data":1}',
        b'{"version":3,"position":"1","created":"1-0","data":1}',
        b'{"version":3, "position":"1-0", "created":"1-0", "data":1}',
    ],
)
def test_what_is_no_row_is_not_read(row: bytes) -> None:
    """The error says whose it is, and what to do."""
    with pytest.raises(MalformedRow, match="'foo' can't be read; rebuild the projection") as e:
        decode("foo", row)
    assert e.value.item == "foo"
