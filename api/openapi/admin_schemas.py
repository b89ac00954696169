"""The JSON of what admins do: operations that they start, tokens that they make."""

from __future__ import annotations

from typing import Any

from itemstore.api.openapi.schemas import Description, ref
from itemstore.store.scope import MOST_COLLECTIONS, MOST_PREFIXES
from itemstore.store.tokens import NAME, Role

_TEXT: Description = {"type": "string"}
_TEXT_OR_NULL: Description = {"type": ["string", "null"]}
_TIME: Description = {"type": "string", "format": "date-time"}
_TIME_OR_NULL: Description = {"type": ["string", "null"], "format": "date-time"}
_COUNT: Description = {"type": "integer", "minimum": 0}
_KIND: Description = {"type": "string", "enum": ["rebuild", "verify"]}
_ROLE: Description = {"type": "string", "enum": [role.name for role in Role]}
_NAME: Description = {"type": "string", "pattern": f"^{NAME.pattern}$"}

_PROGRESS: Description = {
    "type": ["object", "null"],
    "description": "Null before the first is known.",
    "required": ["stage", "done", "total", "unit", "collection"],
    "properties": {
        "stage": _TEXT,
        "done": _COUNT,
        "total": {**_COUNT, "description": "0 where it is not known yet."},
        "unit": {**_TEXT, "description": "What is counted: events, or MiB."},
        "collection": {**_TEXT_OR_NULL, "description": "The one that is worked on."},
        "partition": {**_COUNT, "description": "That of it, where there are several."},
    },
}


def _texts(description: str, most: int) -> Description:
    return {
        "type": ["array", "null"],
        "minItems": 1,
        "maxItems": most,
        "items": _TEXT,
        "description": description,
    }


_BOUNDS: Description = {
    "collections": _texts("Only items of these; null: of all.", MOST_COLLECTIONS),
    "prefixes": _texts("Only ids that begin with one of these; null: all.", MOST_PREFIXES),
}

_SHOWN: Description = {"name": _TEXT, "role": _ROLE, **_BOUNDS, "expires": _TIME_OR_NULL}
"""What is told of every token."""


def _object(required: Description, optional: Description | None = None, **more: Any) -> Description:
    members = required | (optional or {})
    return {"type": "object", **more, "required": list(required), "properties": members}


_SCHEMAS: Description = {
    "OperationRequest": _object(
        {"operation": _KIND},
        {
            "projection": {
                **_TEXT_OR_NULL,
                "description": "What is rebuilt: current-items without. Not with verify.",
            },
            "collection": {**_TEXT_OR_NULL, "description": "Of which collection: all without."},
            "from": {
                **_TEXT_OR_NULL,
                "description": "Of a projection that hands events to others: again those after "
                "this position, cursor or time; 0-0 for all.",
            },
            "dry_run": {
                "type": ["boolean", "null"],
                "description": "Say what a rebuild would change, and change nothing.",
            },
        },
        additionalProperties=False,
    ),
    "OperationList": _object(
        {"operations": {"type": "array", "items": ref("schemas", "Operation")}}
    ),
    "Operation": _object(
        {
            "id": _TEXT,
            "operation": _KIND,
            "projection": _TEXT_OR_NULL,
            "collection": _TEXT_OR_NULL,
            "dry_run": {"type": "boolean"},
            "from": {**_TEXT_OR_NULL, "description": "The cursor after which events are meant."},
            "status": {"type": "string", "enum": ["running", "succeeded", "failed", "cancelled"]},
            "started": _TIME,
            "started_by": {**_TEXT_OR_NULL, "description": "The token's name."},
            "host": {**_TEXT, "description": "The machine that carries it out."},
            "progress": _PROGRESS,
            "cancelling": {"type": "boolean"},
            "cancelled_by": _TEXT_OR_NULL,
            "finished": _TIME_OR_NULL,
            "result": {
                "type": ["object", "null"],
                "description": "Of one that succeeded: what the command prints with --json, the "
                "receipt of a rebuild or the verdict of a verification.",
                "additionalProperties": True,
            },
            "error": {**_TEXT_OR_NULL, "description": "Of one that failed: why."},
        },
        description="A rebuild or a verification.",
    ),
    "TokenRequest": _object(
        {"name": {**_NAME, "description": "Who will use it: the actor in events."}},
        {
            "role": {**_ROLE, "description": "A reader without."},
            **_BOUNDS,
            "expires": {
                **_TEXT_OR_NULL,
                "description": "When it ends: an RFC 3339 time, or a while such as 30d, 12h, 90m.",
            },
        },
        additionalProperties=False,
    ),
    "NewToken": _object(
        {**_SHOWN, "token": {**_TEXT, "description": "What requests carry: shown this once."}},
        {"warning": {**_TEXT, "description": "What may not be as it was meant."}},
    ),
    "TokenList": _object(
        {
            "tokens": {"type": "array", "items": ref("schemas", "Token")},
            "unreadable": {
                "type": "array",
                "items": _TEXT,
                "description": "Names whose rows can't be read: they open nothing.",
            },
        }
    ),
    "Token": _object({**_SHOWN, "created": _TIME, "expired": {"type": "boolean"}}),
}

_SCHEMAS |= {
    "DeadLetterRequest": _object(
        {},
        {
            "ids": {
                "type": ["array", "null"],
                "minItems": 1,
                "maxItems": 1000,
                "items": _TEXT,
                "description": "The ids of events that are set aside.",
            },
            "all": {"type": ["boolean", "null"], "description": "True, instead of ids: all."},
        },
        additionalProperties=False,
    ),
    "DeadLettersDone": _object(
        {
            "count": {**_COUNT, "description": "How many it was done with."},
            "missing": {
                "type": "array",
                "items": _TEXT,
                "description": "Those of the ids that are not set aside.",
            },
        }
    ),
    "DeadLetterPage": _object(
        {
            "dead_letters": {"type": "array", "items": ref("schemas", "DeadLetter")},
            "next": {**_TEXT_OR_NULL, "description": "What `after` takes for the next page."},
            "total": _COUNT,
        }
    ),
    "DeadLetter": _object(
        {
            "collection": _TEXT,
            "id": {**_TEXT, "description": "The event's id."},
            "type": _TEXT,
            "item": _TEXT,
            "version": {"type": "integer", "minimum": 1},
            "tries": {**_COUNT, "description": "How often it was tried."},
            "reason": {**_TEXT, "description": "Why it was not taken the last time."},
            "time": {**_TIME, "description": "When that was."},
            "again": {"type": "boolean", "description": "Whether it is about to be tried again."},
        },
        description="An event that a projection has set aside.",
    ),
    "Resumed": _object(
        {"resumed": {"type": "boolean", "description": "Whether it had stopped, or waited."}}
    ),
}

SCHEMAS: Description = {name: {"title": name, **schema} for name, schema in _SCHEMAS.items()}
