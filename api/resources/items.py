"""`/items`: the list in id order, and POST, which chooses the id."""

from __future__ import annotations

import json
from json import JSONEncoder
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from itemstore.api.http.cache_control import as_of
from itemstore.api.http.links import next_page
from itemstore.api.http.page_reply import PageReply, listed
from itemstore.api.http.preconditions import names_a_tag, not_modified
from itemstore.api.http.query_parameters import Limit, Query, query, refuse_query
from itemstore.api.http.reply import JSON, Reply, joined
from itemstore.api.http.request import Request
from itemstore.api.http.routing import AnyReply, Route
from itemstore.api.http.write_reply import write_reply
from itemstore.api.openapi import operations
from itemstore.api.resources.cursors import cursor_of, id_of_cursor
from itemstore.api.resources.item_writes import item_body
from itemstore.domain.commands import PutItem
from itemstore.domain.evolve import Item
from itemstore.domain.expected import ABSENT
from itemstore.domain.rfc3339 import rfc3339
from itemstore.eventlog.cloudevents import COPIED
from itemstore.eventlog.uuid7 import uuid7

router = APIRouter(route_class=Route)

_as_json = JSONEncoder(ensure_ascii=False).encode


class ListQuery(Query):
    """Which page of the list."""

    limit: Limit = 100
    after: Annotated[str | None, Field(description="The `next` of the page before.")] = None
    prefix: Annotated[str, Field(max_length=512, description="Only ids that begin with it.")] = ""


@router.get(
    "/items",
    **operations.page(
        "list_items",
        operations.answer(
            "A page of items.", "ETag", "Link", content=operations.json_of("ItemPage")
        ),
        "malformed-cursor",
        query=ListQuery,
    ),
)
async def list_items(request: Request) -> AnyReply:
    """The items that exist, by id, in pages."""
    wanted = query(request, ListQuery)
    after = None if wanted.after is None else id_of_cursor(wanted.after)
    if names_a_tag(request):
        position = await request.collection.log.reader.last_position()
        if reply := not_modified(request, as_of(position, request.scope)):
            return reply
    prefixes = request.scope.prefixes_within(wanted.prefix)
    async with request.context.admission.read(request.check_connected):
        page = await request.collection.items.page(
            after=after, prefixes=prefixes, limit=wanted.limit
        )
        cursor = cursor_of(page.items[-1].id) if page.more else None
        end = b'],"next":%s,"total":%d}' % (json.dumps(cursor).encode(), page.total)
        parts = [*joined([b'{"items":[', *await listed(page.items, _listed), end])]
    headers = [JSON, *as_of(page.position, request.scope)]
    if cursor is not None:
        headers.append(next_page(request.base, wanted, after=cursor))
    return PageReply(200, headers, parts)


@router.post(
    "/items",
    **operations.operation(
        "post_item",
        {201: operations.created("An ItemCreated was appended under a new id.")},
        problems=(*operations.SENT, "partial-put", "log-full"),
        parameters=operations.WRITE,
        body=operations.ITEM,
    ),
)
async def post_item(request: Request) -> Reply:
    """Store the item under a new id, a UUID of version 7: ids sort by the time of creation."""
    refuse_query(request)
    body = await item_body(request)
    item_id = str(uuid7())
    recorded = await request.collection.log.append(
        PutItem(item_id, body, ABSENT), request.meta, request.idempotency
    )
    return write_reply(request, recorded)


def _listed(item: Item) -> list[bytes]:
    head = (
        f'{{"id":{_as_json(item.id)},"version":{item.version},'
        f'"modified":"{rfc3339(item.position)}","item":'
    ).encode()
    body = item.body or b"null"
    return [head, body, b"}"] if len(body) > COPIED else [b"%b%b}" % (head, body)]
