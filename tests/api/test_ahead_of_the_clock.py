"""A log in which something was written while a clock was years ahead, and positions at their limit.

Positions go up, so all that is written after it has that time too, and the number within the
millisecond counts on.
"""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis
from redis import Redis

from itemstore.api.app import create_app
from itemstore.domain.positions import LARGEST, position_of
from itemstore.eventlog.cloudevents import NotAnEvent, decode
from itemstore.eventlog.import_check import ImportCheck
from itemstore.eventlog.importing import ImportRefused
from itemstore.store.settings import Settings
from tests.api.conftest import problem
from tests.conftest import Start
from tests.logged import all_told

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it would rather be used with a successor of httpx
    from starlette.testclient import TestClient

FAR = 4_102_444_800_000  # 2100-01-01
FIELDS: Any = {"type": "ItemCreated", "item": "other", "version": "1", "data": "{}", "meta": "{}"}


@pytest.fixture
async def ahead(client: httpx.AsyncClient, redis: FakeAsyncRedis) -> list[str]:
    """The positions of three versions of an item, after an event from the year 2100."""
    await redis.xadd("items:events", FIELDS, id=f"{FAR}-{10**18}")
    answers = [await client.put("/items/foo", json={"size": n}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [201, 200, 200]
    return [answer.headers["event-id"] for answer in answers]


async def test_positions_of_nineteen_digits_are_read_back(
    client: httpx.AsyncClient, ahead: list[str]
) -> None:
    """As a cursor, as the id of an SSE event, and of an item's own history."""
    assert ahead == [f"{FAR}-{10**18 + n}" for n in (1, 2, 3)]
    for path in ("/events", "/items/foo/events"):
        answer = await client.get(path, params={"after": ahead[0]})
        assert [event["id"] for event in answer.json()] == ahead[1:]
    newest = await client.get("/items/foo/events", params={"after": ahead[2], "order": "desc"})
    assert [event["id"] for event in newest.json()] == ahead[1::-1]
    one = await client.get("/events", params={"item": "foo", "after": ahead[1]})
    assert [event["id"] for event in one.json()] == ahead[2:]


@pytest.mark.parametrize(
    ("after", "count"),
    [
        (f"000{FAR}-{10**18:019}", 3), (f"{FAR}-0{10**18 + 2}", 1), ("0-0", 4),
        ("0-18446744073709551615", 4),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("ahead")
async def test_a_position_is_any_that_the_engine_can_have(
    client: httpx.AsyncClient, after: str, count: int
) -> None:
    """Up to the largest, and with zeroes in front as well."""
    answer = await client.get("/events", params={"after": after})
    assert (answer.status_code, len(answer.json())) == (200, count)


@pytest.mark.parametrize("after", [f"{LARGEST}-{LARGEST}", f"{FAR}-{LARGEST}"])
@pytest.mark.usefixtures("ahead")
async def test_a_position_after_the_end_is_read_and_refused_as_one(
    client: httpx.AsyncClient, after: str
) -> None:
    """Also the largest: it is a position, and none of this log."""
    problem(await client.get("/events", params={"after": after}), 409, "other-log")


@pytest.mark.parametrize(
    "after", [f"{LARGEST + 1}-0", f"0-{LARGEST + 1}", "9" * 21 + "-0", "1-", "-1", "1-1-1", "１-1"]
)
async def test_what_the_engine_can_not_have_is_no_position(
    client: httpx.AsyncClient, after: str
) -> None:
    """400, and not the engine's own complaint."""
    for path in ("/events", "/items/foo/events"):
        await client.put("/items/foo", json={})
        problem(await client.get(path, params={"after": after}), 400, "malformed-cursor")
    assert position_of(after) is None


async def test_now_is_before_all_of_such_a_log(client: httpx.AsyncClient, ahead: list[str]) -> None:
    """Its times are what they are: Accept-Datetime now is before the first version, so the first.

    After the last is the last; a write under If-Match goes on, and never under a date.
    """
    now = {"accept-datetime": "Fri, 27 Nov 2026 08:09:06 GMT"}
    later = {"accept-datetime": "Fri, 01 Jan 2100 00:00:00 GMT"}
    assert (await client.get("/items/foo", headers=now)).headers["location"].endswith("/1")
    assert (await client.get("/items/foo", headers=later)).headers["location"].endswith("/3")
    since = {"if-unmodified-since": "Fri, 27 Nov 2026 08:09:06 GMT"}
    problem(await client.put("/items/foo", json={}, headers=since), 412, "unexpected-version")
    assert (await client.put("/items/foo", json={}, headers={"if-match": '"3"'})).is_success
    assert ahead


def test_an_event_with_a_position_keeps_it_however_far_ahead() -> None:
    """It comes from a log that is ahead; what has no position follows it, also at the end."""
    events = [
        decode(1, _line("a", f"{FAR}-{LARGEST}")),
        decode(2, _line("b", None)),
        decode(3, _line("c", f"{FAR + 5}-7")),
    ]
    check = ImportCheck(1_000, keep=True)
    places = [check.place(event)[1] for event in events]
    assert places == [f"{FAR}-{LARGEST}", f"{FAR + 1}-0", f"{FAR + 5}-7"]


def test_a_time_without_a_position_is_no_reason_to_run_ahead() -> None:
    """The sentence says what to do about it."""
    text = json.dumps(
        {"type": "ItemCreated", "subject": "a", "data": {}, "time": "2100-01-01T00:00:00Z"}
    )
    with pytest.raises(ImportRefused, match="future; mend it, or leave it out"):
        ImportCheck(1_000, keep=True).place(decode(1, text.encode()))
    with pytest.raises(NotAnEvent, match="9999"):
        decode(1, _line("a", f"{LARGEST}-0"))


def _line(item: str, position: str | None) -> bytes:
    event: dict[str, Any] = {"type": "ItemCreated", "subject": item, "data": {}}
    if position is not None:
        event["id"] = position
    return json.dumps(event).encode()


@pytest.mark.parametrize("is_ahead", [True, False])
def test_a_log_that_is_ahead_is_said_at_the_start(
    start: Start, caplog: pytest.LogCaptureFixture, tmp_path: Path, *, is_ahead: bool
) -> None:
    """With where it ends, in the log of the process; the store is open all the same."""
    engine = start("valkey")
    with Redis(unix_socket_path=str(engine.socket)) as redis:
        redis.xadd("items:events", FIELDS, id=f"{FAR}-0" if is_ahead else "*")
    settings = Settings(redis_url=engine.url, data_dir=tmp_path)
    with (
        caplog.at_level(logging.WARNING, "itemstore"),
        TestClient(create_app(settings)) as client,
    ):
        assert client.put("/items/foo", json={}).status_code == 201
    said = all_told(caplog, event="The log is ahead of the engine's clock")
    assert len(said) == is_ahead
    assert all(f"{FAR}-0" in each["meaning"] for each in said)
