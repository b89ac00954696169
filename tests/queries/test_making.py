"""A database gets what is declared, and loses what is not any more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from itemstore.projections.queries.indexes import slices
from itemstore.projections.queries.indexes.declared import declared
from itemstore.projections.queries.indexes.making import Making
from itemstore.projections.queries.indexes.texts import text_of
from itemstore.projections.sql.checkpoints import Checkpoint, begin
from itemstore.projections.sql.database import Connection, Database
from itemstore.projections.sql.sqlite import SqliteDatabase
from itemstore.projections.sql.tables import create_tables, indexes
from tests.queries.rows import ITEMS, put

OTHER = "others"

POSITION = "1795425451000-0"


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """A database with items, the table of others being just made."""
    connection = database.writing()
    create_tables(connection, [ITEMS, OTHER])
    begin(connection, ITEMS, Checkpoint("0123456789abcdef"))
    begin(connection, OTHER, Checkpoint("0123456789abcdef", target=POSITION))
    for n in range(5):
        put(connection, f"item-{n}", {"title": f"Title {n}"})
    yield connection
    connection.close()


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "MOST_ROWS", 2)


def making(indexes: str | None = None, text: str | None = None) -> Making:
    """What the settings make."""
    return Making(declared(indexes, text, [ITEMS, OTHER]))


def complete(connection: Connection, collection: str = ITEMS) -> list[str]:
    """What is of use."""
    text = text_of(connection, collection)
    return [
        *(each.path for each in indexes(connection, collection) if each.is_complete),
        *(each.normalized for each in (text.paths if text and text.is_complete else ())),
    ]


def test_indexes_and_texts_are_made_step_by_step(connection: Connection) -> None:
    """And then there is nothing left to do."""
    work = making(f"{ITEMS}=title", f"{ITEMS}=title").work
    steps = 0
    while work(connection):
        steps += 1
    assert steps == 4 + 1 + 4
    assert complete(connection) == ["$['title']", "$['title']"]
    assert not work(connection)


def test_a_table_that_is_just_being_made_is_waited_for(connection: Connection) -> None:
    """What is declared is written from the first row on, and the SQL index made at the end."""
    work = making(f"{OTHER}=title").work
    while work(connection):
        pass
    assert [each.path for each in indexes(connection, OTHER)] == ["$['title']"]
    assert complete(connection, OTHER) == []
    connection.execute("UPDATE itemstore_checkpoints SET position = ?", (POSITION,))
    while work(connection):
        pass
    assert complete(connection, OTHER) == ["$['title']"]


def test_the_one_that_follows_decides(connection: Connection) -> None:
    """Two hosts with different settings, in turn."""
    one, other = making(f"{ITEMS}=title,size"), making(f"{ITEMS}=size", f"{ITEMS}=title")
    while one.work(connection):
        pass
    while other.work(connection):
        pass
    assert complete(connection) == ["$['size']", "$['title']"]


def test_another_database_in_the_place_is_made_too(connection: Connection, tmp_path: Path) -> None:
    """Where the file was taken away, say."""
    work = making(f"{ITEMS}=title").work
    while work(connection):
        pass
    other = SqliteDatabase(tmp_path / "other.sqlite").writing()
    create_tables(other, [ITEMS, OTHER])
    begin(other, ITEMS, Checkpoint("0123456789abcdef"))
    while work(other):
        pass
    assert complete(other) == complete(connection) == ["$['title']"]
    other.close()
