"""A batch does what its requests do one after the other, or what the first that fails does."""

from __future__ import annotations

import json
import random
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.api.app import create_app
from itemstore.store.settings import Settings
from tests.api.batches import check, delete, patch, put, responses, send
from tests.api.conftest import client_of

ROUNDS = 40
LONG_AGO = "Thu, 01 Jan 2015 00:00:00 GMT"
FAR_AHEAD = "Fri, 01 Jan 2100 00:00:00 GMT"
CHANGING = {"Event-Id", "Last-Modified"}
ITEMS = "abc"


def chosen(chance: random.Random, written: set[str]) -> dict[str, Any]:
    """A request that may succeed or not, by what there is."""
    item = chance.choice(ITEMS)
    conditions: list[dict[str, str]] = [
        {}, {}, {}, {"if_match": "*"}, {"if_none_match": "*"}, {"if_match": '"1", "3"'},
        {"if_none_match": f'"{chance.randrange(1, 4)}"'},
        {"if_match": f'"{chance.randrange(1, 5)}"'},
    ]  # fmt: skip
    if item not in written:
        conditions += [{"if_unmodified_since": LONG_AGO}, {"if_unmodified_since": FAR_AHEAD}]
    condition = chance.choice(conditions)
    member, number = chance.choice("mn"), chance.randrange(3)
    pointer = f"/{member}"
    return chance.choice(
        [
            put(item, {member: number}, **condition),
            patch(item, {member: chance.choice([number, None])}, **condition),
            patch(item, [{"op": "test", "path": pointer, "value": number}], **condition),
            patch(item, [{"op": "add", "path": pointer, "value": number}], **condition),
            patch(item, [{"op": "remove", "path": pointer}], **condition),
            delete(item, **condition),
            check(item, **(condition or {"if_match": "*"})),
        ]
    )


async def alone(client: httpx.AsyncClient, request: dict[str, Any]) -> httpx.Response:
    """The answer to the request where it is sent by itself."""
    headers = dict(request.get("headers", {}))
    content = json.dumps(request["body"]) if "body" in request else None
    if content is not None:
        kind = {"PUT": "json", "PATCH": "merge-patch+json"}[request["method"]]
        if isinstance(request["body"], list):
            kind = "json-patch+json"
        headers["content-type"] = f"application/{kind}"
    return await client.request(
        request["method"], request["path"], content=content, headers=headers
    )


async def holds(client: httpx.AsyncClient, request: dict[str, Any]) -> int:
    """The status that a check must have, by what is there now."""
    now = await client.get(request["path"])
    tag = now.headers.get("etag")
    [(name, value)] = request["headers"].items()
    match name:
        case "if-match":
            is_held = tag is not None and (value == "*" or tag in value)
        case "if-none-match":
            is_held = tag is None or (value != "*" and tag not in value)
        case _:
            is_held = tag is None or value == FAR_AHEAD
    return now.status_code if is_held else 412


@pytest.mark.parametrize("seed", range(6))
async def test_a_batch_is_its_requests_one_after_the_other(seed: int) -> None:
    """The same answers, the same state; or the status and the problem of the first that fails."""
    chance, outcomes = random.Random(seed), []
    engines = [FakeAsyncRedis(server=FakeServer()) for _ in range(2)]
    apps = [create_app(Settings(model="any"), redis=each) for each in engines]
    async with client_of(apps[0]) as together, client_of(apps[1]) as singly:
        for _ in range(ROUNDS):
            for engine in engines:
                await engine.flushall()
            for item in chance.sample(ITEMS, 2):
                for client in (together, singly):
                    await client.put(f"/items/{item}", json={"m": 1})
            if chance.random() < 0.3:
                for client in (together, singly):
                    await client.delete("/items/a")
            before = await state(together)
            requests: list[dict[str, Any]] = []
            written: set[str] = set()
            for _ in range(chance.randrange(1, 7)):
                requests.append(chosen(chance, written))
                if requests[-1]["method"] != "HEAD":
                    written.add(requests[-1]["path"][-1])

            answer = await send(together, *requests)

            outcomes.append(await compared(answer, singly, requests))
            if answer.is_success:
                assert await state(together) == await state(singly), requests
            else:
                assert await state(together) == before, requests
    assert {200, 404, 409, 412} <= {*outcomes}


async def compared(
    answer: httpx.Response, singly: httpx.AsyncClient, requests: list[dict[str, Any]]
) -> int:
    """Holds the answer to a batch against those to its requests; its status."""
    singles: list[tuple[int, httpx.Response | None]] = []
    for index, request in enumerate(requests):
        is_check = request["method"] == "HEAD"
        single = None if is_check else await alone(singly, request)
        status = await holds(singly, request) if single is None else single.status_code
        if status >= 400 and not (is_check and status == 404):
            problem = answer.json()
            assert (answer.status_code, problem.get("index")) == (status, index), requests
            assert single is None or problem["type"] == single.json()["type"], requests
            return status
        singles.append((status, single))
    for got, (status, single) in zip(responses(answer), singles, strict=True):
        assert got["status"] == status, requests
        if single is not None:
            assert got.get("body") == (single.json() if single.content else None), requests
            for name in got["headers"].keys() - CHANGING:
                assert got["headers"][name] == single.headers[name], (name, requests)
    return 200


async def state(client: httpx.AsyncClient) -> list[tuple[Any, ...]]:
    """The items, with their versions."""
    page = (await client.get("/items")).json()
    return [(each["id"], each["version"], each["item"]) for each in page["items"]]
