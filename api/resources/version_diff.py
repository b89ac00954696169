"""`/items/{id}/versions/{n}/diff`: what changed from one version to another."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from itemstore.api.http.cache_control import for_ever
from itemstore.api.http.json_diff import diff
from itemstore.api.http.media_types import JSON_PATCH
from itemstore.api.http.query_parameters import LAST_VERSION, Query, invalid_parameters, query
from itemstore.api.http.reply import Reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Route
from itemstore.api.openapi import operations, schemas
from itemstore.api.resources.item_history import (
    VERSION_NOT_THERE,
    version_body,
    version_number,
)
from itemstore.server.slow_work import QUICK_BYTES

router = APIRouter(route_class=Route)


class DiffQuery(Query):
    """What a version is compared with."""

    from_: Annotated[
        int | None,
        Field(
            alias="from",
            ge=1,
            le=LAST_VERSION,
            description="The version to start from; the one before without it.",
        ),
    ] = None


@router.get(
    "/items/{id}/versions/{n}/diff",
    **operations.operation(
        "diff_versions",
        {
            200: operations.answer(
                "What turns one version into the other.", content={JSON_PATCH: schemas.JSON_PATCH}
            )
        },
        problems=(*VERSION_NOT_THERE, "invalid-item-id"),
        query=DiffQuery,
        parameters=("id", "n"),
    ),
)
async def diff_versions(request: Request) -> Reply:
    """What changed from one version to another, as a JSON Patch (RFC 6902)."""
    number = version_number(request)
    wanted = query(request, DiffQuery)
    start = wanted.from_ or number - 1
    if start == 0:
        detail = "Version 1 has none before it, so name the version to compare it with."
        raise invalid_parameters([{"parameter": "from", "detail": detail}])
    async with request.context.admission.read(request.check_connected):
        after = await version_body(request, number)
        before = await version_body(request, start)
        if len(before) + len(after) > QUICK_BYTES:
            patch = await request.worked_out(lambda: _compared(before, after))
        else:
            patch = _compared(before, after)
    headers = [(b"content-type", JSON_PATCH.encode()), *for_ever(request.actor)]
    return Reply(200, headers, patch)


def _compared(before: bytes, after: bytes) -> bytes:
    """The JSON Patch from one body to another."""
    patch = diff(json.loads(before), json.loads(after))
    return json.dumps(patch, ensure_ascii=False, separators=(",", ":")).encode()
