"""What OpenAPI says of the resources: parameters, bodies, statuses and headers.

Routes are called with the request as it came, so nothing can be read off their signatures; what
they take and give is written down here. tests/contract holds it against the running server.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from api.model import ItemModel
from api.patch import JSON_PATCH, MERGE_PATCH
from api.problems import PROBLEM_TYPES

Description = dict[str, Any]

Responses = dict[int | str, Description]

ITEM = "Item"
"""The name that these descriptions use for the model; the document has the model's own."""

DESCRIPTION = """\
An event-sourced item store. Every write is an event in a log; the type of the event that a PUT
appended decides whether it answers 201 (ItemCreated) or 200 (ItemUpdated)."""


def _ref(section: str, name: str) -> Description:
    return {"$ref": f"#/components/{section}/{name}"}


def _headers(*names: str) -> Description:
    return {name: _ref("headers", name) for name in names}


def _answer(description: str, *headers: str, schema: Description | None = None) -> Description:
    answer: Description = {"description": description}
    if headers:
        answer["headers"] = _headers(*headers)
    if schema is not None:
        answer["content"] = {"application/json": {"schema": schema}}
    return answer


def _problems(*slugs: str) -> Responses:
    """Responses for these problem types, by status."""
    by_status: dict[int, list[str]] = {}
    for slug in (*slugs, "internal-error", "log-unavailable"):
        by_status.setdefault(PROBLEM_TYPES[slug].status, []).append(slug)
    return {status: _problem(status, same) for status, same in sorted(by_status.items())}


def _problem(status: int, slugs: list[str]) -> Description:
    names = " or ".join(f"`{slug}`" for slug in slugs)
    titles = "; ".join(PROBLEM_TYPES[slug].title for slug in slugs)
    answer: Description = {
        "description": f"{titles} ({names}).",
        "content": {"application/problem+json": {"schema": _ref("schemas", "Problem")}},
    }
    if headers := _PROBLEM_HEADERS.get(status):
        answer["headers"] = _headers(*headers)
    return answer


_PROBLEM_HEADERS = {412: ["ETag"], 415: ["Accept"], 428: ["ETag"], 503: ["Retry-After"]}

_WRITTEN = ("ETag", "Last-Modified", "Event-Id", "Event-Type")

_ITEM = _ref("schemas", ITEM)

_WITHOUT_BODY = _answer(
    "Done, answered without the item (`Prefer: return=minimal`).", *_WRITTEN, "Preference-Applied"
)

_WRITE_CONDITIONS = ("If-Match", "If-None-Match", "If-Unmodified-Since")

_SENT = ("malformed-json", "content-too-large", "unsupported-media-type", "invalid-item")


def _operation(
    name: str,
    responses: Responses,
    *,
    parameters: tuple[str, ...] = (),
    body: Description | None = None,
) -> Description:
    """The options of a FastAPI route that describe it."""
    extra: Description = {}
    if parameters:
        extra["parameters"] = [_ref("parameters", parameter) for parameter in parameters]
    if body is not None:
        extra["requestBody"] = {
            "required": True,
            "content": {media_type: {"schema": schema} for media_type, schema in body.items()},
        }
    return {
        "operation_id": name,
        "response_class": Response,
        "status_code": min(status for status in responses if isinstance(status, int)),
        "responses": responses,
        "openapi_extra": extra,
        "tags": ["items"],
    }


PUT_ITEM = _operation(
    "put_item",
    {
        200: _answer(
            "The item existed: an ItemUpdated was appended.",
            *_WRITTEN, "Content-Location", schema=_ITEM,
        ),
        201: _answer(
            "The item did not exist: an ItemCreated was appended.",
            *_WRITTEN, "Content-Location", "Location", schema=_ITEM,
        ),
        204: _WITHOUT_BODY,
        **_problems(
            *_SENT, "malformed-header", "partial-put", "unexpected-version",
            "precondition-required", "invalid-item-id", "log-full",
        ),
    },
    parameters=("id", *_WRITE_CONDITIONS, "Prefer", "traceparent"),
    body={"application/json": _ITEM},
)  # fmt: skip

