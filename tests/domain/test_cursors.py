"""Where a reader is in several partitions, as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemstore.domain.cursors import (
    cursor_at,
    cursor_of,
    event_id,
    furthest,
    is_beyond,
    is_from_ahead,
    latest,
    nearest,
    position_in,
    positions_of,
)
from itemstore.domain.positions import LARGEST, START, key_of

NUMBERS = st.integers(0, LARGEST) | st.integers(1_700_000_000_000, 1_800_000_000_000)
POSITIONS = st.builds("{}-{}".format, NUMBERS, st.integers(0, LARGEST) | st.integers(0, 99))
VECTORS = st.lists(POSITIONS, min_size=1, max_size=64)


@given(VECTORS)
def test_a_cursor_says_the_positions_that_it_was_made_of(positions: list[str]) -> None:
    """Below 2 kB, in what a URL and a header take as they are."""
    text = cursor_at(positions)
    assert positions_of(text, len(positions)) == positions
    assert cursor_of(text, len(positions)) == text
    assert len(text) < 2048
    assert set(text) <= {*"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"}


def test_a_cursor_of_64_partitions_is_small_also_at_its_largest() -> None:
    """No position is larger than these."""
    positions = [f"{number % 2 * LARGEST}-{LARGEST}" for number in range(64)]
    assert len(cursor_at(positions)) < 2048


def test_a_position_is_that_in_every_partition() -> None:
    """The start, and a time."""
    assert positions_of(START, 3) == [START] * 3
    assert positions_of("5-1", 3) == ["5-1"] * 3


def test_the_last_ids_of_each_partition_are_a_cursor() -> None:
    """Of one that is not named there is none yet; of one that is named twice the later counts."""
    assert positions_of("5-1@2,7-0@0,6-0@2", 4) == ["7-0", START, "6-0", START]
    assert cursor_of("5-1@2", 4) == cursor_at([START, START, "5-1", START])


@pytest.mark.parametrize(
    "text",
    [
        *("", "v", "vAA", "x", "5", "5-1@4", "5-1@", "5-1@1,", "5-1,6-1", "-1-1@0", "v!", "5-1@01"),
        *(cursor_at([f"{n}-0" for n in range(count)]) for count in (3, 5)),
    ],
)
def test_what_is_no_cursor_of_so_many_partitions_is_none(text: str) -> None:
    """Also that of another number of them."""
    assert cursor_of(text, 4) is None
    with pytest.raises(ValueError, match="no cursor of 4 partitions"):
        positions_of(text, 4)


@given(st.integers(1, 8).flatmap(lambda n: st.lists(st.lists(POSITIONS, min_size=n, max_size=n))))
def test_the_furthest_is_beyond_none(vectors: list[list[str]]) -> None:
    """In each partition it is at the latest of all."""
    partitions = len(vectors[0]) if vectors else 3
    cursors = [cursor_at(each) for each in vectors]
    end = furthest(cursors, partitions)
    assert not any(is_beyond(each, end, partitions) for each in cursors)
    if vectors:
        latest = [max(each, key=key_of) for each in zip(*vectors, strict=True)]
        assert positions_of(end, partitions) == latest


def test_a_cursor_is_beyond_another_where_it_is_later_in_any_partition() -> None:
    """So each of two may be beyond the other."""
    one, two = cursor_at(["1-0", "5-0"]), cursor_at(["2-0", "4-0"])
    assert is_beyond(one, two, 2)
    assert is_beyond(two, one, 2)
    assert not is_beyond(one, furthest([one, two], 2), 2)


def test_an_events_id_names_its_partition_where_there_are_several() -> None:
    """A position is given once in a partition."""
    assert event_id("5-1", None) == "5-1"
    assert event_id("5-1", 3) == "5-1@3"


@pytest.mark.parametrize("positions", [["5-2", "6-0"], [START, f"{LARGEST}-{LARGEST}"]])
def test_a_cursor_is_from_ahead_where_one_partition_never_came_so_far(positions: list[str]) -> None:
    """Even where it is behind in the others."""
    assert is_from_ahead(cursor_at(positions), cursor_at(["5-1", "7-0"]), 2)


@pytest.mark.parametrize("positions", [["5-1", "7-0"], [START, "6-9"], [START, f"8-{LARGEST}"]])
def test_a_cursor_with_a_time_is_not_from_ahead(positions: list[str]) -> None:
    """No event is asked for before that, and it may be still to come."""
    assert not is_from_ahead(cursor_at(positions), cursor_at(["5-1", "7-0"]), 2)


def test_the_earlier_positions_of_two_cursors_are_a_cursor() -> None:
    """In each partition; the latest one of all is that of the partition that came furthest."""
    one, other = cursor_at(["5-1", "7-0", START]), cursor_at(["6-0", "2-9", "1-0"])
    assert positions_of(nearest(one, other, 3), 3) == ["5-1", "2-9", START]
    assert (latest(one, 3), latest(other, 3), latest(START, 3)) == ("7-0", "6-0", START)


def test_the_position_of_an_event_is_in_its_id() -> None:
    """With its partition or without; an id of another partition than is meant has none."""
    assert [position_in(text) for text in ("5-01", "5-1@3")] == ["5-1", "5-1"]
    assert [position_in(text) for text in ("5", "5-1@")] == [None, None]
    assert [position_in(text, 3) for text in ("5-1", "5-1@3", "5-1@2")] == ["5-1", "5-1", None]
