"""A query, read from the parameters and header fields of a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from itemstore.api.http.preferences import prefers_explanation
from itemstore.api.http.problems import Problem
from itemstore.api.http.request import Request
from itemstore.api.resources.item_pages import ListQuery, fields_of
from itemstore.api.resources.query_cursors import fingerprint_of, place_of_cursor
from itemstore.domain.cursors import cursor_of, furthest
from itemstore.domain.ids import InvalidItemId, prefix_of
from itemstore.eventlog.excerpts import quoted
from itemstore.projections.queries.errors import InvalidQuery
from itemstore.projections.queries.fields import Fields
from itemstore.projections.queries.order import Order
from itemstore.projections.queries.query import Query

_NO_POSITION = "A position is <milliseconds>-<number>, as an Event-Id is."

_NO_CURSOR = (
    "A position is an Event-Id, <milliseconds>-<number>@<partition>, several of them with commas, "
    "or what the header Position of an answer said."
)


@dataclass(frozen=True, slots=True)
class AskedQuery:
    """A query as it was read from a request.

    `fingerprint` is the same for all of its pages, and `fields` are those that are shown of each
    body, None for all. `at_least` is the cursor up to which the answer has to have all events,
    None for any.
    """

    query: Query
    fingerprint: bytes
    fields: Fields | None
    at_least: str | None
    is_explained: bool


def asked_query(request: Request, wanted: ListQuery) -> AskedQuery:
    """What the parameters and header fields ask for. Raises InvalidQuery and Problem."""
    fields = None if wanted.fields is None else fields_of(wanted.fields)
    keys = 0 if wanted.order is None else len(Order.of(wanted.order).by)
    query = Query(
        request.collection.name,
        where=wanted.where,
        order=wanted.order,
        search=wanted.search,
        prefixes=_prefixes(request, wanted.prefix),
        limit=wanted.limit,
    )
    fingerprint = fingerprint_of(query, wanted.prefix)
    if wanted.after is not None:
        query = replace(query, after=place_of_cursor(wanted.after, fingerprint, keys))
    # What was looked at, and that the fewest rows were there, tells of items outside of the scope.
    explains = prefers_explanation(request.fields) and request.scope.has_every_id
    return AskedQuery(query, fingerprint, fields, _at_least(request, wanted), explains)


def _prefixes(request: Request, prefix: str) -> Sequence[str]:
    """Those of the ids that are asked for and may be seen; none at all where no id has them."""
    if prefix:
        try:
            prefix_of(prefix.encode())
        except InvalidItemId:
            return ()
    return request.scope.prefixes_within(prefix)


def _at_least(request: Request, wanted: ListQuery) -> str | None:
    """What both positions that can be asked for reach together. Raises InvalidQuery, Problem."""
    partitions = request.store.feed.partitions
    form = _NO_POSITION if partitions == 1 else _NO_CURSOR
    cursors = []
    if wanted.min_position is not None:
        cursor = cursor_of(wanted.min_position, partitions)
        if cursor is None:
            raise InvalidQuery("min_position", form)
        cursors.append(cursor)
    if (text := request.field(b"if-position")) is not None:
        cursor = cursor_of(text, partitions)
        if cursor is None:
            raise Problem("malformed-header", f"If-Position is {quoted(text)}. {form}")
        cursors.append(cursor)
    return furthest(cursors, partitions) if cursors else None
