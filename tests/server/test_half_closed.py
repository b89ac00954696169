"""A client that has said all that it will say, and still reads."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import Start, stopped, wait_until
from tests.server.conftest import Serve, Server, serving
from tests.server.raw import Raw, get, put

END = socket.SHUT_WR
JSON = ("Accept: application/json",)
SSE = "Accept: text/event-stream"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has an item of two versions, for all tests of this file."""
    with serving(tmp_path_factory.mktemp("server")) as start:
        server = start("--max-streams", "3", "--max-connections", "20")
        for status in (201, 200):
            assert httpx.put(f"{server.url}/items/a", json={}).status_code == status
        yield server


def open_connections(server: Server) -> int:
    """How many connections the server has, besides the one that asks."""
    text = httpx.get(f"{server.url}/metrics").text
    line = next(line for line in text.splitlines() if line.startswith("itemstore_connections"))
    return int(float(line.split()[-1])) - 1


def wait_until_alone(server: Server) -> None:
    """Waits until no connection is left, for at most ten seconds."""
    wait_until(lambda: not open_connections(server), 10)


REQUESTS = {
    "PUT": put("a", b'{"size":1}'),
    "POST": put("", b"{}").replace(b"PUT /items/", b"POST /items"),
    "PATCH": put("a", b'{"size":2}')
    .replace(b"PUT", b"PATCH", 1)
    .replace(b"application/json", b"application/merge-patch+json"),
    "item": get("/items/a"),
    "list": get("/items"),
    "versions": get("/items/a/versions"),
    "version": get("/items/a/versions/1"),
    "diff": get("/items/a/versions/2/diff"),
    "history": get("/items/a/events"),
    "page": get("/events?item=a&type=ItemCreated", *JSON),
    "lines": get("/events", "Accept: application/jsonl"),
    "readyz": get("/readyz"),
    "metrics": get("/metrics"),
    "docs": get("/openapi.json"),
    "nothing": get("/nothing"),
    "options": get("*").replace(b"GET", b"OPTIONS"),
}


@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("name", REQUESTS)
def test_every_route_answers(server: Server, client: Raw, name: str, version: str) -> None:
    """The whole answer, and then the connection ends."""
    client.send(REQUESTS[name].replace(b"HTTP/1.1", f"HTTP/{version}".encode(), 1))
    client.socket.shutdown(END)
    answer = client.rest()
    while answer.startswith(b"HTTP/1.1 100"):  # under load
        answer = answer.partition(b"\r\n\r\n")[2]
    status = int(answer.split()[1])
    assert status == {"nothing": 404, "options": 204, "POST": 201}.get(name, 200)
    if name == "lines":
        assert b"ItemCreated" in answer
        assert answer.endswith(b"0\r\n\r\n" if version == "1.1" else b"}\n")
    wait_until_alone(server)


def test_all_that_it_had_asked_is_answered(client: Raw) -> None:
    """In order."""
    client.send(put("b", b"{}") + get("/items/b") + get("/livez") + put("b", b"{}"))
    client.socket.shutdown(END)
    assert [client.answer().status for _ in range(4)] == [201, 200, 200, 200]
    assert client.rest() == b""


@pytest.mark.parametrize(
    "part",
    [b"GE", b"GET /items/a HTTP/1.1\r\nHo", put("c", b'{"size":1}')[:-3],
     get("/livez") + put("c", b"{}", "Expect: 100-continue")[:-2]],
)  # fmt: skip
def test_what_it_had_not_asked_to_the_end_is_refused(server: Server, part: bytes) -> None:
    """400, after the answers before it, and nothing is written."""
    with Raw(server.url) as client:
        client.send(part)
        client.socket.shutdown(END)
        answer = client.answer()
        while answer.status in (100, 200):
            answer = client.answer()
        answer.problem(400, "malformed-request")
        assert client.rest() == b""
    assert httpx.get(f"{server.url}/items/c").status_code == 404
    wait_until_alone(server)


@pytest.mark.parametrize("sent", [b"", get("/livez")])
def test_an_idle_one_is_let_go_at_once(server: Server, sent: bytes) -> None:
    """Before a request, and after one; not when an idle connection would be."""
    with Raw(server.url) as client:
        if sent:
            client.send(sent)
            client.answer()
        client.socket.shutdown(END)
        assert client.closed_after() < 2


def test_a_live_stream_ends(server: Server) -> None:
    """It has no end of its own, and would go on for a client that is gone. It can be resumed."""
    with Raw(server.url) as begun, Raw(server.url) as other:
        begun.send(get("/events", SSE))
        assert begun.answer().status == 200
        for client in (begun, other):
            if client is other:
                client.send(get("/events", SSE))
            client.socket.shutdown(END)
            assert client.rest().count(b"retry: 1000") <= 1
    wait_until_alone(server)


def test_a_long_poll_is_answered_when_there_is_something(server: Server, client: Raw) -> None:
    """It waits as any other does, and is asked on the way whether it is there."""
    last = httpx.get(f"{server.url}/events?limit=1000", headers={"accept": "application/json"})
    client.send(get(f"/events?after={last.json()[-1]['id']}&wait=30", *JSON))
    client.socket.shutdown(END)
    assert client.answer().status == 100
    assert httpx.put(f"{server.url}/items/d", json={}).status_code == 201
    answer = client.answer()
    assert b'"subject":"d"' in answer.body
    assert client.rest() == b""


def test_long_polls_of_clients_that_left_give_their_places_back(server: Server) -> None:
    """Within seconds, and not when their time is up."""
    poll = get("/events?after=9999999999999-0&wait=60", *JSON)
    for _ in range(2):
        polls = [Raw(server.url) for _ in range(3)]
        for each in polls:
            each.send(poll)
        time.sleep(0.1)
        for each in polls:
            each.socket.close()
        wait_until_alone(server)


def test_a_write_that_takes_long_is_answered(serve: Serve, start: Start) -> None:
    """The engine hangs for longer than the server needs to ask whether the client is there."""
    engine = start("valkey")
    server = serve("--redis-url", engine.url)
    assert httpx.get(f"{server.url}/items/a").status_code == 404
    with Raw(server.url) as client, Raw(server.url) as old, stopped(engine):
        client.send(put("a", b"{}"))
        old.send(put("a", b"{}").replace(b"1.1", b"1.0", 1))
        client.socket.shutdown(END)
        old.socket.shutdown(END)
        answer = client.answer()
        while answer.status == 100:
            answer = client.answer()
        answer.problem(503, "log-unavailable")
        old.answer().problem(503, "log-unavailable")
