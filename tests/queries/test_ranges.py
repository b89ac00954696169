"""Ranges of sort keys: nothing that matches is outside, and exact ones have nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from itemstore.projections.queries.paths import MISSING, path_of, value_at
from itemstore.projections.queries.ranges import MOST_RANGES, Ranges, ranges_of
from itemstore.projections.queries.sort_keys import END, KEY_BYTES, sort_key
from itemstore.projections.queries.where import Where
from tests.queries.expressions import BODIES, FILTERS, LONG

PATH = path_of("a", "index")


def ranges(text: str) -> Ranges | None:
    """Those of the member `a`."""
    return ranges_of(Where.of(text), PATH)


def key_of(body: Any) -> bytes | None:
    """The sort key of a body's member `a`."""
    value = value_at(PATH, body)  # MISSING itself stands for nothing in these tests
    return None if value is MISSING else sort_key(value)


@settings(max_examples=300, deadline=None)
@given(FILTERS)
def test_nothing_that_matches_is_outside(text: str) -> None:
    """And where they are exact, nothing that is inside does not match."""
    where = Where.of(text)
    found = ranges_of(where, PATH)
    if found is None:
        return
    assert list(found.ranges) == sorted(found.ranges)
    for body in BODIES:
        if where.matches(body):
            assert found.includes(key_of(body))
        elif found.is_exact:
            assert not found.includes(key_of(body))


@pytest.mark.parametrize(
    ("text", "values", "others"),
    [
        ("@.a == 1", [1, 1.0], [2, "1", True, None, MISSING]),
        ("1 == $.a", [1, 1.0], [0.9999999999999999, MISSING]),
        ("@.a != 1", [2, "1", MISSING, []], [1, 1.0]),
        ("@.a > 9007199254740992", [2**53 + 1, 1e300, 10**400], [2**53, float(2**53), "x"]),
        ("@.a < 1e400", [10**400, -(10**400), 0], ["", MISSING, None]),
        ("10 > @.a && @.a >= 5", [5, 9.99], [4, 10, "7", MISSING]),
        ("@.a >= 'b'", ["b", "ba", "\U0010ffff"], ["a", 1, True, MISSING]),
        ("@.a <= null", [None], [True, 0, MISSING]),
        ("@.a < true", [], [True, False, 0]),
        ("@.a == 1 || @.a == 'x' || @.a == false", [1, "x", False], [True, 2, MISSING]),
        ("@.a", [0, None, False, [], {}], [MISSING]),
        ("!@.a", [MISSING], [0, None]),
        ("!(@.a < 5 || @.a > 7)", [5, 7, "x", MISSING], [4, 8]),
        ("match(@.a, 'abc')", ["abc"], ["ab", "abcd", 1, MISSING]),
        ("match(@.a, 'a(b')", [], ["a(b", MISSING]),
    ],
)
def test_what_keys_can_say_is_exact(text: str, values: list[Any], others: list[Any]) -> None:
    """Then no item has to be looked at."""
    found = ranges(text)
    assert found is not None
    assert found.is_exact
    for value in values:
        assert found.includes(key_of({"a": value})), value
    for value in others:
        assert not found.includes(key_of({"a": value})), value


@pytest.mark.parametrize(
    ("text", "values", "others"),
    [
        ("match(@.a, 'As.*')", ["As", "As you"], ["At", "as", 1, MISSING]),
        ("match(@.a, 'A\\\\.b?')", ["A.", "A.b"], ["Ab", "B"]),
        ("search(@.a, '^As')", ["As you"], ["has", "B"]),
        ("search(@.a, 'As')", ["has As", ""], [1, None, MISSING]),
        ("@.a == 1 && @.b == 2", [1], [2, MISSING]),
        ("(@.a == 1 || @.a == 2) && length(@.b) > 3", [1, 2], [1.5, MISSING]),
        (f"@.a == '{LONG}ya'", [LONG + "ya"], [LONG + "x", LONG, 1]),
        (f"@.a < '{LONG}ya'", [LONG + "y", LONG], [LONG + "z", 1]),
    ],
)
def test_some_leave_more_than_what_matches(text: str, values: list[Any], others: list[Any]) -> None:
    """These are not exact, and still leave something out."""
    found = ranges(text)
    assert found is not None
    assert not found.is_exact
    for value in values:
        assert found.includes(key_of({"a": value})), value
    for value in others:
        assert not found.includes(key_of({"a": value})), value


@pytest.mark.parametrize(
    "text",
    [
        "@.b == 1",
        "@.a == @.b",
        "@.a == 1 || @.b == 1",
        "!(@.a == 1 && @.b == 1)",
        "@.a.b == 1",
        f"@.a != '{LONG}ya'",
        "length(@.a) != 1",
        "@.lines[?@.a == 1]",
        "@..a",
    ],
)
def test_what_says_nothing_of_the_path_leaves_all(text: str) -> None:
    """Then an index is of no use."""
    assert ranges(text) is None


def test_a_key_that_may_be_cut_off_is_never_exact() -> None:
    """Neither as a border, nor alone."""
    assert len(sort_key(LONG)) == KEY_BYTES - 1
    assert len(sort_key(LONG + "a")) == KEY_BYTES
    for operator in ("==", "<", "<=", ">", ">="):
        shorter, longer = ranges(f"@.a {operator} '{LONG}'"), ranges(f"@.a {operator} '{LONG}a'")
        assert shorter is not None
        assert longer is not None
        assert (shorter.is_exact, longer.is_exact) == (True, False)


def test_very_many_ranges_become_one() -> None:
    """From the first to the last, so that no statement is too long for a database."""
    text = " || ".join(f"@.a == {number}" for number in range(0, 2 * MOST_RANGES + 2, 2))
    assert ranges(text) == Ranges(
        ((sort_key(0), sort_key(2 * MOST_RANGES) + b"\0"),), with_missing=False, is_exact=False
    )


def test_all_ranges_are_between_the_first_key_and_the_end() -> None:
    """So each has two borders."""
    found = ranges("@.a")
    assert found == Ranges(((b"", END),), with_missing=False, is_exact=True)
