"""Tokens over HTTP: made, listed and revoked by an admin."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.api.app import ItemStore
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.store.scope import WHOLE, Scope
from itemstore.store.tokens import Role
from tests.api.bearers import bearer
from tests.api.conftest import SEVERAL, client_of, problem

pytestmark = pytest.mark.partitions(1, SEVERAL)

PATH = "/admin/tokens"

NOT_BOUND = {"collections": None, "prefixes": None, "expires": None}


@pytest.fixture
async def admin(partition: Partition) -> dict[str, str]:
    """The header of an admin who is bound to nothing."""
    return await bearer(partition, "root", WHOLE, Role.admin)


async def names(client: httpx.AsyncClient, admin: dict[str, str]) -> list[str]:
    """The names of all tokens."""
    listed = (await client.get(PATH, headers=admin)).json()["tokens"]
    return [each["name"] for each in listed]


async def test_a_token_is_made_shown_once_used_and_revoked(
    client: httpx.AsyncClient, admin: dict[str, str], redis: FakeAsyncRedis, keys: Keys
) -> None:
    """Its secret is in the answer that made it and in no other, and not in the engine."""
    wanted = {"name": "ann", "role": "writer", "prefixes": ["us/", "é"], "collections": ["items"]}
    expires = {"expires": "2127-01-31T01:00:00+01:00"}
    made = await client.post(PATH, json=wanted | expires, headers=admin)
    assert (made.status_code, made.headers["location"]) == (201, f"{PATH}/ann")
    assert made.headers["cache-control"] == "no-store"
    bounds = {"collections": ["items"], "prefixes": ["us/", "é"], "expires": "2127-01-31T00:00:00Z"}
    content: dict[str, Any] = made.json()
    token = content.pop("token")
    assert token.startswith("ann.")
    assert content == {"name": "ann", "role": "writer"} | bounds

    shown = await client.get(f"{PATH}/ann", headers=admin)
    listed = await client.get(PATH, headers=admin)
    assert listed.headers["cache-control"] == "no-store"
    ann, root = listed.json()["tokens"]
    assert ann == shown.json()
    assert ann.pop("created") >= root.pop("created")
    assert ann == {"name": "ann", "role": "writer", "expired": False} | bounds
    assert root == {"name": "root", "role": "admin", "expired": False} | NOT_BOUND
    secret = token.partition(".")[2]
    assert not any(secret in text for text in (listed.text, shown.text))
    row = str(await redis.hget(keys.store.tokens, "ann"))
    assert (secret in row, '"digest"' in row, "digest" in listed.text) == (False, True, False)

    own = {"authorization": f"Bearer {token}"}
    assert (await client.put("/items/us%2F1", json={}, headers=own)).status_code == 201
    revoked = await client.delete(f"{PATH}/ann", headers=admin)
    assert (revoked.status_code, revoked.content) == (204, b"")
    problem(await client.delete(f"{PATH}/ann", headers=admin), 404, "not-found")
    problem(await client.get(f"{PATH}/ann", headers=admin), 404, "not-found")


async def test_a_name_alone_makes_a_reader_for_ever(
    client: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    """A name that is taken is refused, and what has it stays."""
    made = (await client.post(PATH, json={"name": "bob"}, headers=admin)).json()
    own = {"authorization": f"Bearer {made.pop('token')}"}
    assert made == {"name": "bob", "role": "reader"} | NOT_BOUND
    again = await client.post(PATH, json={"name": "bob", "role": "admin"}, headers=admin)
    problem(again, 409, "token-exists")
    assert (await client.get("/items", headers=own)).status_code == 200


async def test_a_collection_that_is_not_there_is_said(
    client: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    """The token is made all the same: the collection may be yet to come."""
    wanted = {"name": "ann", "collections": ["ordres"], "expires": "30d"}
    made = (await client.post(PATH, json=wanted, headers=admin)).json()
    assert made["warning"] == "The store has no collection ordres so far. It has items."
    assert made["token"]


async def test_the_first_token_is_not_made_over_http(
    client: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """Whoever reaches a store that is open to all can't shut everybody else out."""
    told = problem(await client.post(PATH, json={"name": "ann"}), 403, "forbidden")
    assert "itemstore token create NAME --role admin" in told["detail"]
    assert (await client.get(PATH)).json() == {"tokens": [], "unreadable": []}
    problem(await client.delete(f"{PATH}/ann"), 404, "not-found")
    assert await redis.keys("*itemstore:tokens") == []


