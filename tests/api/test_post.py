"""POST /items: the store chooses the id."""

from __future__ import annotations

import time
from uuid import RFC_4122, UUID

import httpx
import pytest

from tests.api.conftest import ON_A_CLUSTER, SEVERAL, Events, Serve, problem
from tests.conftest import Unchanged

pytestmark = pytest.mark.partitions(1, SEVERAL, ON_A_CLUSTER)


def id_of(answer: httpx.Response) -> str:
    """The id in the Location."""
    location: str = answer.headers["location"]
    return location.removeprefix("/items/")


async def test_a_post_creates_an_item_and_says_where(
    client: httpx.AsyncClient, events: Events
) -> None:
    """201, Location, the item, and an ItemCreated."""
    answer = await client.post("/items", json={"name": "Foo", "size": 6})

    assert (answer.status_code, answer.json()) == (201, {"name": "Foo", "size": 6})
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["content-location"] == answer.headers["location"]
    [created] = await events()
    assert (created.type, created.item) == ("ItemCreated", id_of(answer))
    assert answer.headers["event-id"] == created.id
    assert answer.headers["event-type"] == "ItemCreated"
    got = await client.get(answer.headers["location"])
    assert (got.status_code, got.content) == (200, answer.content)


async def test_the_id_is_a_uuid_with_the_time_in_front(client: httpx.AsyncClient) -> None:
    """Version 7 (RFC 9562 §5.7), in its usual form."""
    before = time.time_ns() // 1_000_000
    answer = await client.post("/items", json={})
    after = time.time_ns() // 1_000_000

    uuid = UUID(id_of(answer))
    assert (uuid.version, uuid.variant, str(uuid)) == (7, RFC_4122, id_of(answer))
    assert before <= uuid.int >> 80 <= after


async def test_ids_of_a_later_time_sort_behind(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the list shows posted items in the order of their creation."""
    now, posted = time.time_ns(), []
    for seconds in range(5):
        monkeypatch.setattr(time, "time_ns", lambda at=now + seconds * 10**9: at)
        posted.append(id_of(await client.post("/items", json={})))

    listed = (await client.get("/items")).json()["items"]
    assert [item["id"] for item in listed] == posted


async def test_the_same_post_again_is_another_item(client: httpx.AsyncClient) -> None:
    """POST is not idempotent: two hundred are two hundred items."""
    answers = [await client.post("/items", json={}) for _ in range(200)]

    assert len({id_of(answer) for answer in answers}) == 200
    assert (await client.get("/items")).json()["total"] == 200


async def test_a_post_needs_no_condition(serve: Serve) -> None:
    """Nothing can be overwritten, so a store that demands conditions takes it all the same."""
    answer = await serve(require_conditions=True).post("/items", json={})

    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("body", "headers", "status", "slug"),
    [
        (b"", {}, 400, "malformed-json"),
        (b"{", {}, 400, "malformed-json"),
        (b"[]", {}, 422, "invalid-item"),
        (b'{"size":"x"}', {}, 422, "invalid-item"),
        (b"{}", {"Content-Type": "text/plain"}, 415, "unsupported-media-type"),
        (b"{}", {"Content-Encoding": "gzip"}, 415, "unsupported-media-type"),
        (b"{}", {"Content-Range": "bytes 0-1/2"}, 400, "partial-put"),
    ],
)
async def test_what_put_refuses_post_refuses(
    client: httpx.AsyncClient,
    unchanged: Unchanged,
    *,
    body: bytes,
    headers: dict[str, str],
    status: int,
    slug: str,
) -> None:
    """The same bodies, the same problems."""
    async with unchanged():
        answer = await client.post(
            "/items", content=body, headers={"Content-Type": "application/json"} | headers
        )

    problem(answer, status, slug)
