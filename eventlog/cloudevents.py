"""The one shape of an event on the wire: a CloudEvents 1.0 JSON object."""

from __future__ import annotations

from json import JSONEncoder
from typing import Any

from pydantic_core import to_json

from itemstore.domain.cursors import position_in
from itemstore.domain.events import ItemDeleted, RecordedEvent
from itemstore.domain.ids import InvalidItemId, id_of
from itemstore.domain.positions import LAST_TIME
from itemstore.domain.rfc3339 import parse_rfc3339, rfc3339
from itemstore.eventlog.codec import decode_meta
from itemstore.eventlog.excerpts import quoted
from itemstore.eventlog.importing import ForeignEvent
from itemstore.eventlog.json_text import DEEPEST, MalformedJson, check_json, value_that_comes_back

EXTENSIONS = ("actor", "traceparent", "transaction")

META = "itemmeta"
"""The extension that has all of an event's meta as text, where the others don't say it all."""

COPIED = 1024
"""Bytes of a body that is copied into the text around it: handling pieces takes longer."""

_as_json = JSONEncoder(ensure_ascii=False).encode

BATCH = b"application/cloudevents-batch+json"
LINES = b"application/jsonl"


def encode(recorded: RecordedEvent) -> bytes:
    """The event as JSON on one line; `data` is the body as it stands in the log."""
    return b"".join(pieces(recorded))


def pieces(recorded: RecordedEvent) -> list[bytes]:
    """The event as JSON in pieces; where the body is large one of them is the body, not a copy."""
    position, event, meta = recorded.position, recorded.event, recorded.meta
    name = position if recorded.partition is None else recorded.id
    head = (
        f'{{"specversion":"1.0","id":"{name}","source":"/{recorded.collection}","type":"{recorded.type}",'
        f'"subject":{_as_json(event.item)},"time":"{rfc3339(position)}",'
        f'"itemversion":{recorded.version}'
    )
    if meta:
        for extension in EXTENSIONS:
            if extension in meta:
                head += f',"{extension}":{_as_json(meta[extension])}'
    if isinstance(event, ItemDeleted):
        return [f"{head}}}".encode()]
    start = f'{head},"datacontenttype":"application/json","data":'.encode()
    if len(event.body) > COPIED:
        return [start, event.body, b"}"]
    return [b"%b%b}" % (start, event.body)]


class NotAnEvent(ValueError):
    """A line that is not an event of this store. The sentence says why."""


def decode(number: int, line: bytes) -> ForeignEvent:
    """The event on one line of JSON: it needs `type`, `subject`, and `data` unless it deletes.

    `id` is its position, where it has the form of one, with its partition or without; `time` counts
    where there is none. Raises NotAnEvent.
    """
    event = value_that_comes_back(line.rstrip(b"\r\n"))  # as an export has written it
    if event is None:
        try:
            event = check_json(line, what="line", deepest=DEEPEST + 1)  # an item, and the line
        except MalformedJson as error:
            raise NotAnEvent(str(error)) from None
    if not isinstance(event, dict):
        message = "it is not a JSON object"
        raise NotAnEvent(message)
    kind, subject = _text(event, "type"), _text(event, "subject")
    if not subject:
        message = "'subject' is empty; it is the item's id"
        raise NotAnEvent(message)
    deletes = kind == ItemDeleted.__name__
    if deletes is ("data" in event):
        message = "an ItemDeleted has no data" if deletes else "'data' is missing"
        raise NotAnEvent(message)
    return ForeignEvent(
        number,
        kind,
        _checked_id(subject),
        b"" if deletes else to_json(event["data"]),
        _with_a_date(_position(event.get("id"))),
        _milliseconds(event.get("time")),
        _meta(event),
        source if isinstance(source := event.get("source"), str) else None,
    )


def _text(event: dict[str, Any], member: str) -> str:
    text = event.get(member)
    if not isinstance(text, str):
        message = f"{quoted(member)} is missing, or is no text"
        raise NotAnEvent(message)
    return text


def _meta(event: dict[str, Any]) -> dict[str, str]:
    """What is known of the write: what the extensions say, or all that `itemmeta` has."""
    own = event.get(META)
    if own is None:
        return {name: text for name in EXTENSIONS if isinstance(text := event.get(name), str)}
    try:
        return decode_meta(own.encode())
    except (ValueError, AttributeError):
        message = f"{quoted(META)} is not the text of a JSON object of strings"
        raise NotAnEvent(message) from None


def _checked_id(text: str) -> str:
    try:
        return id_of(text.encode())
    except InvalidItemId as error:
        raise NotAnEvent(str(error)) from None


def _position(text: object) -> str | None:
    return position_in(text) if isinstance(text, str) else None


def _milliseconds(time: object) -> int | None:
    if time is None:
        return None
    try:
        milliseconds = parse_rfc3339(time) if isinstance(time, str) else None
    except ValueError:
        milliseconds = None
    if milliseconds is None:
        message = "'time' is no RFC 3339 time; it must be as in 2026-11-23T08:09:06Z"
        raise NotAnEvent(message)
    if milliseconds < 0:
        message = "'time' is before 1970, and so before all that a log can hold"
        raise NotAnEvent(message)
    return milliseconds


def _with_a_date(position: str | None) -> str | None:
    if position is not None and int(position.partition("-")[0]) > LAST_TIME:
        message = "'id' is a position after the year 9999, whose time can't be written"
        raise NotAnEvent(message)
    return position
