"""`/items/{id}`: one item. The type of the event that was appended decides 201 or 200."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter

from itemstore.api.http.cache_control import REVALIDATE
from itemstore.api.http.dates import last_modified
from itemstore.api.http.entity_tags import VALIDATORS
from itemstore.api.http.links import item_links
from itemstore.api.http.media_types import JSON_PATCH, MERGE_PATCH
from itemstore.api.http.patch import parse
from itemstore.api.http.preconditions import conditions_of
from itemstore.api.http.query_parameters import refuse_query
from itemstore.api.http.reply import JSON_LINE, Reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Handler, Route
from itemstore.api.http.vary import ORIGIN, vary
from itemstore.api.http.write_reply import write_reply
from itemstore.api.openapi import operations, schemas
from itemstore.api.resources.item_writes import (
    append,
    item_body,
    item_body_at_hand,
    patched,
    read_and_append,
)
from itemstore.api.resources.version import redirect_to_version
from itemstore.api.short_way import ShortWay
from itemstore.domain.commands import DeleteItem, PatchItem, PutItem
from itemstore.domain.evolve import Item
from itemstore.domain.expected import ExpectedVersion
from itemstore.eventlog.batching import Caller
from itemstore.server.answer_head import FieldLines, lines_of
from itemstore.server.slow_work import QUICK_BYTES

router = APIRouter(route_class=Route)

VARY = vary(b"accept", b"accept-datetime", *ORIGIN)

_LINES = VALIDATORS + b"link: %b\r\n" + lines_of([VARY, REVALIDATE])


@router.put(
    "/items/{id}",
    **operations.write(
        "put_item",
        {
            200: operations.updated("The item existed: an ItemUpdated was appended."),
            201: operations.created("The item did not exist: an ItemCreated was appended."),
        },
        "partial-put",
        body=operations.ITEM,
    ),
)
async def put_item(request: Request) -> Reply:
    """Store the item under this id: 201 when that created it, 200 when it updated it."""
    refuse_query(request)
    body = await item_body(request)
    recorded = await append(request, lambda expected: PutItem(request.item_id, body, expected))
    return write_reply(request, recorded)


@router.patch(
    "/items/{id}",
    **operations.write(
        "patch_item",
        {200: operations.updated("An ItemUpdated was appended.")},
        *("malformed-patch", "item-not-found", "item-deleted", "patch-conflict"),
        body={MERGE_PATCH: schemas.MERGE_PATCH, JSON_PATCH: schemas.JSON_PATCH},
    ),
)
async def patch_item(request: Request) -> Reply:
    """Change a part of the item with a JSON Merge Patch or a JSON Patch."""
    refuse_query(request)
    limit = request.store.settings.max_body
    media_type, document = await request.content()
    model = request.model
    if len(document) > QUICK_BYTES:
        change = await request.worked_out(lambda: parse(media_type, document, limit))
    else:
        change = parse(media_type, document, limit)

    async def make(item: Item | None, exact: ExpectedVersion) -> PatchItem:
        before = existing_body(request, item)
        is_long = change.copies or len(before) + len(document) > QUICK_BYTES
        if is_long or model.runs_code:
            body = await request.worked_out(lambda: patched(before, change, model, limit))
        else:
            body = patched(before, change, model, limit)
        return PatchItem(request.item_id, body, exact)

    recorded = await read_and_append(request, conditions_of(request), make)
    return write_reply(request, recorded)


@router.delete(
    "/items/{id}",
    **operations.write(
        "delete_item",
        {204: operations.answer("An ItemDeleted was appended.", "Event-Id", "Event-Type")},
        *("item-not-found", "item-deleted"),
    ),
)
async def delete_item(request: Request) -> Reply:
    """Delete the item. Its history stays, and its versions go on should it be created again."""
    refuse_query(request)
    recorded = await append(request, lambda expected: DeleteItem(request.item_id, expected))
    return write_reply(request, recorded)


@router.get(
    "/items/{id}",
    **operations.item(
        "get_item",
        {
            200: operations.answer(
                "The item.", "ETag", "Last-Modified", "Link", content=operations.ITEM
            ),
            302: operations.answer(
                "The version that was current on Accept-Datetime.", "Location", "Link"
            ),
            304: operations.answer(
                "The item is still what the client has.", "ETag", "Last-Modified"
            ),
            **operations.FOR_PEOPLE,
        },
        parameters=("Accept-Datetime",),
    ),
)
async def get_item(request: Request) -> Reply:
    """The item as the last write left it, or the way to what it was (Accept-Datetime)."""
    refuse_query(request)
    if (date := request.field(b"accept-datetime")) is not None:
        return await redirect_to_version(request, date)
    return item_reply(request, await request.collection.items.get(request.item_id))


def item_reply(request: Request, item: Item | None) -> Reply:
    """The item, or 304 where the client has it. Raises ItemNotFound, and what conditions raise."""
    body = existing_body(request, item)
    assert item is not None
    lines = _LINES % (item.version, last_modified(item.position), item_links(request, item.id))
    if conditions_of(request).has_version(item.id, item.version, item.position):
        return Reply(304, FieldLines(lines))
    return Reply(200, FieldLines(JSON_LINE + lines), body)


def ask_for_item(request: Request, caller: Caller) -> bool:
    """What get_item asks; False where it would look into the past."""
    if b"accept-datetime" in request.fields:
        return False
    refuse_query(request)
    request.collection.items.get_for(caller, request.item_id)
    return True


def ask_to_put(request: Request, caller: Caller) -> bool:
    """What put_item asks; False where it would look at the item first, or run a model's code."""
    conditions = conditions_of(request)
    if request.model.runs_code or not conditions.are_of_versions:
        return False
    refuse_query(request)
    body = item_body_at_hand(request)
    expected = conditions.expected  # it may be refused, and before the id is
    command = PutItem(request.item_id, body, expected)
    request.collection.log.append_for(caller, command, request.meta)
    return True


def ask_to_delete(request: Request, caller: Caller) -> bool:
    """What delete_item asks; False where it would look at the item first."""
    conditions = conditions_of(request)
    if not conditions.are_of_versions:
        return False
    refuse_query(request)
    expected = conditions.expected
    command = DeleteItem(request.item_id, expected)
    request.collection.log.append_for(caller, command, request.meta)
    return True


SHORT_WAYS: Mapping[Handler, ShortWay] = {
    get_item: ShortWay(ask_for_item, item_reply),
    put_item: ShortWay(ask_to_put, write_reply),
    delete_item: ShortWay(ask_to_delete, write_reply),
}
"""The handlers that nearly always wait for one batch alone."""


def existing_body(request: Request, item: Item | None) -> bytes:
    """The body of an item that exists. Raises ItemNotFound for one that does not."""
    if item is None or item.body is None:
        raise request.not_found(None if item is None else item.version)
    return item.body
