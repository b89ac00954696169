"""The JSON that is sent and answered: lists, events, problems, and facts about the service."""

from __future__ import annotations

from typing import Any, get_args

from itemstore.api.http.query_parameters import LAST_VERSION
from itemstore.domain.events import Event

Description = dict[str, Any]

MODEL = "Item"
"""The name that the operations use for the model; the document has the model's own."""

PAGE, LISTED, EVENT = "ItemPage", "ListedItem", "Event"
"""The names that they use for what holds an item."""

_TEXT: Description = {"type": "string"}
_COUNT: Description = {"type": "integer", "minimum": 0}
_VERSION: Description = {"type": "integer", "minimum": 1}
_TIME: Description = {"type": "string", "format": "date-time"}
_URL: Description = {"type": "string", "format": "uri-reference"}
_POINTER: Description = {"type": "string", "format": "json-pointer"}
_POSITION: Description = {"type": "string", "description": "The position in the log."}
_EVENT: Description = {
    "type": "string",
    "description": "The event's position in the log; of several partitions, with `@` and its own.",
}
_COUNT_IF_KNOWN: Description = {"type": ["integer", "null"], "minimum": 0}
_POSITION_IF_KNOWN: Description = {**_POSITION, "type": ["string", "null"]}
EVENT_TYPE: Description = {"type": "string", "enum": [kind.__name__ for kind in get_args(Event)]}


def ref(section: str, name: str) -> Description:
    """A reference to a component."""
    return {"$ref": f"#/components/{section}/{name}"}


ITEM = ref("schemas", MODEL)

MERGE_PATCH = ref("schemas", "MergePatch")

JSON_PATCH: Description = {"type": "array", "items": ref("schemas", "PatchOperation")}

EVENTS: Description = {"type": "array", "items": ref("schemas", "Event")}


def _object(required: Description, optional: Description | None = None, **more: Any) -> Description:
    return {
        "type": "object",
        **more,
        "required": list(required),
        "properties": required | (optional or {}),
    }


def _made(description: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": f"{description}, and whether that is complete, and used.",
        "additionalProperties": {"type": "boolean"},
    }


def _list_of(name: str) -> Description:
    return {"type": "array", "items": ref("schemas", name)}


def _or_null(schema: Description) -> Description:
    return {"anyOf": [schema, {"type": "null"}]}


def _numbers(description: str) -> Description:
    return {"type": "object", "description": description, "additionalProperties": _COUNT}


_OF_ITEMS: Description = {
    "ItemPage": _object(
        {
            "items": _list_of("ListedItem"),
            "next": {
                "type": ["string", "null"],
                "description": "The cursor of the next page, null on the last.",
            },
        },
        {
            "total": {**_COUNT, "description": "How many items match in all."},
            "total_at_least": {
                **_COUNT,
                "description": "In place of `total`, where a query was not counted to its end.",
            },
            "plan": ref("schemas", "Plan"),
        },
    ),
    "ListedItem": _object(
        {
            "id": _TEXT,
            "version": _VERSION,
            "modified": _TIME,
            "item": {"anyOf": [ITEM, ref("schemas", "SelectedFields")]},
        }
    ),
    "SelectedFields": {
        "type": "object",
        "description": "With `fields`, only those members of the body that were asked for.",
        "additionalProperties": True,
    },
    "Plan": _object(
        {
            "index": {
                "type": ["string", "null"],
                "description": "The path of the index that served; null: all items were looked at.",
            },
            "order": {
                "type": "string",
                "enum": ["index", "memory"],
                "description": "Who put the items in order.",
            },
            "looked_at": {**_COUNT, "description": "How many items were looked at."},
        },
        description="How a query was answered: with `Prefer: explain`.",
    ),
    "Event": _object(
        {
            "specversion": {"type": "string", "const": "1.0"},
            "id": _EVENT,
            "source": _URL,
            "type": EVENT_TYPE,
            "subject": {"type": "string", "description": "The item's id."},
            "time": _TIME,
            "itemversion": _VERSION,
        },
        {
            "datacontenttype": {"type": "string", "const": "application/json"},
            "data": ITEM,
            "actor": _TEXT,
            "traceparent": _TEXT,
            "transaction": _TEXT,
        },
        description="A CloudEvents 1.0 object.",
    ),
    "VersionList": _object(
        {
            "versions": _list_of("Version"),
            "next": {"type": ["string", "null"], "format": "uri-reference"},
        }
    ),
    "Version": _object(
        {
            "version": _VERSION,
            "type": EVENT_TYPE,
            "time": _TIME,
            "event": _EVENT,
            "href": _URL,
        }
    ),
    "Revert": _object(
        {"version": {"type": "integer", "minimum": 1, "maximum": LAST_VERSION}},
        additionalProperties=False,
    ),
}


