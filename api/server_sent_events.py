"""Server-sent events, as the HTML standard has them: how an event and a comment are written."""

from __future__ import annotations

from itemstore.domain.events import RecordedEvent
from itemstore.store.cloudevents import encode

EVENT_STREAM = b"text/event-stream"


def frame(recorded: RecordedEvent) -> bytes:
    """An event, with its position as `id` and its type as `event`."""
    place, kind = recorded.position.encode(), recorded.type.encode()
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (place, kind, encode(recorded))


def comment(text: bytes) -> bytes:
    """A comment. No empty line after it: some clients take that for an event without data."""
    return b": %s\n" % text


def retry(milliseconds: int) -> bytes:
    """How long a client waits before it connects again."""
    return b"retry: %d\n\n" % milliseconds
