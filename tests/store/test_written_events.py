"""Events as JSON on the wire: every byte of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itemstore.domain.events import ItemCreated, ItemDeleted, ItemUpdated, RecordedEvent
from itemstore.domain.positions import LAST_TIME
from itemstore.domain.rfc3339 import rfc3339
from itemstore.eventlog.cloudevents import COPIED, encode, pieces

TEXT = st.text(st.characters(codec="utf-8"))


@given(
    item=TEXT,
    milliseconds=st.integers(0, LAST_TIME),
    version=st.integers(1, 10**15),
    meta=st.dictionaries(st.sampled_from(["actor", "key", "traceparent", "transaction"]), TEXT),
    body=st.none() | st.sampled_from([b"1", b'{"a":[]}', b'"' + b"x" * COPIED + b'"']),
)
def test_an_event_is_compact_json_with_its_body_as_it_stands(
    item: str, milliseconds: int, version: int, meta: dict[str, str], body: bytes | None
) -> None:
    """Members in their order, letters of any script as they are."""
    position = f"{milliseconds}-7"
    event = ItemDeleted(item) if body is None else ItemUpdated(item, body)
    recorded = RecordedEvent(position, version, event, meta)
    expected = {
        "specversion": "1.0",
        "id": position,
        "source": "/items",
        "type": type(event).__name__,
        "subject": item,
        "time": rfc3339(position),
        "itemversion": version,
    }
    shown = ("actor", "traceparent", "transaction")
    expected |= {name: meta[name] for name in shown if name in meta}
    if body is not None:
        expected |= {"datacontenttype": "application/json", "data": json.loads(body)}
    text = json.dumps(expected, ensure_ascii=False, separators=(",", ":")).encode()
    assert encode(recorded) == text


@pytest.mark.parametrize(("size", "is_copied"), [(COPIED, True), (COPIED + 1, False)])
def test_a_large_body_is_not_copied(*, size: int, is_copied: bool) -> None:
    """It is a piece of its own, the very object that was read."""
    body = b"1" * size
    found = pieces(RecordedEvent("1-0", 1, ItemCreated("foo", body)))
    assert (len(found) == 1) is is_copied
    assert any(piece is body for piece in found) is not is_copied


@given(st.integers(0, LAST_TIME))
def test_a_time_has_three_digits_after_the_second(milliseconds: int) -> None:
    """As Python writes it too."""
    time = datetime.fromtimestamp(milliseconds // 1000, UTC).isoformat()[:19]
    assert rfc3339(f"{milliseconds}-0") == f"{time}.{milliseconds % 1000:03d}Z"


def test_a_time_after_the_year_9999_is_the_last_one() -> None:
    """A position has room for more."""
    assert rfc3339(f"{LAST_TIME + 1}-0") == rfc3339(f"{2**64 - 1}-0") == "9999-12-31T23:59:59.999Z"
