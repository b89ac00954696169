"""The form of an event in the log: a stream entry of five fields, always in the same order.

| field     | holds                                                                |
| --------- | -------------------------------------------------------------------- |
| `type`    | ItemCreated, ItemUpdated or ItemDeleted                              |
| `item`    | the id                                                               |
| `version` | the item's version after the event                                   |
| `data`    | the body's JSON, empty on a delete                                   |
| `meta`    | JSON: `actor`, `key`, `traceparent`, `transaction` where known,      |
|           | `{}` if none is                                                      |

The append script writes this form; a test holds the two against each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from itemstore.domain.events import (
    ITEMS,
    Event,
    ItemCreated,
    ItemDeleted,
    ItemUpdated,
    RecordedEvent,
)
from itemstore.domain.values import value

FIELDS = (b"type", b"item", b"version", b"data", b"meta")

NO_META = b"{}"

_NAMES = list(FIELDS)

_STORING: dict[bytes, type[ItemCreated | ItemUpdated]] = {
    b"ItemCreated": ItemCreated,
    b"ItemUpdated": ItemUpdated,
}
"""The types of events that have a body."""


class MalformedEntry(ValueError):
    """A stream entry that is not an event of this store. `position` says which."""

    def __init__(self, position: str, reason: str) -> None:
        super().__init__(f"The entry at {position} is not an event of this store: {reason}")
        self.position = position


@value
class EventHead:
    """An event without its body: the version of its item that it made, when, and how.

    `id` is the event's.
    """

    version: int
    position: str
    type: str
    id: str


def encode_meta(meta: Mapping[str, str]) -> bytes:
    """What is known of a write, as it stands in the `meta` field."""
    if not meta:
        return NO_META
    return json.dumps(meta, ensure_ascii=False, separators=(",", ":")).encode()


def is_meta(text: bytes) -> bool:
    """Whether a text is one that can stand in the `meta` field."""
    try:
        decode_meta(text)
    except ValueError:
        return False
    return True


def decode(
    position: bytes,
    fields: Mapping[bytes, bytes],
    collection: str = ITEMS,
    partition: int | None = None,
) -> RecordedEvent:
    """The event in a stream entry. Raises MalformedEntry."""
    if tuple(fields) != FIELDS:
        raise _wrong_fields(position)
    return _decoded(position, fields.values(), collection, partition)


def decode_flat(
    position: bytes,
    fields: Sequence[bytes],
    collection: str = ITEMS,
    partition: int | None = None,
) -> RecordedEvent:
    """The event of an entry whose names and values come in turn, as the engine sends them."""
    if fields[::2] != _NAMES:
        raise _wrong_fields(position)
    return _decoded(position, fields[1::2], collection, partition)


def decode_head(
    position: bytes, fields: Sequence[bytes], partition: int | None = None
) -> EventHead:
    """The same without its body, of which the entry may have a part only. Raises MalformedEntry."""
    recorded = decode_flat(position, fields, partition=partition)
    return EventHead(recorded.version, recorded.position, recorded.type, recorded.id)


def without_meta(
    position: bytes,
    fields: Sequence[bytes],
    collection: str = ITEMS,
    partition: int | None = None,
) -> RecordedEvent | None:
    """The event in an entry whose meta alone is wrong; None where it is no event at all."""
    try:
        return decode_flat(position, [*fields[:-1], NO_META], collection, partition)
    except MalformedEntry:
        return None


def decode_all(
    entries: Sequence[tuple[bytes, Mapping[bytes, bytes]]],
    collection: str = ITEMS,
    partition: int | None = None,
) -> list[RecordedEvent]:
    """The events in a range of stream entries. Raises MalformedEntry."""
    return [decode(position, fields, collection, partition) for position, fields in entries]


def _decoded(
    position: bytes, values: Iterable[bytes], collection: str, partition: int | None
) -> RecordedEvent:
    place = position.decode()
    kind, item, version, data, meta = values
    try:
        event = _event(kind, item.decode(), data)
        return RecordedEvent(place, int(version), event, decode_meta(meta), collection, partition)
    except ValueError as error:
        raise MalformedEntry(place, str(error)) from error


def _wrong_fields(position: bytes) -> MalformedEntry:
    return MalformedEntry(position.decode(), "its fields are not type, item, version, data, meta")


def _event(kind: bytes, item: str, data: bytes) -> Event:
    if data and (storing := _STORING.get(kind)):
        return storing(item, data)
    if kind == b"ItemDeleted" and not data:
        return ItemDeleted(item)
    message = f"no event has the type {kind!r} and {'a' if data else 'no'} body"
    raise ValueError(message)


def decode_meta(text: bytes) -> dict[str, str]:
    """What a text in the `meta` field says. Raises ValueError."""
    if text == NO_META:
        return {}
    try:
        meta = json.loads(text)
    except RecursionError:  # it is nested too deep
        meta = None
    if not isinstance(meta, dict) or not all(isinstance(value, str) for value in meta.values()):
        message = "its meta is not a JSON object of strings"
        raise ValueError(message)
    return meta
