"""A query is answered: items of one page, how many there are, and as of which event."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from itemstore.domain.cursors import cursor_at
from itemstore.domain.positions import START
from itemstore.projections.queries.answering import Answer
from itemstore.projections.queries.asked import Asked
from itemstore.projections.queries.errors import QueryTooExpensive
from itemstore.projections.queries.indexes.texts import text_of
from itemstore.projections.queries.planning import Limits, Table, route_of
from itemstore.projections.queries.query import Found, Query
from itemstore.projections.sql.checkpoints import Checkpoint, checkpoints, is_made
from itemstore.projections.sql.database import Connection, Database
from itemstore.projections.sql.errors import ReadModelBehind, SqlTooSlow, SqlUnavailable
from itemstore.projections.sql.tables import indexes, quoted

BEING_MADE = "What queries are answered from is just being made."

AT_ONCE = 1.0
"""Seconds within which it shows that a connection has ended; one that hangs takes longer."""

_open: dict[Database, Connection] = {}
"""The connection of this process, which answers one query after the other."""


def found_in(database: Database, query: Query, limits: Limits) -> Found:
    """What a query finds in a database within the limits.

    The connection is kept for the next one. Raises what `found` raises.
    """
    began = monotonic()
    connection, is_new = _open.get(database), False
    if connection is None or not connection.is_current():
        if connection is not None:
            connection.close()
        connection, is_new = database.reading(), True
        _open[database] = connection
    try:
        return found(connection, query, limits)
    except SqlTooSlow as error:
        raise QueryTooExpensive(f"The query takes longer than it may. {error}") from error
    except SqlUnavailable:
        _open.pop(database).close()
        if is_new or monotonic() - began > AT_ONCE:
            raise
    return found_in(database, query, limits)  # it may have ended since the query before


def found(connection: Connection, query: Query, limits: Limits) -> Found:
    """What a query finds within the limits.

    All of it is of one moment. Raises InvalidQuery, QueryTooExpensive, ReadModelBehind where the
    table is just being made, and SqlUnavailable.
    """
    with connection.transaction():
        text = None if query.search is None else text_of(connection, query.collection)
        asked = Asked.of(query, text.paths if text else query.text)
        marks = _usable(checkpoints(connection, query.collection), query.partitions)
        columns = {
            each.path: each.column
            for each in indexes(connection, query.collection)
            if each.is_complete
        }
        searched = None
        if text is not None and text.is_complete and asked.search is not None:
            searched = text.words.condition(asked.search)
        table = Table(
            quoted(query.collection), columns, sum(each.items for each in marks), searched
        )
        route = route_of(connection, asked, table, limits)
        answer = Answer(connection, asked, route, limits)
        try:
            page = answer.page()
            total, is_exact = answer.total()
        except RecursionError:
            raise QueryTooExpensive(
                "An item is nested too deep for the condition. Ask for its members by their names."
            ) from None
    return Found(
        page.items, page.next, total, is_exact, as_of(marks, query.partitions), answer.plan
    )


def as_of(marks: Sequence[Checkpoint], partitions: int) -> str:
    """The cursor of the last event that a table has of each partition."""
    positions = {each.partition: each.position for each in marks}
    return cursor_at([positions.get(number, START) for number in range(partitions)])


def _usable(marks: Sequence[Checkpoint], partitions: int) -> Sequence[Checkpoint]:
    if not is_made(marks, partitions):
        raise ReadModelBehind(as_of(marks, partitions), BEING_MADE)
    return marks
