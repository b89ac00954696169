"""A stream means the same wherever its bytes are cut."""

from __future__ import annotations

import pytest

from itemstore.client.event_stream import EventStream, StreamEvent

STREAM = (
    'retry: 1500\n\nid: 1-0\nevent: ItemCreated\ndata: {"a":\ndata: "ä"}\n\n'
    ": still here\n\nid:2-0\r\ndata:{}\r\n\r\nevent: nothing\n\nid: 3-0\rdata: x\r\rdata: y\n\n"
).encode()

EVENTS = [
    StreamEvent("1-0", '{"a":\n"ä"}'),
    StreamEvent("2-0", "{}"),
    StreamEvent("3-0", "x"),
    StreamEvent("3-0", "y"),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_bytes_may_be_cut_anywhere(size: int) -> None:
    """Within a line, its end, or a character."""
    stream = EventStream()
    parts = (STREAM[at : at + size] for at in range(0, len(STREAM), size))
    assert [each for part in parts for each in stream.events(part)] == EVENTS
    assert stream.retry == 1.5


def test_an_event_that_was_cut_off_counts_for_nothing() -> None:
    """It comes whole on the next connection."""
    stream = EventStream()
    assert list(stream.events(b'id: 1-0\ndata: {}\n\nid: 2-0\ndata: {"a"')) == [
        StreamEvent("1-0", "{}")
    ]
