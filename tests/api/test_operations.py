"""Operations over HTTP: rebuilds and verifications that an admin starts, watches and cancels."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any
from unittest.mock import AsyncMock

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.api.app import ItemStore, create_app
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.partition import Partition
from itemstore.store import carrying_out
from itemstore.store.operations import CUT_OFF, KEPT, VERIFY, Operation, begin
from itemstore.store.scope import WHOLE, Scope
from itemstore.store.settings import Settings
from itemstore.store.tokens import Role, revoke
from tests.api.bearers import bearer
from tests.api.conftest import Serve, client_of, problem
from tests.logged import all_told

PATH = "/admin/operations"


async def ended(client: httpx.AsyncClient, path: str, **headers: str) -> dict[str, Any]:
    """What an operation is once it has ended."""
    while True:
        operation: dict[str, Any] = (await client.get(path, headers=headers)).json()
        if operation["status"] != "running":
            return operation
        await asyncio.sleep(0.01)


async def carried_out(client: httpx.AsyncClient, **wanted: Any) -> dict[str, Any]:
    """What becomes of an operation that is started."""
    begun = await client.post(PATH, json=wanted)
    assert begun.status_code == 202
    assert begun.json()["status"] == "running"
    assert begun.headers["cache-control"] == "no-store"
    return await ended(client, begun.headers["location"])


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Verifications that begin stand still until this is set; each looks often what it is told."""
    go_on = asyncio.Event()

    async def no_complaints(*_: object) -> list[str]:
        await go_on.wait()
        return []

    monkeypatch.setattr(carrying_out, "BEAT", 0.01)
    monkeypatch.setattr("itemstore.store.verify.complaints", no_complaints)
    return go_on


