"""The server with an application that has nothing to do with items, over real sockets."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from itemstore.server.counters import OTHER
from itemstore.server.exchange import Exchange
from itemstore.server.protocol import Protocol
from itemstore.server.request_head import MOST_HEAD, MOST_URL
from tests.server.bare_app import LIMITS, PUT, Running, open_ended, running_with


@pytest.fixture(params=[False, True], ids=["by ASGI", "directly"])
async def running(request: pytest.FixtureRequest) -> AsyncIterator[Running]:
    """A server whose application is asked in one of the two ways."""
    async with running_with(is_asked_directly=request.param) as running:
        yield running


ECHO = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


async def test_requests_in_one_piece_are_answered_in_turn(running: Running) -> None:
    """However many they are."""
    assert open_ended(await running.answers(PUT * 3)) == ECHO * 3


@pytest.mark.parametrize(
    ("sent", "status", "name"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"400 Bad Request", b"MALFORMED_REQUEST"),
        (PUT[:-1], b"400 Bad Request", b"MALFORMED_REQUEST"),
        (PUT.replace(b"/echo", b"/" * (MOST_URL + 1)), b"414 ", b"URL_TOO_LONG"),
        (PUT.replace(b"/echo", b"https://a/"), b"421 Misdirected Request", b"MISDIRECTED"),
        (PUT.replace(b"localhost", b"a" * MOST_HEAD), b"431 ", b"HEAD_TOO_LARGE"),
        (b"FOO / HTTP/1.1\r\n\r\n", b"501 Not Implemented", b"NOT_IMPLEMENTED"),
        (PUT.replace(b"1.1", b"2.0"), b"505 ", b"VERSION_NOT_SUPPORTED"),
    ],
)
async def test_what_is_refused_is_answered_as_the_application_wants(
    running: Running, sent: bytes, status: bytes, name: bytes
) -> None:
    """To the byte, and then the connection ends; it is counted."""
    head, _, body = (await running.answers(sent)).partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    assert line.startswith(b"HTTP/1.1 " + status)
    assert fields[:2] == [b"why: " + name, b"connection: close"]
    assert (fields[2:], body) == ([b"more: fields", b"content-length: 3"], b"No.")
    assert list(running.admission.counters.answers) == [(OTHER, "", int(status[:3]))]


async def test_a_request_that_does_not_come_is_refused_in_time(running: Running) -> None:
    """After the seconds that its client has."""
    answer = await running.answers(PUT[:-1], ends=False)
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\nwhy: REQUEST_TIMEOUT\r\n")


async def test_too_much_is_refused_at_once_and_the_connection_goes_on() -> None:
    """What is urgent is answered all the same."""
    async with running_with(replace(LIMITS, waiting=1)) as running, running.connection() as first:
        first[1].write(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        await running.waits(1)
        urgent = b"GET /urgent HTTP/1.1\r\nHost: a\r\n\r\n"
        shed = b"HTTP/1.1 503 Service Unavailable\r\nwhy: OVERLOADED\r\nmore: fields\r\n"
        shed += b"content-length: 3\r\n\r\nNo."
        served = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
        assert open_ended(await running.answers(PUT + PUT + urgent)) == shed + shed + served
        running.goes_on.set()
        assert (await first[0].readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_what_is_refused_again_and_again_keeps_no_connection() -> None:
    """An exception that is raised twice would keep all that it was raised in."""
    expectant = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    async with running_with(replace(LIMITS, waiting=0)) as running:
        for _ in range(3):
            answer = await running.answers(expectant)
            assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\nwhy: OVERLOADED\r\n")
        await running.closed()
        gc.collect()
        assert [each for each in gc.get_objects() if type(each) is Protocol] == []


@pytest.mark.parametrize(
    ("limits", "change", "why"),
    [
        ({"connections": 0}, (b"", b""), b"OVERLOADED"),
        ({"waiting": 0}, (b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"), b"OVERLOADED"),
        ({}, (b"HTTP/1.1", b"HTTP/2.0"), b"VERSION_NOT_SUPPORTED"),
        ({}, (b"Content-Length: 5", b"Transfer-Encoding: gzip, chunked"), b"NOT_IMPLEMENTED"),
        ({}, (b"/echo", b"https://a/echo"), b"MISDIRECTED"),
    ],
)
async def test_a_request_for_another_protocol_too_is_refused_for_what_is_wrong(
    limits: dict[str, int], change: tuple[bytes, bytes], why: bytes
) -> None:
    """Java's client asks for HTTP/2 with its first request, whatever that is."""
    asked = b"\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk"
    async with running_with(replace(LIMITS, **limits)) as running:
        for more in (b"", asked):
            sent = PUT.replace(b"localhost", b"localhost" + more).replace(*change, 1)
            assert b"\r\nwhy: %b\r\n" % why in await running.answers(sent)


async def test_one_connection_too_many_is_refused() -> None:
    """Once it asks for something."""
    async with running_with(replace(LIMITS, connections=1)) as running, running.connection():
        answer = await running.answers(PUT)
        assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\nwhy: OVERLOADED\r\nconn")


async def test_a_client_that_ended_its_half_is_answered(running: Running) -> None:
    """Although that takes its time: it is asked once whether it is there."""
    answers = asyncio.create_task(running.answers(PUT.replace(b"/echo", b"/wait")))
    await asyncio.sleep(2.5)
    running.goes_on.set()
    assert await answers == (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n"
        b"connection: close\r\n\r\nhello"
    )


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ((b"/echo", b"/stream"), b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        ((b"/echo HTTP/1.1", b"/stream HTTP/1.0"), b"\r\nhello"),
        ((b"/echo HTTP/1.1", b"/echo HTTP/1.0"), b"content-length: 5\r\n\r\nhello"),
        ((b"PUT", b"HEAD"), b"content-length: 5\r\n\r\n"),
        ((b"PUT /echo", b"HEAD /stream"), b"\r\n"),
    ],
)
async def test_an_answer_ends_where_its_client_can_tell(
    running: Running, change: tuple[bytes, bytes], answer: bytes
) -> None:
    """By its length, its last chunk, or the end of the connection (RFC 9112 §6)."""
    received = await running.answers(PUT.replace(*change))
    assert open_ended(received) == b"HTTP/1.1 200 OK\r\n" + answer


FAILED = (
    b"HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 21\r\nconnection: close\r\n\r\nInternal Server Error"
)


@pytest.mark.parametrize("path", [b"/raise", b"/nothing", b"/two-lines"])
async def test_an_application_that_fails_is_answered_for(running: Running, path: bytes) -> None:
    """Where nothing of the answer has gone out, with 500."""
    assert await running.answers(PUT.replace(b"/echo", path)) == FAILED


@pytest.mark.parametrize("sent", [PUT * 3, PUT[:-1], b"nonsense\r\n\r\n"])
async def test_a_connection_leaves_nothing_for_the_garbage_collector(
    running: Running, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Which would take a part of the processor where there is much to do (decisions 9 and 11)."""
    caplog.set_level(logging.CRITICAL, "itemstore")  # a record that pytest keeps has the traceback
    gc.collect()
    gc.disable()
    try:
        await running.answers(sent)
        await running.closed()
        assert [each for each in gc.get_objects() if type(each) in {Exchange, Protocol}] == []
    finally:
        gc.enable()
