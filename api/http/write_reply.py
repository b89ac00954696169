"""What a write is answered with: the type of the event that it appended decides the status."""

from __future__ import annotations

from itemstore.api.http.dates import last_modified
from itemstore.api.http.entity_tags import VALIDATORS
from itemstore.api.http.paths import item_path
from itemstore.api.http.preferences import preferred_return
from itemstore.api.http.reply import JSON_LINE, Reply
from itemstore.api.http.request import Request
from itemstore.domain.events import ItemCreated, ItemDeleted, RecordedEvent
from itemstore.server.answer_head import FieldLines

_CREATED = VALIDATORS + b"event-id: %b\r\nevent-type: ItemCreated\r\n"
_UPDATED = VALIDATORS + b"event-id: %b\r\nevent-type: ItemUpdated\r\n"
_DELETED = b"event-id: %b\r\nevent-type: ItemDeleted\r\n"


def write_reply(request: Request, recorded: RecordedEvent) -> Reply:
    """201 for ItemCreated, 200 for ItemUpdated, with the item; without it if that is preferred.

    204 for ItemDeleted.
    """
    return written(request.base, recorded, preferred_return(request.fields))


def written(base: str, recorded: RecordedEvent, preferred: str | None) -> Reply:
    """The same to a request that prefers this return; `base` is the URL path of the collection."""
    event = recorded.event
    event_id = recorded.id.encode()
    if isinstance(event, ItemDeleted):
        return Reply(204, FieldLines(_DELETED % event_id))
    created = isinstance(event, ItemCreated)
    path = item_path(base, event.item).encode()
    lines = (_CREATED if created else _UPDATED) % (
        recorded.version, last_modified(recorded.position), event_id,
    )  # fmt: skip
    if created:
        lines += b"location: %b\r\n" % path
    if preferred is not None:
        lines += b"preference-applied: return=%b\r\n" % preferred.encode()
    if preferred == "minimal":
        return Reply(201 if created else 204, FieldLines(lines))
    lines += b"%bcontent-location: %b\r\n" % (JSON_LINE, path)
    return Reply(201 if created else 200, FieldLines(lines), event.body)