async def test_the_log_says_when_an_operation_begins_and_how_it_ends(
    changed: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its kind and how long it took; one that fails says why, and is an error."""
    caplog.set_level("INFO", logger="itemstore")
    for kind in ("verify", "rebuild"):
        assert (await carried_out(changed, operation=kind))["status"] == "succeeded"
    [verified, rebuilt] = all_told(caplog, event="An operation has ended")
    assert (verified["kind"], rebuilt["kind"]) == ("verify", "rebuild")
    assert all(each["status"] == "succeeded" for each in (verified, rebuilt))
    assert all(each["seconds"] >= 0 for each in (verified, rebuilt))
    begun = [each["operation"] for each in all_told(caplog, event="An operation has begun")]
    assert begun == [verified["operation"], rebuilt["operation"]]

    unavailable = AsyncMock(side_effect=LogUnavailable("It is away."))
    monkeypatch.setattr("itemstore.store.verify.complaints", unavailable)
    assert (await carried_out(changed, operation="verify"))["status"] == "failed"
    [failed] = all_told(caplog, event="An operation has failed")
    assert (failed["kind"], failed["reason"]) == ("verify", "It is away.")


async def test_a_verification_finds_what_differs_and_a_rebuild_mends_it(
    changed: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """With the verdict and the receipt that the command prints; both are kept, newest first."""
    await redis.hdel("items:current", "foo")
    verified = await carried_out(changed, operation="verify")
    assert (verified["status"], verified["error"]) == ("succeeded", None)
    assert verified["result"]["clean"] is False
    assert verified["result"]["ahead_seconds"] == 0
    assert verified["result"]["differences"][0]["name"] == "foo"

    dry = await carried_out(changed, operation="rebuild", collection="items", dry_run=True)
    assert dry["result"]["different"] == {"rows": 1, "ids": 0, "histories": 0}
    assert (await changed.get("/items/foo")).status_code == 404
    done = await carried_out(changed, operation="rebuild")
    assert (done["projection"], done["collection"], done["dry_run"]) == (
        "current-items",
        None,
        False,
    )
    assert done["progress"]["done"] == done["progress"]["total"] == 4
    assert (await changed.get("/items/foo")).json()["size"] == 4

    listed = (await changed.get(PATH)).json()["operations"]
    assert listed == [done, dry, verified]
    shown = (await changed.get("/projections")).json()["projections"][0]["last_rebuild"]
    assert shown == done["result"]


async def test_one_runs_at_a_time_and_any_process_may_cancel_it(
    client: httpx.AsyncClient, serve: Serve, stuck: asyncio.Event
) -> None:
    """Another one is refused with its id; once it has ended, there is nothing to cancel."""
    other = serve()
    path = (await client.post(PATH, json={"operation": "verify"})).headers["location"]
    refused = await other.post(PATH, json={"operation": "rebuild"})
    told = problem(refused, 409, "operation-running")
    assert (f"{PATH}/{told['running']}", path in told["detail"]) == (path, True)
    assert "A verification, started at" in told["detail"]

    cancelled = await other.delete(path)
    assert (cancelled.status_code, cancelled.json()["cancelling"]) == (202, True)
    assert (await other.delete(path)).status_code == 202
    operation = await ended(client, path)
    assert (operation["status"], operation["result"]) == ("cancelled", None)
    assert operation["finished"] >= operation["started"]
    problem(await other.delete(path), 409, "operation-ended")
    stuck.set()
    assert (await carried_out(other, operation="verify"))["status"] == "succeeded"


async def test_one_goes_on_when_the_token_that_started_it_is_revoked(
    client: httpx.AsyncClient, redis: FakeAsyncRedis, partition: Partition, stuck: asyncio.Event
) -> None:
    """It says who started it, and who cancels it."""
    ann = await bearer(redis, "ann", WHOLE, Role.admin)
    bob = await bearer(redis, "bob", WHOLE, Role.admin)
    begun = await client.post(PATH, json={"operation": "verify"}, headers=ann)
    await revoke(partition, "ann")
    path = begun.headers["location"]
    assert begun.json()["started_by"] == "ann"
    cancelled = await client.delete(path, headers=bob)
    assert (cancelled.json()["status"], cancelled.json()["cancelled_by"]) == ("running", "bob")
    operation = await ended(client, path, **bob)
    assert (operation["started_by"], operation["cancelled_by"]) == ("ann", "bob")
    assert not stuck.is_set()


async def test_one_that_nobody_carries_out_any_more_has_failed(
    client: httpx.AsyncClient, redis: FakeAsyncRedis, partition: Partition
) -> None:
    """Once its lease has run out it is not shown as running, and another may begin."""
    lost = Operation.new(VERIFY, None, None, dry_run=False, started_by=None)
    await begin(partition, lost)
    assert (await client.get(f"{PATH}/{lost.id}")).json()["status"] == "running"
    await redis.delete("itemstore:lease:operation")
    shown = (await client.get(f"{PATH}/{lost.id}")).json()
    assert (shown["status"], shown["error"], shown["finished"]) == ("failed", CUT_OFF, None)
    problem(await client.delete(f"{PATH}/{lost.id}"), 409, "operation-ended")
    assert (await carried_out(client, operation="verify"))["status"] == "succeeded"


async def test_one_ends_with_the_application(app: ItemStore, stuck: asyncio.Event) -> None:
    """It has failed then, and says why."""
    async with client_of(app) as client:
        async with app.router.lifespan_context(app):
            path = (await client.post(PATH, json={"operation": "verify"})).headers["location"]
        operation = await ended(client, path)
    assert operation["status"] == "failed"
    assert "was stopped" in operation["error"]
    assert not stuck.is_set()


async def test_one_that_can_t_be_carried_out_says_why(
    client: httpx.AsyncClient, redis: FakeAsyncRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rebuild beside another one, a log that is gone; what is not foreseen is in the log only."""
    await client.put("/items/foo", json={})
    await redis.set("items:lease:rebuild", "of the command", px=5000)
    refused = await carried_out(client, operation="rebuild")
    assert (refused["status"], refused["result"]) == ("failed", None)
    assert refused["error"].startswith("A rebuild is running.")
    await redis.delete("items:lease:rebuild", "items:events")
    gone = await carried_out(client, operation="rebuild")
    assert gone["error"].startswith("The log is gone")
    monkeypatch.setattr(
        "itemstore.store.verify.complaints", AsyncMock(side_effect=RuntimeError("secret"))
    )
    unforeseen = await carried_out(client, operation="verify")
    assert unforeseen["error"] == carrying_out.UNFORESEEN


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ("[]", ""),
        ("3", ""),
        ("{}", "/operation"),
        ('{"operation":"mend"}', "/operation"),
        ('{"operation":null}', "/operation"),
        ('{"operation":"rebuild","projection":"none"}', "/projection"),
        ('{"operation":"rebuild","projection":["sql"]}', "/projection"),
        ('{"operation":"rebuild","collection":"../items"}', "/collection"),
        ('{"operation":"rebuild","collection":"\\u202e"}', "/collection"),
        ('{"operation":"rebuild","dry_run":"yes"}', "/dry_run"),
        ('{"operation":"rebuild","dry_run":1}', "/dry_run"),
        ('{"operation":"verify","dry_run":true}', "/dry_run"),
        ('{"operation":"verify","projection":"statistics"}', "/projection"),
        ('{"operation":"verify","force":true}', "/force"),
    ],
)
async def test_a_body_that_can_t_be_meant_starts_nothing(
    client: httpx.AsyncClient, body: str, pointer: str
) -> None:
    """422 with the place."""
    answer = await client.post(PATH, content=body, headers={"content-type": "application/json"})
    told = problem(answer, 422, "invalid-body")
    assert [each["pointer"] for each in told["errors"]] == [pointer]
    assert (await client.get(PATH)).json() == {"operations": []}


