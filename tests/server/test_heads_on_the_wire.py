"""What a request line and its fields may say, as bytes on a socket (RFC 9110, RFC 9112)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from redis.asyncio import Redis

from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.store.tokens import Role, create
from tests.server.conftest import Serve, Server, serving, socket_of
from tests.server.raw import Answer, Raw, get, put

SLUGS = {
    400: "malformed-request",
    421: "misdirected",
    501: "not-implemented",
    505: "version-not-supported",
}
BAD_HOSTS = [
    "localhost:80:80", "localhost:port", "localhost:99999", "localhost:80/path",
    "localhost, other.example.com", "a b", "[::1", "[::1]x", "[page.example]", "a@localhost", ":80",
    "localhost%zz", "local\thost", "l\xf6calhost",
]  # fmt: skip
METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has an item, for all tests of this file."""
    with serving(tmp_path_factory.mktemp("server")) as start:
        server = start()
        assert httpx.put(f"{server.url}/items/a", json={}).status_code == 201
        yield server


def answered(client: Raw, line: str, *fields: str, host: str = "localhost") -> Answer:
    """The answer to a request without a body."""
    head = [line, f"Host: {host}", *fields]
    client.send(("\r\n".join(head) + "\r\n\r\n").encode("latin-1"))
    return client.answer()


def refused(client: Raw, answer: Answer, status: int) -> None:
    """It must be the problem for such a status, and the last that is said."""
    answer.problem(status, SLUGS[status])
    assert answer.headers["connection"] == "close"
    assert client.closed_after() < 5


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        ("http://evil.example/items/a", "localhost", 421),
        ("http://localhost/items/a", "evil.example", 200),
        ("HTTP://LOCALHOST:8000/items/a", "evil.example", 200),
        ("http://127.0.0.1/items/a", "", 200),
        ("http://[::1]:80/items/a?", "evil.example", 200),
        ("http://evil.example/livez", "localhost", 200),
    ],
)
def test_the_host_of_a_target_counts_and_not_the_field(
    client: Raw, target: str, host: str, status: int
) -> None:
    """RFC 9112 §3.2.2: links and the look at the name go by it; /livez has any name."""
    answer = answered(client, f"GET {target} HTTP/1.1", host=host)
    assert answer.status == status
    if status == 200 and "items" in target:
        named = target.split("/")[2]
        assert f"<http://{named}/items/a>" in answer.headers["link"]
    elif status == 421:
        answer.problem(421, "misdirected")


@pytest.mark.parametrize("host", BAD_HOSTS)
def test_a_host_that_can_not_be_is_refused(client: Raw, host: str) -> None:
    """400 (RFC 9112 §3.2), in the target and with one in it too."""
    refused(client, answered(client, "GET /livez HTTP/1.1", host=host), 400)


@pytest.mark.parametrize("host", ["localhost:80:80", "a@localhost"])
def test_a_host_that_can_not_be_is_refused_beside_one_in_the_target(client: Raw, host: str) -> None:
    """The field does not count then, and must be one all the same."""
    refused(client, answered(client, "GET http://localhost/livez HTTP/1.1", host=host), 400)


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost:", "[::1]:80", "1.2.3.4", "", " localhost\t"]
)
def test_a_host_that_can_be_is_taken(client: Raw, host: str) -> None:
    """Also an empty one, of a client whose target has none."""
    assert answered(client, "GET /items/a HTTP/1.1", host=host).status == 200


async def test_a_store_with_tokens_refuses_such_a_host_too(serve: Serve) -> None:
    """Before it asks for a token."""
    server = serve()
    async with Redis(unix_socket_path=socket_of(server)) as redis:
        await create(Partition(redis, Keys()), "ann", Role.reader)
    for host, status in [("a@localhost", 400), ("shop.example", 401)]:
        with Raw(server.url) as client:
            await asyncio.sleep(1.1)
            assert answered(client, "GET /items/a HTTP/1.1", host=host).status == status


@pytest.mark.parametrize(
    "target", ["https://localhost/items/a", "ftp://localhost/items/a", "HTTPS://localhost"]
)
def test_a_target_of_another_scheme_is_misdirected(client: Raw, target: str) -> None:
    """421 (RFC 9110 §7.4): what is asked for here would be another's."""
    refused(client, answered(client, f"GET {target} HTTP/1.1"), 421)


