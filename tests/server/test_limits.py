"""What a server bears from one client: sizes, slowness, and HTTP that is none."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time

import pytest

from itemstore.server.connection_state import MOST_PIPELINED
from itemstore.server.request_head import MOST_HEAD, MOST_URL
from itemstore.store.settings import Settings
from tests.logged import lines_of
from tests.server.conftest import Serve, Server, resident
from tests.server.raw import Raw, get, put

LIVEZ = get("/livez")


def events(client: Raw) -> int:
    """How many events the log has."""
    client.send(get("/events", "Accept: application/json"))
    return client.answer().body.count(b'"specversion"')


@pytest.fixture
def server(serve: Serve) -> Server:
    """A server that waits a second for its clients."""
    return serve("--client-seconds", "1")


def test_a_header_of_the_largest_size_is_taken(server: Server, client: Raw) -> None:
    """Request line and fields together, whether they come in one piece or in many."""
    room = MOST_HEAD - len("/livez") - len("Hostlocalhost") - 2 * 4 - len("X")
    request = get("/livez", "X: " + "x" * room)
    client.send(request)
    assert client.answer().status == 200
    for start in range(0, len(request), 1000):
        client.send(request[start : start + 1000])
    assert client.answer().status == 200
    client.send(get("/livez", "X: " + "x" * (room + 1)))
    client.answer().problem(431, "headers-too-large")


def test_a_header_without_an_end_is_refused(server: Server, client: Raw) -> None:
    """431 while it still comes, and the memory stays what it was."""
    client.send(LIVEZ)
    client.answer()
    before = resident(server)
    client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
    field = b"".join(b"X-%d: %s\r\n" % (number, b"x" * 100) for number in range(1000))
    client.send_until_refused(field, most=200 * 2**20)
    assert resident(server) - before < 20


def test_a_client_that_sends_an_endless_header_reads_why_it_is_refused(client: Raw) -> None:
    """The answer is there before the connection is."""
    client.send(b"GET / HTTP/1.1\r\nX: " + b"x" * 2 * MOST_HEAD)
    client.send(b"x" * 300_000)
    client.answer().problem(431, "headers-too-large")
    assert client.closed_after() < 5


def test_fields_after_a_body_have_the_limit_too(server: Server, client: Raw) -> None:
    """Trailers, and what can stand beside a chunk's length (RFC 9112 §7.1)."""
    head = put("foo", b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    client.send(head + b"2\r\n{}\r\n0\r\n")
    client.send_until_refused(b"X: " + b"x" * 1000 + b"\r\n", most=200 * 2**20)
    assert resident(server) < 200
    with Raw(server.url) as other:
        assert events(other) == 0


def test_a_url_that_is_too_long_is_refused(client: Raw) -> None:
    """414, and the longest that RFC 9110 §4.1 wants to be possible is taken."""
    client.send(get("/livez?" + "x" * (MOST_URL - len("/livez?"))))
    assert client.answer().status == 200
    client.send(get("/livez?" + "x" * MOST_URL))
    client.answer().problem(414, "uri-too-long")


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        put("a", b"{}", "Transfer-Encoding: chunked"),
        get("/", "Content-Length: -1"),
    ],
)
def test_what_is_no_http_is_a_problem(client: Raw, request_: bytes) -> None:
    """400 in JSON, and the connection ends: nobody knows where the next request begins."""
    client.send(request_)
    answer = client.answer()
    answer.problem(400, "malformed-request")
    assert answer.headers["connection"] == "close"
    assert client.closed_after() < 5


def test_what_came_before_is_answered_first(client: Raw) -> None:
    """A PUT, and then nonsense on the same connection: each has its own answer."""
    client.send(put("foo", b"{}") + b"nonsense\r\n\r\n")
    assert client.answer().status == 201
    client.answer().problem(400, "malformed-request")


