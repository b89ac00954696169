"""Entries as lines of a segment: what an export has, and back to the byte."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from itemstore.archive.lines import NotALine, entries_in, entry_of, line_of
from itemstore.domain.ids import InvalidItemId, id_of
from itemstore.eventlog.cloudevents import encode
from itemstore.eventlog.codec import decode_flat, encode_meta
from itemstore.eventlog.reader import Entry
from tests.archive.entries import entry

POSITIONS = st.builds(
    "{}-{}".format, st.integers(1, 2**64 - 1), st.integers(0, 2**64 - 1)
) | st.just("1764256717123-0")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
BODIES = st.builds(
    lambda value: json.dumps(value, ensure_ascii=False).encode(errors="replace"), JSON
)


def _is_id(text: str) -> bool:
    try:
        id_of(text.encode(errors="surrogatepass"))
    except InvalidItemId:
        return False
    return True


IDS = st.text(min_size=1, max_size=128).filter(_is_id)
WRITERS = st.text(st.characters(codec="utf-8"))
METAS = st.fixed_dictionaries(
    {},
    optional={
        "actor": WRITERS,
        "key": WRITERS,
        "traceparent": WRITERS,
        "transaction": WRITERS,
    },
)


@given(POSITIONS, IDS, st.integers(1, 2**53), BODIES, METAS)
def test_an_event_is_the_line_of_an_export_but_for_itemmeta_and_comes_back_to_the_byte(
    position: str, item: str, version: int, body: bytes, meta: dict[str, str]
) -> None:
    """What the archive keeps is what somebody would get who exports the log."""
    there = entry(position, item, version, body, encode_meta(meta))
    line = line_of(*there, "orders")

    assert entry_of(line) == ("orders", there)
    told, exported = json.loads(line), json.loads(encode(decode_flat(*there, "orders")))
    itemmeta = told.pop("itemmeta", None)
    assert told == exported
    if "key" not in meta and itemmeta is None:
        assert line == encode(decode_flat(*there, "orders"))
    if "key" in meta:
        assert json.loads(itemmeta) == meta
    assert line.endswith(b',"data":%b}' % body)
    assert b"\n" not in line


@pytest.mark.parametrize(
    "meta",
    [{}, {"actor": "alice"}, {"traceparent": "00-a-b-01", "transaction": "t 1"}, {"actor": "é"}],
)
def test_what_the_store_says_of_most_writes_needs_no_itemmeta(meta: dict[str, str]) -> None:
    """So most lines are an export's to the byte."""
    there = entry("5-0", "a", 1, meta=encode_meta(meta))

    assert line_of(*there, "items") == encode(decode_flat(*there))


METAS_BY_HAND = st.binary() | st.sampled_from(
    [
        b"",
        b"{",
        b"{}{}",
        b"[]",
        b" {}",
        b'{"actor":"a" }',
        b'{"actor":"a","actor":"b"}',
        b'{"actor":"\\u00e9"}',
        b'{"actor":"\\ud800"}',
        b'{"traceparent":"t","actor":"a"}',
        b'{"actor":"a""traceparent":"t"}',
        b'{,"actor":"a"}',
        b'{"actor":1}',
        b'{"itemmeta":"a"}',
        b'{"key":"\xff"}',
        b'{"actor":"a","other":"b\n"}',
    ]
)


@given(METAS_BY_HAND)
def test_any_meta_comes_back_to_the_byte(meta: bytes) -> None:
    """Also one that somebody wrote by hand, and that is wrong."""
    there = entry("5-0", "a", 1, meta=meta)
    line = line_of(*there, "items")

    json.loads(line)
    assert entry_of(line) == ("items", there)
    assert entries_in(line + b"\n", 1) == [("items", there)]


@given(st.binary(), st.binary(), st.binary(), st.binary())
@example(b"ItemCreated", b"a", b"01", b"{}")
@example(b"ItemCreated", b"a", b"1", b'{\n"a": 1}')
@example(b"ItemCreated", b"a", b"1", b'{"a": 1}\r')
@example(b"ItemCreated", b"a", b"1", b"NaN")
@example(b"ItemCreated", b"a", b"1", b'{"a":1}}')
@example(b"ItemCreated", b"a", b"1", b"")
@example(b"ItemDeleted", b"a", b"1", b"{}")
@example(b"ItemCreated", b"\xff", b"1", b"{}")
@example(b"ItemCreated", b'a","time":"', b"1", b"{}")
def test_an_entry_of_any_values_comes_back_to_the_byte(
    kind: bytes, item: bytes, version: bytes, data: bytes
) -> None:
    """One that is no event is a line of its own kind, which is JSON all the same."""
    fields = [b"type", kind, b"item", item, b"version", version, b"data", data, b"meta", b"{}"]
    line = line_of(b"5-0", fields, "items")

    json.loads(line)
    assert b"\n" not in line
    assert entry_of(line) == ("items", (b"5-0", fields))


@given(st.lists(st.binary(), max_size=12))
def test_an_entry_of_any_fields_comes_back_to_the_byte(fields: list[bytes]) -> None:
    """As somebody may write it by hand with XADD."""
    line = line_of(b"5-0", fields, "items")

    assert json.loads(line)["type"] == "MalformedEntry"
    assert entry_of(line) == ("items", (b"5-0", fields))


def test_lines_in_bodies_and_between_odd_ones_are_not_taken_for_entries() -> None:
    """A body may be an event itself, and stand in a line that is malformed."""
    event = line_of(*entry("1-0", "inner", 1), "items")
    odd: Entry = (b"3-0", [b"type", event, b"item"])
    placed = [
        ("items", entry("2-0", "outer", 1, event)),
        ("orders", odd),
        ("items", entry("4-0", "outer", 2, b'"%b"' % event.replace(b'"', b'\\"'))),
    ]
    text = b"".join(line_of(*each, collection) + b"\n" for collection, each in placed)

    assert entries_in(text, 3) == placed


NO_ENTRY = (
    b'{"specversion":"1.0","id":"1-0","source":"/items","type":"MalformedEntry","time":"",'
    b'"datacontenttype":"application/json","data":%b}'
)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        NO_ENTRY % b"[1]",
        NO_ENTRY % b"{",
        NO_ENTRY % '["€"]'.encode(),
        line_of(*entry("1-0", "a", 1), "items")[1:],
        line_of(*entry("1-0", "a", 1, meta=b'{"key":"a"}'), "items").replace(b'\\"', b"\\!"),
    ],
)
def test_what_no_entry_became_is_refused(line: bytes) -> None:
    """So an altered line is found out, and isn't read as something else."""
    with pytest.raises(NotALine):
        entry_of(line)
