"""What the OpenAPI document refers to: the model, parameters and headers."""

from __future__ import annotations

import json
from typing import Any

from itemstore.api.http.problem_types import PROBLEM_TYPES
from itemstore.api.openapi.schemas import LAST_VERSION, Description, ref, shapes
from itemstore.store.model import ItemModel

ITEM = "Item"
"""The name that the operations use for the model; the document has the model's own."""

ABOUT = """\
An event-sourced item store. Every write is an event in a log; the type of the event that a PUT
appended decides whether it answers 201 (ItemCreated) or 200 (ItemUpdated)."""


def complete(document: Description, model: ItemModel) -> Description:
    """The document that FastAPI made of the routes, with the components that they refer to."""
    schema = _without_defaults(model.schema("#/components/schemas/{model}"))
    nested = schema.pop("$defs", {})
    models = {model.name: schema | {"title": model.name}} | nested
    own = shapes(ref("schemas", ITEM))
    # A shape of ours that is named like one of the operator's models makes way for it.
    names = {name: f"Store{name}" for name in own if name in models} | {ITEM: model.name}
    document["components"] = {
        "parameters": _PARAMETERS,
        "headers": _HEADERS,
        "securitySchemes": _SECURITY_SCHEMES,
    }
    # None at all is allowed while the store has no token.
    document["security"] = [{"token": []}, {}]
    document["tags"] = [
        {"name": "items", "description": "The items."},
        {"name": "service", "description": "The service itself."},
    ]
    document = _renamed(document, names)
    document["components"]["schemas"] = models | {
        names.get(name, name): _renamed(shape, names) for name, shape in own.items()
    }
    return document


def _without_defaults(schema: Description) -> Description:
    """A JSON Schema whose properties have no `default`; the description tells of it instead.

    Generators take a property with a default for one that is always there, and demand it of
    whoever sends a body; and what was stored under an earlier model need not have it.
    """
    changed = dict(schema)
    for group in ("properties", "$defs"):
        members = {name: _without_defaults(each) for name, each in schema.get(group, {}).items()}
        if members:
            changed[group] = members
    for each in changed.get("properties", {}).values():
        default = each.pop("default", None)
        if default is not None:
            described = each.get("description", "").rstrip(".")
            said = f"Without it: `{json.dumps(default, ensure_ascii=False)}`."
            each["description"] = f"{described}. {said}" if described else said
    return changed


def _renamed(node: Any, names: dict[str, str]) -> Any:
    """The same with every reference to a schema in `names` as one to its new name."""
    if isinstance(node, list):
        return [_renamed(value, names) for value in node]
    if not isinstance(node, dict):
        return node
    name = str(node.get("$ref")).removeprefix("#/components/schemas/")
    if name in names:
        return ref("schemas", names[name])
    return {key: _renamed(value, names) for key, value in node.items()}


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


_ID = r"^(?!\.{1,2}$)[^\u0000-\u001f\u007f-\u009f]+$"

_ENTITY_TAGS = {
    "type": "string",
    "format": "entity-tags",
    "pattern": r'^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)$',
}

_POSITION = {"type": "string", "format": "position", "pattern": "^[0-9]{1,20}-[0-9]{1,20}$"}

# As api.fields.key reads it.
_KEY = r'^(?:[!#-&(-+.-:<-\[\]-~-]{1,255}|"(?:[ !#-\[\]-~]|\\["\\]){1,255}")$'

_HTTP_DATE = {"type": "string", "format": "http-date"}

_PARAMETERS = {
    "id": _parameter(
        "id", "path",
        "The id as it is: any UTF-8 text of 1 to 512 bytes without control characters, except . "
        "and .. . It is not percent-encoded here: clients, and the page at /docs, do that, so that "
        "a/b goes out as a%2Fb, and a%2Fb as a%252Fb, which is another item.",
        {"type": "string", "maxLength": 512, "pattern": _ID},
    ),
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
    "Idempotency-Key": _parameter(
        "Idempotency-Key", "header",
        "A name for this request: sent again under it, it gives the first answer again. A string "
        "in double quotes (RFC 9651), or a bare word.",
        {"type": "string", "minLength": 1, "pattern": _KEY},
    ),
    "traceparent": _parameter(
        "traceparent", "header", "W3C trace context; the event keeps it in its meta."
    ),
    "limit": _parameter(
        "limit", "query", "Items on a page.",
        {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
    ),
    "after": _parameter("after", "query", "The `next` of the page before."),
    "n": _parameter("n", "path", "A version.", {"type": "integer", "minimum": 1}),
    "from": _parameter(
        "from", "query", "The version to start from; the one before without it.",
        {"type": "integer", "minimum": 1, "maximum": LAST_VERSION},
    ),
    "after-version": _parameter(
        "after", "query", "Only versions after this one.",
        {"type": "integer", "minimum": 0, "maximum": LAST_VERSION},
    ),
    "after-position": _parameter(
        "after", "query", "Only events after this position.",
        _POSITION,
    ),
    "log": _parameter("log", "query", "The log that `after` is of: the Log-Id of its answer."),
    "type": _parameter(
        "type", "query", "Only events of this type.",
        {"type": "string", "enum": ["ItemCreated", "ItemUpdated", "ItemDeleted"]},
    ),
    "item": _parameter("item", "query", "Only events of this item."),
    "wait": _parameter(
        "wait", "query", "Seconds to wait for an event where there is none.",
        {"type": "number", "minimum": 0, "maximum": 60, "default": 0},
    ),
    "order": _parameter(
        "order", "query", "Oldest first, or newest first.",
        {"type": "string", "enum": ["asc", "desc"], "default": "asc"},
    ),
    "Last-Event-ID": _parameter(
        "Last-Event-ID", "header", "Of a live stream: resume after this position."
    ),
    "Accept-Datetime": _parameter(
        "Accept-Datetime", "header", "302 to the version that was current on this HTTP date.",
        _HTTP_DATE,
    ),
    "prefix": _parameter(
        "prefix", "query", "Only ids that begin with it.", {"type": "string", "maxLength": 512}
    ),
}  # fmt: skip


def _header(description: str, example: str, kind: str = "string") -> Description:
    return {"description": description, "schema": {"type": kind}, "example": example}


_HEADERS = {
    "ETag": _header("Of an item its version, quoted: a strong entity tag.", '"3"'),
    "Last-Modified": _header(
        "The time of the event that made it.", "Mon, 23 Nov 2026 08:09:06 GMT"
    ),
    "Memento-Datetime": _header(
        "The time of the version (RFC 7089).", "Mon, 23 Nov 2026 08:09:06 GMT"
    ),
    "Event-Id": _header("The position of the appended event in the log.", "1795421346123-0"),
    "Log-Id": _header("Which log it is; another one has another id.", "5f0c1a9be27d4386"),
    "Event-Type": {
        "description": "The type of the appended event.",
        "schema": {"type": "string", "enum": ["ItemCreated", "ItemUpdated", "ItemDeleted"]},
    },
    "Location": _header("The URL of the item that was created.", "/items/foo"),
    "Content-Location": _header("The URL of the item in the body.", "/items/foo"),
    "Preference-Applied": _header("The preference that was honoured.", "return=minimal"),
    "Link": _header(
        "Where to go on: the next page, the item's versions.", '</items?after=Zm9v>; rel="next"'
    ),
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "schema": {"type": "integer"},
        "example": 1,
    },
    "WWW-Authenticate": _header("How to authenticate (RFC 6750).", 'Bearer realm="itemstore"'),
    "Accept": _header("The media types that are read here.", "application/json"),
}

_SECURITY_SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "Wanted once the operator has made a token.",
    }
}
