"""Walks through the rows of a collection, in an order that the database has.

A walk is cut into segments, one after the other: rows that are in one range of keys or of ids, or
right behind a place. Each is a statement with a bound on its rows, and its text depends on nothing
but the columns and their directions: what a client wrote is in the parameters.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from itemstore.projections.queries.indexes.word_tables import Condition
from itemstore.projections.queries.query import Place
from itemstore.projections.sql.database import Connection, Row, Value

ROW = ("id", "version", "position", "created_position", "body")
"""The columns of each row that is read."""

FIRST_ROWS, MOST_ROWS = 128, 2_048
"""How many rows a statement selects, at first and at most: four times as many each time."""

Span = tuple[bytes, bytes | None]
"""Keys from the first on and before the second, which None leaves open."""

IdSpan = tuple[str, str | None]
"""The same of ids."""

EVERY_KEY: tuple[Span, ...] = ((b"", None),)

EVERY_ID: tuple[IdSpan, ...] = (("", None),)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of sort keys, and the direction in which it is walked."""

    name: str
    is_descending: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """Rows next to each other: a condition, its parameters, and the columns that are the same.

    `fixed` is how many of a walk's first columns have one value in all of its rows.
    """

    condition: str
    parameters: tuple[bytes | str, ...]
    fixed: int = 0


@dataclass(frozen=True, slots=True)
class Walk:
    """Rows of a table by some columns and then by id; rows without a value come last.

    Of the rows only those whose key in the first column is in one of the `spans`, and, where it is
    `with_missing`, those without; where there are no columns, those whose id is in one of `ids`.
    Spans are in order and apart.
    """

    table: str
    columns: tuple[Column, ...] = ()
    spans: Sequence[Span] = EVERY_KEY
    with_missing: bool = True
    ids: Sequence[IdSpan] = EVERY_ID
    also: Condition | None = None

    def rows(self, connection: Connection, after: Place | None = None) -> Generator[Row]:
        """The rows after a place, read as they are asked for.

        A row is its id, version, positions of its last event and of its creation, and body, and
        then its keys in the columns. Raises SqlUnavailable.
        """
        most, segments = FIRST_ROWS, self.segments(after)
        while (segment := next(segments, None)) is not None:
            count, row = 0, None
            for row in connection.rows(self.statement(segment), self.parameters(segment, most)):
                yield row
                count += 1
            if row is not None and count == most:
                segments = self.segments(Place(row[len(ROW) :], row[0]))
                most = min(most * 4, MOST_ROWS)

    def count(self, connection: Connection, most: int) -> int:
        """How many rows there are; `most` where there are as many or more."""
        count = 0
        for segment in self.segments(None):
            if count < most:
                found = connection.one(
                    f"SELECT count(*) FROM (SELECT 1 {self._found(segment)} LIMIT ?) AS counted",  # noqa: S608 - see above
                    self.parameters(segment, most - count),
                )
                count += found[0] if found else 0
        return count

    def _found(self, segment: Segment) -> str:
        also = f" AND {self.also.sql}" if self.also else ""
        return f"FROM {self.table} WHERE {segment.condition}{also}"

    def parameters(self, segment: Segment, most: int) -> tuple[Value, ...]:
        """Those of the statement that selects so many of a segment's rows at most."""
        also = self.also.parameters if self.also else ()
        return (*segment.parameters, *also, most)

    def statement(self, segment: Segment) -> str:
        """What selects a segment's rows in order, no more of them than its last parameter says."""
        columns = ", ".join((*ROW, *(column.name for column in self.columns)))
        order = self._order(segment.fixed)
        found = f"{self._found(segment)} ORDER BY {order} LIMIT ?"
        if self._is_sorted_apart(segment.fixed):  # without dragging bodies through a sort
            found = f"FROM {self.table} WHERE id IN (SELECT id {found}) ORDER BY {order}"
        return f"SELECT {columns} {found}"

    def segments(self, after: Place | None) -> Iterator[Segment]:
        """The segments that come after a place; `after` has keys for the columns at least."""
        if not self.columns:
            yield from self._segments_by_id(after.id if after else None)
        elif after is None:
            yield from self._segments_by_key(None)
        elif (first := after.keys[0]) is None:
            if self.with_missing:
                yield from self._behind(after)
        else:
            if _is_in(first, self.spans):
                yield from self._behind(after)
            yield from self._segments_by_key(first)

    def _segments_by_id(self, after: str | None) -> Iterator[Segment]:
        for first, end in self.ids:
            start, how = (first, ">=") if after is None or after < first else (after, ">")
            if end is None:
                yield Segment(f"id {how} ?", (start,))
            elif start < end:
                yield Segment(f"id {how} ? AND id < ?", (start, end))

    def _segments_by_key(self, after: bytes | None) -> Iterator[Segment]:
        """Those whose first key is after this one, and at the end those that have none."""
        name, is_descending = self.columns[0].name, self.columns[0].is_descending
        for first, end in reversed(self.spans) if is_descending else self.spans:
            if is_descending and after is not None and (end is None or after < end):
                if first < after:
                    yield Segment(f"{name} >= ? AND {name} < ?", (first, after))
                continue
            start, how = first, ">="
            if not is_descending and after is not None and first <= after:
                start, how = after, ">"
            if end is None:
                yield Segment(f"{name} {how} ?", (start,))
            elif start < end:
                yield Segment(f"{name} {how} ? AND {name} < ?", (start, end))
        if self.with_missing:
            yield Segment(f"{name} IS NULL", (), 1)

    def _behind(self, place: Place) -> Iterator[Segment]:
        """Those behind the place whose key in the first column is the same as there."""
        same: list[str] = []
        parameters: list[bytes | str] = []
        later: list[Segment] = []
        for number, (column, key) in enumerate(zip(self.columns, place.keys, strict=False)):
            name = column.name
            if number and key is not None:
                how = "<" if column.is_descending else ">"
                missing = Segment(
                    " AND ".join((*same, f"{name} IS NULL")), (*parameters,), number + 1
                )
                beyond = Segment(
                    " AND ".join((*same, f"{name} {how} ?")), (*parameters, key), number
                )
                later += (missing, beyond)
            same.append(f"{name} IS NULL" if key is None else f"{name} = ?")
            parameters += () if key is None else (key,)
        parameters.append(place.id)
        yield Segment(" AND ".join((*same, "id > ?")), (*parameters,), len(self.columns))
        yield from reversed(later)

    def _order(self, fixed: int) -> str:
        terms = []
        for number, column in enumerate(self.columns):
            direction = " DESC" if column.is_descending and number >= fixed else ""
            if number >= max(fixed, 1):  # in the first column it is what makes it a segment
                terms.append(f"{column.name} IS NULL")
            terms.append(f"{column.name}{direction}")
        return ", ".join((*terms, "id"))

    def _is_sorted_apart(self, fixed: int) -> bool:
        """Whether the database has to sort: its indexes have one key, upwards, and then the id."""
        left = len(self.columns) - fixed
        return left > 1 or (left == 1 and (fixed > 0 or self.columns[0].is_descending))


def _is_in(key: bytes, spans: Sequence[Span]) -> bool:
    return any(first <= key and (end is None or key < end) for first, end in spans)
