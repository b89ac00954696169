"""How a route is described: its parameters, its body, its answers, its problems.

Routes are called with the request as it came, so nothing can be read off their signatures; what
they take and give stands in their decorators. tests/contract holds it against the running server.
"""

from __future__ import annotations

from starlette.responses import Response

from itemstore.api.http.problem_types import PROBLEM_TYPES
from itemstore.api.http.query_parameters import Query
from itemstore.api.openapi import schemas
from itemstore.api.openapi.parameters import of_query
from itemstore.api.openapi.schemas import MODEL, Description, ref
from itemstore.eventlog.cloudevents import BATCH

Responses = dict[int | str, Description]


def json_of(schema: str) -> Description:
    """Content in JSON of the schema of this name."""
    return {"application/json": ref("schemas", schema)}


def text_of(*media_types: str) -> Description:
    """Content in each of these media types."""
    return {media_type: {"type": "string"} for media_type in media_types}


ITEM = json_of(MODEL)
"""The body of an item."""

EVENTS = {BATCH.decode(): schemas.EVENTS}
"""A page of events."""

_CONDITIONS = ("If-Match", "If-None-Match", "If-Unmodified-Since")
"""The parameters of what has versions."""

VALIDATED = ("If-Match", "If-None-Match")
"""The parameters of what has an entity tag that is no version."""

_TAGGED = ("malformed-header", "unexpected-version")
"""The problems of a GET with an entity tag."""

_KEY = ("Idempotency-Key", "traceparent")

WRITE = ("Prefer", *_KEY)
"""The parameters of a write that is answered with the item."""

_REFUSED = ("unexpected-version", "precondition-required", "invalid-item-id", "log-full")
"""The problems of a write of an item that may exist."""

_WRITTEN = ("ETag", "Last-Modified", "Event-Id", "Event-Type")

_KEYED = ("idempotency-key-in-use", "idempotency-key-reused", "malformed-header", "gone")
"""The problems of a write without a body."""

SENT = (
    "malformed-json", "content-too-large", "unsupported-media-type", "invalid-item",
    "request-timeout", "not-implemented", *_KEYED,
)  # fmt: skip
"""The problems of a write with a body."""

ASKED = (
    "malformed-json", "malformed-header", "content-too-large", "unsupported-media-type",
    "invalid-body", "request-timeout", "not-implemented",
)  # fmt: skip
"""The problems of a POST to what has no items."""

_EVERYWHERE = (
    "malformed-request", "uri-too-long", "headers-too-large", "overloaded", "internal-error",
)  # fmt: skip
"""What every request may be answered."""

OF_THE_PAST = ("archive-unavailable", "archive-damaged")
"""The problems of what reads old events."""

_CLOSED = ("unauthorized", "forbidden", "misdirected", "log-unavailable")
"""What every request may be answered by a store that does not let everyone in."""

_PROBLEM_HEADERS = {
    401: ("WWW-Authenticate",), 403: ("WWW-Authenticate",), 404: ("Link",), 412: ("ETag",),
    415: ("Accept",), 428: ("ETag",), 503: ("Retry-After",),
}  # fmt: skip


def operation(  # noqa: PLR0913 - each part of a description by its name
    name: str,
    responses: Responses,
    *,
    problems: tuple[str, ...] = (),
    parameters: tuple[str, ...] = (),
    query: type[Query] | None = None,
    body: Description | None = None,
    tag: str = "items",
    is_open: bool = False,
) -> Description:
    """The options of a route that describe it.

    `problems` are those besides what every request may be answered, `parameters` are names of
    components, `body` has a schema by media type. `is_open` says that it never wants a token.
    """
    described = [ref("parameters", parameter) for parameter in parameters]
    if query is not None:
        described += of_query(query)
        problems = (*problems, "invalid-parameter")
    extra: Description = {"parameters": described} if described else {}
    if body is not None:
        extra["requestBody"] = {"required": True, "content": _content(body)}
    if is_open:
        extra["security"] = []
    return {
        "operation_id": name,
        "response_class": Response,
        "status_code": min(status for status in responses if isinstance(status, int)),
        "responses": responses | _problems(*problems, *(() if is_open else _CLOSED)),
        "openapi_extra": extra,
        "tags": [tag],
    }


