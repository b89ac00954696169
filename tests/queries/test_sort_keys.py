"""Sort keys: their order as bytes is the order of the values."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from itemstore.projections.queries.sort_keys import END, KEY_BYTES, sort_key

NEAR_BORDERS = st.builds(
    lambda power, more, sign: sign * (2**power + more),
    st.sampled_from([0, 1, 52, 53, 54, 62, 63, 64, 65, 1022, 1023, 1024, 1025, 4000]),
    st.integers(-3, 3),
    st.sampled_from([-1, 1]),
)
NUMBERS = (
    st.integers()
    | st.sampled_from([math.inf, -math.inf])
    | NEAR_BORDERS
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0, -0.0, 1, 1.0, 2**53, float(2**53), 2**53 + 1, 2**1024, 10**400, 5e-324])
)


@given(NUMBERS, NUMBERS)
@example(2**53, 2**53 + 1)
@example(float(2**63), 2**63)
@example(int(math.nextafter(math.inf, 0)), 2**1024 - 1)
@example(-int(math.nextafter(math.inf, 0)), -(2**1024) + 1)
def test_numbers_are_ordered_by_what_they_are_worth(one: float, other: float) -> None:
    """Equal ones have the same key, and of others the smaller one has the smaller key."""
    assert (sort_key(one) < sort_key(other)) == (one < other)
    assert (sort_key(one) == sort_key(other)) == (one == other)


@given(st.text(), st.text())
@example("\uffff", "\U00010000")
@example("a", "a\0")
def test_strings_are_ordered_by_code_point(one: str, other: str) -> None:
    """As Python's are."""
    assert (sort_key(one) < sort_key(other)) == (one < other)
    assert (sort_key(one) == sort_key(other)) == (one == other)


@given(st.text(min_size=300), st.text(), st.text())
def test_long_strings_that_begin_alike_are_ties(prefix: str, one: str, other: str) -> None:
    """A key is cut off at its bound, and never says that the larger value is the smaller one."""
    long = prefix * 4
    one, other = long + one, long + other
    assert len(sort_key(one)) == KEY_BYTES
    if one < other:
        assert sort_key(one) <= sort_key(other)


def test_kinds_are_ordered() -> None:
    """Numbers, strings, false, true, null, arrays, objects."""
    values: list[Any] = [
        -(10**4299),
        -1.5,
        0,
        10**4299,
        "",
        "\U0010ffff",
        False,
        True,
        None,
        [],
        {},
    ]
    keys = [sort_key(value) for value in values]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)
    assert max(keys) < END


def test_arrays_are_equal_and_objects_are() -> None:
    """They are in the order of ids."""
    assert sort_key([1]) == sort_key([])
    assert sort_key({"a": 1}) == sort_key({})
