"""The line of a request: whoever listens gets the same, as text or as a record of logging."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from itemstore.api import access_log
from itemstore.logs.lines import JsonLines
from itemstore.logs.output import Output
from tests.api.conftest import Serve
from tests.logged import all_told, having, lines_of

NAMED = {"X-Request-ID": "mine"}


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """What goes out by the output of the command, as the only one that listens."""
    pieces: list[bytes] = []
    output = Output(pieces.append)
    output.setFormatter(JsonLines())
    monkeypatch.setattr(access_log.logger, "propagate", False)
    monkeypatch.setattr(access_log, "LOOK_SECONDS", 0.0)
    before = access_log.logger.level
    access_log.logger.setLevel(logging.INFO)
    access_log.logger.addHandler(output)
    yield pieces
    access_log.logger.removeHandler(output)
    access_log.logger.setLevel(before)


def lines(written: list[bytes]) -> list[dict[str, Any]]:
    """The lines so far."""
    for handler in access_log.logger.handlers:
        handler.flush()
    return lines_of(b"".join(written).decode("ascii"))


async def ask(client: httpx.AsyncClient) -> None:
    """Requests of every kind: a write, reads, a page, a refusal, what nobody knows, a stream."""
    await client.put("/items/l%C3%A4%22", json={"name": "x"}, headers=NAMED)
    await client.get("/items/%0A%1B%5B2J%ED%A0%80", headers=NAMED)
    await client.get("/items/nothing", headers=NAMED)
    await client.get("/items", headers=NAMED)
    await client.get("/events", headers={"Accept": "application/jsonl"} | NAMED)
    await client.request("MAKE", "/items/a", headers=NAMED)
    await client.get("/nowhere", headers=NAMED)


async def test_a_line_that_goes_straight_out_is_the_one_that_its_record_gives(
    serve: Serve, written: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same names in the same order, whatever is in the id of an item."""
    client = serve(access_log=True)
    await ask(client)
    straight = lines(written)
    written.clear()
    monkeypatch.setattr(access_log, "straight_to", lambda *_: None)
    again = serve(access_log=True)
    await again.delete("/items/l%C3%A4%22")
    lines(written)
    written.clear()
    await ask(again)
    recorded = lines(written)
    assert len(straight) == len(recorded) == 7
    for one, other in zip(straight, recorded, strict=True):
        assert list(one) == list(other)
        varies = ("time", "ms", "event_id", "bytes")
        assert [one[name] for name in one if name not in varies] == [
            other[name] for name in other if name not in varies
        ]
    assert having(straight, item='lä"', method="PUT", status=201)
    assert straight[1]["item"].startswith("\n\x1b[2J")


async def test_where_somebody_else_listens_they_get_records(
    serve: Serve, written: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    """As an application has its own handlers, and pytest; both get each line then."""
    access_log.logger.addHandler(caplog.handler)
    try:
        client = serve(access_log=True)
        await client.put("/items/foo", json={}, headers=NAMED)
    finally:
        access_log.logger.removeHandler(caplog.handler)
    [told] = all_told(caplog, event=access_log.ANSWERED)
    assert (told["item"], told["status"], told["request_id"]) == ("foo", 201, "mine")
    assert [line["item"] for line in lines(written)] == ["foo"]


async def test_a_level_above_info_leaves_them_out(serve: Serve, written: list[bytes]) -> None:
    """Also when it is set while the store is served."""
    client = serve(access_log=True)
    await client.get("/items/foo")
    access_log.logger.setLevel(logging.WARNING)
    await client.get("/items/foo")
    assert len(lines(written)) == 1


async def test_a_line_says_whose_request_it_was(serve: Serve, written: list[bytes]) -> None:
    """The address of the client, where it has one."""
    client = serve(access_log=True)
    await client.put("/items/foo", json={})
    await client.get("/nowhere")
    assert {json.dumps(line.get("client")) for line in lines(written)} == {'"127.0.0.1"'}
