"""`/items`: the list in id order, the way to queries, and POST, which chooses the id."""

from __future__ import annotations

import json

from fastapi import APIRouter

from itemstore.api.http.cache_control import as_of
from itemstore.api.http.links import next_page
from itemstore.api.http.page_reply import PageReply, listed
from itemstore.api.http.preconditions import names_a_tag, not_modified
from itemstore.api.http.query_parameters import query, refuse_query
from itemstore.api.http.reply import JSON, Reply, joined
from itemstore.api.http.request import Request
from itemstore.api.http.routing import AnyReply, Route
from itemstore.api.http.vary import BY_ACCEPT
from itemstore.api.http.write_reply import write_reply
from itemstore.api.openapi import operations
from itemstore.api.resources.cursors import cursor_of, id_of_cursor
from itemstore.api.resources.item_pages import (
    OF_A_QUERY,
    ListQuery,
    fields_of,
    listed_item,
    only_fields,
)
from itemstore.api.resources.item_queries import query_items
from itemstore.api.resources.item_writes import item_body, new_id
from itemstore.domain.commands import PutItem
from itemstore.domain.expected import ABSENT
from itemstore.domain.partitions import partition_of
from itemstore.engine.errors import LogOverloaded, LogUnavailable

router = APIRouter(route_class=Route)


@router.get(
    "/items",
    **operations.page(
        "list_items",
        operations.answer(
            "A page of items.",
            *("ETag", "Link", "Position", "Preference-Applied"),
            content=operations.json_of("ItemPage"),
        ),
        *("malformed-cursor", "invalid-query", "query-too-expensive", "queries-off"),
        *("read-model-behind", "read-model-unavailable"),
        query=ListQuery,
        parameters=("If-Position", "Prefer-explain"),
        others=operations.FOR_PEOPLE,
    ),
)
async def list_items(request: Request) -> AnyReply:
    """The items that exist, by id or as a query finds them, in pages."""
    wanted = query(request, ListQuery)
    if not OF_A_QUERY.isdisjoint(wanted.model_fields_set) or b"if-position" in request.fields:
        return await query_items(request, wanted)
    fields = None if wanted.fields is None else fields_of(wanted.fields)
    after = None if wanted.after is None else id_of_cursor(wanted.after)
    if names_a_tag(request):
        position = await request.collection.items.as_of()
        if reply := not_modified(request, [BY_ACCEPT, *as_of(position, request.scope)]):
            return reply
    prefixes = request.scope.prefixes_within(wanted.prefix)
    async with request.context.admission.read(request.check_connected):
        page = await request.collection.items.page(
            after=after, prefixes=prefixes, limit=wanted.limit
        )
        cursor = cursor_of(page.items[-1].id) if page.more else None
        items = page.items if fields is None else await only_fields(request, fields, page.items)
        end = b'],"next":%s,"total":%d}' % (json.dumps(cursor).encode(), page.total)
        parts = [*joined([b'{"items":[', *await listed(items, listed_item), end])]
    headers = [JSON, BY_ACCEPT, *as_of(page.position, request.scope)]
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
    item_id = new_id(request)
    try:
        recorded = await request.collection.log.append(
            PutItem(item_id, body, ABSENT), request.meta, request.idempotency
        )
    except LogOverloaded:
        raise
    except LogUnavailable:  # it may have left an event, so no other id is tried
        request.context.health.doubt(partition_of(item_id, len(request.store.sections)))
        raise
    return write_reply(request, recorded)
