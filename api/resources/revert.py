"""`/items/{id}/revert`: an earlier version becomes the current one again."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from itemstore.api.http.query_parameters import LAST_VERSION, refuse_query
from itemstore.api.http.reply import Reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Route
from itemstore.api.http.write_reply import write_reply
from itemstore.api.openapi import operations
from itemstore.api.resources.item_history import VERSION_NOT_THERE, version_body
from itemstore.api.resources.item_writes import append, stored
from itemstore.domain.commands import PutItem
from itemstore.eventlog.json_text import check_json
from itemstore.store.model_errors import InvalidItem

router = APIRouter(route_class=Route)


@router.post(
    "/items/{id}/revert",
    **operations.write(
        "revert_item",
        {
            200: operations.updated(
                "The item existed: an ItemUpdated with the version's body was appended."
            ),
            201: operations.created(
                "The item was deleted: an ItemCreated with the version's body was appended."
            ),
        },
        *VERSION_NOT_THERE,
        body=operations.json_of("Revert"),
    ),
)
async def revert_item(request: Request) -> Reply:
    """Make the item what an earlier version was: an ordinary write with that version's body."""
    refuse_query(request)
    _, document = await request.content()
    number = _wanted_version(check_json(document))
    body = await stored(request, await version_body(request, number))
    recorded = await append(request, lambda expected: PutItem(request.item_id, body, expected))
    return write_reply(request, recorded)


def _wanted_version(document: Any) -> int:
    number = document.get("version") if isinstance(document, dict) and len(document) == 1 else 0
    if isinstance(number, int | float) and not isinstance(number, bool):
        is_whole = number % 1 == 0  # 3.0 is an integer in JSON
        if is_whole and 1 <= number <= LAST_VERSION:
            return int(number)
    raise InvalidItem([("/version", 'send {"version": n}, the version to go back to, from 1')])