async def test_what_is_no_such_request_is_refused_in_words(client: httpx.AsyncClient) -> None:
    """An Idempotency-Key, under which nothing would be remembered; an id that there is not."""
    key = {"idempotency-key": "k"}
    refused = await client.post(PATH, json={"operation": "verify"}, headers=key)
    assert "takes no Idempotency-Key" in problem(refused, 400, "malformed-header")["detail"]
    problem(await client.delete(f"{PATH}/0198", headers=key), 400, "malformed-header")
    for method in ("GET", "DELETE"):
        problem(await client.request(method, f"{PATH}/%2a%00"), 404, "not-found")
    assert (await client.get(PATH)).json() == {"operations": []}


async def test_the_last_twenty_are_kept_beside_the_one_that_runs(
    client: httpx.AsyncClient, redis: FakeAsyncRedis, partition: Partition
) -> None:
    """Of a hundred; one that somebody damaged is left out."""
    for number in range(100):
        operation = Operation.new(VERIFY, None, None, dry_run=False, started_by=None)
        await begin(partition, replace(operation, id=f"{number:03}"))
        await redis.delete("itemstore:lease:operation")
    listed = (await client.get(PATH)).json()["operations"]
    assert [each["id"] for each in listed] == [f"{n:03}" for n in range(99, 98 - KEPT, -1)]
    for text in ("{", "[]", "{}", json.dumps({"id": 1}), "\xff"):
        await redis.hset("itemstore:operations", "099", text)
        assert len((await client.get(PATH)).json()["operations"]) == KEPT


async def test_only_an_admin_who_is_bound_to_nothing_may(
    client: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """Everybody else is told what it wants, also of what is not there."""
    own = [await bearer(redis, role.name, WHOLE, role) for role in Role]
    own.append(await bearer(redis, "bound", Scope(frozenset({"items"})), Role.admin))
    said = ["wants an admin", "wants an admin", None, "wants one that is bound to nothing"]
    for headers, sentence in zip(own, said, strict=True):
        answers = [
            await client.get(PATH, headers=headers),
            await client.post(PATH, json={"operation": "verify"}, headers=headers),
            await client.delete(f"{PATH}/0198", headers=headers),
        ]
        if sentence is None:
            assert [each.status_code for each in answers] == [200, 202, 404]
            continue
        for each in answers:
            assert sentence in problem(each, 403, "forbidden")["detail"]


async def test_several_collections_have_a_receipt_each_in_a_namespace_too(
    redis: FakeAsyncRedis,
) -> None:
    """As with the command; a projection that is for none of those that were chosen says so."""
    settings = Settings(namespace="shop")
    app = create_app(settings, redis=redis, collections={"orders": None, "notes": None})
    async with client_of(app) as client:
        await client.put("/orders/1", json={"n": 1})
        done = await carried_out(client, operation="rebuild", projection="statistics")
        assert done["result"]["collections"].keys() == {"orders", "notes"}
        assert done["result"]["events"] == 1
        verified = await carried_out(client, operation="verify", collection="notes")
        assert (verified["result"]["events"], verified["result"]["clean"]) == (0, True)
    assert {key for key in await redis.keys() if b"operation" in key} == {
        b"shop:itemstore:operations"
    }
