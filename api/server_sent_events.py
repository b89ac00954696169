"""How server-sent events are written (HTML standard §9.2): events, comments, the time to wait."""

from __future__ import annotations

from itemstore.domain.events import RecordedEvent
from itemstore.eventlog.cloudevents import encode


def frame(recorded: RecordedEvent) -> bytes:
    """An event, with its position as `id` and its type as `event`."""
    place, kind = recorded.position.encode(), recorded.type.encode()
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (place, kind, encode(recorded))


def comment(text: bytes) -> bytes:
    """A comment, without an empty line after it: some clients take that for an event."""
    return b": %s\n" % text


def retry(milliseconds: int) -> bytes:
    """The time after which a client connects again."""
    return b"retry: %d\n\n" % milliseconds
