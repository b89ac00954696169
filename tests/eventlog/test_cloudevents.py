"""Events as lines of JSON, which an import reads: their times and their positions."""

from __future__ import annotations

import json

import pytest

from itemstore.domain.events import ItemCreated, ItemDeleted, RecordedEvent
from itemstore.eventlog.cloudevents import NotAnEvent, decode, encode

CREATED = "ItemCreated"

NO_TIMES = [
    1606121212345,
    1.5,
    True,
    [],
    "",
    "20200501",
    "2020-05-01",
    "2020-05-01T12:00:00",
    "2020-05-01 12:00:00Z",
    "2020-05-01T12:00Z",
    "2020-05-01T12:00:00.Z",
    "2020-05-01T12:00:00,5Z",
    "2020-05-01T12:00:00+0100",
    "2020-05-01T12:00:00+24:00",
    "2020-05-01T12:00:00+01:60",
    "2020-02-30T12:00:00Z",
    "2020-05-01T24:00:00Z",
    "2020-05-01T12:30:60Z",
    "2020-05-30T23:59:60Z",
    "2020-05-01T12:00:61Z",
    "2020-W18-5T12:00:00Z",
    "９020-05-01T12:00:00Z",
    " 2020-05-01T12:00:00Z",
    "2020-05-01T12:00:00Z\n",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:60Z",
]


def test_an_import_keeps_what_an_export_says_of_a_write() -> None:
    """Who made it, in which trace, and in which transaction; the rest of meta stays in its log."""
    meta = {"actor": "ann", "traceparent": "00-1-1-00", "transaction": "t-1"}
    text = encode(RecordedEvent("17-1", 2, ItemDeleted("fox"), meta | {"key": "k"}, "orders"))
    assert decode(1, text).meta == meta
    assert json.loads(text)["source"] == "/orders"


@pytest.mark.parametrize("time", NO_TIMES)
def test_a_time_that_is_not_of_rfc_3339_is_refused(time: object) -> None:
    """Not one of ISO 8601 either, and no number."""
    with pytest.raises(NotAnEvent, match="RFC 3339"):
        decode(1, event_at(time))


@pytest.mark.parametrize("time", ["1965-01-01T00:00:00Z", "1970-01-01T00:59:59.999+01:00"])
def test_a_time_before_all_positions_is_refused(time: str) -> None:
    """It would be another time otherwise."""
    with pytest.raises(NotAnEvent, match="before 1970"):
        decode(1, event_at(time))


@pytest.mark.parametrize(
    ("time", "milliseconds"),
    [
        ("2020-05-01t12:00:00z", 1588334400000),
        ("2020-05-01T12:00:00.1234567890123Z", 1588334400123),
        ("2020-05-01T12:00:00.05Z", 1588334400050),
        ("2020-05-01T14:00:00+02:00", 1588334400000),
        ("2020-05-01T11:30:00-00:30", 1588334400000),
        ("2020-05-01T12:00:00-00:00", 1588334400000),
        ("2016-12-31T23:59:60Z", 1483228800000),
        ("2016-12-31T15:59:60.25-08:00", 1483228800250),
        ("1970-01-01T00:00:00Z", 0),
        (None, None),
    ],
)
def test_a_time_of_rfc_3339_is_read(time: str | None, milliseconds: int | None) -> None:
    """Lower case, leap seconds, offsets and any precision; a null is none."""
    assert decode(1, event_at(time)).milliseconds == milliseconds


def event_at(time: object) -> bytes:
    """A line to import, with this time."""
    return json.dumps({"type": CREATED, "subject": "a", "data": {}, "time": time}).encode()


def test_a_position_without_a_date_is_not_imported() -> None:
    """RFC 3339 ends with the year 9999, and every answer that names the event has its time."""
    line = {"type": CREATED, "subject": "a", "data": {}, "id": "253402300800000-0"}
    with pytest.raises(NotAnEvent, match="year 9999"):
        decode(1, json.dumps(line).encode())
    line["id"] = "253402300799999-0"
    assert decode(1, json.dumps(line).encode()).position == "253402300799999-0"


@pytest.mark.parametrize(
    ("value", "instead", "reason"),
    [
        (b'"a":1', b'"a":1,"a":1', "the key 'a' appears twice"),
        (b'"a":1', b'"a":1e999', "too large"),
        (b'"a":1', b'"a":"\\ud800"', "a lone surrogate"),
        (b'"a":1', b'"a":NaN', "NaN is not a JSON number"),
        (b'"a":1', b'"a":%b' % (b"[" * 200 + b"]" * 200), "more than 201 levels"),
        (b'"subject":"fox"', b'"subject":"fox","subject":"fox"', "the key 'subject' appears twice"),
        (b'"subject":"fox"', b'"subject":"fox","time":""', "the key 'time' appears twice"),
    ],
)
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_line_as_an_export_writes_it_is_looked_at_as_closely(
    value: bytes, instead: bytes, reason: str, end: bytes
) -> None:
    """It is read in a shorter way, which must not let through what no client can store."""
    line = encode(RecordedEvent("17-1", 1, ItemCreated("fox", b'{"a":1}')))
    assert decode(1, line + end).body == b'{"a":1}'
    with pytest.raises(NotAnEvent, match=reason):
        decode(1, line.replace(value, instead) + end)