def write(
    name: str, responses: Responses, *slugs: str, body: Description | None = None
) -> Description:
    """The options of a route that writes one item, with a body or without."""
    has_body = body is not None
    return operation(
        name,
        responses | {204: _WITHOUT_ITEM} if has_body else responses,
        problems=(*(SENT if has_body else _KEYED), *slugs, *_REFUSED),
        parameters=("id", *_CONDITIONS, *(WRITE if has_body else _KEY)),
        body=body,
    )


def item(name: str, responses: Responses, *slugs: str, parameters: tuple[str, ...]) -> Description:
    """The options of a route that answers with an item, or with one of its versions."""
    return operation(
        name,
        responses,
        problems=("item-not-found", "item-deleted", *slugs, *_TAGGED, "invalid-item-id"),
        parameters=("id", *parameters, *_CONDITIONS, "If-Modified-Since"),
    )


def page(
    name: str,
    found: Description,
    *slugs: str,
    query: type[Query],
    parameters: tuple[str, ...] = (),
    others: Responses | None = None,
) -> Description:
    """The options of a route that answers with a page of a list, which has an entity tag."""
    return operation(
        name,
        {200: found, 304: _SAME, **(others or {})},
        problems=(*slugs, *_TAGGED),
        parameters=(*parameters, *VALIDATED),
        query=query,
    )


def service(  # noqa: PLR0913 - as above
    name: str,
    description: str,
    *slugs: str,
    content: Description,
    parameters: tuple[str, ...] = (),
    query: type[Query] | None = None,
    is_open: bool = False,
) -> Description:
    """The options of a route about the service itself, which answers 200 with the content.

    What takes If-None-Match has an entity tag.
    """
    responses: Responses = {200: answer(description, content=content)}
    if "If-None-Match" in parameters:
        responses = {200: answer(description, "ETag", content=content), 304: _SAME}
        slugs = (*slugs, *_TAGGED)
    return operation(
        name,
        responses,
        problems=slugs,
        parameters=parameters,
        query=query,
        tag="service",
        is_open=is_open,
    )


def answer(description: str, *headers: str, content: Description | None = None) -> Description:
    """An answer with these header fields, and with content, which has a schema by media type."""
    described: Description = {"description": description}
    if headers:
        described["headers"] = {name: ref("headers", name) for name in headers}
    if content is not None:
        described["content"] = _content(content)
    return described


FOR_PEOPLE: Responses = {
    303: answer("The explorer's view of it, for who would rather have HTML than JSON.", "Location")
}
"""What a browser is answered, unless the operator has turned the explorer off."""

_SAME = answer("It is still what the client has.", "ETag")

_WITHOUT_ITEM = answer(
    "Done, answered without the item (`Prefer: return=minimal`).", *_WRITTEN, "Preference-Applied"
)


def updated(description: str) -> Description:
    """200 to a write: the item as it is now."""
    return answer(description, *_WRITTEN, "Content-Location", content=ITEM)


def created(description: str) -> Description:
    """201 to a write: the item, and where it is."""
    return answer(description, *_WRITTEN, "Content-Location", "Location", content=ITEM)


def _content(bodies: Description) -> Description:
    return {media_type: {"schema": schema} for media_type, schema in bodies.items()}


def _problems(*slugs: str) -> Responses:
    """Responses for these problem types, and for what every request may be answered, by status."""
    by_status: dict[int, list[str]] = {}
    for slug in dict.fromkeys((*slugs, *_EVERYWHERE)):
        by_status.setdefault(PROBLEM_TYPES[slug].status, []).append(slug)
    return {status: _problem(status, same) for status, same in sorted(by_status.items())}


def _problem(status: int, slugs: list[str]) -> Description:
    names = " or ".join(f"`{slug}`" for slug in slugs)
    titles = "; ".join(PROBLEM_TYPES[slug].title for slug in slugs)
    content = {"application/problem+json": ref("schemas", "Problem")}
    return answer(f"{titles} ({names}).", *_PROBLEM_HEADERS.get(status, ()), content=content)
