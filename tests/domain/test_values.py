"""Values: equal where all of them is equal, and never changed."""

from __future__ import annotations

import pytest

from itemstore.domain.events import Event, ItemCreated, ItemUpdated, RecordedEvent


def test_values_of_one_kind_are_equal_where_their_fields_are() -> None:
    """And then they have one hash; an event of another type is another event."""
    assert ItemCreated("a", b"1") == ItemCreated("a", b"1") != ItemCreated("a", b"2")
    other: Event = ItemUpdated("a", b"1")
    assert other != ItemCreated("a", b"1")
    assert len({ItemCreated("a", b"1"), ItemCreated("a", b"1"), ItemUpdated("a", b"1")}) == 2


def test_a_value_has_its_fields_and_no_others() -> None:
    """A misspelt one is an error."""
    with pytest.raises(AttributeError):
        ItemCreated("a", b"1").boddy = b"2"  # type: ignore[attr-defined]


def changed() -> None:
    """Never called: it is for mypy, which complains where a line below is no error any more."""
    created = ItemCreated("a", b"1")
    created.body = b"2"  # type: ignore[misc]
    RecordedEvent("1-0", 1, created).version = 2  # type: ignore[misc]