PATCH_ITEM = _operation(
    "patch_item",
    {
        200: _answer(
            "An ItemUpdated was appended.", *_WRITTEN, "Content-Location", schema=_ITEM
        ),
        204: _WITHOUT_BODY,
        **_problems(
            *_SENT, "malformed-header", "malformed-patch", "item-not-found", "item-deleted",
            "patch-conflict", "unexpected-version", "precondition-required", "invalid-item-id",
            "log-full",
        ),
    },
    parameters=("id", *_WRITE_CONDITIONS, "Prefer", "traceparent"),
    body={
        MERGE_PATCH: {"type": "object"},
        JSON_PATCH: {"type": "array", "items": _ref("schemas", "PatchOperation")},
    },
)  # fmt: skip

DELETE_ITEM = _operation(
    "delete_item",
    {
        204: _answer("An ItemDeleted was appended.", "Event-Id", "Event-Type"),
        **_problems(
            "malformed-header", "item-not-found", "item-deleted", "unexpected-version",
            "precondition-required", "invalid-item-id", "log-full",
        ),
    },
    parameters=("id", *_WRITE_CONDITIONS, "traceparent"),
)  # fmt: skip

GET_ITEM = _operation(
    "get_item",
    {
        200: _answer("The item.", "ETag", "Last-Modified", schema=_ITEM),
        304: _answer("The item is still what the client has.", "ETag", "Last-Modified"),
        **_problems(
            "malformed-header", "item-not-found", "item-deleted", "unexpected-version",
            "invalid-item-id",
        ),
    },
    parameters=("id", *_WRITE_CONDITIONS, "If-Modified-Since"),
)  # fmt: skip

LIST_ITEMS = _operation(
    "list_items",
    {
        200: _answer("A page of items.", "Link", schema=_ref("schemas", "ItemPage")),
        **_problems("malformed-cursor", "invalid-parameter"),
    },
    parameters=("limit", "after", "prefix"),
)

POST_ITEM = _operation(
    "post_item",
    {
        201: _answer(
            "An ItemCreated was appended under a new id.",
            *_WRITTEN, "Content-Location", "Location", schema=_ITEM,
        ),
        **_problems(*_SENT, "partial-put", "log-full"),
    },
    parameters=("Prefer", "traceparent"),
    body={"application/json": _ITEM},
)  # fmt: skip


def service_operation(name: str, description: str, *slugs: str) -> Description:
    """The options of a route about the service itself: it answers 200 with a JSON object."""
    responses: Responses = {200: _answer(description, schema={"type": "object"})}
    responses |= {PROBLEM_TYPES[slug].status: _problem(PROBLEM_TYPES[slug].status, [slug])
                  for slug in slugs}  # fmt: skip
    return _operation(name, responses) | {"tags": ["service"]}


def complete(document: Description, model: ItemModel) -> Description:
    """The document that FastAPI made of the routes, with the components that they refer to."""
    schema = model.schema("#/components/schemas/{model}")
    nested = schema.pop("$defs", {})
    document["components"] = {
        "schemas": {
            model.name: schema | {"title": model.name}, **nested, **_schemas(_ref("schemas", model.name))
        },
        "parameters": _PARAMETERS,
        "headers": _HEADERS,
    }  # fmt: skip
    document["tags"] = [
        {"name": "items", "description": "The items."},
        {"name": "service", "description": "The service itself."},
    ]
    return document if model.name == ITEM else _renamed(document, _ITEM, _ref("schemas", model.name))


def _renamed(node: Any, old: Description, new: Description) -> Any:
    if node == old:
        return new
    if isinstance(node, dict):
        return {name: _renamed(value, old, new) for name, value in node.items()}
    if isinstance(node, list):
        return [_renamed(value, old, new) for value in node]
    return node


