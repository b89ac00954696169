"""How a query is answered: which rows are looked at, and who sorts them.

Each index whose path the expression says something of narrows the rows to some ranges of keys; that
of the fewest rows is taken. The page is then made in one of two ways: all of these rows are looked
at, and memory sorts; or the rows are walked through in the order asked for, from the page's
beginning on, until the page is full.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf

from itemstore.projections.queries.asked import Asked
from itemstore.projections.queries.errors import QueryTooExpensive
from itemstore.projections.queries.indexes.word_tables import Condition
from itemstore.projections.queries.paths import path_written
from itemstore.projections.queries.ranges import ranges_of
from itemstore.projections.queries.walks import Column, Walk
from itemstore.projections.sql.database import Connection


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a query may take.

    It looks at `rows` at most to make a page, and at so many of `counted_rows` to say how many
    there are on all pages. The bodies of a page have `page_bytes` together, or there is one only.
    """

    rows: int
    counted_rows: int = 10_000
    page_bytes: int = 8_388_608


@dataclass(frozen=True, slots=True)
class Source:
    """Rows among which is all that is asked for.

    `path` is that of the index that they come from, None where there is none. `rows` is how many
    there are, or `bound` where there are as many or more. `is_exact` where all are asked for.
    """

    walk: Walk
    path: str | None
    rows: int
    is_exact: bool
    bound: float = inf


@dataclass(frozen=True, slots=True)
class Table:
    """A collection's table: its name as SQL has it, its complete indexes, and how many rows it has.

    `columns` are those of sort keys, by the normalized spelling of their paths. `searched` is what
    is true of the rows that have what is searched for.
    """

    name: str
    columns: Mapping[str, str]
    rows: int
    searched: Condition | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """How a query is answered.

    `source` has the fewest rows. Where `ordered` is there, the page is made by its walk, which has
    the order of so many first paths (`sorted_paths`), and memory only sorts what is equal by these.
    `most` is how many rows it may look at; behind them the page ends, or, where `may_turn`, the
    source is looked at instead.
    """

    source: Source
    ordered: Source | None = None
    sorted_paths: int = 0
    most: int = 0
    may_turn: bool = False


def route_of(connection: Connection, asked: Asked, table: Table, limits: Limits) -> Route:
    """How it is answered within the limits.

    Raises QueryTooExpensive, and SqlUnavailable.
    """
    everything = _everything(connection, asked, table, limits)
    by_path = _by_path(connection, asked, table, limits)
    sources = [*by_path.values(), everything]
    if table.searched is not None:
        sources.append(_by_words(connection, asked, table, limits))
    source = min(sources, key=lambda each: (each.rows, not each.is_exact))
    columns = _ordering_columns(asked, table)
    if source.rows > limits.rows:
        if source is everything and not source.is_exact:
            raise _without_index(asked, limits)
        if asked.order.by and not columns:
            raise _without_order(asked, limits)
    if asked.order.by and not columns:
        return Route(source)
    first = _first_in_order(asked, table, columns, by_path) or everything
    rows = first.rows if first.rows <= limits.rows else table.rows
    if source.rows <= min(limits.rows, _cost(asked, source, rows, limits)):
        return Route(source)
    return Route(
        source,
        first,
        len(columns),
        min(limits.rows, source.rows),
        may_turn=source.rows <= limits.rows,
    )


def _everything(connection: Connection, asked: Asked, table: Table, limits: Limits) -> Source:
    walk = Walk(table.name, ids=asked.ids)
    is_exact = asked.where is None and asked.search is None
    if asked.has_every_id:
        return Source(walk, None, table.rows, is_exact)
    return _counted(connection, walk, None, limits, is_exact=is_exact)


def _by_path(
    connection: Connection, asked: Asked, table: Table, limits: Limits
) -> Mapping[str, Source]:
    """What each index narrows it to, by its path."""
    found: dict[str, Source] = {}
    if asked.where is None:
        return found
    for path, column in table.columns.items():
        ranges = ranges_of(asked.where, path_written(path))
        if ranges is not None:
            walk = Walk(table.name, (Column(column),), ranges.ranges, ranges.with_missing)
            is_exact = ranges.is_exact and asked.has_every_id and asked.search is None
            found[path] = _counted(connection, walk, path, limits, is_exact=is_exact)
    return found


def _by_words(connection: Connection, asked: Asked, table: Table, limits: Limits) -> Source:
    assert asked.search is not None
    walk = Walk(table.name, ids=asked.ids, also=table.searched)
    is_exact = asked.where is None and not asked.search.has_phrases
    return _counted(connection, walk, "search", limits, is_exact=is_exact)


def _counted(
    connection: Connection, walk: Walk, path: str | None, limits: Limits, *, is_exact: bool
) -> Source:
    """The source that a walk is. Its rows are counted up to one more than may be looked at."""
    most = limits.rows + 1
    return Source(walk, path, walk.count(connection, most), is_exact, most)


def _ordering_columns(asked: Asked, table: Table) -> tuple[Column, ...]:
    """The columns of the first paths that it is ordered by, as far as these are indexed."""
    columns: list[Column] = []
    for each in asked.order.by:
        column = table.columns.get(each.path.normalized)
        if column is None:
            break
        columns.append(Column(column, each.descending))
    return (*columns,)


def _first_in_order(
    asked: Asked, table: Table, columns: tuple[Column, ...], by_path: Mapping[str, Source]
) -> Source | None:
    """The rows in the order of the columns, as few of them as is known; None for that of ids."""
    if not columns:
        return None
    path = asked.order.by[0].path.normalized
    found = by_path.get(path)
    if found is None:
        return Source(Walk(table.name, columns), path, table.rows, is_exact=False)
    return replace(found, walk=replace(found.walk, columns=columns))


def _cost(asked: Asked, source: Source, rows: int, limits: Limits) -> float:
    """How many rows are looked at, more or less, where a walk through so many makes the page.

    It goes by the source's rows as if they all were asked for, and lay evenly among those.
    """
    until_full = (asked.limit + 1) * rows / max(1, source.rows)
    return min(until_full, rows) + (0 if source.is_exact else min(source.rows, limits.counted_rows))


def _without_index(asked: Asked, limits: Limits) -> QueryTooExpensive:
    index = next(iter(asked.helpful_paths), None)
    advice = (
        f"An index on {index} would help"
        if index is not None
        else "No index would help with such a condition"
    )
    return QueryTooExpensive(
        f"More than {limits.rows:,} items would be looked at. {advice}; a prefix of ids narrows it "
        "too.",
        None if index is None else str(index),
    )


def _without_order(asked: Asked, limits: Limits) -> QueryTooExpensive:
    index = str(asked.order.by[0].path)
    return QueryTooExpensive(
        f"More than {limits.rows:,} items would be sorted. An index on {index} would help, or a "
        "narrower condition.",
        index,
    )