_HANDLING: Description = {
    "state": {
        "type": "string",
        "enum": ["following", "failing", "stopped"],
        "description": "Of a projection that handles events, as are those below.",
    },
    "reason": {"type": ["string", "null"], "description": "Why it does not get past an event."},
    "failing": {"type": ["string", "null"], "description": "The id of that event."},
    "tries": {**_COUNT, "description": "How often that was tried."},
    "next": {
        "type": ["string", "null"],
        "format": "date-time",
        "description": "When it is tried again.",
    },
    "handled": {**_COUNT, "description": "Events that were handled."},
    "failures": {**_COUNT, "description": "How often handling one failed."},
    "dead_letters": {**_COUNT, "description": "Events that are set aside."},
}


def _patch_operation(*names: str, needs: Description) -> Description:
    return _object({"op": {"type": "string", "enum": list(names)}, "path": _POINTER, **needs})


_OF_PATCHES: Description = {
    "MergePatch": {
        "type": "object",
        "description": "RFC 7396: members to set; null takes one away.",
        "additionalProperties": True,
    },
    "PatchOperation": {
        "description": "RFC 6902.",
        "oneOf": [
            _patch_operation("add", "replace", "test", needs={"value": {}}),
            _patch_operation("move", "copy", needs={"from": _POINTER}),
            _patch_operation("remove", needs={}),
        ],
    },
}

_PROBLEM = _object(
    {
        "type": _URL,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "request_id": {**_TEXT, "description": "That of X-Request-ID, as the server's log has it."},
    },
    {
        "instance": _URL | {"description": "The path; not where none could be read."},
        "version": {
            "type": ["integer", "null"],
            "description": "The version that is there; null where there is no item.",
        },
        "expected": {"type": "string", "description": "What the conditions asked for."},
        "errors": {
            "type": "array",
            "items": _object({"detail": _TEXT}, {"pointer": _TEXT, "parameter": _TEXT}),
            "description": "The places of the body, or the parameters, that are wrong.",
        },
        "count": {"type": "integer", "description": "How many errors there are in all."},
        "limit": {"type": "integer", "description": "The bytes that are allowed."},
        "parameter": {**_TEXT, "description": "Of a query, the parameter that is wrong."},
        "place": {
            "type": ["integer", "null"],
            "minimum": 0,
            "description": "How many characters of the parameter come before what is wrong.",
        },
        "setting": {**_TEXT, "description": "What the operator writes to declare the index."},
        "position": {**_TEXT, "description": "The event that queries are answered as of."},
        "operation": {"type": "integer", "description": "Of a patch, the one that failed."},
        "index": {
            "type": ["integer", "string", "null"],
            "description": "Of a batch, the request that failed, from 0; of a query, the path "
            "whose index would help.",
        },
        "retry_after": {"type": "integer", "description": "Seconds."},
        "partitions": {
            "type": "array",
            "description": "Those of several that take no write now.",
            "items": {
                "type": "object",
                "required": ["partition", "node", "reason"],
                "properties": {
                    "partition": _COUNT,
                    "node": {"type": ["string", "null"], "description": "Its address."},
                    "reason": _TEXT,
                },
            },
        },
    },
    description="RFC 9457. Types have members of their own besides these.",
    additionalProperties=True,
)

