"""What OpenAPI says of the resources: parameters, bodies, statuses and headers.

Routes are called with the request as it came, so nothing can be read off their signatures; what
they take and give is written down here. tests/contract holds it against the running server.
"""

from __future__ import annotations

from starlette.responses import Response

from itemstore.api.http.patch import JSON_PATCH, MERGE_PATCH
from itemstore.api.http.problem_types import PROBLEM_TYPES
from itemstore.api.openapi.document import ITEM
from itemstore.api.openapi.schemas import Description, ref

Responses = dict[int | str, Description]


def _headers(*names: str) -> Description:
    return {name: ref("headers", name) for name in names}


def _answer(description: str, *headers: str, schema: Description | None = None) -> Description:
    answer: Description = {"description": description}
    if headers:
        answer["headers"] = _headers(*headers)
    if schema is not None:
        answer["content"] = {"application/json": {"schema": schema}}
    return answer


_EVERYWHERE = (
    "malformed-request",
    "uri-too-long",
    "headers-too-large",
    "overloaded",
    "internal-error",
)
"""What every request may be answered."""

_CLOSED = ("unauthorized", "forbidden", "misdirected", "log-unavailable")
"""What every request may be answered where the store says who may come in."""


def _problems(*slugs: str, is_open: bool = False) -> Responses:
    """Responses for these problem types, and those that every operation has, by status."""
    by_status: dict[int, list[str]] = {}
    for slug in dict.fromkeys((*slugs, *(() if is_open else _CLOSED), *_EVERYWHERE)):
        by_status.setdefault(PROBLEM_TYPES[slug].status, []).append(slug)
    return {status: _problem(status, same) for status, same in sorted(by_status.items())}


def _problem(status: int, slugs: list[str]) -> Description:
    names = " or ".join(f"`{slug}`" for slug in slugs)
    titles = "; ".join(PROBLEM_TYPES[slug].title for slug in slugs)
    answer: Description = {
        "description": f"{titles} ({names}).",
        "content": {"application/problem+json": {"schema": ref("schemas", "Problem")}},
    }
    if headers := _PROBLEM_HEADERS.get(status):
        answer["headers"] = _headers(*headers)
    return answer


_PROBLEM_HEADERS = {
    401: ["WWW-Authenticate"], 403: ["WWW-Authenticate"],
    404: ["Link"], 412: ["ETag"], 415: ["Accept"], 428: ["ETag"], 503: ["Retry-After"],
}  # fmt: skip

_WRITTEN = ("ETag", "Last-Modified", "Event-Id", "Event-Type")

_ITEM = ref("schemas", ITEM)

_PATCH = {"type": "array", "items": ref("schemas", "PatchOperation")}

_WITHOUT_BODY = _answer(
    "Done, answered without the item (`Prefer: return=minimal`).", *_WRITTEN, "Preference-Applied"
)

_WRITE_CONDITIONS = ("If-Match", "If-None-Match", "If-Unmodified-Since")

_KEYED = ("idempotency-key-in-use", "idempotency-key-reused", "malformed-header", "gone")

_SENT = (
    "malformed-json", "content-too-large", "unsupported-media-type", "invalid-item",
    "request-timeout", "not-implemented", *_KEYED,
)  # fmt: skip


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
        extra["parameters"] = [ref("parameters", parameter) for parameter in parameters]
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
            *_SENT, "partial-put", "unexpected-version",
            "precondition-required", "invalid-item-id", "log-full",
        ),
    },
    parameters=("id", *_WRITE_CONDITIONS, "Prefer", "Idempotency-Key", "traceparent"),
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
            *_SENT, "malformed-patch", "item-not-found", "item-deleted",
            "patch-conflict", "unexpected-version", "precondition-required", "invalid-item-id",
            "log-full",
        ),
    },
    parameters=("id", *_WRITE_CONDITIONS, "Prefer", "Idempotency-Key", "traceparent"),
    body={
        MERGE_PATCH: ref("schemas", "MergePatch"),
        JSON_PATCH: _PATCH,
    },
)  # fmt: skip

DELETE_ITEM = _operation(
    "delete_item",
    {
        204: _answer("An ItemDeleted was appended.", "Event-Id", "Event-Type"),
        **_problems(
            *_KEYED, "item-not-found", "item-deleted", "unexpected-version",
            "precondition-required", "invalid-item-id", "log-full",
        ),
    },
    parameters=("id", *_WRITE_CONDITIONS, "Idempotency-Key", "traceparent"),
)  # fmt: skip

GET_ITEM = _operation(
    "get_item",
    {
        200: _answer("The item.", "ETag", "Last-Modified", "Link", schema=_ITEM),
        302: _answer("The version that was current on Accept-Datetime.", "Location", "Link"),
        304: _answer("The item is still what the client has.", "ETag", "Last-Modified"),
        **_problems(
            "malformed-header", "item-not-found", "item-deleted", "unexpected-version",
            "invalid-item-id",
        ),
    },
    parameters=("id", *_WRITE_CONDITIONS, "If-Modified-Since", "Accept-Datetime"),
)  # fmt: skip

VALIDATED = ("If-Match", "If-None-Match")
"""The parameters of what has an entity tag."""

_TAGGED = ("malformed-header", "unexpected-version")

