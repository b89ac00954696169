"""`/items/{id}/versions/{n}`: an item as it was, and the way there from a date (RFC 7089)."""

from __future__ import annotations

from fastapi import APIRouter

from itemstore.api.http.cache_control import REVALIDATE, for_ever
from itemstore.api.http.dates import event_date, last_modified, parse_rfc1123_date
from itemstore.api.http.entity_tags import version_tag
from itemstore.api.http.links import item_links, version_links
from itemstore.api.http.paths import versions_path
from itemstore.api.http.preconditions import conditions_of
from itemstore.api.http.problems import Problem
from itemstore.api.http.query_parameters import refuse_query
from itemstore.api.http.reply import JSON, Headers, Reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Route
from itemstore.api.http.vary import ORIGIN, vary
from itemstore.api.openapi import operations
from itemstore.api.resources.item_history import (
    VERSION_NOT_THERE,
    body_of,
    version,
    version_head,
    version_number,
)
from itemstore.domain.events import ItemDeleted
from itemstore.domain.positions import LARGEST
from itemstore.eventlog.excerpts import quoted

router = APIRouter(route_class=Route)

VARY = vary(b"accept-datetime", *ORIGIN)
"""Of the way from a date."""


@router.get(
    "/items/{id}/versions/{n}",
    **operations.item(
        "get_version",
        {
            200: operations.answer(
                "The item as that version left it.",
                *("ETag", "Last-Modified", "Memento-Datetime", "Link"),
                content=operations.ITEM,
            ),
            304: operations.answer("The version is what the client has.", "ETag", "Last-Modified"),
            **operations.FOR_PEOPLE,
        },
        *VERSION_NOT_THERE,
        parameters=("n",),
    ),
)
async def get_version(request: Request) -> Reply:
    """The item as one version left it. It never changes, so it may be cached for ever."""
    refuse_query(request)
    number = version_number(request)
    recorded, count = await version(request, number)
    body, item = body_of(request, recorded), recorded.item
    headers = [
        (b"etag", version_tag(number)),
        (b"last-modified", last_modified(recorded.position)),
        (b"memento-datetime", event_date(recorded.position)),
        version_links(request, item, number, count),
        *for_ever(request.actor, b"accept", *ORIGIN),
    ]
    if conditions_of(request).has_version(item, number, recorded.position):
        return Reply(304, headers)
    return Reply(200, [JSON, *headers], body)


async def redirect_to_version(request: Request, date: str) -> Reply:
    """302 to the version that was current at a date: the item is its own TimeGate (§4.1)."""
    seconds = parse_rfc1123_date(date)
    if seconds is None:
        raise Problem(
            "malformed-header",
            f"Accept-Datetime is {quoted(date)}; "
            "it takes one date, as in Mon, 23 Nov 2026 08:09:06 GMT.",
        )
    # An HTTP date stands for its whole second.
    end = f"{max(seconds, 0) * 1000 + 999}-{LARGEST}"
    item = request.item_id
    # Before the first version the first is chosen (§4.5.3), also before all positions.
    number = max(1, await request.log_reader.version_at(item, end))
    head = await version_head(request, number)
    if head.type == ItemDeleted.__name__:
        raise request.not_found(number)
    headers: Headers = [
        (b"location", f"{versions_path(request.base, item)}/{number}".encode()),
        VARY,
        (b"link", item_links(request, item)),
        REVALIDATE,
    ]
    return Reply(302, headers)
