"""Limits: a body that is too large is refused before it is read to its end (RFC 9110 §15.5.14)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from itemstore.api.app import ItemStore
from tests.api.conftest import Serve, problem, sent_by
from tests.conftest import Unchanged

LIMIT = 1000
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def small(serve: Serve) -> httpx.AsyncClient:
    """A client of a store that takes bodies of at most `LIMIT` bytes."""
    return serve(max_body=LIMIT)


def body_of(size: int) -> bytes:
    """A body of exactly this many bytes."""
    return b'{"name":"' + b"x" * (size - 11) + b'"}'


async def chunked(body: bytes, size: int = 7) -> AsyncIterator[bytes]:
    """The body in pieces, so that it goes out without Content-Length."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def test_a_body_may_be_as_large_as_the_limit(small: httpx.AsyncClient) -> None:
    """To the byte, in one piece and in many."""
    whole = await small.put("/items/foo", content=body_of(LIMIT), headers=JSON)
    pieces = await small.put("/items/foo", content=chunked(body_of(LIMIT)), headers=JSON)

    assert (whole.status_code, pieces.status_code) == (201, 200)


async def test_a_body_over_the_limit_is_refused(
    small: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """413, with the limit in the problem."""
    async with unchanged():
        answer = await small.put("/items/foo", content=body_of(LIMIT + 1), headers=JSON)

    assert problem(answer, 413, "content-too-large")["limit"] == LIMIT


async def test_a_body_without_a_length_is_refused_too(
    small: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """A chunked body is counted as it comes."""
    async with unchanged():
        answer = await small.put("/items/foo", content=chunked(body_of(LIMIT + 1)), headers=JSON)

    problem(answer, 413, "content-too-large")


async def test_a_body_that_is_one_piece_without_a_length_is_refused_too(
    app: ItemStore, unchanged: Unchanged
) -> None:
    """One message, one byte over the default limit."""
    async with unchanged():
        whole = {"type": "http.request", "body": body_of(2**20 + 1)}
        start, _ = await sent_by(app, "PUT", b"/items/foo", whole)

    assert start["status"] == 413


async def test_what_comes_after_the_limit_is_not_read(
    small: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """A client that sends for ever is answered once it has sent too much."""
    pieces = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal pieces
        while True:
            pieces += 1
            yield b" " * 100

    async with unchanged():
        answer = await small.put("/items/foo", content=endless(), headers=JSON)

    problem(answer, 413, "content-too-large")
    assert pieces <= LIMIT // 100 + 2


@pytest.mark.parametrize("length", [LIMIT + 1, 10**18, 10**30])
async def test_a_length_over_the_limit_is_refused_unread(
    small: httpx.AsyncClient, unchanged: Unchanged, length: int
) -> None:
    """Content-Length alone is enough: not a byte of the body is asked for."""

    async def never() -> AsyncIterator[bytes]:
        pytest.fail("the body was read")
        yield b""

    async with unchanged():
        answer = await small.put(
            "/items/foo", content=never(), headers=JSON | {"Content-Length": str(length)}
        )

    problem(answer, 413, "content-too-large")


async def test_a_length_that_is_too_small_does_not_help(
    small: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """What counts is what comes."""
    async with unchanged():
        answer = await small.put(
            "/items/foo",
            content=chunked(body_of(LIMIT + 1)),
            headers=JSON | {"Content-Length": "10"},
        )

    problem(answer, 413, "content-too-large")


@pytest.mark.parametrize(
    ("method", "path", "media_type"),
    [
        ("POST", "/items", "application/json"),
        ("PATCH", "/items/foo", "application/merge-patch+json"),
        ("PATCH", "/items/foo", "application/json-patch+json"),
    ],
)
async def test_every_method_with_a_body_has_the_limit(
    small: httpx.AsyncClient, unchanged: Unchanged, method: str, path: str, media_type: str
) -> None:
    """PUT, POST and both kinds of PATCH."""
    await small.put("/items/foo", json={})

    async with unchanged():
        answer = await small.request(
            method, path, content=body_of(LIMIT + 1), headers={"Content-Type": media_type}
        )

    problem(answer, 413, "content-too-large")


async def test_the_size_is_checked_before_the_media_type(small: httpx.AsyncClient) -> None:
    """A large form is told its size first."""
    answer = await small.put("/items/foo", data={"name": "x" * LIMIT})

    problem(answer, 413, "content-too-large")


async def test_a_mebibyte_is_taken_where_the_operator_says_nothing(
    client: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """The default limit, to the byte."""
    at_limit = await client.put("/items/foo", content=body_of(2**20), headers=JSON)
    async with unchanged():
        over_limit = await client.put("/items/foo", content=body_of(2**20 + 1), headers=JSON)

    assert at_limit.status_code == 201
    problem(over_limit, 413, "content-too-large")


async def test_a_client_that_leaves_in_the_middle_of_its_body_appends_nothing(
    app: ItemStore, unchanged: Unchanged
) -> None:
    """Half a body is no body, even where it is JSON so far."""
    half = {"type": "http.request", "body": b'{"size":6}', "more_body": True}

    async with unchanged():
        sent = await sent_by(app, "PUT", b"/items/foo", half, {"type": "http.disconnect"})

    assert sent == []
