"""Too much at once: what is over the limit is refused at once, and all else goes its way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from fakeredis import FakeAsyncRedis

from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.store.known_tokens import KnownTokens
from tests.conftest import Server as Engine
from tests.conftest import Start, stopped
from tests.server.conftest import Serve, Server, resident
from tests.server.raw import Raw, get, put

WAITING = 5
FOO = put("foo", b"{}")


@pytest.fixture
def engine(start: Start) -> Engine:
    """An engine that can be made to hang."""
    return start("valkey")


@pytest.fixture
def server(serve: Serve, engine: Engine) -> Server:
    """A server on it, in which few requests may wait."""
    return serve("--redis-url", engine.url, "--max-waiting", str(WAITING))


@pytest.fixture
def clients(server: Server) -> Iterator[list[Raw]]:
    """Connections, each of which has been answered once."""
    with ExitStack() as stack:
        clients = [stack.enter_context(Raw(server.url)) for _ in range(WAITING + 3)]
        for client in clients:
            client.send(get("/items/none"))
            assert client.answer().status == 404
        yield clients


@contextmanager
def full(engine: Engine, clients: list[Raw], request: bytes = FOO) -> Iterator[None]:
    """A block in which the engine hangs, and as many requests wait for it as may."""
    with stopped(engine):
        for client in clients[:WAITING]:
            client.send(request)
        time.sleep(0.2)
        yield


def test_requests_over_the_limit_are_refused_at_once(
    engine: Engine, server: Server, clients: list[Raw]
) -> None:
    """503 with Retry-After while the engine hangs; the connection stays and is good afterwards."""
    waiting, refused = clients[:WAITING], clients[WAITING:]
    with stopped(engine):
        for number, client in enumerate(waiting):
            client.send(put(f"item-{number}", b"{}"))
        time.sleep(0.2)
        for client in refused:
            start = time.monotonic()
            client.send(put("refused", b"{}"))
            answer = client.answer()
            assert time.monotonic() - start < 0.5
            assert answer.problem(503, "overloaded")["retry_after"] == 1
            assert answer.headers["retry-after"] == "1"
            assert "date" in answer.headers
            assert "connection" not in answer.headers
    assert [client.answer().status for client in waiting] == [201] * WAITING
    for client in refused:
        client.send(put("refused", b"{}"))
    assert sorted(client.answer().status for client in refused) == [200, 200, 201]
    assert events_total(clients[0]) == WAITING + len(refused)


def events_total(client: Raw) -> float:
    """How many events the server says it has appended."""
    return sum(metrics(client, "itemstore_events_total").values())


def metrics(client: Raw, name: str) -> dict[str, float]:
    """The samples of a metric, by their labels."""
    client.send(get("/metrics"))
    lines = client.answer().body.decode().splitlines()
    samples = [line.rpartition(" ") for line in lines if line.startswith(name)]
    return {labels.removeprefix(name): float(number) for labels, _, number in samples}


def test_monitoring_is_never_refused(engine: Engine, clients: list[Raw]) -> None:
    """Health and metrics are there when it has too much to do, and count what was refused."""
    with full(engine, clients):
        clients[-1].send(FOO)
        assert clients[-1].answer().status == 503
        clients[-1].send(get("/livez?x=1"))
        assert clients[-1].answer().status == 200
        assert metrics(clients[-1], "itemstore_waiting")[""] >= WAITING
        assert metrics(clients[-1], "itemstore_problems_total")['{type="overloaded"}'] == 1


@pytest.mark.parametrize(
    "headers", [("Connection: close",), ("Expect: 100-continue",)], ids=["close", "expect"]
)
def test_a_client_that_would_be_gone_or_wait_is_refused_and_closed(
    engine: Engine, clients: list[Raw], headers: tuple[str]
) -> None:
    """A client that closes, and one that would send its body only when asked to."""
    with full(engine, clients):
        request = put("foo", b"{}", *headers)
        clients[-1].send(request.removesuffix(b"{}") if "Expect" in headers[0] else request)
        answer = clients[-1].answer()
        answer.problem(503, "overloaded")
        assert answer.headers["connection"] == "close"
        assert clients[-1].closed_after() < 5


def test_a_refused_head_has_no_body(engine: Engine, clients: list[Raw]) -> None:
    """Its Content-Length is that of a GET (RFC 9110 §9.3.2), and the next answer is its own."""
    with full(engine, clients):
        clients[-1].send(get("/items/foo").replace(b"GET", b"HEAD"))
        answer = clients[-1].answer(to_head=True)
        assert (answer.status, answer.headers["content-length"] != "0") == (503, True)
        clients[-1].send(get("/livez"))
        assert clients[-1].answer().status == 200


def test_streams_and_slow_bodies_take_no_place_of_requests_that_wait(clients: list[Raw]) -> None:
    """Any number of followers and of half-sent requests, and a PUT goes through."""
    for client in clients[1:4]:
        client.send(get("/events", "Accept: text/event-stream"))
        assert client.answer().status == 200
    for client in clients[4:]:
        client.send(put("slow", b"{}").removesuffix(b"}"))
    time.sleep(0.2)
    clients[0].send(FOO)
    assert clients[0].answer().status == 201
    assert metrics(clients[0], "itemstore_streams")[""] == 3
    for client in clients[4:]:
        client.send(b"}")
        assert client.answer().status in (200, 201)


def test_a_client_that_takes_no_answers_takes_no_place_of_requests_that_wait(
    server: Server, clients: list[Raw]
) -> None:
    """More of them than may wait, each with other requests after those that it does not read."""
    clients[0].send(put("large", b'{"name":"%s"}' % (b"x" * 1_000_000)))
    assert clients[0].answer().status == 201
    with ExitStack() as stack:
        slow = [
            stack.enter_context(Raw(server.url, receive_buffer=4096)) for _ in range(WAITING + 1)
        ]
        for client in slow:
            client.send(get("/items/large") * 10)
            time.sleep(0.2)
        clients[0].send(FOO)
        assert clients[0].answer().status == 201
        assert metrics(clients[0], "itemstore_waiting")[""] <= 1
        for client in slow[:2]:
            assert [client.answer().status for _ in range(10)] == [200] * 10


def test_a_client_that_was_answered_is_not_counted_as_sending(
    engine: Engine, clients: list[Raw]
) -> None:
    """Refused before its body came, or after another request: neither makes room for others."""
    for client in clients[WAITING:]:
        client.send(put("a", b"{}").replace(b"application/json", b"text/plain")[:-2])
        client.answer().problem(415, "unsupported-media-type")
    and_a_part = put("a", b"{}") + put("b", b"{}")[:-2]
    with full(engine, clients, and_a_part), Raw(server_url(clients[0])) as another:
        another.send(put("a", b"{}"))
        another.answer().problem(503, "overloaded")
        assert metrics(another, "itemstore_waiting")[""] >= WAITING


def server_url(client: Raw) -> str:
    """Where a client is connected to."""
    host, port = client.socket.getpeername()
    return f"http://{host}:{port}"


def test_refusals_that_nobody_takes_fill_no_memory(
    engine: Engine, server: Server, clients: list[Raw]
) -> None:
    """Who sends without reading while the server is full is let go."""
    with full(engine, clients):
        before = resident(server)
        assert clients[-1].send_until_refused(get("/items/none") * 1000, most=2**34) < 2**34
        assert resident(server) - before < 20


def test_the_sum_of_several_processes_only_grows(serve: Serve) -> None:
    """Scrapes that one process or the other answers, while requests come in between."""
    server = serve("--workers", "2")
    seen = 0.0
    for number in range(40):
        with Raw(server.url) as client:
            client.send(put(f"item-{number}", b"{}"))
            assert client.answer().status == 201
        with Raw(server.url) as client:
            samples = metrics(client, "itemstore_events_total")
        assert sum(samples.values()) >= seen
        seen = sum(samples.values())
    time.sleep(1.5)
    with Raw(server.url) as client:
        assert events_total(client) == 40
        assert len(metrics(client, "process_cpu_seconds_total")) == 2


async def test_requests_that_find_the_tokens_stale_go_on_together() -> None:
    """One asks the engine; none of the rest waits for a turn after the others."""
    tokens = KnownTokens(Partition(FakeAsyncRedis(), Keys()), may_be_open=True)
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())
    await asyncio.gather(*(tokens.refresh() for _ in range(1000)))
    counting.cancel()
    assert turns < 500
