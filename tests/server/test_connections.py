"""What one connection says, in whatever order and pieces, and what becomes of its requests."""

from __future__ import annotations

import signal
import time

import pytest

from tests.server.conftest import Serve, Server
from tests.server.raw import Raw, get, put

LIVEZ = get("/livez")

NO_URL = b"GET http://x:99999999/livez HTTP/1.1\r\nHost: x\r\n\r\n"
"""httptools takes it for a request, and its URL for none."""


@pytest.fixture
def server(serve: Serve) -> Server:
    """A server that has few places for streams, and waits two seconds for its clients."""
    return serve("--max-streams", "3", "--client-seconds", "2")


def chunked(item: str, trailer: str) -> tuple[bytes, bytes]:
    """A PUT with a trailer, in two pieces: all but its end, and its end."""
    fields = "Host: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked"
    start = f"PUT /items/{item} HTTP/1.1\r\n{fields}\r\n\r\n2\r\n{{}}\r\n"
    return start.encode(), f"0\r\n{trailer}\r\n\r\n".encode()


@pytest.mark.parametrize("url", ["http://x:/", "http://x:99999999/livez", "http://a@b@c/livez"])
def test_a_target_that_is_no_url_is_a_problem(client: Raw, url: str) -> None:
    """400, also as the first request of a connection."""
    client.send(f"GET {url} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    client.answer().problem(400, "malformed-request")
    assert client.closed_after() < 5


def test_a_whole_url_is_taken_for_its_path(client: Raw) -> None:
    """RFC 9112 §3.2.2, without a path too: that is the path /."""
    client.send(b"GET http://localhost/livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert client.answer().body == b'{"status":"up"}'
    client.send(b"GET http://localhost HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b'"itemstore"' in client.answer().body


def test_what_came_before_a_request_that_is_none_has_its_answer(client: Raw) -> None:
    """Each of those that were sent with it, in order, and then the problem."""
    client.send(put("a", b"{}") + put("b", b"{}") + put("a", b"{}") + NO_URL)
    assert [client.answer().status for _ in range(3)] == [201, 201, 200]
    client.answer().problem(400, "malformed-request")
    assert client.closed_after() < 5


@pytest.mark.parametrize("hosts", ["", "Host: a\r\nHost: b\r\n"])
def test_a_request_names_one_host(client: Raw, hosts: str) -> None:
    """400 without, and with more (RFC 9112 §3.2). HTTP/1.0 need not name one."""
    client.send(f"GET /livez HTTP/1.1\r\n{hosts}\r\n".encode())
    client.answer().problem(400, "malformed-request")


def test_a_client_of_http_1_0_gets_no_chunks(client: Raw) -> None:
    """A stream is sent as it is, and ends with the connection (RFC 9112 §6.1)."""
    client.send(put("a", b"{}"))
    client.answer()
    client.send(b"GET /events HTTP/1.0\r\nAccept: application/jsonl\r\n\r\n")
    answer = client.answer()
    assert answer.status == 200
    assert "transfer-encoding" not in answer.headers
    assert client.rest().startswith(b'{"specversion":"1.0"')


@pytest.mark.parametrize("pause", [0.0, 0.1])
def test_a_trailer_is_no_header_field(client: Raw, pause: float) -> None:
    """However it arrives: what a proxy filters must not come in after the body (§6.5.1)."""
    client.send(put("a", b"{}"))
    client.answer()
    start, end = chunked("a", "If-None-Match: *\r\nIdempotency-Key: k")
    client.send(start if pause else start + end)
    time.sleep(pause)
    client.send(end if pause else b"")
    assert client.answer().status == 200


@pytest.mark.parametrize("more", [b"", LIVEZ, LIVEZ * 3])
def test_a_follower_that_left_gives_its_place_back(server: Server, more: bytes) -> None:
    """Also one that asked for something else on the same connection."""
    stream = get("/events?item=nobody", "Accept: text/event-stream")
    for _ in range(2):
        followers = [Raw(server.url) for _ in range(3)]
        for follower in followers:
            follower.send(stream + more)
            assert follower.answer().status == 200
        with Raw(server.url) as client:
            client.send(stream)
            client.answer().problem(503, "overloaded")
        for follower in followers:
            follower.socket.close()
        time.sleep(0.2)
    with Raw(server.url) as client:
        client.send(stream)
        assert client.answer().status == 200


def test_a_client_that_left_while_it_waited_for_an_event_gives_its_place_back(
    server: Server,
) -> None:
    """A second later, and not when its time is up."""
    poll = get("/events?item=nobody&wait=60", "Accept: application/json")
    for _ in range(3):
        with Raw(server.url) as client:
            client.send(poll)
            time.sleep(0.1)
    until = time.monotonic() + 5
    status = 503
    while status == 503 and time.monotonic() < until:
        time.sleep(0.2)
        with Raw(server.url) as client:
            client.send(get("/events", "Accept: application/jsonl"))
            status = client.answer().status
    assert status == 200


def test_a_request_that_the_end_of_the_server_cuts_off_is_told_so(server: Server) -> None:
    """503, as a problem: what it wrote is there once or not at all."""
    with Raw(server.url) as client:
        client.send(put("a", b"{}", "Expect: 100-continue")[:-2])
        assert client.answer().status == 100
        server.process.send_signal(signal.SIGTERM)
        assert client.answer().problem(503, "log-unavailable")["retry_after"] == 1


def test_a_store_without_tokens_answers_to_no_name_of_a_page(client: Raw) -> None:
    """DNS rebinding: 421 under a name that was pointed at this machine, and the line goes on."""
    client.send(get("/items").replace(b"Host: localhost", b"Host: page.example"))
    client.answer().problem(421, "misdirected")
    client.send(get("/items"))
    assert client.answer().status == 200
