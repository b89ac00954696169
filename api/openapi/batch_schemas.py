"""The JSON of a batch: its requests, and the answers to them."""

from __future__ import annotations

from itemstore.api.openapi.schemas import Description, ref
from itemstore.eventlog.shared_by_appenders import MOST_COMMANDS

_TEXTS: Description = {"type": "object", "additionalProperties": {"type": "string"}}

SCHEMAS: Description = {
    "BatchRequest": {
        "title": "BatchRequest",
        "type": "object",
        "additionalProperties": False,
        "required": ["requests"],
        "properties": {
            "requests": {
                "type": "array",
                "minItems": 1,
                "maxItems": MOST_COMMANDS,
                "items": ref("schemas", "BatchedRequest"),
            }
        },
    },
    "BatchedRequest": {
        "title": "BatchedRequest",
        "type": "object",
        "additionalProperties": False,
        "required": ["method", "path"],
        "properties": {
            "method": {
                "type": "string",
                "enum": ["PUT", "PATCH", "DELETE", "POST", "HEAD"],
                "description": "HEAD is a check: it needs a condition.",
            },
            "path": {
                "type": "string",
                "description": "Of an item, percent-encoded, such as /items/foo; of a collection "
                "to POST.",
            },
            "headers": {
                **_TEXTS,
                "description": "If-Match, If-None-Match, If-Unmodified-Since, Prefer and "
                "Content-Type. A PATCH without Content-Type is a JSON Patch where its body is a "
                "list, and a merge patch otherwise.",
            },
            "body": {"description": "The item, or the patch, as JSON; not with DELETE and HEAD."},
        },
    },
    "BatchResponse": {
        "title": "BatchResponse",
        "type": "object",
        "required": ["responses"],
        "properties": {"responses": {"type": "array", "items": ref("schemas", "BatchedResponse")}},
    },
    "BatchedResponse": {
        "title": "BatchedResponse",
        "type": "object",
        "required": ["status", "headers"],
        "properties": {
            "status": {"type": "integer"},
            "headers": {
                **_TEXTS,
                "description": "What such an answer has of ETag, Last-Modified, Event-Id, "
                "Event-Type, Location, Content-Location and Preference-Applied.",
            },
            "body": {"description": "The item as JSON; not after DELETE and HEAD."},
        },
    },
}
