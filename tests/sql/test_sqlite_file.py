"""The file and its write-ahead log: copied one into the other, whoever reads meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from itemstore.projections.sql import sqlite_writing
from itemstore.projections.sql.database import Connection
from itemstore.projections.sql.sqlite import SqliteDatabase


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The write-ahead log is copied when it has some pages."""
    monkeypatch.setattr(sqlite_writing, "COPIED_AT", 100_000)
    monkeypatch.setattr(sqlite_writing, "_WAIT_MS", 1)


@pytest.fixture
def database(tmp_path: Path) -> SqliteDatabase:
    """A file that is not there yet."""
    return SqliteDatabase(tmp_path / "queries.sqlite")


@pytest.fixture
def writer(database: SqliteDatabase) -> Iterator[Connection]:
    """A connection that writes, and a table."""
    with closing(database.writing()) as connection:
        connection.execute("CREATE TABLE numbers (n INTEGER, text TEXT)")
        yield connection


def write(writer: Connection, *numbers: int) -> None:
    """Adds rows of some kilobytes, each in a transaction."""
    for number in numbers:
        with writer.transaction():
            writer.execute("INSERT INTO numbers VALUES (?, ?)", (number, "x" * 5000))


def bytes_of_log(database: SqliteDatabase) -> int:
    """How large the write-ahead log is."""
    return database.path.with_name(database.path.name + "-wal").stat().st_size


def test_the_write_ahead_log_stays_small(database: SqliteDatabase, writer: Connection) -> None:
    """It is copied again and again, and the file counts how often."""
    for number in range(0, 200, 10):
        write(writer, *range(number, number + 10))
        assert writer.is_current()
    assert bytes_of_log(database) <= 110_000
    assert database.path.stat().st_size > 900_000


def test_one_that_reads_is_not_waited_for_and_sees_one_moment(
    database: SqliteDatabase, writer: Connection
) -> None:
    """The write-ahead log grows while it does, and is copied after that."""
    write(writer, *range(10))
    with closing(database.reading()) as reader, reader.transaction():
        assert reader.one("SELECT count(*) FROM numbers") == (10,)
        write(writer, *range(10, 100))
        assert writer.is_current()
        assert bytes_of_log(database) > 400_000
        assert reader.one("SELECT count(*) FROM numbers") == (10,)
    write(writer, *range(100, 103))
    assert writer.is_current()
    assert bytes_of_log(database) <= 110_000
    with closing(database.reading()) as reader:
        assert reader.one("SELECT count(*) FROM numbers") == (103,)


def test_a_file_that_was_copied_to_in_part_is_no_damaged_one(
    database: SqliteDatabase, writer: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its head tells of pages that wait for the end of one that reads."""
    monkeypatch.setattr(sqlite_writing, "COPIED_AT", 0)
    with closing(database.reading()) as reader, closing(database.reading()) as later:
        with reader.transaction():
            assert reader.one("SELECT count(*) FROM numbers") == (0,)
            write(writer, *range(10))
            later.execute("BEGIN")
            assert later.one("SELECT count(*) FROM numbers") == (10,)
        with writer.transaction():
            writer.execute("UPDATE numbers SET text = ? WHERE n = 9", ("y" * 5000,))
        assert writer.is_current()
        later.execute("COMMIT")
    write(writer, 10)
    assert bytes_of_log(database) == 0


def test_two_that_write_take_turns_and_both_find_the_file_sound(
    database: SqliteDatabase, writer: Connection
) -> None:
    """A command may write while the one that follows does."""
    with closing(database.writing()) as other:
        for number in range(60):
            write(other if number % 3 else writer, number)
            assert writer.is_current()
            assert other.is_current()
    assert writer.is_current()
    assert writer.one("SELECT count(*) FROM numbers") == (60,)
