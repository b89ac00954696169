"""The one shape of an event on the wire: a CloudEvents 1.0 JSON object."""

from __future__ import annotations

import json

from api.times import rfc3339
from domain.events import ItemDeleted, RecordedEvent

SOURCE = "/items"

ONE = b"application/cloudevents+json"
BATCH = b"application/cloudevents-batch+json"
LINES = b"application/jsonl"


def encode(recorded: RecordedEvent) -> bytes:
    """The event as JSON on one line; `data` is the body as it stands in the log."""
    head = {
        "specversion": "1.0",
        "id": recorded.position,
        "source": SOURCE,
        "type": recorded.type,
        "subject": recorded.item,
        "time": rfc3339(recorded.position),
        "itemversion": recorded.version,
    }
    for extension in ("actor", "traceparent"):
        if extension in recorded.meta:
            head[extension] = recorded.meta[extension]
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode()
    if isinstance(recorded.event, ItemDeleted):
        return text
    return text[:-1] + b',"datacontenttype":"application/json","data":' + recorded.event.body + b"}"
