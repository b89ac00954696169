"""A query is answered: items of one page, how many there are, and as of which event."""

from __future__ import annotations

from time import monotonic

from itemstore.domain.positions import START, key_of
from itemstore.projections.queries.answering import Answer
from itemstore.projections.queries.asked import Asked
from itemstore.projections.queries.errors import QueryTooExpensive
from itemstore.projections.queries.indexes.texts import text_of
from itemstore.projections.queries.planning import Limits, Table, route_of
from itemstore.projections.queries.query import Found, Query
from itemstore.projections.sql.database import Connection, Database
from itemstore.projections.sql.errors import ReadModelBehind, SqlTooSlow, SqlUnavailable
from itemstore.projections.sql.tables import Checkpoint, checkpoint, indexes, quoted

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
        mark = _usable(checkpoint(connection, query.collection))
        columns = {
            each.path: each.column
            for each in indexes(connection, query.collection)
            if each.is_complete
        }
        searched = None
        if text is not None and text.is_complete and asked.search is not None:
            searched = text.words.condition(asked.search)
        table = Table(quoted(query.collection), columns, mark.items, searched)
        route = route_of(connection, asked, table, limits)
        answer = Answer(connection, asked, route, limits)
        try:
            page = answer.page()
            total, is_exact = answer.total()
        except RecursionError:
            raise QueryTooExpensive(
                "An item is nested too deep for the condition. Ask for its members by their names."
            ) from None
    return Found(page.items, page.next, total, is_exact, mark.position, answer.plan)


def _usable(mark: Checkpoint | None) -> Checkpoint:
    if mark is None or key_of(mark.position) < key_of(mark.target):
        position = START if mark is None else mark.position
        raise ReadModelBehind(position, BEING_MADE)
    return mark
