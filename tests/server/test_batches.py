"""Batches through `itemstore serve`, on both engines and from several processes."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.batches import check, delete, patch, post, put, responses, send, statuses
from tests.api.conftest import problem
from tests.api.test_idempotency import same
from tests.conftest import Server as Engine
from tests.conftest import emptied, program_of, running
from tests.server.conftest import Server, serving

ACCOUNTS = 6
START = 100


@pytest.fixture(scope="module", params=["valkey", "redis"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Engine, Server, Server]]:
    """Two processes that serve one store, on each engine."""
    with (
        tempfile.TemporaryDirectory(prefix="itemstore-") as directory,
        running(program_of(request.param), Path(directory)) as engine,
        serving(tmp_path_factory.mktemp("server")) as serve,
    ):
        one, other = (serve("--redis-url", engine.url, ITEMSTORE_MODEL="any") for _ in range(2))
        yield engine, one, other


@pytest.fixture
async def stores(served: tuple[Engine, Server, Server]) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Clients of the two, with nothing in the store."""
    engine, first, second = served
    async with (
        emptied(engine),
        httpx.AsyncClient(base_url=first.url, timeout=30) as one,
        httpx.AsyncClient(base_url=second.url, timeout=30) as other,
    ):
        yield [one, other]


async def test_a_batch_of_everything(stores: list[httpx.AsyncClient]) -> None:
    """Its answers, its events side by side in the feed, and what the other process then reads."""
    one, other = stores
    await one.put("/items/is", json={"n": 1})

    answer = await send(
        one,
        put("a", {"big": 10**30, "none": []}),
        patch("a", {"n": 2}),
        check("is", if_match='"1"'),
        patch("is", [{"op": "test", "path": "/n", "value": 1}]),
        check("never", if_none_match="*"),
        post({"n": 3}),
        delete("a"),
    )

    assert statuses(answer) == [201, 200, 200, 200, 404, 201, 204]
    assert responses(answer)[1]["body"] == {"big": 10**30, "none": [], "n": 2}
    _, *events = (await other.get("/events")).json()
    written = [each for each in responses(answer) if "Event-Id" in each["headers"]]
    assert [each["id"] for each in events] == [each["headers"]["Event-Id"] for each in written]
    assert [each["type"] for each in events] == [each["headers"]["Event-Type"] for each in written]
    milliseconds, numbers = zip(*(each["id"].split("-") for each in events), strict=True)
    assert len(set(milliseconds)) == 1
    assert [*map(int, numbers)] == [*range(int(numbers[0]), int(numbers[0]) + len(numbers))]
    assert len({each["transaction"] for each in events}) == 1
    assert (await other.get("/items/a")).status_code == 404
    counted = 'itemstore_requests_total{method="POST",route="/batch",status="200"} '
    assert counted in (await one.get("/metrics")).text


async def test_a_refused_batch_changes_nothing(stores: list[httpx.AsyncClient]) -> None:
    """Of whichever kind the refusal is, and the connection goes on."""
    one, other = stores
    await one.put("/items/is", json={"n": 1})
    for refused, status in [
        (put("is", {}, if_match='"7"'), 412),
        (patch("is", [{"op": "test", "path": "/n", "value": 7}]), 409),
        (patch("never", {}), 404),
        (put("is", [1]), 422),
        (put("..", {}), 422),
    ]:
        answer = await send(one, put("a", {}), post({}), refused, delete("is"))
        assert (answer.status_code, answer.json()["index"]) == (status, 2)
    assert len((await other.get("/events")).json()) == 1


async def test_the_same_key_in_two_processes_is_carried_out_once(
    stores: list[httpx.AsyncClient],
) -> None:
    """Whichever comes first; the others get its answer, or 409 while it runs."""
    batch = [put("a", {"n": 1}), patch("a", {"m": 2}), post({}), check("a", if_match='"2"')]
    for round_ in range(10):
        key = {"idempotency-key": f"k{round_}"}

        answers = await asyncio.gather(
            *(send(stores[number % 2], *batch, delete("a"), **key) for number in range(6))
        )

        assert {each.status_code for each in answers} <= {200, 409}
        [first, *_] = [
            each
            for each in answers
            if each.status_code == 200 and "idempotency-replayed" not in each.headers
        ]
        for again in answers:
            if "idempotency-replayed" in again.headers:
                for name in ("date", "x-request-id"):
                    again.headers[name] = first.headers[name]
                assert same(first, again)
        batch[3] = check("a", if_match=f'"{3 * round_ + 5}"')
    assert len((await stores[0].get("/events", params={"limit": 1000})).json()) == 40


