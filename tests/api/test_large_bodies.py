"""Pages of what is large: they end early, go on with `next`, and leave nothing out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.api.app import create_app
from itemstore.store.settings import Settings
from tests.api.conftest import client_of

BODY = "x" * 600_000
NUMBER = 130
PAGE_BYTES = 8 * 2**20
MOST_ON_A_PAGE = PAGE_BYTES // len(BODY) + 1  # beside a small one

Walk = Callable[[str], Awaitable[list[list[str]]]]


@pytest.fixture(scope="module")
def written() -> FakeServer:
    """One large item of many versions, and many large items: 160 MB, which the tests only read."""
    engine = FakeServer()

    async def write() -> None:
        async with client_of(create_app(redis=FakeAsyncRedis(server=engine))) as client:
            for number in range(NUMBER):
                await client.put("/items/hot", json={"name": BODY, "size": number})
                await client.put(f"/items/{number:03}", json={"name": BODY})
            await client.put("/items/small", json={})

    asyncio.run(write())
    return engine


@pytest.fixture
async def large(written: FakeServer) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a store with all that is large."""
    app = create_app(Settings(), redis=FakeAsyncRedis(server=written))
    async with client_of(app) as client:
        yield client


@pytest.fixture
def walk(large: httpx.AsyncClient) -> Walk:
    """Reads page after page by `Link: rel=next`; the ids on each."""

    async def walk(path: str) -> list[list[str]]:
        pages = []
        following: str | None = path
        while following:
            answer = await large.get(following, headers={"accept": "application/json"})
            assert answer.status_code == 200
            content: Any = answer.json()
            listed = content if isinstance(content, list) else content["items"]
            pages.append([each["id"] for each in listed])
            following = answer.links["next"]["url"] if "next" in answer.links else None
        return pages

    return walk


async def test_the_list_of_large_items(walk: Walk) -> None:
    """Each item once, in order, in pages that fit into memory."""
    pages = await walk("/items?limit=1000")
    ids = [item for page in pages for item in page]
    assert ids == sorted(ids)
    assert len(ids) == len({*ids}) == NUMBER + 2
    assert max(map(len, pages)) <= PAGE_BYTES // len(BODY) + 2


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("/events?limit=1000", 2 * NUMBER + 1),
        ("/events?limit=1000&type=ItemCreated", NUMBER + 2),
        ("/events?limit=1000&item=hot", NUMBER),
        ("/events?limit=1000&item=hot&type=ItemCreated", 1),
        ("/items/hot/events?limit=1000", NUMBER),
        ("/items/hot/events?limit=1000&order=desc", NUMBER),
    ],
)
async def test_events_with_large_bodies(walk: Walk, path: str, count: int) -> None:
    """Each event once, in order, in pages that fit into memory."""
    pages = await walk(path)
    ids = [tuple(map(int, position.split("-"))) for page in pages for position in page]
    assert ids == sorted(ids, reverse="desc" in path)
    assert len(ids) == len({*ids}) == count
    assert max(map(len, pages)) <= MOST_ON_A_PAGE


async def test_large_bodies_after_small_ones_do_not_make_a_page_large(
    client: httpx.AsyncClient,
) -> None:
    """What came before says nothing of what comes next: a page has 8 MiB all the same."""
    for number in range(100):
        await client.put("/items/small", json={"size": number})
    for _ in range(30):
        await client.put("/items/large", json={"name": BODY})
    for path in ("/events?limit=1000", "/items/large/events?limit=1000"):
        assert len((await client.get(path)).content) < PAGE_BYTES + 50_000


async def test_the_time_map_of_an_item_with_large_versions(large: httpx.AsyncClient) -> None:
    """Each version once."""
    seen = []
    following: str | None = "/items/hot/versions"
    while following:
        page = (await large.get(following, headers={"accept": "application/json"})).json()
        seen += [each["version"] for each in page["versions"]]
        following = page["next"]
    assert seen == [*range(1, NUMBER + 1)]
