"""`X-Request-ID` on the wire: on what the application answers, and on what only the server does."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.server.conftest import Serve, Server, serving
from tests.server.raw import Answer, Raw, get, put

MADE = re.compile(r"[0-9a-f]{12}-[0-9a-f]+")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has an item, for all tests of this file."""
    with serving(tmp_path_factory.mktemp("server")) as start:
        server = start("--max-body", "1000")
        assert httpx.put(f"{server.url}/items/a", json={}).status_code == 201
        yield server


def id_of(answer: Answer) -> str:
    """The id that an answer says, the same in its problem."""
    named = answer.headers["x-request-id"]
    if answer.headers.get("content-type") == "application/problem+json" and answer.body:
        assert answer.problem(answer.status, slug_of(answer))["request_id"] == named
    return named


def slug_of(answer: Answer) -> str:
    """The type of the problem."""
    found = re.search(rb'"type":"/problems/([a-z-]+)"', answer.body)
    assert found is not None
    return found[1].decode()


def test_requests_on_one_connection_have_ids_of_their_own(client: Raw) -> None:
    """Sent together; those that name one keep it."""
    client.send(get("/items/a", "X-Request-ID: one") + get("/items/b") + get("/items/c"))
    first, second, third = (id_of(client.answer()) for _ in range(3))
    assert first == "one"
    assert MADE.fullmatch(second)
    assert MADE.fullmatch(third)
    assert second != third


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (put("a", b"x" * 1001, "X-Request-ID: mine"), 413),
        (get("/items/" + "x" * 9000, "X-Request-ID: mine"), 414),
        (get("/items/a", "X-Request-ID: mine", "X-Long: " + "x" * 40_000), 431),
        (b"GET /items/a HTTP/1.1\r\nX-Request-ID: mine\r\nHost: a b\r\n\r\n", 400),
        (b"GET /items/a HTTP/3.0\r\nHost: a\r\nX-Request-ID: mine\r\n\r\n", 505),
    ],
)
def test_what_is_refused_has_the_id_that_came(client: Raw, sent: bytes, status: int) -> None:
    """As far as it had come when the request was refused."""
    client.send(sent)
    answer = client.answer()
    assert answer.status == status
    assert id_of(answer) == "mine"


def test_what_is_no_request_at_all_has_an_id_too(client: Raw) -> None:
    """One that is made, and not that of the request before."""
    client.send(get("/items/a", "X-Request-ID: before"))
    assert id_of(client.answer()) == "before"
    client.send(b"FOO / HTTP/1.1\r\n\r\n")
    answer = client.answer()
    assert answer.status == 501
    assert MADE.fullmatch(id_of(answer))


def test_answers_without_a_body_and_streams_have_it(client: Raw) -> None:
    """HEAD, 304, 204, and the first piece of the feed."""
    client.send(get("/items/a", "X-Request-ID: r1").replace(b"GET", b"HEAD"))
    assert client.answer(to_head=True).headers["x-request-id"] == "r1"
    client.send(get("/items/a", "X-Request-ID: r2", 'If-None-Match: "1"'))
    answer = client.answer()
    assert (answer.status, answer.headers["x-request-id"]) == (304, "r2")
    client.send(get("/events", "X-Request-ID: r3", "Accept: text/event-stream"))
    answer = client.answer()
    assert (answer.status, answer.headers["x-request-id"]) == (200, "r3")


def test_a_server_with_too_much_to_do_says_it_too(serve: Serve) -> None:
    """Of a connection that is one too many."""
    server = serve("--max-connections", "1")
    with Raw(server.url) as first, Raw(server.url) as second:
        first.send(get("/livez"))
        assert first.answer().status == 200
        second.send(get("/items/a", "X-Request-ID: mine"))
        answer = second.answer()
        assert answer.status == 503
        assert id_of(answer) == "mine"


def test_a_server_for_other_origins_says_it_once(serve: Serve) -> None:
    """There the application is asked by ASGI."""
    server = serve("--cors-origins", "*")
    for path in ("/items", "/nowhere"):
        answer = httpx.get(f"{server.url}{path}", headers={"X-Request-ID": "mine"})
        assert answer.headers.get_list("x-request-id") == ["mine"]
