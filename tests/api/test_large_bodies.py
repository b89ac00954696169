"""Pages of what is large: they end early, go on with `next`, and leave nothing out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

BODY = "x" * 600_000
NUMBER = 130
PAGE_BYTES = 8 * 2**20
MOST_ON_A_PAGE = PAGE_BYTES // len(BODY) + 60  # the first step does not know how large they are

Walk = Callable[[str], Awaitable[list[list[Any]]]]


@pytest.fixture
async def large(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A store with one large item of many versions, and many large items."""
    for number in range(NUMBER):
        await client.put("/items/hot", json={"name": BODY, "size": number})
        await client.put(f"/items/{number:03}", json={"name": BODY})
    await client.put("/items/small", json={})
    return client


@pytest.fixture
def walk(large: httpx.AsyncClient) -> Walk:
    """Reads page after page by `Link: rel=next`."""

    async def walk(path: str) -> list[list[Any]]:
        pages = []
        following: str | None = path
        while following:
            answer = await large.get(following, headers={"accept": "application/json"})
            assert answer.status_code == 200
            content = answer.json()
            pages.append(content if isinstance(content, list) else content["items"])
            following = answer.links["next"]["url"] if "next" in answer.links else None
        return pages

    return walk


async def test_the_list_of_large_items(walk: Walk) -> None:
    """Each item once, in order, in pages that fit into memory."""
    pages = await walk("/items?limit=1000")
    ids = [item["id"] for page in pages for item in page]
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
    ids = [tuple(map(int, event["id"].split("-"))) for page in pages for event in page]
    assert ids == sorted(ids, reverse="desc" in path)
    assert len(ids) == len({*ids}) == count
    assert max(map(len, pages)) <= MOST_ON_A_PAGE


async def test_the_time_map_of_an_item_with_large_versions(large: httpx.AsyncClient) -> None:
    """Each version once."""
    seen = []
    following: str | None = "/items/hot/versions"
    while following:
        page = (await large.get(following, headers={"accept": "application/json"})).json()
        assert len(page["versions"]) <= MOST_ON_A_PAGE
        seen += [each["version"] for each in page["versions"]]
        following = page["next"]
    assert seen == [*range(1, NUMBER + 1)]
