"""Batches in a store of several partitions: within one, and a refusal that explains it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from itemstore.domain.partitions import partition_of
from tests.api.batches import check, delete, patch, post, put, responses, send, statuses
from tests.api.conftest import Serve, problem

PARTITIONS = 4
KEY = {"idempotency-key": "8e03978e"}


@pytest.fixture
def parted(serve: Serve) -> httpx.AsyncClient:
    """A client of a store with several partitions and two collections."""
    return serve(partitions=PARTITIONS, sql_url="off", collections="items=any,orders=any")


async def everything(client: httpx.AsyncClient) -> list[Any]:
    """The items of both collections."""
    return [(await client.get(path)).json()["items"] for path in ("/items", "/orders")]


def order(item: str, body: Any) -> dict[str, Any]:
    """A PUT of an order."""
    return {"method": "PUT", "path": f"/orders/{item}", "body": body}


async def test_items_with_the_same_hash_tag_change_together(parted: httpx.AsyncClient) -> None:
    """In any collection; their events share a transaction."""
    await parted.put("/items/%7B7%7D:stock", json={"left": 3})
    answer = await send(
        parted,
        put("%7B7%7D:lines:1", {}),
        order("order:%7B7%7D", {"lines": 1}),
        patch("%7B7%7D:stock", {"left": 2}, if_match='"1"'),
        check("%7B7%7D:none", if_none_match="*"),
    )
    assert statuses(answer) == [201, 201, 200, 404]
    place = partition_of("{7}", PARTITIONS)
    ids = [each["headers"]["Event-Id"] for each in responses(answer)[:3]]
    assert {each.partition("@")[2] for each in ids} == {str(place)}
    assert (await parted.get("/items/%7B7%7D:stock")).json() == {"left": 2}


async def test_items_of_different_partitions_are_refused_and_nothing_is_appended(
    parted: httpx.AsyncClient,
) -> None:
    """With the place of the first that is elsewhere, and the way to keep ids together."""
    before = await everything(parted)
    requests = [put("a", {}), put("a", {"size": 1}), order("b", {}), put("c", {})]
    there = partition_of("a", PARTITIONS), partition_of("b", PARTITIONS)
    assert there[0] != there[1]
    said = problem(await send(parted, *requests), 422, "different-partitions")
    assert (said["index"], said["first_partition"], said["partition"]) == (2, *there)
    assert "{7}" in said["detail"]
    assert await everything(parted) == before


async def test_what_is_wrong_with_an_earlier_request_comes_first(parted: httpx.AsyncClient) -> None:
    """As everywhere in a batch."""
    wrong = {"method": "GET", "path": "/items/a"}
    said = problem(await send(parted, put("a", {}), wrong, put("b", {})), 422, "invalid-batch")
    assert said["index"] == 1
    said = problem(
        await send(parted, put("a", {}), put("b", {}), wrong), 422, "different-partitions"
    )
    assert said["index"] == 1


@pytest.mark.parametrize("number", range(8))
async def test_a_post_gets_an_id_in_the_partition_of_the_batch(
    parted: httpx.AsyncClient, number: int
) -> None:
    """Wherever in the batch it stands; its id is a UUID of version 7 all the same."""
    item = f"item-{number}"
    answer = await send(parted, post({"size": 1}), put(item, {}), post({"size": 2}), post({}))
    assert statuses(answer) == [201] * 4
    locations = [each["headers"]["Location"] for each in responses(answer)]
    ids = [each.removeprefix("/items/") for each in locations]
    assert {partition_of(each, PARTITIONS) for each in ids} == {partition_of(item, PARTITIONS)}
    posted = [each for each in ids if each != item]
    assert len({*posted}) == 3
    assert all(each[14] == "7" and len(each) == 36 for each in posted)


@pytest.mark.parametrize("headers", [{}, KEY])
async def test_posts_alone_are_together_too(
    parted: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    """In any partition; with a key in that of the key. Sent again, they have the same ids."""
    answer = await send(parted, *[post({"size": number}) for number in range(10)], **headers)
    assert statuses(answer) == [201] * 10
    if headers:
        again = await send(parted, *[post({"size": number}) for number in range(10)], **headers)
        assert again.content == answer.content
        assert again.headers["idempotency-replayed"] == "true"


async def test_a_batch_of_one_partition_that_is_refused_appends_nothing(
    parted: httpx.AsyncClient,
) -> None:
    """As ever."""
    await parted.put("/items/%7Bx%7D1", json={})
    before = await everything(parted)
    refused = await send(parted, put("%7Bx%7D2", {}), delete("%7Bx%7D1", if_match='"9"'))
    assert problem(refused, 412, "unexpected-version")["index"] == 1
    assert await everything(parted) == before


async def test_with_one_partition_all_ids_are_together(client: httpx.AsyncClient) -> None:
    """Nothing is refused that was not before."""
    answer = await send(client, *[put(f"{number}", {}) for number in range(50)])
    assert statuses(answer) == [201] * 50


async def test_the_problem_s_page_says_how_ids_are_kept_together(
    parted: httpx.AsyncClient,
) -> None:
    """With an example that can be tried."""
    page = await parted.get("/problems/different-partitions")
    text = json.dumps(page.json()) if "json" in page.headers["content-type"] else page.text
    assert "order:{7}" in text
    assert "CLUSTER KEYSLOT" in text
