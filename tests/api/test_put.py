"""PUT: the event that was appended decides the status (RFC 9110 §9.3.4)."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from tests.api.conftest import ON_A_CLUSTER, SEVERAL, Events, Serve, problem
from tests.conftest import Unchanged

pytestmark = pytest.mark.partitions(1, SEVERAL, ON_A_CLUSTER)


BODY = {"name": "Fighters", "size": 6}
STORED = b'{"name":"Fighters","size":6}'


async def test_the_same_put_creates_first_and_updates_after(client: httpx.AsyncClient) -> None:
    """The tutorial's promise, to the letter: 201, then 200, with the item in the body."""
    first = await client.put("/items/foo", json=BODY)
    second = await client.put("/items/foo", json=BODY)

    assert (first.status_code, first.json()) == (201, BODY)
    assert (second.status_code, second.json()) == (200, BODY)


async def test_a_put_to_a_new_id_creates_the_item(
    client: httpx.AsyncClient, events: Events
) -> None:
    """No condition, absent: 201, Location, the body, and an ItemCreated."""
    answer = await client.put("/items/foo", json=BODY)

    assert answer.status_code == 201
    assert answer.content == STORED
    assert answer.headers["location"] == "/items/foo"
    assert answer.headers["content-location"] == "/items/foo"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["etag"] == '"1"'
    [created] = await events()
    assert (created.type, created.version) == ("ItemCreated", 1)
    assert answer.headers["event-id"] == created.id
    assert answer.headers["event-type"] == "ItemCreated"


async def test_last_modified_is_the_time_of_the_event(
    client: httpx.AsyncClient, events: Events
) -> None:
    """The header is the position's time in whole seconds."""
    answer = await client.put("/items/foo", json=BODY)

    [created] = await events()
    modified = parsedate_to_datetime(answer.headers["last-modified"])
    assert modified == created.time.replace(microsecond=0)


async def test_a_put_to_an_item_that_exists_updates_it(
    client: httpx.AsyncClient, events: Events
) -> None:
    """No condition, present: 200, no Location, the new body, and an ItemUpdated."""
    await client.put("/items/foo", json={"name": "Before"})

    answer = await client.put("/items/foo", json=BODY)

    assert answer.status_code == 200
    assert answer.content == STORED
    assert "location" not in answer.headers
    assert answer.headers["content-location"] == "/items/foo"
    assert answer.headers["etag"] == '"2"'
    updated = (await events())[-1]
    assert (updated.type, updated.version) == ("ItemUpdated", 2)
    assert answer.headers["event-id"] == updated.id
    assert answer.headers["event-type"] == "ItemUpdated"


async def test_the_same_body_again_is_a_new_version(
    client: httpx.AsyncClient, events: Events
) -> None:
    """The log keeps every accepted write, also one that changes nothing."""
    for _ in range(3):
        answer = await client.put("/items/foo", json=BODY)

    assert answer.headers["etag"] == '"3"'
    assert [event.version for event in await events()] == [1, 2, 3]


async def test_a_put_to_a_deleted_item_creates_it_again_and_versions_go_on(
    client: httpx.AsyncClient, events: Events
) -> None:
    """Deleted is absent: 201, but an ETag never comes back."""
    await client.put("/items/foo", json=BODY)
    await client.delete("/items/foo")

    answer = await client.put("/items/foo", json=BODY)

    assert (answer.status_code, answer.headers["etag"]) == (201, '"3"')
    assert answer.headers["location"] == "/items/foo"
    assert [event.type for event in await events()] == ["ItemCreated", "ItemDeleted", "ItemCreated"]


async def test_if_none_match_any_creates_an_absent_item(
    client: httpx.AsyncClient, events: Events
) -> None:
    """`If-None-Match: *` admits an id that never existed."""
    answer = await client.put("/items/foo", json=BODY, headers={"If-None-Match": "*"})

    assert answer.status_code == 201
    assert [event.type for event in await events()] == ["ItemCreated"]


async def test_if_none_match_any_creates_a_deleted_item(client: httpx.AsyncClient) -> None:
    """`If-None-Match: *` admits an item that no longer exists."""
    await client.put("/items/foo", json=BODY)
    await client.delete("/items/foo")

    answer = await client.put("/items/foo", json=BODY, headers={"If-None-Match": "*"})

    assert (answer.status_code, answer.headers["etag"]) == (201, '"3"')


