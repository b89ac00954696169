"""Work that takes long is done beside the event loop, and within bounds."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis
from pydantic import BaseModel, field_validator

from itemstore.api.app import create_app
from itemstore.eventlog.partition import Partition
from itemstore.server import slow_work
from itemstore.server.refusals import Overloaded
from itemstore.server.slow_work import SlowWork
from itemstore.store.settings import Settings
from itemstore.store.tokens import Role, create, revoke
from tests.api.batches import patch, put, send
from tests.api.conftest import Events, Serve, client_of, problem
from tests.conftest import Unchanged

go_on = threading.Event()
"""What the validator of Slow waits for."""

begun = threading.Event()
"""Says that it waits."""


class Slow(BaseModel):
    """A model whose validator takes its time."""

    name: str

    @field_validator("name")
    @classmethod
    def _waits(cls, name: str) -> str:
        begun.set()
        if not go_on.wait(timeout=20):
            message = "nobody let it go on"
            raise ValueError(message)
        if name == "exit":
            sys.exit(1)
        if name == "stop":
            raise StopIteration
        return name


@pytest.fixture
def slow(serve: Serve) -> Iterator[httpx.AsyncClient]:
    """A client of a store with that model."""
    go_on.set()  # for the sample that is tried at the start
    client = serve(model=Slow)
    go_on.clear()
    yield client
    go_on.set()


async def test_others_are_answered_while_a_model_takes_its_time(slow: httpx.AsyncClient) -> None:
    """PUT, PATCH and a revert wait for the validator, and nobody else does."""
    go_on.set()
    await slow.put("/items/foo", json={"name": "a"})
    merge = {"content-type": "application/merge-patch+json"}
    for write in (
        slow.put("/items/foo", json={"name": "b"}),
        slow.patch("/items/foo", content=b'{"name":"c"}', headers=merge),
        slow.post("/items/foo/revert", json={"version": 1}),
    ):
        go_on.clear()
        task = asyncio.create_task(write)
        for _ in range(3):
            assert (await slow.get("/items/foo")).status_code == 200
        assert not task.done()
        go_on.set()
        assert (await task).status_code == 200


async def test_a_model_that_takes_too_long_is_503(
    slow: httpx.AsyncClient, unchanged: Unchanged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With Retry-After, and nothing is stored, also when it comes to its end after all."""
    monkeypatch.setattr(slow_work, "PATIENCE", 0.05)

    async with unchanged():
        answer = await slow.put("/items/foo", json={"name": "a"})
        go_on.set()

    assert problem(answer, 503, "overloaded")["retry_after"] == 1
    assert (await slow.put("/items/foo", json={"name": "a"})).status_code == 201


@pytest.mark.parametrize("name", ["exit", "stop"])
async def test_a_model_ends_neither_the_process_nor_a_thread(
    slow: httpx.AsyncClient, unchanged: Unchanged, name: str
) -> None:
    """Whatever its code raises: 500, and the next one is stored."""
    go_on.set()
    for _ in range(slow_work.THREADS + 1):
        async with unchanged():
            problem(await slow.put("/items/foo", json={"name": name}), 500, "internal-error")

    assert (await slow.put("/items/foo", json={"name": "a"})).status_code == 201


async def test_no_more_than_so_many_wait() -> None:
    """The next one is told so at once; what waited is carried out when there is a thread again."""
    work, held = SlowWork(1, threads=1), threading.Event()
    first = asyncio.create_task(work.run(held.wait))
    while work._busy == 0:
        await asyncio.sleep(0.001)
    second = asyncio.create_task(work.run(lambda: "second"))
    await asyncio.sleep(0)

    with pytest.raises(Overloaded, match="are waiting"):
        await work.run(lambda: "third")

    held.set()
    assert (await first, await second) == (True, "second")


async def test_what_nobody_waits_for_any_more_is_not_begun() -> None:
    """The client has gone, or the time is over."""
    work, held, begun = SlowWork(9, threads=1), threading.Event(), []
    first = asyncio.create_task(work.run(held.wait))
    given_up = asyncio.create_task(work.run(lambda: begun.append("given up")))
    last = asyncio.create_task(work.run(lambda: begun.append("last")))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.sleep(0)
    held.set()
    await asyncio.gather(first, last)
    assert begun == ["last"]


