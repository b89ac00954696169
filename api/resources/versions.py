"""`/items/{id}/versions`: all versions of an item, its TimeMap (RFC 7089)."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from itemstore.api.http import media_types
from itemstore.api.http.accept import preferred
from itemstore.api.http.cache_control import as_of
from itemstore.api.http.dates import event_date
from itemstore.api.http.links import origin
from itemstore.api.http.paths import versions_path
from itemstore.api.http.preconditions import not_modified
from itemstore.api.http.query_parameters import LAST_VERSION, MOST_ON_A_PAGE, Limit, Query, query
from itemstore.api.http.reply import JSON, Reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Route
from itemstore.api.http.vary import ORIGIN, vary
from itemstore.api.openapi import operations
from itemstore.api.resources.item_history import heads_at, last_change
from itemstore.domain.events import ItemDeleted
from itemstore.domain.rfc3339 import rfc3339
from itemstore.eventlog.codec import EventHead

router = APIRouter(route_class=Route)

LINK_FORMAT = "application/link-format"

VARY = vary(b"accept", *ORIGIN)


class VersionsQuery(Query):
    """Which part of the list of versions."""

    limit: Limit = MOST_ON_A_PAGE
    after: Annotated[
        int, Field(ge=0, le=LAST_VERSION, description="Only versions after this one.")
    ] = 0


@router.get(
    "/items/{id}/versions",
    **operations.page(
        "list_versions",
        operations.answer(
            "The TimeMap.",
            "ETag",
            content=operations.text_of(LINK_FORMAT) | operations.json_of("VersionList"),
        ),
        *("item-not-found", "invalid-item-id", *operations.OF_THE_PAST),
        query=VersionsQuery,
        parameters=("id",),
    ),
)
async def list_versions(request: Request) -> Reply:
    """All versions of the item and their times: its TimeMap (RFC 7089 §5)."""
    wanted = query(request, VersionsQuery)
    reader, item = request.log_reader, request.item_id
    count, position = await last_change(request)
    form = preferred(request, LINK_FORMAT, media_types.JSON)
    host = origin(request)
    headers = [VARY, *as_of(position, form, host)]
    if reply := not_modified(request, headers):
        return reply
    positions = await reader.positions(item, wanted.after, wanted.limit)
    async with request.context.admission.read(request.check_connected):
        history, looked = await heads_at(request, reader, positions, wanted.limit)
    last = wanted.after + looked
    path = versions_path(request.base, item)
    following = f"{path}?after={last}&limit={wanted.limit}" if last < count else None
    if form == media_types.JSON:
        return Reply(200, [JSON, *headers], _time_map_json(path, history, following))
    headers.append((b"content-type", LINK_FORMAT.encode()))
    return Reply(200, headers, _time_map_links(host, path, history, following))


def _time_map_json(path: str, history: list[EventHead], following: str | None) -> bytes:
    versions = [
        {
            "version": recorded.version,
            "type": recorded.type,
            "time": rfc3339(recorded.position),
            "event": recorded.id,
            "href": f"{path}/{recorded.version}",
        }
        for recorded in history
    ]
    return json.dumps({"versions": versions, "next": following}, separators=(",", ":")).encode()


def _time_map_links(host: str, path: str, history: list[EventHead], following: str | None) -> bytes:
    url = host + path
    mementos = [each for each in history if each.type != ItemDeleted.__name__]
    listed = [
        f'<{url.removesuffix("/versions")}>; rel="original timegate latest-version"',
        f'<{url}>; rel="self timemap version-history"; type="application/link-format"',
    ]
    if following:
        listed.append(f'<{host}{following}>; rel="timemap next"; type="application/link-format"')
    for each in mementos:
        date = event_date(each.position).decode()
        listed.append(f'<{url}/{each.version}>; rel="memento"; datetime="{date}"')
    return ",\n".join(listed).encode()
