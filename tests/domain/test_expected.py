"""Expected versions: what they admit, how they combine, what they are called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemstore.domain.errors import UnexpectedVersion
from itemstore.domain.expected import ABSENT, ANY, PRESENT, ExpectedVersion, none_of, one_of

VERSIONS = st.integers(min_value=1, max_value=6)
EXPECTED = st.builds(
    ExpectedVersion,
    absent=st.booleans(),
    versions=st.frozensets(VERSIONS, max_size=4),
    others=st.booleans(),
)


@pytest.mark.parametrize(
    ("expected", "admitted", "refused"),
    [
        (ANY, [None, 1, 2, 3], []),
        (ABSENT, [None], [1, 2, 3]),
        (PRESENT, [1, 2, 3], [None]),
        (one_of(2), [2], [None, 1, 3]),
        (one_of(1, 3), [1, 3], [None, 2]),
        (one_of(), [], [None, 1, 2, 3]),
        (none_of(2), [None, 1, 3], [2]),
        (none_of(1, 3), [None, 2], [1, 3]),
        (none_of(), [None, 1, 2, 3], []),
    ],
)
def test_each_kind_admits_what_it_says(
    expected: ExpectedVersion, admitted: list[int | None], refused: list[int | None]
) -> None:
    """None stands for an item that does not exist."""
    assert [version for version in admitted if not expected.admits(version)] == []
    assert [version for version in refused if expected.admits(version)] == []


@given(EXPECTED, EXPECTED, st.none() | VERSIONS)
def test_both_conditions_of_a_combination_must_hold(
    one: ExpectedVersion, other: ExpectedVersion, version: int | None
) -> None:
    """Whatever the two are, and whatever the item is at."""
    assert (one & other).admits(version) is (one.admits(version) and other.admits(version))


@given(EXPECTED)
def test_no_condition_adds_nothing_to_another(expected: ExpectedVersion) -> None:
    """ANY is what `&` starts from."""
    assert ANY & expected == expected & ANY == expected


@pytest.mark.parametrize(
    ("expected", "sentence"),
    [
        (ANY, "any"),
        (ABSENT, "absent"),
        (PRESENT, "present"),
        (one_of(3), "version 3"),
        (one_of(12, 3), "version 3, 12"),
        (one_of(), "nothing"),
        (none_of(2, 1), "none of the versions 1, 2"),
        (none_of(3) & PRESENT, "none of the versions 3, and present"),
        (
            ExpectedVersion(absent=True, versions=frozenset({3}), others=False),
            "version 3, or absent",
        ),
    ],
)
def test_each_kind_has_a_name_for_people(expected: ExpectedVersion, sentence: str) -> None:
    """It stands in the sentence of a refusal."""
    assert str(expected) == sentence


def test_a_refusal_says_what_was_expected_and_what_is_there() -> None:
    """For an item that is there, and for one that is not."""
    stale = UnexpectedVersion("foo", one_of(2), 3)
    missing = UnexpectedVersion("foo", PRESENT, None)
    assert str(stale) == "Expected version 2, but the item is at version 3."
    assert str(missing) == "Expected present, but the item is absent."
    assert (stale.item, stale.expected, stale.version) == ("foo", one_of(2), 3)
