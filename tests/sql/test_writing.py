"""Applying events to the tables, on each database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from itemstore.domain.positions import START
from itemstore.eventlog.reader import Entry
from itemstore.projections.sql.checkpoints import Checkpoint, begin, checkpoint
from itemstore.projections.sql.database import Connection, Database, Row
from itemstore.projections.sql.tables import create_tables
from itemstore.projections.sql.writing import Writing
from tests.sql.entries import LOG, created, deleted, updated


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """A new database."""
    connection = database.writing()
    create_tables(connection, ["items"])
    begin(connection, "items", Checkpoint(LOG))
    yield connection
    connection.close()


def apply(connection: Connection, *entries: Entry) -> None:
    """Applies them as one batch."""
    at = checkpoint(connection, "items")
    assert at is not None
    assert Writing(connection, "items").apply(entries, at)


def items(connection: Connection) -> list[Row]:
    """Each item's id, version, positions (the number only) and body."""
    return [
        (item, version, int(position[14:]), int(created[14:]), body)
        for item, version, position, created, body in connection.rows(
            "SELECT id, version, position, created_position, body FROM items ORDER BY id"
        )
    ]


def gone(connection: Connection) -> list[Row]:
    """The same of those that were deleted, without a body."""
    return [
        (item, version, int(position[14:]), int(created[14:]))
        for item, version, position, created in connection.rows(
            "SELECT id, version, position, created_position FROM itemstore_deleted ORDER BY id"
        )
    ]


def count(connection: Connection) -> int:
    """How many items the checkpoint says that there are."""
    at = checkpoint(connection, "items")
    assert at is not None
    return at.items


def test_items_are_created_changed_and_deleted(connection: Connection) -> None:
    """The rows are the current items; what is deleted keeps its version."""
    apply(connection, created(1, "a"), created(2, "b"), created(3, "c"))
    apply(connection, updated(4, "a", 2), deleted(5, "b", 2))
    assert items(connection) == [("a", 2, 4, 1, '{"a":2}'), ("c", 1, 3, 3, '{"a":1}')]
    assert gone(connection) == [("b", 2, 5, 2)]
    assert count(connection) == 2


def test_of_a_batch_the_last_event_of_each_item_counts(connection: Connection) -> None:
    """A batch leaves what its events would leave one by one."""
    apply(
        connection,
        *(created(1, "a"), updated(2, "a", 2), created(3, "b"), deleted(4, "b", 2)),
        *(created(5, "c"), deleted(6, "c", 2), created(7, "c", 3)),
    )
    assert items(connection) == [("a", 2, 2, 1, '{"a":2}'), ("c", 3, 7, 7, '{"a":1}')]
    assert gone(connection) == [("b", 2, 4, 3)]
    assert count(connection) == 2


def test_an_item_that_was_there_is_deleted_and_created_again(connection: Connection) -> None:
    """It is created again with its version going on."""
    apply(connection, created(1, "a"), created(2, "b"), created(3, "c"))
    apply(
        connection,
        *(deleted(4, "a", 2), created(5, "a", 3)),
        *(deleted(6, "b", 2), created(7, "b", 3), deleted(8, "b", 4)),
    )
    assert items(connection) == [("a", 3, 5, 5, '{"a":1}'), ("c", 1, 3, 3, '{"a":1}')]
    assert gone(connection) == [("b", 4, 8, 7)]
    apply(connection, created(9, "b", 5), updated(10, "b", 6))
    assert items(connection)[1] == ("b", 6, 10, 9, '{"a":2}')
    assert gone(connection) == []
    assert count(connection) == 3


def test_a_log_with_gaps_is_followed_as_far_as_it_goes(connection: Connection) -> None:
    """Events whose predecessors were removed by hand count as they are."""
    apply(connection, updated(1, "a", 7), deleted(2, "b", 3), created(3, "c"))
    assert items(connection)[0] == ("a", 7, 1, 1, '{"a":2}')
    assert gone(connection) == [("b", 3, 2, 2)]
    apply(connection, updated(4, "b", 5), created(5, "c", 2), deleted(6, "b", 6))
    assert items(connection)[1] == ("c", 2, 5, 5, '{"a":1}')
    apply(connection, updated(7, "b", 8))
    assert items(connection)[1] == ("b", 8, 7, 2, '{"a":2}')
    assert gone(connection) == []
    assert count(connection) == 3


def test_what_is_no_event_changes_nothing(connection: Connection) -> None:
    """It is passed over, and the checkpoint goes on."""
    apply(connection, created(1, "a"), (b"1700000000000-2", [b"x", b"y"]))
    apply(connection, (b"1700000000000-3", [b"x", b"y"]))
    assert items(connection) == [("a", 1, 1, 1, '{"a":1}')]
    at = checkpoint(connection, "items")
    assert at is not None
    assert at.position == "1700000000000-3"


def test_a_batch_is_applied_once(connection: Connection) -> None:
    """One that reads where another one has gone on changes nothing."""
    start = checkpoint(connection, "items")
    assert start is not None
    writing = Writing(connection, "items")
    assert writing.apply([created(1, "a")], start)
    assert not writing.apply([created(1, "a")], start)
    assert count(connection) == 1


def test_a_batch_that_fails_leaves_nothing(connection: Connection) -> None:
    """Neither a row nor the checkpoint is moved."""
    connection.execute("CREATE UNIQUE INDEX one_of_each_version ON items (version)")
    with pytest.raises(Exception, match="can't be used"):
        apply(connection, deleted(1, "z", 2), created(2, "a"), created(3, "b"))
    at = checkpoint(connection, "items")
    assert at is not None
    assert (at.position, at.event, at.items) == (START, "", 0)
    assert gone(connection) == []


def test_times_are_for_people(connection: Connection) -> None:
    """They are those of the positions."""
    apply(connection, created(1, "a"), updated(2, "a", 2))
    assert connection.one("SELECT created, modified FROM items") == (
        "2023-11-14T22:13:20.000Z",
        "2023-11-14T22:13:20.000Z",
    )