async def test_of_two_in_opposite_order_one_wins(stores: list[httpx.AsyncClient]) -> None:
    """Both want both items at the version that they saw: no deadlock, no half, one winner."""
    versions = {"a": 1, "b": 1}
    await send(stores[0], put("a", {}), put("b", {}))
    for round_ in range(40):
        tags = {item: f'"{version}"' for item, version in versions.items()}
        both = [put(item, {"round": round_}, if_match=tags[item]) for item in "ab"]

        answers = await asyncio.gather(send(stores[0], *both), send(stores[1], *reversed(both)))

        won = [each for each in answers if each.status_code == 200]
        assert len(won) == 1
        assert sorted(each.status_code for each in answers) == [200, 412]
        versions = {item: version + 1 for item, version in versions.items()}
    assert [(await stores[0].get(f"/items/{item}")).headers["etag"] for item in "ab"] == [
        '"41"', '"41"',
    ]  # fmt: skip


async def test_money_that_is_moved_is_never_seen_to_be_missing(
    stores: list[httpx.AsyncClient],
) -> None:
    """Transfers by conditional PUTs and by patches; every page of the list has the same sum."""
    await send(stores[0], *(put(str(n), {"balance": START}) for n in range(ACCOUNTS)))
    done = asyncio.Event()

    async def read(client: httpx.AsyncClient) -> int:
        looks = 0
        while not done.is_set():
            page = (await client.get("/items")).json()
            assert sum(each["item"]["balance"] for each in page["items"]) == ACCOUNTS * START
            looks += 1
        return looks

    readers = [asyncio.create_task(read(each)) for each in stores]
    moved = await asyncio.gather(
        *(_move(stores[number % 2], number, times=25) for number in range(8))
    )
    done.set()

    assert all(await asyncio.gather(*readers))
    assert sum(moved) > 0


async def _move(client: httpx.AsyncClient, number: int, *, times: int) -> int:
    """Moves from one account to another, again and again; how often that worked."""
    moved = 0
    for turn in range(times):
        source, to = str((number + turn) % ACCOUNTS), str((number + 3 * turn + 1) % ACCOUNTS)
        if source == to:
            continue
        rows = [await client.get(f"/items/{item}") for item in (source, to)]
        amounts = [row.json()["balance"] for row in rows]
        tags = [row.headers["etag"] for row in rows]
        less, more = {"balance": amounts[0] - 1}, {"balance": amounts[1] + 1}
        change = patch if turn % 2 else put
        answer = await send(
            client, change(source, less, if_match=tags[0]), change(to, more, if_match=tags[1])
        )
        assert answer.status_code in {200, 412}
        moved += answer.status_code == 200
    return moved


async def test_patches_by_batches_and_alone_lose_nothing(stores: list[httpx.AsyncClient]) -> None:
    """From two processes, on the same two items: every member is there at last."""
    await send(stores[0], put("a", {}), put("b", {}))

    async def together(number: int) -> None:
        member = {f"b{number}": 1}
        answer = await send(stores[number % 2], patch("a", member), patch("b", member))
        assert statuses(answer) == [200, 200]

    async def alone(number: int) -> None:
        merge = {"content-type": "application/merge-patch+json"}
        for item in "ba":
            content = f'{{"s{number}":1}}'
            path = f"/items/{item}"
            answer = await stores[number % 2].patch(path, content=content, headers=merge)
            assert answer.status_code == 200

    await asyncio.gather(*map(together, range(20)), *map(alone, range(20)))

    for item in "ab":
        assert len((await stores[0].get(f"/items/{item}")).json()) == 40


async def test_a_large_batch_and_its_large_answer(stores: list[httpx.AsyncClient]) -> None:
    """A body as large as one may be, in 100 parts, worked out off the event loop."""
    text = "x" * 10_000
    batch = [put(str(number), {"text": text}) for number in range(100)]

    answer = await send(stores[0], *batch)

    assert statuses(answer) == [201] * 100
    assert len(answer.content) > 1_000_000
    changed = await send(stores[1], *(patch(str(n), {"n": n}) for n in range(100)))
    assert responses(changed)[99]["body"] == {"text": text, "n": 99}
    assert json.loads((await stores[0].get("/items/7")).content) == {"text": text, "n": 7}


async def test_what_is_no_batch_is_refused(stores: list[httpx.AsyncClient]) -> None:
    """By our own server as by any."""
    kind: dict[str, Any] = {"headers": {"content-type": "application/json"}}
    problem(await stores[0].post("/batch", content="{", **kind), 400, "malformed-json")
    problem(await stores[0].post("/batch", content="{}", **kind), 422, "invalid-batch")
    problem(await stores[0].put("/batch", content="{}", **kind), 405, "method-not-allowed")
