"""Tokens of a store of several partitions: one and the same wherever an item is."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from itemstore.domain.partitions import partition_of
from itemstore.eventlog.partition import Partition
from itemstore.store.scope import WHOLE
from itemstore.store.tokens import Role
from tests.api.batches import put, send, statuses
from tests.api.bearers import bearer
from tests.api.conftest import SEVERAL, Serve, problem

pytestmark = pytest.mark.partitions(SEVERAL)

IDS = [f"eu/{number}" for number in range(8)] + [f"us/{number}" for number in range(8)]


async def made(client: httpx.AsyncClient, admin: dict[str, str], **terms: Any) -> dict[str, str]:
    """The header of a token that is made over HTTP."""
    answer = await client.post("/admin/tokens", json=terms, headers=admin)
    assert answer.status_code == 201, answer.text
    return {"authorization": f"Bearer {answer.json()['token']}"}


@pytest.fixture
async def admin(client: httpx.AsyncClient, partition: Partition) -> dict[str, str]:
    """The header of an admin's token, in a store with items in every partition."""
    admin = await bearer(partition, "root", WHOLE, Role.admin)
    for item in IDS:
        path = f"/items/{item.replace('/', '%2F')}"
        assert (await client.put(path, json={"size": 1}, headers=admin)).status_code == 201
    assert {partition_of(each, SEVERAL) for each in IDS} == {*range(SEVERAL)}
    return admin


async def test_a_token_that_is_made_and_revoked_over_http_is_so_for_every_item(
    client: httpx.AsyncClient, serve: Serve, admin: dict[str, str]
) -> None:
    """In every partition, and in other processes."""
    writer = await made(client, admin, name="ann", role="writer")
    other = serve()
    for each in (client, other):
        for item in ("a", "b", "c", "d", "e"):
            problem(await each.put(f"/items/{item}", json={}), 401, "unauthorized")
            assert (await each.put(f"/items/{item}", json={}, headers=writer)).is_success
    assert (await client.delete("/admin/tokens/ann", headers=admin)).status_code == 204
    third = serve()  # the others look once a second
    for item in ("a", "b", "c", "d", "e"):
        problem(await third.put(f"/items/{item}", json={}, headers=writer), 401, "unauthorized")


async def test_a_bound_token_sees_and_writes_what_is_inside(
    client: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    """The list, its total, and each item, wherever it is."""
    bound = await made(client, admin, name="eu", role="writer", prefixes=["eu/"])
    page = (await client.get("/items?limit=5", headers=bound)).json()
    assert [[each["id"] for each in page["items"]], page["total"]] == [IDS[:5], 8]
    for item in IDS:
        path = f"/items/{item.replace('/', '%2F')}"
        answers = [
            await client.get(path, headers=bound),
            await client.put(path, json={"size": 2}, headers=bound),
        ]
        is_inside = item.startswith("eu/")
        assert [each.status_code for each in answers] == ([200] * 2 if is_inside else [403] * 2)


async def test_a_key_is_of_the_token_that_it_came_with(
    client: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    """Two callers with the same key are two requests; one with it is one, also in a batch."""
    ann, bob = [await made(client, admin, name=each, role="writer") for each in ("ann", "bob")]
    key = {"idempotency-key": "k"}
    for item in ("a", "b", "c", "d", "e"):
        named = {"idempotency-key": f"k-{item}"}
        first = await client.put(f"/items/{item}", json={}, headers=ann | named)
        again = await client.put(f"/items/{item}", json={}, headers=ann | named)
        other = await client.put(f"/items/{item}", json={}, headers=bob | named)
        assert [each.status_code for each in (first, again, other)] == [201, 201, 200]
        assert first.headers["event-id"] == again.headers["event-id"]
        reused = await client.put(f"/items/{item}x", json={}, headers=ann | named)
        problem(reused, 422, "idempotency-key-reused")
    batch = [put("%7Bz%7D1", {}), put("%7Bz%7D2", {})]
    assert statuses(await send(client, *batch, **ann, **key)) == [201, 201]
    assert statuses(await send(client, *batch, **bob, **key)) == [200, 200]
