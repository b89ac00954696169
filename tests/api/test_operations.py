"""Operations over HTTP: rebuilds and verifications that an admin starts, watches and cancels."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from fakeredis import FakeAsyncRedis

PATH = "/admin/operations"


async def ended(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    """What an operation is once it has ended."""
    while True:
        operation: dict[str, Any] = (await client.get(path)).json()
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


async def test_a_rebuild_mends_what_differs_and_its_receipt_is_kept(
    client: httpx.AsyncClient, changed: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """The same receipt as the command's; `/projections` has it as the last one."""
    await redis.hdel("items:current", "foo")
    verdict = await carried_out(client, operation="verify")
    assert verdict["status"] == "succeeded"
    assert verdict["result"]["clean"] is False
    done = await carried_out(client, operation="rebuild")
    assert (done["status"], done["error"], done["cancelling"]) == ("succeeded", None, False)
    assert (done["projection"], done["collection"], done["dry_run"]) == (
        "current-items",
        None,
        False,
    )