async def test_a_body_is_let_go_when_nobody_waits_for_its_work() -> None:
    """Also where all threads are at what never ends, so that none of them would come to it."""
    work, held = SlowWork(1, threads=1), threading.Event()
    first = asyncio.create_task(work.run(held.wait))
    while work._busy == 0:
        await asyncio.sleep(0.001)
    body = bytearray(b"{}")
    for _ in range(3):  # the place is free again too
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(work.run(partial(bytes, body)), 0.01)
        assert not work._jobs
    held.set()
    await first


class Wrong(Exception):
    """What work raises."""


async def test_what_the_work_raises_leaves_nothing_for_the_garbage_collector() -> None:
    """It would keep the body, of a megabyte perhaps, until that comes."""
    work = SlowWork(1)

    def fail() -> None:
        raise Wrong

    gc.collect()
    gc.disable()
    try:
        with pytest.raises(Wrong):
            await work.run(fail)
        async with asyncio.timeout(5):  # its thread lets go of it when it has a turn
            while [each for each in gc.get_objects() if type(each) is Wrong]:
                await asyncio.sleep(0.01)
    finally:
        gc.enable()


async def test_a_token_revoked_while_a_body_is_worked_out_writes_nothing(
    slow: httpx.AsyncClient,
    partition: Partition,
    events: Events,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PUT, PATCH, a revert, batches: a model may take longer than a revocation."""
    monkeypatch.setattr("itemstore.store.known_tokens.LONG", 0.0)
    monkeypatch.setattr("itemstore.store.known_tokens.FRESH_SECONDS", 0.0)
    go_on.set()
    await slow.put("/items/foo", json={"name": "a"})
    await create(partition, "bob", Role.reader)
    for write in (
        partial(slow.put, "/items/foo", json={"name": "b"}),
        partial(slow.patch, "/items/foo", content=b'{"name":"c"}'),
        partial(slow.post, "/items/foo/revert", json={"version": 1}),
        partial(slow.post, "/batch", json={"requests": [put("foo", {"name": "d"})]}),
        partial(slow.post, "/batch", json={"requests": [patch("foo", {"name": "e"})]}),
    ):
        secret = await create(partition, "ann", Role.writer)
        headers = {"authorization": f"Bearer {secret}"}
        if write.func == slow.patch:
            headers["content-type"] = "application/merge-patch+json"
        go_on.clear()
        begun.clear()
        task = asyncio.create_task(write(headers=headers))
        assert await asyncio.to_thread(begun.wait, 20)
        await revoke(partition, "ann")
        go_on.set()
        problem(await task, 401, "unauthorized")
    assert len(await events()) == 1


@pytest.mark.parametrize("name", ["exit", "stop"])
@pytest.mark.parametrize("write", [put, patch])
async def test_a_model_in_a_batch_ends_nothing_either(
    slow: httpx.AsyncClient, events: Events, write: Callable[..., dict[str, Any]], name: str
) -> None:
    """Whatever it raises is an error of the store, and nothing is carried out."""
    go_on.set()
    await slow.put("/items/foo", json={"name": "a"})

    answer = await send(slow, put("bar", {"name": "b"}), write("foo", {"name": name}))

    problem(answer, 500, "internal-error")
    assert len(await events()) == 1
    assert (await send(slow, put("bar", {"name": "b"}))).status_code == 200


def test_a_process_ends_although_a_model_never_does() -> None:
    """Threads of concurrent.futures would be waited for."""
    program = """
import asyncio, time
from itemstore.server.slow_work import SlowWork

async def main():
    task = asyncio.create_task(SlowWork(9).run(lambda: time.sleep(1000)))
    await asyncio.sleep(0.05)
    task.cancel()

asyncio.run(main())
"""
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program], timeout=30, check=False)
    assert (done.returncode, time.perf_counter() - began < 20) == (0, True)


async def test_a_large_body_is_worked_out_beside_the_event_loop(
    redis: FakeAsyncRedis,
) -> None:
    """A body, a patch and a diff of a megabyte; small ones are worked out at once."""
    app = create_app(Settings(model="any"), redis=redis)
    assert app.context is not None
    large, merge = {"a": "x" * 100_000}, {"content-type": "application/merge-patch+json"}
    for body, is_small in (({"a": 1}, True), (large, False)):
        async with client_of(app) as client:
            await client.put("/items/foo", json=body)
            await client.patch("/items/foo", json=body, headers=merge)
            await client.get("/items/foo/versions/2/diff")
        assert (app.context.slow_work._threads == 0) is is_small
