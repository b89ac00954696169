"""Clients that ask for much and take nothing: what they may cost a server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.server.conftest import Serve, Server, resident
from tests.server.raw import Raw, get, put

MOST = 32
"""MiB that may wait for clients."""

MADE = 100
"""MiB for the pages that are being made, and for what Python does not give back at once."""

LARGE = b'{"name":"%s"}' % (b"x" * 1_000_000)


@pytest.fixture
def server(serve: Serve) -> Server:
    """A server that keeps 32 MiB for its clients, with 16 items of a megabyte."""
    server = serve("--max-unsent", str(MOST * 2**20))
    with Raw(server.url) as writer:
        for number in range(16):
            writer.send(put(f"large-{number}", LARGE))
            assert writer.answer().status == 201
    return server


@contextmanager
def silent_clients(server: Server, request: bytes, count: int) -> Iterator[list[Raw]]:
    """Clients that have asked, and take nothing of what they get."""
    with ExitStack() as stack:
        clients = [stack.enter_context(Raw(server.url, receive_buffer=4096)) for _ in range(count)]
        for client in clients:
            client.send(request)
        yield clients


def most_resident(server: Server, seconds: float) -> int:
    """The most MiB that the server's process has within `seconds`."""
    most, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        most = max(most, resident(server))
        time.sleep(0.02)
    return most


@pytest.mark.parametrize(
    "request_",
    [
        get("/items?limit=1000"),
        get("/events?limit=1000", "Accept: application/json"),
        get("/items/large-0"),
        get("/events", "Accept: application/jsonl"),
        get("/events", "Accept: text/event-stream"),
    ],
)
def test_answers_that_nobody_takes_do_not_fill_the_memory(server: Server, request_: bytes) -> None:
    """Lists, pages, single items and streams; a write, or a request for one item, is answered."""
    before = resident(server)
    with silent_clients(server, request_, 80), Raw(server.url) as other:
        most = most_resident(server, 2)
        other.send(put("small", b"{}"))
        assert other.answer().status == 201
        other.send(get("/items/small"))
        assert other.answer().status == 200
    assert most - before < MOST + MADE


def test_a_client_that_takes_nothing_makes_room_for_one_that_does(server: Server) -> None:
    """A page more than there is room for is 503 at first; after two seconds it is given."""
    with silent_clients(server, get("/items?limit=1000"), 20), Raw(server.url) as reader:
        until = time.monotonic() + 15
        statuses: list[int] = []
        while 200 not in statuses[-1:]:
            assert time.monotonic() < until, statuses
            reader.send(get("/items?limit=1000"))
            statuses.append(reader.answer().status)
            time.sleep(0.2)
    assert {*statuses} == {200, 503}
