"""What requests carry beside a body: header fields, parts of the path, and the query."""

from __future__ import annotations

from collections.abc import Sequence

from itemstore.api.http.problem_types import PROBLEM_TYPES
from itemstore.api.http.query_parameters import Query
from itemstore.api.openapi.schemas import Description
from itemstore.domain import ids
from itemstore.domain.cursors import PATTERN


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


def of_query(model: type[Query]) -> list[Description]:
    """The query parameters that a resource takes, as its model has them."""
    properties: Description = model.model_json_schema()["properties"]
    return [_of_field(name, dict(schema)) for name, schema in properties.items()]


def with_sources(parameter: Description, paths: Sequence[str]) -> Description:
    """A parameter, but `source` with the paths of the collections that the store has.

    One that may be of several takes them with commas in between.
    """
    if (parameter.get("name"), parameter.get("in")) != ("source", "query"):
        return parameter
    if "commas" in parameter["description"]:
        one = f"({'|'.join(paths)})"
        return parameter | {"schema": {"type": "string", "pattern": f"^{one}(,{one})*$"}}
    return parameter | {"schema": {"type": "string", "enum": [*paths]}}


def one_of_collections(names: Sequence[str]) -> Description:
    """The parameter of a path that names one of the store's collections."""
    return PARAMETERS["collection"] | {"schema": {"type": "string", "enum": [*names]}}


def _of_field(name: str, schema: Description) -> Description:
    description = schema.pop("description")
    del schema["title"]
    # What may be left out is null in the model; no query has a null.
    kind, *_ = schema.pop("anyOf", [{}])
    if schema.get("default") is None:
        schema.pop("default", None)
    return _parameter(name, "query", description, kind | schema)


_ENTITY_TAGS = {
    "type": "string",
    "format": "entity-tags",
    "pattern": r'^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)$',
}

# As header_fields.string_or_word reads it.
_KEY = r'^(?:[!#-&(-+.-:<-\[\]-~-]{1,255}|"(?:[ !#-\[\]-~]|\\["\\]){1,255}")$'

_HTTP_DATE = {"type": "string", "format": "http-date"}

PARAMETERS = {
    "id": _parameter(
        "id", "path",
        "The id as it is: any UTF-8 text of 1 to 512 bytes without control characters, except . "
        "and .. . It is not percent-encoded here: clients, and the page at /docs, do that, so that "
        "a/b goes out as a%2Fb, and a%2Fb as a%252Fb, which is another item.",
        {"type": "string", "maxLength": ids.LONGEST, "pattern": ids.PATTERN},
    ),
    "collection": _parameter("collection", "path", "The name of a collection."),
    "operation": _parameter("operation", "path", "The id of an operation."),
    "name": _parameter("name", "path", "The name of a token."),
    "projection": _parameter("projection", "path", "The name of a projection."),
    "slug": _parameter(
        "slug", "path", "The last segment of a problem's `type`.",
        {"type": "string", "enum": list(PROBLEM_TYPES)},
    ),
    "If-Match": _parameter(
        "If-Match", "header", 'Only if the item is at one of these versions: "3", or * for any.',
        _ENTITY_TAGS,
    ),
    "If-None-Match": _parameter(
        "If-None-Match", "header",
        'Only if the item is at none of these versions: "3", or * for none at all.',
        _ENTITY_TAGS,
    ),
    "If-Modified-Since": _parameter(
        "If-Modified-Since", "header", "Only if the item changed since.", _HTTP_DATE
    ),
    "If-Unmodified-Since": _parameter(
        "If-Unmodified-Since", "header", "Only if the item did not change since.", _HTTP_DATE
    ),
    "Prefer": _parameter(
        "Prefer", "header", "return=minimal answers without the item, return=representation with."
    ),
    "Prefer-explain": _parameter(
        "Prefer", "header", "Of a query: explain adds how it was answered, as `plan`."
    ),
    "If-Position": _parameter(
        "If-Position", "header",
        "An Event-Id: the same as `min_position`. Where both are given both have to be there.",
        {"type": "string", "format": "position", "pattern": PATTERN},
    ),
    "Idempotency-Key": _parameter(
        "Idempotency-Key", "header",
        "A name for this request: sent again under it, it gives the first answer again. A string "
        "in double quotes (RFC 9651), or a bare word.",
        {"type": "string", "minLength": 1, "pattern": _KEY},
    ),
    "traceparent": _parameter(
        "traceparent", "header", "W3C trace context; the event keeps it in its meta."
    ),
    "n": _parameter("n", "path", "A version.", {"type": "integer", "minimum": 1}),
    "Last-Event-ID": _parameter(
        "Last-Event-ID", "header", "Of a live stream: resume after this `id`."
    ),
    "Accept-Datetime": _parameter(
        "Accept-Datetime", "header", "302 to the version that was current on this HTTP date.",
        _HTTP_DATE,
    ),
}  # fmt: skip