async def test_if_none_match_any_refuses_an_item_that_exists(
    client: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """412 and never 304, which is for GET (§13.1.2)."""
    await client.put("/items/foo", json=BODY)

    async with unchanged():
        answer = await client.put("/items/foo", json=BODY, headers={"If-None-Match": "*"})

    content = problem(answer, 412, "unexpected-version")
    assert (content["version"], content["expected"]) == (1, "absent")
    assert answer.headers["etag"] == '"1"'


async def test_if_none_match_refuses_the_current_version(
    client: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """`If-None-Match: "n"` where the item is at n: 412."""
    await client.put("/items/foo", json=BODY)

    async with unchanged():
        answer = await client.put("/items/foo", json=BODY, headers={"If-None-Match": '"1"'})

    problem(answer, 412, "unexpected-version")


@pytest.mark.parametrize(("exists", "status"), [(True, 200), (False, 201)])
async def test_if_none_match_with_another_version_is_as_without(
    client: httpx.AsyncClient, events: Events, *, exists: bool, status: int
) -> None:
    """`If-None-Match: "n"` where the item is not at n: as if it were not there."""
    if exists:
        await client.put("/items/foo", json=BODY)

    answer = await client.put("/items/foo", json=BODY, headers={"If-None-Match": '"7"'})

    assert answer.status_code == status
    assert len(await events()) == 1 + exists


@pytest.mark.parametrize("tags", ['"2"', '"1", "2"', '"9","2"'])
async def test_if_match_with_the_current_version_updates(
    client: httpx.AsyncClient, events: Events, tags: str
) -> None:
    """`If-Match` with a version or a list that has it: 200."""
    await client.put("/items/foo", json=BODY)
    await client.put("/items/foo", json=BODY)

    answer = await client.put("/items/foo", json=BODY, headers={"If-Match": tags})

    assert (answer.status_code, answer.headers["etag"]) == (200, '"3"')
    assert len(await events()) == 3


async def test_a_stale_if_match_is_refused_and_appends_nothing(
    client: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """412 says which version the item is at, in the ETag and in the problem."""
    await client.put("/items/foo", json=BODY)
    await client.put("/items/foo", json=BODY)

    async with unchanged():
        answer = await client.put("/items/foo", json={}, headers={"If-Match": '"1"'})

    content = problem(answer, 412, "unexpected-version")
    assert (content["version"], content["expected"]) == (2, "version 1")
    assert answer.headers["etag"] == '"2"'


async def test_if_match_any_updates_an_item_that_exists(
    client: httpx.AsyncClient, events: Events
) -> None:
    """`If-Match: *`, present: 200."""
    await client.put("/items/foo", json=BODY)

    answer = await client.put("/items/foo", json=BODY, headers={"If-Match": "*"})

    assert answer.status_code == 200
    assert len(await events()) == 2


@pytest.mark.parametrize("deleted", [False, True])
@pytest.mark.parametrize("tags", ["*", '"1"', '"1", "2"'])
async def test_if_match_of_any_kind_never_creates(
    client: httpx.AsyncClient, unchanged: Unchanged, tags: str, *, deleted: bool
) -> None:
    """`If-Match`, absent or deleted: 412, never 201, and no ETag as there is nothing."""
    if deleted:
        await client.put("/items/foo", json=BODY)
        await client.delete("/items/foo")

    async with unchanged():
        answer = await client.put("/items/foo", json=BODY, headers={"If-Match": tags})

    assert problem(answer, 412, "unexpected-version")["version"] is None
    assert "etag" not in answer.headers


async def test_a_weak_tag_never_matches(client: httpx.AsyncClient, unchanged: Unchanged) -> None:
    """`If-Match` compares strongly (§8.8.3.2)."""
    await client.put("/items/foo", json=BODY)

    async with unchanged():
        answer = await client.put("/items/foo", json=BODY, headers={"If-Match": 'W/"1"'})

    problem(answer, 412, "unexpected-version")


async def test_if_unmodified_since_refuses_an_item_that_changed(
    client: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """Changed since: 412."""
    await client.put("/items/foo", json=BODY)
    before = {"If-Unmodified-Since": "Mon, 23 Nov 2015 08:09:06 GMT"}

    async with unchanged():
        answer = await client.put("/items/foo", json=BODY, headers=before)

    assert problem(answer, 412, "unexpected-version")["version"] == 1
    assert answer.headers["etag"] == '"1"'


async def test_if_unmodified_since_admits_an_item_that_did_not_change(
    client: httpx.AsyncClient, events: Events
) -> None:
    """Not changed since: 200."""
    created = await client.put("/items/foo", json=BODY)
    since = {"If-Unmodified-Since": created.headers["last-modified"]}

    answer = await client.put("/items/foo", json=BODY, headers=since)

    assert answer.status_code == 200
    assert len(await events()) == 2


async def test_a_demanded_condition_is_demanded_of_an_item_that_exists(
    client: httpx.AsyncClient, serve: Serve, unchanged: Unchanged
) -> None:
    """No condition where the operator wants one, present: 428 (RFC 6585 §3) with the ETag."""
    await client.put("/items/foo", json=BODY)
    strict = serve(require_conditions=True)

    async with unchanged():
        answer = await strict.put("/items/foo", json=BODY)

    assert problem(answer, 428, "precondition-required")["version"] == 1
    assert answer.headers["etag"] == '"1"'


async def test_a_demanded_condition_is_not_demanded_of_a_new_item(serve: Serve) -> None:
    """No condition where the operator wants one, absent: 201."""
    answer = await serve(require_conditions=True).put("/items/foo", json=BODY)

    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [("If-Match", '"1"', 200), ("If-None-Match", '"9"', 200), ("If-Match", '"9"', 412)],
)
async def test_where_conditions_are_demanded_any_condition_will_do(
    client: httpx.AsyncClient, serve: Serve, header: str, value: str, status: int
) -> None:
    """The condition that is given is evaluated as always."""
    await client.put("/items/foo", json=BODY)
    strict = serve(require_conditions=True)

    answer = await strict.put("/items/foo", json=BODY, headers={header: value})

    assert answer.status_code == status


async def test_a_put_of_a_part_is_refused(client: httpx.AsyncClient, unchanged: Unchanged) -> None:
    """`Content-Range`: 400 (§14.5)."""
    async with unchanged():
        answer = await client.put(
            "/items/foo", json=BODY, headers={"Content-Range": "bytes 0-9/100"}
        )

    problem(answer, 400, "partial-put")


@pytest.mark.partitions(1)
async def test_a_person_reads_the_write_with_redis_cli(
    client: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """`XRANGE items:events <Event-Id> <Event-Id>` shows the event, `HGET items:current` the row."""
    answer = await client.put("/items/foo", json=BODY)

    position = answer.headers["event-id"]
    assert await redis.xrange("items:events", position, position) == [
        (
            position.encode(),
            {
                b"type": b"ItemCreated",
                b"item": b"foo",
                b"version": b"1",
                b"data": STORED,
                b"meta": b"{}",
            },
        )
    ]
    assert await redis.hget("items:current", "foo") == (
        f'{{"version":1,"position":"{position}","created":"{position}","data":'.encode()
        + STORED
        + b"}"
    )


TRACE = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"


@pytest.mark.parametrize(
    ("field", "kept"),
    [
        (f"00-{TRACE}-01", f"00-{TRACE}-01"),
        (f"00-{TRACE}-00", f"00-{TRACE}-00"),
        (f"01-{TRACE}-01", f"00-{TRACE}-01"),
        (f"cc-{TRACE}-ff-what-will-come", f"00-{TRACE}-01"),
        (f"fe-{TRACE}-02-", f"00-{TRACE}-00"),
        (f"00-{TRACE}-01-more", None),
        (f"00-{TRACE}-01-", None),
        (f"01-{TRACE}-01more", None),
        (f"ff-{TRACE}-01", None),
        (f"00-{TRACE.upper()}-01", None),
        (f"00-{TRACE}-0A", None),
        (f"00-{'0' * 32}-b7ad6b7169203331-01", None),
        (f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01", None),
        (f"00-{TRACE}", None),
        (f"0-{TRACE}-01", None),
        (f"00-{TRACE}-01, 00-{TRACE}-01", None),
        (f"01-{TRACE}-01, 01-{TRACE}-01", None),
        (f"cc-{TRACE}-01-what, cc-{TRACE}-01-what", None),
        ("", None),
    ],
)
async def test_a_trace_context_is_read_as_its_recommendation_says(
    client: httpx.AsyncClient, events: Events, field: str, kept: str | None
) -> None:
    """Of a later version what it has in common with this one; what is none is ignored."""
    answer = await client.put("/items/foo", json=BODY, headers={"traceparent": field})

    assert answer.status_code == 201
    assert [event.meta.get("traceparent") for event in await events()] == [kept]


async def test_two_trace_contexts_are_none(client: httpx.AsyncClient, events: Events) -> None:
    """Nobody knows which of the two fields counts; `tracestate` is not kept at all."""
    twice = [("traceparent", f"00-{TRACE}-01")] * 2

    await client.put("/items/foo", json=BODY, headers=[*twice, ("tracestate", "a=b")])

    assert [event.meta for event in await events()] == [{}]


async def test_the_trace_context_of_a_write_is_kept_in_its_event(
    client: httpx.AsyncClient, events: Events
) -> None:
    """A W3C `traceparent` stands in the event's meta; what is none does not."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    await client.put("/items/foo", json=BODY, headers={"traceparent": trace})
    await client.put("/items/foo", json=BODY, headers={"traceparent": "nonsense"})

    assert [event.meta for event in await events()] == [{"traceparent": trace}, {}]
