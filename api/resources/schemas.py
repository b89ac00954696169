"""`/schemas/{collection}`: what a body of the collection's items must be, as a JSON Schema."""

from __future__ import annotations

import json

from fastapi import APIRouter

from itemstore.api.http.preconditions import tagged
from itemstore.api.http.problems import Problem
from itemstore.api.http.query_parameters import refuse_query
from itemstore.api.http.reply import Reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Route
from itemstore.api.openapi import operations

router = APIRouter(route_class=Route)

SCHEMA = "application/schema+json"

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


@router.get(
    "/schemas/{collection}",
    **operations.service(
        "get_schema",
        "The JSON Schema of an item's body.",
        *("not-found", "invalid-parameter"),
        content={SCHEMA: {"type": "object", "additionalProperties": True}},
        parameters=("collection", *operations.VALIDATED),
    ),
)
async def get_schema(request: Request) -> Reply:
    """What a body must be, as a JSON Schema (draft 2020-12): the collection's model."""
    refuse_query(request)
    model = request.context.models.get(request.named("collection"))
    if model is None:
        raise Problem("not-found", f"There is no collection {request.path}.")
    schema = {"$schema": _DIALECT} | model.schema("#/$defs/{model}")
    body = json.dumps(schema, ensure_ascii=False, separators=(",", ":")).encode()
    return tagged(request, Reply(200, [(b"content-type", SCHEMA.encode())], body))
