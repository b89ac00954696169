"""Bodies are opaque: what was stored comes back, byte for byte, by every way."""

from __future__ import annotations

import json

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import PatchItem, PutItem
from itemstore.eventlog.log import EventLog
from itemstore.projections.current_items import CurrentItems

BODIES = [
    b"[]",
    b"{}",
    b'{"a":[],"b":{},"c":[[],{}]}',
    b'{"size":12345678901234567890,"name":"\xc3\xa9\xf0\x9f\x98\x80"}',
    b"12345678901234567890123456789012345678901234567890",
    b"1.0",
    b"-0.0",
    b"1e400",
    b"0.1000000000000000055511151231257827",
    b"null",
    b'""',
    b'"\\u0000\\n\\"}"',
    b'"},\\"deleted\\":true}"',
    b'{"deleted":true}',
    b'{"data":{"data":1},"version":0,"created":"0-0"}',
    b'{ "spaces" :\t1 ,\r\n"a":2}\n',
    b"[" * 2000 + b"]" * 2000,
    b'{"a":' * 500 + b"{}" + b"}" * 500,
    json.dumps({"long": "x" * 300_000}).encode(),
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_a_body_comes_back_byte_for_byte(
    log: EventLog, items: CurrentItems, body: bytes
) -> None:
    """From the answer, the log, the history, the row and the list; after an update too."""
    for command in (PutItem("foo", body), PatchItem("foo", body)):
        answer = await log.append(command)
        stored = await items.get("foo")
        page = await items.page()

        assert answer.event.body == body  # type: ignore[union-attr]
        assert (await log.reader.read())[-1] == answer
        assert (await log.reader.history("foo"))[-1] == answer
        assert stored is not None
        assert stored.body == body
        assert page.items == [stored]


async def test_a_row_is_json_with_the_very_text_of_the_body(redis: Redis, log: EventLog) -> None:
    """Nothing is put between the keys of a row and the body but what the form says."""
    body = b'{"size":12345678901234567890,"name":"\xc3\xa9\xf0\x9f\x98\x80","tags":[]}'
    await log.append(PutItem("foo", body))
    row = await redis.hget("items:current", "foo")

    assert row is not None
    assert row.endswith(b',"data":' + body + b"}")  # type: ignore[arg-type]
    assert json.loads(row)["data"] == json.loads(body)
