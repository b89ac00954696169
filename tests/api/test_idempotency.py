"""Idempotency-Key: a request that is sent twice is carried out once."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.domain.events import RecordedEvent
from itemstore.eventlog.claims import Claims
from itemstore.eventlog.idempotency import IdempotencyKey, outcome
from itemstore.eventlog.partition import Partition
from tests.api.conftest import SEVERAL, Events, Serve, problem

pytestmark = pytest.mark.partitions(1, SEVERAL)

KEY = {"idempotency-key": '"8e03978e"'}
MERGE = {"content-type": "application/merge-patch+json"}
JSON_PATCH = {"content-type": "application/json-patch+json"}
TEST_6 = '[{"op": "test", "path": "/size", "value": 6}, {"op": "remove", "path": "/size"}]'
AT_1 = {"if-match": '"1"'}
LONG_AGO = "Thu, 01 Jan 2015 00:00:00 GMT"
FAR_AHEAD = "Fri, 01 Jan 2100 00:00:00 GMT"


def same(first: httpx.Response, again: httpx.Response) -> bool:
    """Whether the second answer is the first, and says that it is a repetition."""
    headers = dict(again.headers)
    assert headers.pop("idempotency-replayed") == "true"
    assert "idempotency-replayed" not in first.headers
    return (first.status_code, dict(first.headers), first.content) == (
        again.status_code,
        headers,
        again.content,
    )


async def test_a_repeated_create_is_answered_201_again(
    client: httpx.AsyncClient, events: Events
) -> None:
    """The second answer is the first to the header, and nothing is appended."""
    first = await client.put("/items/foo", json={"size": 6}, headers=KEY)
    again = await client.put("/items/foo", json={"size": 6}, headers=KEY)
    assert first.status_code == 201
    assert same(first, again)
    assert len(await events()) == 1


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("PUT", "/items/foo", {"json": {"size": 7}}),
        ("POST", "/items", {"json": {"size": 7}}),
        ("PATCH", "/items/foo", {"content": '{"size": 8}', "headers": MERGE}),
        ("PUT", "/items/foo", {"json": {}, "headers": {"prefer": "return=minimal"}}),
        ("POST", "/items/foo/revert", {"json": {"version": 1}}),
        ("DELETE", "/items/foo", {}),
    ],
)
async def test_every_write_can_be_repeated(
    client: httpx.AsyncClient, events: Events, method: str, path: str, options: dict[str, Any]
) -> None:
    """What is repeated gets the first answer, whatever happened to the item since."""
    await client.put("/items/foo", json={"size": 6})
    headers = {**options.get("headers", {}), **KEY}
    options = options | {"headers": headers}
    first = await client.request(method, path, **options)
    assert first.is_success
    await client.put("/items/foo", json={"size": 100})
    again = await client.request(method, path, **options)
    assert same(first, again)
    assert len(await events()) == 3


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("PUT", "/items/foo", {"json": {"size": 7}}),
        ("PUT", "/items/bar", {"json": {"size": 6}}),
        ("PUT", "/items/foo", {"json": {"size": 6}, "headers": {"if-match": '"1"'}}),
        ("PUT", "/items/foo", {"content": "{", "headers": {"content-type": "application/json"}}),
        ("DELETE", "/items/foo", {}),
    ],
)
async def test_a_key_stands_for_one_request(
    client: httpx.AsyncClient, events: Events, method: str, path: str, options: dict[str, Any]
) -> None:
    """Another body, item, condition or method under the same key is refused with 422."""
    await client.put("/items/foo", json={"size": 6}, headers=KEY)
    headers = {**options.get("headers", {}), **KEY}
    options = options | {"headers": headers}
    answer = await client.request(method, path, **options)
    problem(answer, 422, "idempotency-key-reused")
    assert len(await events()) == 1


async def test_a_refused_request_may_be_sent_again(
    client: httpx.AsyncClient, events: Events
) -> None:
    """A refusal changed nothing and is not remembered: the second try is a first one."""
    headers = {**KEY, "if-match": '"1"'}
    refused = await client.put("/items/foo", json={"size": 7}, headers=headers)
    problem(refused, 412, "unexpected-version")
    await client.put("/items/foo", json={"size": 6})
    assert (await client.put("/items/foo", json={"size": 7}, headers=headers)).status_code == 200
    assert len(await events()) == 2


async def test_the_same_key_at_once_is_carried_out_once(
    client: httpx.AsyncClient, events: Events
) -> None:
    """While the first request runs, the others get 409 and are told to wait."""
    answers = await asyncio.gather(
        *(client.put("/items/foo", json={"size": 6}, headers=KEY) for _ in range(20))
    )
    busy = [answer for answer in answers if answer.status_code == 409]
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert busy
    for answer in busy:
        problem(answer, 409, "idempotency-key-in-use")
        assert answer.headers["retry-after"] == "1"
    assert len(await events()) == 1


@pytest.fixture
def _second_look_comes_too_early(monkeypatch: pytest.MonkeyPatch, partitions: int) -> None:
    """Of each request that was carried out already, the next look at its outcome finds nothing.

    So it is where another process appends between the look and what the handler goes by.
    """
    looks: Counter[str] = Counter()
    place_of_outcome = Claims.place_of_outcome

    async def look(partition: Partition, key: IdempotencyKey) -> RecordedEvent | None:
        looks[key.scope] += 1
        return None if looks[key.scope] == 2 else await outcome(partition, key)

    async def look_in_all(claims: Claims, key: IdempotencyKey) -> int | None:
        looks[key.scope] += 1
        return None if looks[key.scope] == 2 else await place_of_outcome(claims, key)

    if partitions == 1:
        monkeypatch.setattr("itemstore.eventlog.log.outcome", look)
    else:
        monkeypatch.setattr(Claims, "place_of_outcome", look_in_all)


@pytest.mark.usefixtures("_second_look_comes_too_early")
@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("PATCH", "/items/foo", {"content": TEST_6, "headers": JSON_PATCH | AT_1}),
        ("PATCH", "/items/foo", {"content": "{}", "headers": MERGE | AT_1}),
        ("PUT", "/items/new", {"json": {}, "headers": {"if-unmodified-since": LONG_AGO}}),
        ("PUT", "/items/foo", {"json": {}, "headers": AT_1}),
        ("PUT", "/items/new", {"json": {}, "headers": {"if-none-match": "*"}}),
        ("PUT", "/items/new", {"json": {}}),
        ("POST", "/items", {"json": {}}),
        ("DELETE", "/items/foo", {"headers": AT_1}),
        ("POST", "/items/foo/revert", {"json": {"version": 1}, "headers": AT_1}),
    ],
)
async def test_a_retry_at_another_process_is_never_refused_for_its_own_effect(
    serve: Serve, events: Events, method: str, path: str, options: dict[str, Any]
) -> None:
    """The outcome is looked for again after every refusal: 404, 409, 412 and 428."""
    one, other = serve(require_conditions=True), serve(require_conditions=True)
    await one.put("/items/foo", json={"size": 6})
    headers = {**options.get("headers", {}), **KEY}
    options = options | {"headers": headers}
    first = await one.request(method, path, **options)
    assert first.is_success
    assert same(first, await other.request(method, path, **options))
    assert len(await events()) == 2


@pytest.mark.usefixtures("_second_look_comes_too_early")
@pytest.mark.parametrize("condition", [{}, {"if-unmodified-since": FAR_AHEAD}])
async def test_a_patch_of_what_is_deleted_by_now_is_answered_as_the_first_time(
    serve: Serve, condition: dict[str, str]
) -> None:
    """Another has deleted the item: 404 for every patch but this one."""
    one, other = serve(), serve()
    await one.put("/items/foo", json={"size": 6})
    headers = condition | JSON_PATCH | KEY
    first = await one.patch("/items/foo", content=TEST_6, headers=headers)
    assert first.is_success
    await one.delete("/items/foo")
    assert same(first, await other.patch("/items/foo", content=TEST_6, headers=headers))


@pytest.mark.usefixtures("_second_look_comes_too_early")
async def test_a_request_that_was_never_carried_out_keeps_its_refusal(
    serve: Serve, events: Events
) -> None:
    """There is no outcome, however often one looks."""
    one = serve()
    await one.put("/items/foo", json={"size": 5})
    for _ in range(3):
        refused = await one.patch("/items/foo", content=TEST_6, headers=JSON_PATCH | KEY)
        problem(refused, 409, "patch-conflict")
    assert len(await events()) == 1


async def test_two_processes_carry_it_out_once(serve: Serve, events: Events) -> None:
    """Two apps on one engine: one of them appends, both give the same answer."""
    one, other = serve(), serve()
    first, second = await asyncio.gather(
        one.put("/items/foo", json={"size": 6}, headers=KEY),
        other.put("/items/foo", json={"size": 6}, headers=KEY),
    )
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.headers["event-id"] == second.headers["event-id"]
    assert len(await events()) == 1


@pytest.mark.parametrize(
    "key",
    [
        "", '""', "a b", '"a" "b"', "é", '"é"', "x" * 256, f'"{"x" * 256}"',
        '"foo without its end', 'its start"', "'foo'", '"a\\b"', '"a\\"', "a\\b", "a,b", "a;b=c",
        '"a", "b"', '"a\tb"',
    ],
)  # fmt: skip
async def test_a_key_that_can_t_be_one_is_refused(
    client: httpx.AsyncClient, events: Events, key: str
) -> None:
    """400, and nothing is appended."""
    headers = [(b"idempotency-key", key.encode()), (b"content-type", b"application/json")]
    answer = await client.put("/items/foo", content="{}", headers=headers)
    problem(answer, 400, "malformed-header")
    assert await events() == []


@pytest.mark.parametrize(
    ("field", "key"),
    [
        ('"foo bar"', "foo bar"),
        (r'"a\"b"', 'a"b'),
        (r'"a\\b"', "a\\b"),
        ('"a,b;c"', "a,b;c"),
        ('"8e03978e"', "8e03978e"),
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ("order:17/a=b", "order:17/a=b"),
        (f'"{"x" * 255}"', "x" * 255),
        ('"' + r"\"" * 255 + '"', '"' * 255),
    ],
)
async def test_a_key_is_a_string_or_a_bare_word(
    client: httpx.AsyncClient, events: Events, field: str, key: str
) -> None:
    """RFC 9651 §3.3.3; the event names what the string stands for, and a retry is known by it."""
    headers = {"idempotency-key": field}
    first = await client.put("/items/foo", json={}, headers=headers)
    again = await client.put("/items/foo", json={}, headers=headers)
    assert (first.status_code, again.headers["event-id"]) == (201, first.headers["event-id"])
    assert [event.meta for event in await events()] == [{"key": key}]


async def test_a_key_is_the_same_in_quotes_and_without(client: httpx.AsyncClient) -> None:
    """Quotes are no part of a string."""
    await client.put("/items/foo", json={}, headers={"idempotency-key": "abc"})
    again = await client.put("/items/foo", json={}, headers={"idempotency-key": '"abc"'})
    assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.partitions(1)
async def test_the_outcome_has_a_lifetime_and_the_event_its_key(
    serve: Serve, redis: FakeAsyncRedis, events: Events
) -> None:
    """The key goes after ITEMSTORE_IDEMPOTENCY_SECONDS; the event's meta names it for ever."""
    await serve(idempotency_seconds=60).put("/items/foo", json={}, headers=KEY)
    assert 0 < await redis.pttl("itemstore:idempotency:8e03978e") <= 60_000
    assert (await events())[0].meta == {"key": "8e03978e"}
