"""State from history, and the histories that can't be."""

from __future__ import annotations

import pytest

from itemstore.domain.events import Event, ItemCreated, ItemDeleted, ItemUpdated, RecordedEvent
from itemstore.domain.evolve import ImpossibleHistory, Item, evolve, fold

NEVER = None
EXISTS = Item("foo", 3, "30-0", "10-0", b"{}")
DELETED = Item("foo", 3, "30-0", "10-0", None)

CREATED = ItemCreated("foo", b"[]")
UPDATED = ItemUpdated("foo", b"[]")
GONE = ItemDeleted("foo")


@pytest.mark.parametrize(
    ("before", "event", "after"),
    [
        (NEVER, CREATED, Item("foo", 1, "40-0", "40-0", b"[]")),
        (DELETED, CREATED, Item("foo", 4, "40-0", "40-0", b"[]")),
        (EXISTS, UPDATED, Item("foo", 4, "40-0", "10-0", b"[]")),
        (EXISTS, GONE, Item("foo", 4, "40-0", "10-0", None)),
    ],
)
def test_an_event_leads_from_one_state_to_the_next(
    before: Item | None, event: Event, after: Item
) -> None:
    """Versions go on after a delete; only a creation moves `created`."""
    assert evolve(before, RecordedEvent("40-0", after.version, event)) == after
    assert after.exists is (after.body is not None)


@pytest.mark.parametrize(
    ("before", "event", "reason"),
    [
        (EXISTS, CREATED, "the item exists already"),
        (NEVER, UPDATED, "the item does not exist"),
        (DELETED, UPDATED, "the item does not exist"),
        (NEVER, GONE, "the item does not exist"),
        (DELETED, GONE, "the item does not exist"),
    ],
)
def test_an_event_that_does_not_fit_the_state_is_impossible(
    before: Item | None, event: Event, reason: str
) -> None:
    """Every pair of state and event that `decide` never makes."""
    recorded = RecordedEvent("40-0", before.version + 1 if before else 1, event)
    with pytest.raises(ImpossibleHistory, match=f"'foo' at 40-0: {reason}$") as impossible:
        evolve(before, recorded)
    assert impossible.value.item is before
    assert impossible.value.recorded is recorded


@pytest.mark.parametrize(
    ("before", "event", "version"),
    [
        (NEVER, CREATED, 0),
        (NEVER, CREATED, 2),
        (EXISTS, UPDATED, 3),
        (EXISTS, UPDATED, 5),
        (EXISTS, GONE, -4),
        (DELETED, CREATED, 1),
    ],
)
def test_versions_have_no_gap_and_never_start_again(
    before: Item | None, event: Event, version: int
) -> None:
    """A version too low, too high, or from 1 again after a delete."""
    with pytest.raises(ImpossibleHistory, match=f"version {version}, not "):
        evolve(before, RecordedEvent("40-0", version, event))


def test_fold_keeps_the_items_of_a_history_apart() -> None:
    """Each has its own versions, and a deleted one is still there."""
    history = [
        RecordedEvent("1-0", 1, ItemCreated("foo", b"1")),
        RecordedEvent("1-1", 1, ItemCreated("bar", b"2")),
        RecordedEvent("2-0", 2, ItemDeleted("foo")),
        RecordedEvent("3-0", 2, ItemUpdated("bar", b"3")),
    ]
    assert fold(history) == {
        "foo": Item("foo", 2, "2-0", "1-0", None),
        "bar": Item("bar", 2, "3-0", "1-1", b"3"),
    }
    assert fold([]) == {}


def test_fold_stops_at_what_is_impossible() -> None:
    """A history with a hole in it is refused as a whole."""
    history = [
        RecordedEvent("1-0", 1, CREATED),
        RecordedEvent("2-0", 3, UPDATED),
    ]
    with pytest.raises(ImpossibleHistory, match="ItemUpdated 'foo' at 2-0: version 3, not 2"):
        fold(history)
