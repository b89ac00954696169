"""Queries in a store of four partitions: one answer over all of them, as of a cursor."""

from __future__ import annotations

import httpx
import pytest

from itemstore.api.resources import item_queries
from itemstore.domain.cursors import cursor_of, positions_of
from itemstore.domain.partitions import partition_of
from itemstore.domain.positions import START, key_of
from tests.api.conftest import Serve, problem

PARTITIONS = 4
IDS = [f"item-{number}" for number in range(24)]


@pytest.fixture
async def client(serve: Serve) -> httpx.AsyncClient:
    """A store of numbers, with items in each partition."""
    assert {partition_of(item, PARTITIONS) for item in IDS} == {*range(PARTITIONS)}
    client = serve(model="any", partitions=PARTITIONS, indexes="size", text="name")
    for number, item in enumerate(IDS):
        await put(client, item, number)
    return client


async def put(client: httpx.AsyncClient, item: str, size: int) -> str:
    """The id of the event that puts the item: its position, and its partition."""
    answer = await client.put(f"/items/{item}", json={"size": size, "name": f"number {size % 3}"})
    assert answer.is_success
    position, _, _ = answer.headers["event-id"].partition("@")
    return f"{position}@{partition_of(item, PARTITIONS)}"


async def test_a_query_finds_items_of_all_partitions_in_one_order(
    client: httpx.AsyncClient,
) -> None:
    """By where, order and search, a page after the other."""
    answer = await client.get("/items", params={"where": "@.size >= 20", "order": "-size"})
    assert [each["id"] for each in answer.json()["items"]] == [*reversed(IDS[20:])]
    assert answer.json()["total"] == 4
    answer = await client.get("/items", params={"search": "2", "order": "size"})
    assert [each["id"] for each in answer.json()["items"]] == IDS[2::3]

    found, link = [], "/items?order=size&limit=7"
    while link:
        answer = await client.get(link)
        found += [each["id"] for each in answer.json()["items"]]
        link = answer.links.get("next", {}).get("url", "")
    assert found == IDS


async def test_the_position_is_the_last_event_of_each_partition(client: httpx.AsyncClient) -> None:
    """It moves with every event, in whichever partition; and so does the tag."""
    before = await client.get("/items?order=size")
    last = await put(client, IDS[5], 5)
    after = await client.get("/items?order=size")
    positions = [positions_of(each.headers["position"], PARTITIONS) for each in (before, after)]
    assert START not in positions[0]
    position, _, number = last.partition("@")
    positions[0][int(number)] = position
    assert positions[0] == positions[1]
    assert before.headers["etag"] != after.headers["etag"]
    tag = {"if-none-match": after.headers["etag"]}
    assert (await client.get("/items?order=size", headers=tag)).status_code == 304


async def test_ones_own_write_is_waited_for_in_each_partition(client: httpx.AsyncClient) -> None:
    """By its event's id, by several of them, and by the position of another answer."""
    last = [await put(client, item, 100) for item in IDS[:8]]
    shown = (await client.get("/items?order=size")).headers["position"]
    for wanted in (*last, ",".join(last), shown, "0-0"):
        for params, headers in (({"min_position": wanted}, {}), ({}, {"if-position": wanted})):
            answer = await client.get("/items", params=params, headers=headers)
            assert answer.status_code == 200, answer.text
            assert answer.headers["position"] == shown


async def test_a_position_from_ahead_of_one_partition_is_never_there(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with the cursor that there is."""
    monkeypatch.setattr(item_queries, "PATIENCE", 0.05)
    last = await put(client, IDS[0], 0)
    position, _, number = last.partition("@")
    ahead = f"{key_of(position)[0] + 10_000_000}-0@{number}"
    answer = await client.get("/items", params={"min_position": ahead})
    said = problem(answer, 503, "read-model-behind")
    assert answer.headers["position"] == said["position"]
    assert positions_of(said["position"], PARTITIONS)[int(number)] == position


@pytest.mark.parametrize("wanted", ["1-0@4", "1-0@01", "1-0@", "@1", "1-0@1,", "vAAAA", "v", "x"])
async def test_what_is_no_position_of_this_store_is_refused(
    client: httpx.AsyncClient, wanted: str
) -> None:
    """In the parameter and in the header field; each says what one looks like."""
    assert cursor_of(wanted, PARTITIONS) is None
    answer = await client.get("/items", params={"min_position": wanted})
    said = problem(answer, 422, "invalid-query")
    assert (said["parameter"], "@<partition>" in said["detail"]) == ("min_position", True)
    answer = await client.get("/items", headers={"if-position": wanted})
    assert "@<partition>" in problem(answer, 400, "malformed-header")["detail"]


async def test_a_batch_in_a_partition_is_seen_whole(client: httpx.AsyncClient) -> None:
    """Its items have the same tag in their ids."""
    ids = [f"{{order-7}}:{number}" for number in range(5)]
    requests = [{"method": "PUT", "path": f"/items/{item}", "body": {"size": -1}} for item in ids]
    answer = await client.post("/batch", json={"requests": requests})
    assert answer.status_code == 200, answer.text
    answer = await client.get("/items", params={"where": "@.size == -1"})
    assert [each["id"] for each in answer.json()["items"]] == ids
