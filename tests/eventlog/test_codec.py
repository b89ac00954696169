"""The form of a stream entry, read and written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemstore.domain.events import ItemCreated, ItemDeleted, ItemUpdated, RecordedEvent
from itemstore.eventlog.codec import FIELDS, MalformedEntry, decode, encode_meta

TEXT = st.text(st.characters(codec="utf-8"))

ENTRY = {
    b"type": b"ItemUpdated",
    b"item": "é".encode(),
    b"version": b"3",
    b"data": b'{"size":6}',
    b"meta": b'{"actor":"ann"}',
}


@pytest.mark.parametrize(
    ("kind", "data", "event"),
    [
        (b"ItemCreated", b"[]", ItemCreated("é", b"[]")),
        (b"ItemUpdated", b"1.0", ItemUpdated("é", b"1.0")),
        (b"ItemDeleted", b"", ItemDeleted("é")),
    ],
)
def test_an_entry_is_an_event(
    kind: bytes, data: bytes, event: ItemCreated | ItemUpdated | ItemDeleted
) -> None:
    """Each type, with what the log gave it."""
    entry = ENTRY | {b"type": kind, b"data": data}
    assert decode(b"17-1", entry) == RecordedEvent("17-1", 3, event, {"actor": "ann"})


@given(st.dictionaries(TEXT, TEXT))
def test_meta_comes_back_as_it_was(meta: dict[str, str]) -> None:
    """Whatever the text, in JSON that a person can read."""
    encoded = encode_meta(meta)
    assert decode(b"1-0", ENTRY | {b"meta": encoded}).meta == meta
    assert json.loads(encoded) == meta


def test_meta_is_short_and_readable() -> None:
    """No spaces, no escapes for letters that are not English."""
    assert encode_meta({}) == b"{}"
    assert encode_meta({"actor": "Zoë", "key": "k"}) == '{"actor":"Zoë","key":"k"}'.encode()


MALFORMED = {
    "no fields": {},
    "a field missing": {name: ENTRY[name] for name in FIELDS[:-1]},
    "a field more": ENTRY | {b"more": b""},
    "another order": dict(reversed(ENTRY.items())),
    "an unknown type": ENTRY | {b"type": b"ItemRenamed"},
    "a type in lower case": ENTRY | {b"type": b"itemcreated"},
    "an id that is no UTF-8": ENTRY | {b"item": b"\xff"},
    "a version that is no number": ENTRY | {b"version": b"three"},
    "no version": ENTRY | {b"version": b""},
    "meta that is no JSON": ENTRY | {b"meta": b"{"},
    "no meta": ENTRY | {b"meta": b""},
    "meta that is no object": ENTRY | {b"meta": b"[]"},
    "meta that is nested too deep": ENTRY | {b"meta": b"[" * 100_000},
    "meta that is no text": ENTRY | {b"meta": b'{"actor":1}'},
    "a creation of nothing": ENTRY | {b"type": b"ItemCreated", b"data": b""},
    "an update to nothing": ENTRY | {b"data": b""},
    "a delete with a body": ENTRY | {b"type": b"ItemDeleted"},
}


@pytest.mark.parametrize("entry", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_event_is_told_by_its_position(entry: dict[bytes, bytes]) -> None:
    """A person who reads the log must be able to find the entry."""
    message = "The entry at 17-1 is not an event of this store: "
    with pytest.raises(MalformedEntry, match=message) as malformed:
        decode(b"17-1", entry)
    assert malformed.value.position == "17-1"
