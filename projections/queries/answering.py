"""A page of items is made on its route, and what is on all pages counted."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from itemstore.domain.evolve import Item
from itemstore.projections.queries.asked import Asked
from itemstore.projections.queries.errors import QueryTooExpensive
from itemstore.projections.queries.indexes.bodies import value_of
from itemstore.projections.queries.indexes.word_tables import Condition
from itemstore.projections.queries.planning import Limits, Route
from itemstore.projections.queries.query import Place, Plan
from itemstore.projections.queries.ranking import Lowest
from itemstore.projections.queries.sort_keys import END
from itemstore.projections.queries.walks import ROW, IdSpan, Walk
from itemstore.projections.sql.database import Connection, Row

IDS_AT_ONCE = 32
"""Items that are read by their ids with one statement."""


@dataclass(frozen=True, slots=True)
class Page:
    """Items, and the place behind them where more may follow."""

    items: Sequence[Item]
    next: Place | None


class Enough(Exception):
    """As many rows were looked at as may be: from the one at the first place to the last's."""

    def __init__(self, first: Place, last: Place) -> None:
        super().__init__()
        self.first, self.last = first, last


class Answer:
    """A query that is being answered on its route, within a transaction that reads.

    `looked_at` counts the rows. Everything raises SqlUnavailable.
    """

    def __init__(self, connection: Connection, asked: Asked, route: Route, limits: Limits) -> None:
        self._connection = connection
        self._asked = asked
        self._route = route
        self._limits = limits
        self._walk = self._inside(route.source.walk)
        self._came_from, self._sorted_by = route.source.path, "memory"
        self._after = asked.rank_of(asked.after) if asked.after else None
        self._total: int | None = None
        self.looked_at = 0

    def page(self) -> Page:
        """The page. Raises QueryTooExpensive."""
        route, asked = self._route, self._asked
        if route.ordered is not None:
            has_whole_order = route.sorted_paths == len(asked.order.by)
            walked = self._walked if has_whole_order else self._walked_by_groups
            page = walked(self._inside(route.ordered.walk))
            if page is not None:
                self._came_from, self._sorted_by = route.ordered.path, "index"
                return page
        return self._sorted()

    @property
    def plan(self) -> Plan:
        """How it was answered."""
        return Plan(self._came_from, self._sorted_by, self.looked_at)

    def total(self) -> tuple[int, bool]:
        """How many there are on all pages, or at least so many where the second is false."""
        source = self._route.source
        if source.is_exact:
            return source.rows, source.rows < source.bound
        if self._total is not None:
            return self._total, True
        count = 0
        with closing(self._matching(self._walk, None, self._limits.counted_rows)) as matching:
            try:
                for _ in matching:
                    count += 1
            except Enough:
                return count, False
        return count, True

    def _inside(self, walk: Walk) -> Walk:
        """The walk without rows whose ids are not asked for.

        A caller may not see these. A page that ends early goes on behind the row that was looked at
        last, and a total is counted up to so many rows: neither may tell of an item that is not
        asked for, nor may a long stretch of such keep the caller from the end.
        """
        if self._asked.has_every_id or not walk.columns:
            return walk
        ids = _in_spans(self._asked.ids)
        if walk.also is not None:
            ids = Condition(f"{walk.also.sql} AND {ids.sql}", walk.also.parameters + ids.parameters)
        return replace(walk, also=ids)

    def _walked(self, walk: Walk) -> Page | None:
        """A page by a walk that has the whole order; None where the source has to be looked at."""
        items: list[Item] = []
        size = 0
        place: Place | None = None
        with closing(self._matching(walk, self._asked.after, self._route.most)) as matching:
            try:
                for row, value in matching:
                    item = _item_of(row)
                    size += len(item.body or b"")
                    if len(items) == self._asked.limit or (
                        items and size > self._limits.page_bytes
                    ):
                        return Page(items, place)
                    items.append(item)
                    place = self._asked.place_of(item.id, value)
            except Enough as enough:
                return None if self._route.may_turn else Page(items, enough.last)
        return Page(items, None)

    def _walked_by_groups(self, walk: Walk) -> Page | None:
        """The same by a walk that has the first part of the order: memory sorts what is equal."""
        asked, count = self._asked, self._route.sorted_paths
        after = asked.after and Place(asked.after.keys[:count], "")
        lowest = Lowest[Place](asked.limit + 1)
        keys: Row = ()
        added = 0
        with closing(self._matching(walk, after, self._route.most)) as matching:
            try:
                for row, value in matching:
                    if added > asked.limit and row[len(ROW) :] != keys:
                        break
                    keys = row[len(ROW) :]
                    added += self._add(lowest, row, value)
            except Enough as enough:
                return None if self._route.may_turn else self._whole_groups(lowest, enough)
        return self._read([*lowest], is_last=True)

    def _whole_groups(self, lowest: Lowest[Place], enough: Enough) -> Page:
        """A page that ends before the rows that are equal to the last one: there may be more."""
        count = self._route.sorted_paths
        last = enough.last.keys[:count]
        places = [place for place in lowest if place.keys[:count] != last]
        if places:
            return self._read(places, is_last=False)
        if enough.first.keys[:count] == last:
            raise self._too_many_equal()
        return Page((), self._before_those_equal_to(enough.last))

    def _before_those_equal_to(self, place: Place) -> Place:
        """A place before all that are equal to this one by what is indexed."""
        count = self._route.sorted_paths
        lowest = (END if each.descending else b"" for each in self._asked.order.by[count:])
        return Place((*place.keys[:count], *lowest), place.id)

    def _sorted(self) -> Page:
        """A page for which all rows of the source are looked at."""
        lowest = Lowest[Place](self._asked.limit + 1)
        self._total = 0
        for row, value in self._matching(self._walk, None, None):
            self._total += 1
            self._add(lowest, row, value)
        return self._read([*lowest], is_last=True)

    def _add(self, lowest: Lowest[Place], row: Row, value: Any) -> bool:
        """Adds the place of an item, if it comes after the one that is asked for."""
        place = self._asked.place_of(row[0], value)
        rank = self._asked.rank_of(place)
        is_after = self._after is None or self._after < rank
        if is_after:
            lowest.add(rank, place)
        return is_after

    def _matching(
        self, walk: Walk, after: Place | None, most: int | None
    ) -> Generator[tuple[Row, Any]]:
        """The rows of a walk that are asked for, with their bodies as values.

        Raises Enough where there are more rows than may be looked at.
        """
        asked, count = self._asked, 0
        first: Row = ()
        last: Row = ()
        with closing(walk.rows(self._connection, after)) as rows:
            for row in rows:
                if count == most:
                    places = (asked.place_of(each[0], value_of(each[4])) for each in (first, last))
                    raise Enough(*places)
                first, last = first or row, row
                count += 1
                self.looked_at += 1
                value = value_of(row[4])
                if asked.matches(value):
                    yield row, value

    def _read(self, places: Sequence[Place], *, is_last: bool) -> Page:
        """The page of the items at the places, one of which may be too many."""
        limit, size = self._asked.limit, 0
        items: list[Item] = []
        for start in range(0, min(len(places), limit), IDS_AT_ONCE):
            ids = [place.id for place in places[start : min(start + IDS_AT_ONCE, limit)]]
            found = self._items(ids)
            for id_ in ids:
                size += len(found[id_].body or b"")
                if items and size > self._limits.page_bytes:
                    return Page(items, places[len(items) - 1])
                items.append(found[id_])
        has_more = len(places) > limit or not is_last
        return Page(items, places[len(items) - 1] if has_more else None)

    def _items(self, ids: Sequence[str]) -> dict[str, Item]:
        padded = (*ids, *[ids[-1]] * (IDS_AT_ONCE - len(ids)))  # one statement, whatever the number
        marks = ", ".join("?" * IDS_AT_ONCE)
        rows = self._connection.rows(
            f"SELECT {', '.join(ROW)} FROM {self._route.source.walk.table} WHERE id IN ({marks})",  # noqa: S608
            padded,
        )
        return {row[0]: _item_of(row) for row in rows}

    def _too_many_equal(self) -> QueryTooExpensive:
        route = self._route
        index = str(self._asked.order.by[route.sorted_paths].path)
        return QueryTooExpensive(
            f"More than {route.most:,} items would be sorted that are equal by what is indexed. An "
            f"index on {index} would help, or a narrower condition.",
            index,
        )


def _in_spans(spans: Sequence[IdSpan]) -> Condition:
    """Whether an id is in one of the spans."""
    sql: list[str] = []
    parameters: list[str] = []
    for first, end in spans:
        sql.append("id >= ?" if end is None else "id >= ? AND id < ?")
        parameters += [first] if end is None else [first, end]
    return Condition(f"({' OR '.join(sql) or '1 = 0'})", tuple(parameters))


def _item_of(row: Row) -> Item:
    id_, version, position, created, body = row[: len(ROW)]
    return Item(id_, version, position, created, body.encode())
