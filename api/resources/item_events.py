"""`/items/{id}/events`: the events of one item, oldest or newest first."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from itemstore.api.http.cache_control import as_of
from itemstore.api.http.preconditions import not_modified
from itemstore.api.http.query_parameters import Limit, Query, query
from itemstore.api.http.request import Request
from itemstore.api.http.routing import AnyReply, Route
from itemstore.api.http.vary import BY_ACCEPT
from itemstore.api.openapi import operations
from itemstore.api.resources.cursors import (
    AfterEvent,
    OfLog,
    check_same_log,
    feed_of_item,
    position_of_item,
)
from itemstore.api.resources.event_pages import page_reply
from itemstore.api.resources.item_history import last_change

router = APIRouter(route_class=Route)


class HistoryQuery(Query):
    """Which events of one item."""

    after: AfterEvent = None
    log: OfLog = None
    limit: Limit = 100
    order: Annotated[
        Literal["asc", "desc"], Field(description="Oldest first, or newest first.")
    ] = "asc"


@router.get(
    "/items/{id}/events",
    **operations.page(
        "list_item_events",
        operations.answer(
            "The item's events.", "ETag", "Link", "Log-Id", content=operations.EVENTS
        ),
        *("item-not-found", "malformed-cursor", "other-log", "invalid-item-id"),
        *operations.OF_THE_PAST,
        query=HistoryQuery,
        parameters=("id",),
    ),
)
async def item_events(request: Request) -> AnyReply:
    """The item's own events, oldest or newest first."""
    wanted = query(request, HistoryQuery)
    reader = request.log_reader
    place = await position_of_item(request, reader, wanted.after, wanted.log)
    item = request.item_id
    count, position = await last_change(request)
    headers = [BY_ACCEPT, *as_of(position)]
    if reply := not_modified(request, headers):
        return reply
    seen = None if wanted.after is None else await reader.version_at(item, place)
    async with request.context.admission.read(request.check_connected):
        if wanted.order == "asc":
            found = await reader.history(item, seen or 0, wanted.limit)
            more = bool(found) and found[-1].version < count
        else:
            # Going backwards, what comes after a position is before it in the log.
            last = count if seen is None else await _before(request, place, seen)
            first = max(0, last - wanted.limit)
            found = (
                await reader.history(item, first, last - first, newest_first=True) if last else []
            )
            more = bool(found) and found[-1].version > 1
        await check_same_log(request, feed_of_item(request))
        following = found[-1].id if more and found else None
        return await page_reply(request, found, wanted, following, headers)


async def _before(request: Request, after: str | None, version: int) -> int:
    """The last version before a position, at which the item had `version`."""
    if version == 0:
        return 0
    at = await request.log_reader.positions(request.item_id, version - 1, 1)
    return version - 1 if at and at[0].decode() == after else version