def test_a_chunk_that_can_t_be_read_answers_its_own_request(server: Server, client: Raw) -> None:
    """400, in place of the answer that its request would have had; nothing is appended."""
    head = put("foo", b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    client.send(get("/livez") + head + b"2\r\n{}\r\n")
    assert client.answer().status == 200
    client.send(b"nonsense\r\n")
    client.answer().problem(400, "malformed-request")
    with Raw(server.url) as other:
        assert events(other) == 0


@pytest.mark.parametrize("start", [b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\n"])
def test_a_header_that_does_not_come_to_its_end_is_408(client: Raw, start: bytes) -> None:
    """After as long as the operator says, however often a little of it comes."""
    client.send(start)
    client.answer().problem(408, "request-timeout")
    assert client.closed_after() < 5


def test_a_body_that_stalls_is_408(server: Server, client: Raw) -> None:
    """And appends nothing, though what came is JSON."""
    client.send(put("foo", b"{}       ")[:-5])
    client.answer().problem(408, "request-timeout")
    assert client.closed_after() < 5
    with Raw(server.url) as other:
        assert events(other) == 0


def test_a_connection_on_which_nothing_comes_is_closed(client: Raw) -> None:
    """Without a word: nothing was asked."""
    assert client.closed_after() < 5


def test_an_idle_connection_is_closed(serve: Serve) -> None:
    """Five seconds after its last answer."""
    with Raw(serve().url) as client:
        client.send(LIVEZ)
        client.answer()
        assert 4 < client.closed_after() < 8


def test_a_body_without_a_length_is_refused_at_the_limit(server: Server, client: Raw) -> None:
    """413 in the middle of it; and a client that goes on for ever is let go."""
    head = put("foo", b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    client.send(head + 20 * chunk)
    client.answer().problem(413, "content-too-large")
    assert client.send_until_refused(chunk, most=2**34) < 2**34
    assert resident(server) < 200


def test_a_client_that_reads_nothing_is_let_go(server: Server) -> None:
    """A hundred pipelined GETs of a large item: a few answers wait in memory, not all."""
    with Raw(server.url) as writer, Raw(server.url, receive_buffer=4096) as client:
        writer.send(put("large", b'{"name":"%s"}' % (b"x" * 1_000_000)))
        assert writer.answer().status == 201
        before = resident(server)
        client.send(get("/items/large") * MOST_PIPELINED)
        time.sleep(0.5)
        writer.send(LIVEZ)
        assert writer.answer().status == 200
        assert resident(server) - before < 50
        time.sleep(5)  # longer than it may take nothing, and than an idle connection may be
        received = 0
        with contextlib.suppress(ConnectionResetError):
            while data := client.socket.recv(65_536):
                received += len(data)
        assert received < 10_000_000


def test_more_pipelined_requests_than_are_kept_are_refused(client: Raw) -> None:
    """Those in front are answered, then comes 503, and the connection ends."""
    client.send(LIVEZ * (MOST_PIPELINED + 10))
    answers = [client.answer() for _ in range(MOST_PIPELINED + 2)]
    assert {answer.status for answer in answers[:-1]} == {200}
    answers[-1].problem(503, "overloaded")
    assert client.closed_after() < 5


def test_a_connection_too_many_is_refused(serve: Serve) -> None:
    """503 with Retry-After, closed; and there is room again when one of the others goes."""
    server = serve("--max-connections", "2")
    with Raw(server.url) as first, Raw(server.url) as second:
        for client in (first, second):
            client.send(LIVEZ)
            assert client.answer().status == 200
        with Raw(server.url) as third:
            third.send(get("/items"))
            answer = third.answer()
            answer.problem(503, "overloaded")
            assert answer.headers["retry-after"] == "1"
            assert third.closed_after() < 5
        second.socket.close()
        with Raw(server.url) as third:
            third.send(get("/items"))
            assert third.answer().status == 200


def test_monitoring_needs_no_place(serve: Serve) -> None:
    """Health and metrics are answered on any connection too many, once, if asked for first."""
    server = serve("--max-connections", "1")
    with Raw(server.url) as first, Raw(server.url) as idle:
        first.send(LIVEZ)
        assert first.answer().status == 200
        for path in ("/livez", "/readyz", "/metrics", "http://localhost/livez?x"):
            with Raw(server.url) as watcher:
                watcher.send(get(path) + LIVEZ)
                answer = watcher.answer()
                assert (answer.status, answer.headers["connection"]) == (200, "close")
                assert watcher.closed_after() < 5
        assert idle.closed_after() < 5
        first.send(LIVEZ)
        assert first.answer().status == 200


def test_a_wish_for_another_protocol_is_declined(client: Raw) -> None:
    """Java's HttpClient asks for HTTP/2 first; its body counts, and its connection goes on."""
    upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    for status in (201, 200):
        client.send(put("foo", b'{"size":6}', *upgrade))
        answer = client.answer()
        assert (answer.status, answer.body) == (status, b'{"name":null,"size":6}')
    client.send(get("/items/foo", *upgrade))
    assert client.answer().status == 200


TOO_FEW = "The system allows too few open files for as many connections"

LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
from itemstore.logs.set_up import set_up
from itemstore.server.descriptors import connections_within
set_up("json", "info")
print(connections_within({most}), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "result", "said"),
    [
        (1024, 12_000, "10000 10256 12000", ""),
        (1024, 4096, "3840 4096 4096", TOO_FEW),
    ],
)
def test_the_limit_of_open_files_is_raised(soft: int, hard: int, result: str, said: str) -> None:
    """As far as it can be; where that is not enough, it says how many connections there are."""
    script = LIMITED.format(soft=soft, hard=hard, most=Settings().max_connections)
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == result
    assert [line["event"] for line in lines_of(done.stderr)] == ([said] if said else [])
    assert Settings().max_connections == 10_000
