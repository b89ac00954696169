"""How server-sent events are written (HTML standard §9.2): events, comments, the time to wait."""

from __future__ import annotations

from itemstore.domain.events import RecordedEvent
from itemstore.eventlog.cloudevents import encode


def frame(recorded: RecordedEvent, cursor: str) -> bytes:
    """An event, with the cursor after it as `id` and its type as `event`."""
    kind = recorded.type.encode()
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (cursor.encode(), kind, encode(recorded))


def frame_again(text: bytes, cursor: str) -> bytes:
    """A frame for a reader who is at another cursor after it."""
    return b"id: %s%s" % (cursor.encode(), text[text.index(b"\n") :])


def comment(text: bytes) -> bytes:
    """A comment, without an empty line after it: some clients take that for an event."""
    return b": %s\n" % text


def retry(milliseconds: int) -> bytes:
    """The time after which a client connects again."""
    return b"retry: %d\n\n" % milliseconds