_SAME = _answer("It is still what the client has.", "ETag")

LIST_ITEMS = _operation(
    "list_items",
    {
        200: _answer("A page of items.", "ETag", "Link", schema=ref("schemas", "ItemPage")),
        304: _SAME,
        **_problems("malformed-cursor", "invalid-parameter", *_TAGGED),
    },
    parameters=("limit", "after", "prefix", *VALIDATED),
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
    parameters=("Prefer", "Idempotency-Key", "traceparent"),
    body={"application/json": _ITEM},
)  # fmt: skip


def json_of(schema: str) -> Description:
    """Content in JSON of the schema of this name."""
    return {"application/json": {"schema": ref("schemas", schema)}}


def text_of(*media_types: str) -> Description:
    """Content in each of these media types."""
    return {media_type: {"schema": {"type": "string"}} for media_type in media_types}


def service_operation(
    name: str,
    description: str,
    *slugs: str,
    content: Description,
    parameters: tuple[str, ...] = (),
    is_open: bool = False,
) -> Description:
    """The options of a route about the service itself, which answers 200 with the content.

    `is_open` says that it never wants a token. What takes If-None-Match has an entity tag.
    """
    responses: Responses = {200: {"description": description, "content": content}}
    if "If-None-Match" in parameters:
        responses[200]["headers"] = _headers("ETag")
        responses[304] = _SAME
        slugs = (*slugs, *_TAGGED)
    responses |= _problems(*slugs, is_open=is_open)
    operation = _operation(name, responses, parameters=parameters) | {"tags": ["service"]}
    if is_open:
        operation["openapi_extra"]["security"] = []
    return operation


LIST_VERSIONS = _operation(
    "list_versions",
    {
        200: _answer("The TimeMap.", "ETag", schema=ref("schemas", "VersionList"))
        | {"content": {
            "application/link-format": {"schema": {"type": "string"}},
            "application/json": {"schema": ref("schemas", "VersionList")},
        }},
        304: _SAME,
        **_problems("item-not-found", "invalid-item-id", "invalid-parameter", *_TAGGED),
    },
    parameters=("id", "after-version", "limit", *VALIDATED),
)  # fmt: skip

GET_VERSION = _operation(
    "get_version",
    {
        200: _answer(
            "The item as that version left it.",
            "ETag", "Last-Modified", "Memento-Datetime", "Link", schema=_ITEM,
        ),
        304: _answer("The version is what the client has.", "ETag", "Last-Modified"),
        **_problems(
            "item-not-found", "item-deleted", "version-not-found", "gone", "malformed-header",
            "unexpected-version", "invalid-item-id",
        ),
    },
    parameters=("id", "n", *_WRITE_CONDITIONS, "If-Modified-Since"),
)  # fmt: skip

DIFF_VERSIONS = _operation(
    "diff_versions",
    {
        200: _answer("What turns one version into the other.")
        | {"content": {JSON_PATCH: {"schema": _PATCH}}},
        **_problems(
            "item-not-found", "item-deleted", "version-not-found", "gone", "invalid-item-id",
            "invalid-parameter",
        ),
    },
    parameters=("id", "n", "from"),
)  # fmt: skip

REVERT_ITEM = _operation(
    "revert_item",
    {
        200: _answer(
            "The item existed: an ItemUpdated with the version's body was appended.",
            *_WRITTEN, "Content-Location", schema=_ITEM,
        ),
        201: _answer(
            "The item was deleted: an ItemCreated with the version's body was appended.",
            *_WRITTEN, "Content-Location", "Location", schema=_ITEM,
        ),
        204: _WITHOUT_BODY,
        **_problems(
            *_SENT, "item-not-found", "item-deleted", "version-not-found", "gone",
            "unexpected-version", "precondition-required", "invalid-item-id", "log-full",
        ),
    },
    parameters=("id", *_WRITE_CONDITIONS, "Prefer", "Idempotency-Key", "traceparent"),
    body={"application/json": ref("schemas", "Revert")},
)  # fmt: skip

_EVENTS = {"application/cloudevents-batch+json": {
    "schema": {"type": "array", "items": ref("schemas", "Event")},
}}  # fmt: skip

LIST_EVENTS = _operation(
    "list_events",
    {
        200: _answer("Events, oldest first.", "ETag", "Link", "Log-Id")
        | {"content": _EVENTS | {
            "application/jsonl": {"schema": {"type": "string"}},
            "text/event-stream": {"schema": {"type": "string"}},
        }},
        304: _SAME,
        **_problems("malformed-cursor", "other-log", "gone", "invalid-parameter", *_TAGGED),
    },
    parameters=(
        "after-position", "log", "limit", "type", "item", "wait", "Last-Event-ID", *VALIDATED
    ),
)  # fmt: skip

ITEM_EVENTS = _operation(
    "list_item_events",
    {
        200: _answer("The item's events.", "ETag", "Link", "Log-Id") | {"content": _EVENTS},
        304: _SAME,
        **_problems(
            "item-not-found",
            "malformed-cursor",
            "other-log",
            "invalid-item-id",
            "invalid-parameter",
            *_TAGGED,
        ),
    },
    parameters=("id", "after-position", "log", "limit", "order", *VALIDATED),
)
