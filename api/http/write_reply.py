"""What a write is answered with: the type of the event that it appended decides the status."""

from __future__ import annotations

from itemstore.api.http.dates import last_modified
from itemstore.api.http.entity_tags import version_tag
from itemstore.api.http.paths import item_path
from itemstore.api.http.preferences import preferred_return
from itemstore.api.http.reply import JSON, Headers, Reply
from itemstore.api.http.request import Request
from itemstore.domain.events import ItemCreated, ItemDeleted, RecordedEvent


def write_reply(request: Request, recorded: RecordedEvent) -> Reply:
    """201 for ItemCreated, 200 for ItemUpdated, with the item; without it if that is preferred.

    204 for ItemDeleted.
    """
    return written(request.base, recorded, preferred_return(request.fields))


def written(base: str, recorded: RecordedEvent, preferred: str | None) -> Reply:
    """The same to a request that prefers this return; `base` is the URL path of the collection."""
    event = recorded.event
    if isinstance(event, ItemDeleted):
        return Reply(204, _event_headers(recorded))
    created = isinstance(event, ItemCreated)
    headers = [
        (b"etag", version_tag(recorded.version)),
        (b"last-modified", last_modified(recorded.position)),
        *_event_headers(recorded),
    ]
    location = item_path(base, recorded.item).encode()
    if created:
        headers.append((b"location", location))
    if preferred is not None:
        headers.append((b"preference-applied", b"return=" + preferred.encode()))
    if preferred == "minimal":
        return Reply(201 if created else 204, headers)
    headers += [JSON, (b"content-location", location)]
    return Reply(201 if created else 200, headers, event.body)


def _event_headers(recorded: RecordedEvent) -> Headers:
    """The event that a write appended: where it stands in the log, and what it is."""
    return [
        (b"event-id", recorded.id.encode()),
        (b"event-type", recorded.type.encode()),
    ]