@pytest.mark.parametrize(
    "target",
    ["/items/a#b", "/items/a?x#b", "/#", "http://localhost/a#b", "http:///a", "http://a@localhost/",
     "http://localhost:99999/", "http://localhost:x/", "*", "localhost", "localhost:80"],
)  # fmt: skip
def test_a_target_that_is_none_is_refused(client: Raw, target: str) -> None:
    """400: fragments are the client's own (RFC 9112 §3.2), users are no part of http://."""
    refused(client, answered(client, f"GET {target} HTTP/1.1"), 400)


@pytest.mark.parametrize("target", ["*", "http://localhost"])
def test_options_of_the_server_name_all_methods(client: Raw, target: str) -> None:
    """204 with Allow (RFC 9110 §9.3.7), and the connection goes on."""
    for _ in range(2):
        answer = answered(client, f"OPTIONS {target} HTTP/1.1")
        assert (answer.status, answer.headers["allow"]) == (204, METHODS)


@pytest.mark.parametrize("method", ["FOO", "get", "GETX", "Put", "DESCRIBE", "X-1"])
def test_a_method_that_http_has_not_is_not_implemented(client: Raw, method: str) -> None:
    """501 (RFC 9110 §9.1), whatever came before it on the connection."""
    client.send(get("/livez") + put("a", b"{}"))
    assert [client.answer().status for _ in range(2)] == [200, 200]
    client.send(put("a", b'{"size":1}') + get("/items/a").replace(b"GET", method.encode()))
    assert client.answer().status == 200
    refused(client, client.answer(), 501)


def test_a_method_that_comes_in_pieces_is_not_implemented_either(client: Raw) -> None:
    """Said as soon as it can be none."""
    client.send(b"FO")
    refused(client, client.answer(), 501)


@pytest.mark.parametrize(
    ("coding", "status"),
    [
        ("gzip, chunked", 501), ("x, gzip , Chunked", 501), ("identity, chunked", 501),
        ("gzip", 400), ("identity", 400), ("chunked, gzip", 400), ("chunked, chunked", 400),
        (", chunked", 400), ("chunked;a=b", 400), ("xchunked", 400), ("", 400),
        ("gzip\r\nTransfer-Encoding: chunked", 501), ("chunked\r\nContent-Length: 2", 400),
        ("gzip, chunked\r\nContent-Length: 2", 400),
    ],
)  # fmt: skip
def test_no_transfer_coding_but_chunked_is_read(
    server: Server, client: Raw, coding: str, status: int
) -> None:
    """501 where the end of the body is known, else 400 (RFC 9112 §6.1, §6.3); no event."""
    before = httpx.get(f"{server.url}/items/a").headers["etag"]
    fields = ["Content-Type: application/json", f"Transfer-Encoding: {coding}"]
    answer = answered(client, "PUT /items/a HTTP/1.1", *fields)
    refused(client, answer, status)
    assert httpx.get(f"{server.url}/items/a").headers["etag"] == before


def test_chunked_is_read_however_it_is_written(client: Raw) -> None:
    """Codings have no case (RFC 9112 §7)."""
    head = put("a", b"").replace(b"Content-Length: 0", b"Transfer-Encoding: Chunked")
    client.send(head + b"2\r\n{}\r\n0\r\n\r\n")
    assert client.answer().status == 200


@pytest.mark.parametrize("version", ["2.0", "3.0", "0.9", "9.9"])
def test_another_http_is_not_spoken(client: Raw, version: str) -> None:
    """505, in HTTP/1.1."""
    refused(client, answered(client, f"GET /items/a HTTP/{version}"), 505)


@pytest.mark.parametrize("version", ["1.2", "1.9"])
def test_a_later_http_1_is_answered_as_1_1(client: Raw, version: str) -> None:
    """RFC 9110 §2.5; its connection goes on, and its bodies may be chunked."""
    head = put("a", b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    head = head.replace(b"HTTP/1.1", f"HTTP/{version}".encode())
    for _ in range(2):
        client.send(head + b"2\r\n{}\r\n0\r\n\r\n")
        assert client.answer().status == 200
    client.send(f"GET /items/a HTTP/{version}\r\n\r\n".encode())
    refused(client, client.answer(), 400)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_only_http_1_1_is_told_to_continue(client: Raw, version: str) -> None:
    """No 1xx to HTTP/1.0 (RFC 9110 §15.2), whose body is waited for all the same."""
    request = put("a", b"{}", "Expect: 100-continue").replace(b"1.1", version.encode(), 1)
    client.send(request[:-2])
    if version == "1.1":
        assert client.answer().status == 100
    client.send(request[-2:])
    assert client.answer().status == 200
