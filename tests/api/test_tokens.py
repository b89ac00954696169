"""Bearer tokens: who may do what, on every route."""

from __future__ import annotations

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.api.app import ItemStore
from itemstore.cli.token import RoleName
from itemstore.eventlog.partition import Partition
from itemstore.store.tokens import LastToken, Role, TokenExists, create, read_tokens, revoke
from tests.api.conftest import SEVERAL, Events, client_of, problem
from tests.api.paths import path_of

pytestmark = pytest.mark.partitions(1, SEVERAL)


EXPLORER = {"/explorer", "/explorer/{file}", "/explorer/{folder}/{file}"}
OPEN = {"/livez", "/readyz", "/problems/{slug}", "/docs", "/docs/{file}", *EXPLORER}
LESS_WITHOUT = {"/"}
READS = {"GET", "HEAD", "OPTIONS"}
BODY = {"content-type": "application/json"}
PATCH = {"content-type": "application/merge-patch+json"}


async def token(partition: Partition, role: Role) -> dict[str, str]:
    """The header of a new token with this role."""
    return {"authorization": f"Bearer {await create(partition, role.name, role)}"}


def routes(app: ItemStore) -> list[tuple[str, str, str]]:
    """Every route: method, template, and a path that fits it."""
    return [
        (
            method,
            resource.template,
            path_of(resource.template),
        )
        for resource in app.resources
        for method in resource.allow.split(", ")
    ]


async def test_every_route_asks_for_the_role_it_needs(app: ItemStore, partition: Partition) -> None:
    """No token, a wrong one and each role, on each route and method."""
    headers = {role: BODY | await token(partition, role) for role in Role}
    seen = 0
    async with client_of(app) as client:
        for method, template, path in routes(app):
            content_type = BODY if method != "PATCH" else PATCH
            bare = await client.request(method, path, headers=content_type)
            wrong = await client.request(
                method, path, headers=content_type | {"authorization": "Bearer reader.wrong"}
            )
            if template in OPEN:
                assert bare.status_code not in {401, 403}
                continue
            assert (bare.status_code == 401) is (template not in LESS_WITHOUT)
            expected = [(bare, ""), (wrong, ', error="invalid_token"')]
            for refused, challenge in expected[template in LESS_WITHOUT :]:
                assert refused.status_code == 401, (method, path)
                assert refused.headers["www-authenticate"] == (
                    f'Bearer realm="itemstore"{challenge}'
                )
            for role in Role:
                answer = await client.request(method, path, headers=headers[role] | content_type)
                needed = Role.reader if method in READS else Role.writer
                allowed = role >= (Role.admin if template.startswith("/admin/") else needed)
                assert (answer.status_code == 403) is not allowed, (method, path, role)
                assert answer.status_code != 401
                seen += 1
    assert seen > 40


async def test_without_any_token_the_store_is_open(client: httpx.AsyncClient) -> None:
    """It wants one from the first one on."""
    assert (await client.put("/items/foo", json={})).status_code == 201


async def test_an_unknown_url_tells_a_stranger_nothing(
    client: httpx.AsyncClient, partition: Partition
) -> None:
    """401 there too, so that what exists can't be guessed."""
    await token(partition, Role.reader)
    problem(await client.get("/nothing/here"), 401, "unauthorized")


async def test_a_write_that_is_not_allowed_appends_nothing(
    client: httpx.AsyncClient, partition: Partition, events: Events
) -> None:
    """403 for a reader, with the role that it takes."""
    answer = await client.put("/items/foo", json={}, headers=await token(partition, Role.reader))
    assert "wants a writer" in problem(answer, 403, "forbidden")["detail"]
    assert await events() == []


async def test_the_token_s_name_is_the_actor(
    client: httpx.AsyncClient, partition: Partition, events: Events
) -> None:
    """In the event's meta, and in the CloudEvent."""
    headers = await token(partition, Role.writer)
    await client.put("/items/foo", json={}, headers=headers)
    assert (await events())[0].meta == {"actor": "writer"}
    assert (await client.get("/events", headers=headers)).json()[0]["actor"] == "writer"


async def test_an_idempotency_key_belongs_to_its_caller(
    client: httpx.AsyncClient, partition: Partition, events: Events
) -> None:
    """Two callers with the same key do not meet."""
    for caller in [await token(partition, role) for role in (Role.writer, Role.admin)]:
        headers = {**caller, "idempotency-key": "k"}
        answer = await client.post("/items", json={}, headers=headers)
        assert "idempotency-replayed" not in answer.headers
    assert len(await events()) == 2


async def test_a_revoked_token_is_refused(
    app: ItemStore, redis: FakeAsyncRedis, partition: Partition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As soon as the process looks again; others go on."""
    monkeypatch.setattr("itemstore.store.known_tokens.FRESH_SECONDS", 0.0)
    reader, writer = await token(partition, Role.reader), await token(partition, Role.writer)
    async with client_of(app) as client:
        assert (await client.get("/items", headers=reader)).status_code == 200
        assert await revoke(partition, "reader")
        problem(await client.get("/items", headers=reader), 401, "unauthorized")
        assert (await client.get("/items", headers=writer)).status_code == 200
    assert not await revoke(partition, "reader")
    with pytest.raises(LastToken):
        await revoke(partition, "writer")
    assert await revoke(partition, "writer", even_last=True)
    assert not await revoke(partition, "writer", even_last=True)


async def test_a_new_token_is_good_at_once(client: httpx.AsyncClient, partition: Partition) -> None:
    """A name that the process has not heard of makes it ask again."""
    await token(partition, Role.reader)
    assert (await client.get("/items")).status_code == 401
    assert (await client.get("/items", headers=await token(partition, Role.writer))).is_success


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Basic cmVhZGVyOng=", "Bearer .", "Bearer é.x", "ann.s3cret"]
)
async def test_a_malformed_authorization_is_401(
    client: httpx.AsyncClient, partition: Partition, value: str
) -> None:
    """Never an error of ours."""
    await token(partition, Role.reader)
    answer = await client.get("/items", headers=[(b"authorization", value.encode())])
    detail = problem(answer, 401, "unauthorized")["detail"]
    assert ("send Authorization: Bearer" in detail) == (not value.startswith("Bearer"))
    assert not any(part in answer.text for part in ("cmVh", "Basic", "s3cret"))


async def test_only_a_digest_is_stored(redis: FakeAsyncRedis, partition: Partition) -> None:
    """What the engine holds opens nothing."""
    text = await create(partition, "ann", Role.reader)
    secret = text.partition(".")[2]
    assert secret.encode() not in (await redis.hget("itemstore:tokens", "ann") or b"")
    assert (await read_tokens(partition)).readable["ann"].opens(secret)
    with pytest.raises(TokenExists):
        await create(partition, "ann", Role.admin)


def test_the_command_knows_every_role() -> None:
    """The command's own list, which spares --help an import, is the same."""
    assert [role.value for role in RoleName] == [role.name for role in Role]