_STATISTICS: Description = {
    "position": _POSITION,
    "events": _COUNT,
    "items": {"type": "integer", "description": "How many exist."},
    "bytes": {**_COUNT, "description": "Of all bodies ever stored."},
    "types": _numbers("Events by type."),
    "days": _numbers("Events by day (UTC)."),
}

_OF_THE_SERVICE: Description = {
    "Service": _object(
        {
            "name": _TEXT,
            "description": _TEXT,
            "version": _TEXT,
            "collections": {"type": "array", "items": _TEXT},
            "queries": {"type": "boolean", "description": "Whether lists take `where`."},
            "access": _object(
                {
                    "is_open": {"type": "boolean", "description": "To all, without a token."},
                    "token": {"type": ["string", "null"], "description": "Its name."},
                    "role": _or_null({"type": "string", "enum": ["reader", "writer", "admin"]}),
                },
                description="What who asks may do, with what its token is bound to.",
                additionalProperties=True,
            ),
            "links": {"type": "object", "additionalProperties": _URL},
        }
    ),
    "Liveness": _object({"status": {"type": "string", "const": "up"}}),
    "Readiness": _object(
        {
            "status": {"type": "string", "const": "ready"},
            "durability": _object(
                {
                    "waits_for": {"type": "string", "description": "What a write waits for."},
                    "fsync": _TEXT,
                    "meaning": _TEXT,
                }
            ),
            "clock": _object(
                {
                    "ahead_seconds": {
                        **_COUNT,
                        "description": "How far the log is ahead of the engine's clock.",
                    },
                    "meaning": _TEXT,
                }
            ),
            "archive": _or_null(
                _object(
                    {
                        "lag": {**_COUNT, "description": "How many events it does not have yet."},
                        "lag_seconds": {"type": "number"},
                        "meaning": _TEXT,
                    }
                )
            ),
        },
        {
            "partitions": {
                **_COUNT,
                "description": "How many there are, where there are several: all take writes.",
            }
        },
    ),
    "ProjectionList": _object(
        {
            "log": _object({"position": _POSITION_IF_KNOWN, "events": _COUNT_IF_KNOWN}),
            "projections": _list_of("Projection"),
        },
        {
            "logs": _list_of("CollectionLog") | {"description": "Of each collection."},
            "archive": ref("schemas", "ArchiveProgress"),
        },
    ),
    "ArchiveProgress": _object(
        {
            "id": {"type": ["string", "null"], "description": "Null before its first segment."},
            "position": _POSITION,
            "time": {"type": ["string", "null"], "format": "date-time"},
            "lag": {**_COUNT, "description": "How many events it does not have yet."},
            "lag_seconds": {"type": "number", "description": "How old the first of these is."},
            "border": {**_POSITION, "description": "Up to here the engine may have none."},
            "meaning": _TEXT,
        },
        {
            "partitions": {
                **_list_of("PartitionArchive"),
                "description": "That of each, where there are several: the positions above are "
                "cursors then.",
            }
        },
        description="How far the archive of the whole store is.",
    ),
    "PartitionArchive": _object(
        {"partition": _COUNT, "meaning": _TEXT},
        {
            "id": {"type": ["string", "null"], "description": "Null before its first segment."},
            "position": _POSITION,
            "time": {"type": ["string", "null"], "format": "date-time"},
            "lag": _COUNT,
            "lag_seconds": {"type": "number"},
            "border": _POSITION,
        },
        description="How far a partition's is; only what is wrong where it gives no answer.",
    ),
    "CollectionLog": _object(
        {"collection": _TEXT, "position": _POSITION_IF_KNOWN, "events": _COUNT_IF_KNOWN}
    ),
    "Projection": _object(
        {
            "name": _TEXT,
            "position": _POSITION_IF_KNOWN,
            "time": {"type": ["string", "null"], "format": "date-time"},
            "lag": {**_COUNT_IF_KNOWN, "description": "How many events it is behind."},
            "rows": {**_COUNT_IF_KNOWN, "description": "Items, deleted ones included, or numbers."},
            "last_rebuild": _or_null(ref("schemas", "Receipt")),
        },
        {
            "collection": {**_TEXT, "description": "Whose it is, where there are several."},
            "partitions": _list_of("PartitionProgress")
            | {"description": "How far it is in each partition, where there are several."},
            "following": {
                "type": ["boolean", "null"],
                "description": "Of the read model: whether a process follows the log.",
            },
            "indexes": _made("Of the read model: the paths that are indexed"),
            "texts": _made("Of the read model: the paths whose words are searched"),
            **_HANDLING,
        },
    ),
    "PartitionList": _object(
        {
            "partitions": _list_of("Partition"),
            "nodes": _or_null(_list_of("Node"))
            | {"description": "Those with partitions first. Null where none says which there are."},
        }
    ),
    "Partition": _object(
        {
            "partition": _COUNT,
            "slot": {"type": ["integer", "null"], "description": "Of its keys, on a cluster."},
            "node": {"type": ["string", "null"], "description": "The address of the one it is on."},
            "position": {"type": ["string", "null"], "description": "Of its last event."},
            "events": {"type": ["integer", "null"]},
            "items": {"type": ["integer", "null"]},
            "writable": {"type": "boolean", "description": "Whether it would take a write."},
            "reason": {"type": ["string", "null"], "description": "Why it takes none."},
        },
        description="What its node does not say is null.",
    ),
    "Node": _object(
        {
            "node": {**_TEXT, "description": "Its address."},
            "role": {"type": "string", "enum": ["primary", "replica"]},
            "primary": {"type": ["string", "null"], "description": "Whose replica it is."},
            "reachable": {"type": "boolean"},
            "flags": {
                "type": "array",
                "items": _TEXT,
                "description": "The cluster's words for its state, such as fail.",
            },
            "slots": _COUNT,
            "partitions": {"type": "array", "items": _COUNT},
        }
    ),
    "PartitionProgress": _object(
        {
            "partition": _COUNT,
            "position": _POSITION_IF_KNOWN,
            "time": {"type": ["string", "null"], "format": "date-time"},
            "lag": _COUNT_IF_KNOWN,
            "rows": _COUNT_IF_KNOWN,
        },
        _HANDLING
        | {
            "reason": {
                "type": ["string", "null"],
                "description": "Why the partition says nothing, or does not get past an event.",
            }
        },
    ),
    "Receipt": _object(
        {
            "projection": _TEXT,
            "dry_run": {"type": "boolean"},
            "started": _TIME,
            "seconds": {"type": "number"},
            "rate": {"type": "integer", "description": "Events a second."},
            "first": _POSITION,
            "last": _POSITION,
            "events": _COUNT,
            "skipped": _COUNT,
            "items": _COUNT,
            "digest_before": _TEXT,
            "digest_after": _TEXT,
            "different": _numbers("How many things differed, by kind."),
            "examples": {"type": "array", "items": _TEXT},
        },
        description="What a rebuild went through, and what it found.",
    ),
    "Statistics": _object(
        _STATISTICS,
        {
            "collections": {
                "type": "object",
                "description": "Those of each collection by name, where there are several.",
                "additionalProperties": ref("schemas", "CollectionStatistics"),
            }
        },
    ),
    "CollectionStatistics": _object(_STATISTICS),
    "ProblemType": _object(
        {
            "type": _URL,
            "title": _TEXT,
            "status": {"type": "integer"},
            "meaning": _TEXT,
            "remedy": _TEXT,
            "example": ref("schemas", "Problem"),
        }
    ),
}

SCHEMAS: Description = {
    name: {"title": name, **schema}
    for name, schema in (_OF_ITEMS | _OF_PATCHES | _OF_THE_SERVICE | {"Problem": _PROBLEM}).items()
}
"""All of them by name, but the model."""