async def test_the_last_token_is_not_revoked_over_http(
    client: httpx.AsyncClient, admin: dict[str, str], redis: FakeAsyncRedis, keys: Keys
) -> None:
    """The store would be open; an admin may well revoke the own token where there is another."""
    told = problem(await client.delete(f"{PATH}/root", headers=admin), 409, "last-token")
    assert "'root' is the only token" in told["detail"]
    await client.post(PATH, json={"name": "bob"}, headers=admin)
    await redis.hset(keys.store.tokens, "half/\xe9", "{")
    listed = (await client.get(PATH, headers=admin)).json()
    assert listed["unreadable"] == ["half/é"]
    assert (await client.delete(f"{PATH}/half%2F%C3%A9", headers=admin)).status_code == 204
    assert (await client.delete(f"{PATH}/root", headers=admin)).status_code == 204


@pytest.mark.parametrize(
    ("wanted", "pointer", "sentence"),
    [
        ([], "", "valid dictionary"),
        ({}, "/name", "required"),
        ({"name": 1}, "/name", "string"),
        ({"name": ""}, "/name", "1 to 64 letters"),
        ({"name": "a b"}, "/name", "1 to 64 letters"),
        ({"name": "*"}, "/name", "1 to 64 letters"),
        ({"name": "ann\n"}, "/name", "1 to 64 letters"),
        ({"name": "ann", "role": "owner"}, "/role", "'reader'"),
        ({"name": "ann", "role": None}, "/role", "'reader'"),
        ({"name": "ann", "digest": "0"}, "/digest", "no such field"),
        ({"name": "ann", "collections": []}, "/collections", "at least 1"),
        ({"name": "ann", "collections": "items"}, "/collections", "list"),
        ({"name": "ann", "collections": ["items", "events"]}, "/collections/1", "path of the API"),
        ({"name": "ann", "collections": ["Items"]}, "/collections/0", "lower-case"),
        ({"name": "ann", "collections": ["c"] * 129}, "/collections", "at most 128"),
        ({"name": "ann", "prefixes": []}, "/prefixes", "at least 1"),
        ({"name": "ann", "prefixes": [""]}, "/prefixes/0", "It is empty"),
        ({"name": "ann", "prefixes": ["a", "a\x00"]}, "/prefixes/1", "control characters"),
        ({"name": "ann", "prefixes": ["p"] * 33}, "/prefixes", "at most 32"),
        ({"name": "ann", "expires": "soon"}, "/expires", "takes a time, such as"),
        ({"name": "ann", "expires": "0d"}, "/expires", "which is over"),
        ({"name": "ann", "expires": "999999999w"}, "/expires", "after the year 9999"),
        ({"name": "ann", "expires": 30}, "/expires", "string"),
    ],
)
async def test_what_can_t_be_meant_makes_no_token(
    client: httpx.AsyncClient, admin: dict[str, str], wanted: Any, pointer: str, sentence: str
) -> None:
    """422 with the place and a sentence."""
    answer = await client.post(PATH, json=wanted, headers=admin)
    [error] = problem(answer, 422, "invalid-body")["errors"]
    assert error["pointer"] == pointer
    assert sentence in error["detail"]
    assert await names(client, admin) == ["root"]


async def test_an_idempotency_key_is_refused(
    client: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    """A secret is not kept for a second answer."""
    headers = admin | {"idempotency-key": "k"}
    for answer in (
        await client.post(PATH, json={"name": "ann"}, headers=headers),
        await client.delete(f"{PATH}/root", headers=headers),
    ):
        problem(answer, 400, "malformed-header")
    assert await names(client, admin) == ["root"]


async def test_only_an_admin_who_is_bound_to_nothing_may(
    app: ItemStore, partition: Partition, admin: dict[str, str]
) -> None:
    """Not even to look: names and bounds tell who works at what."""
    bound = await bearer(partition, "bound", Scope(prefixes=("eu/",)), Role.admin)
    others = [
        await bearer(partition, role.name, WHOLE, role) for role in (Role.reader, Role.writer)
    ]
    async with client_of(app) as client:
        for headers in (bound, *others):
            for answer in (
                await client.get(PATH, headers=headers),
                await client.get(f"{PATH}/root", headers=headers),
                await client.post(PATH, json={"name": "me", "role": "admin"}, headers=headers),
                await client.delete(f"{PATH}/root", headers=headers),
            ):
                problem(answer, 403, "forbidden")
        assert await names(client, admin) == ["bound", "reader", "root", "writer"]


@pytest.mark.parametrize("member", ["name", "collections", "expires"])
async def test_a_long_text_is_not_said_back_whole(
    client: httpx.AsyncClient, admin: dict[str, str], member: str
) -> None:
    """The beginning says which it was."""
    long: Any = "?" * 100_000
    wanted = {"name": "ann", member: [long] if member == "collections" else long}
    answer = await client.post(PATH, json=wanted, headers=admin)
    assert len(problem(answer, 422, "invalid-body")["detail"]) < 300