def _schemas(item: Description) -> Description:
    return {
        "ItemPage": {
            "type": "object",
            "title": "ItemPage",
            "required": ["items", "next", "total"],
            "properties": {
                "items": {"type": "array", "items": _ref("schemas", "ListedItem")},
                "next": {
                    "type": ["string", "null"],
                    "description": "The cursor of the next page, null on the last.",
                },
                "total": {"type": "integer", "description": "How many items match in all."},
            },
        },
        "ListedItem": {
            "type": "object",
            "title": "ListedItem",
            "required": ["id", "version", "modified", "item"],
            "properties": {
                "id": {"type": "string"},
                "version": {"type": "integer", "minimum": 1},
                "modified": {"type": "string", "format": "date-time"},
                "item": item,
            },
        },
        "PatchOperation": {
            "type": "object",
            "title": "PatchOperation",
            "required": ["op", "path"],
            "properties": {
                "op": {"enum": ["add", "remove", "replace", "move", "copy", "test"]},
                "path": {"type": "string"},
                "from": {"type": "string"},
                "value": True,
            },
        },
        "Problem": {
            "type": "object",
            "title": "Problem",
            "description": "RFC 9457. Each type has members of its own besides these.",
            "required": ["type", "title", "status", "detail", "instance"],
            "properties": {
                "type": {"type": "string", "format": "uri-reference"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string"},
                "instance": {"type": "string", "format": "uri-reference"},
            },
        },
    }


def _parameter(
    name: str, where: str, description: str, schema: Description | None = None
) -> Description:
    return {
        "name": name,
        "in": where,
        "description": description,
        "required": where == "path",
        "schema": schema or {"type": "string"},
    }


_PARAMETERS = {
    "id": _parameter(
        "id", "path",
        "Any UTF-8 text of 1 to 512 bytes without control characters, except . and ..; "
        "percent-encoded, a slash as %2F.",
        {"type": "string", "minLength": 1},
    ),
    "If-Match": _parameter(
        "If-Match", "header", 'Only if the item is at one of these versions: "3", or * for any.'
    ),
    "If-None-Match": _parameter(
        "If-None-Match", "header",
        'Only if the item is at none of these versions: "3", or * for none at all.',
    ),
    "If-Modified-Since": _parameter("If-Modified-Since", "header", "An HTTP date."),
    "If-Unmodified-Since": _parameter("If-Unmodified-Since", "header", "An HTTP date."),
    "Prefer": _parameter(
        "Prefer", "header", "return=minimal answers without the item, return=representation with."
    ),
    "traceparent": _parameter(
        "traceparent", "header", "W3C trace context; the event keeps it in its meta."
    ),
    "limit": _parameter(
        "limit", "query", "Items on a page.",
        {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
    ),
    "after": _parameter("after", "query", "The `next` of the page before."),
    "prefix": _parameter(
        "prefix", "query", "Only ids that begin with it.", {"type": "string", "maxLength": 512}
    ),
}  # fmt: skip


def _header(description: str, example: str, kind: str = "string") -> Description:
    return {"description": description, "schema": {"type": kind}, "example": example}


_HEADERS = {
    "ETag": _header("The item's version, quoted: a strong entity tag.", '"3"'),
    "Last-Modified": _header(
        "The time of the event that made it.", "Mon, 23 Nov 2026 08:09:06 GMT"
    ),
    "Event-Id": _header("The position of the appended event in the log.", "1795421346123-0"),
    "Event-Type": {
        "description": "The type of the appended event.",
        "schema": {"enum": ["ItemCreated", "ItemUpdated", "ItemDeleted"]},
    },
    "Location": _header("The URL of the item that was created.", "/items/foo"),
    "Content-Location": _header("The URL of the item in the body.", "/items/foo"),
    "Preference-Applied": _header("The preference that was honoured.", "return=minimal"),
    "Link": _header("The next page, with rel=next.", '</items?after=Zm9v>; rel="next"'),
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "schema": {"type": "integer"},
        "example": 1,
    },
    "Accept": _header("The media types that are read here.", "application/json"),
}
