"""Requests that begin within the call that received them, and answers without ASGI's messages."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from itemstore.server.eager_task import EagerTask
from itemstore.server.exchange import Exchange
from itemstore.server.protocol import Protocol
from tests.server.bare_app import LIMITS, PUT, Running, open_ended, running_with, undated

ECHO = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"

UPGRADE = PUT.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    """A server whose application is asked directly."""
    async with running_with(is_asked_directly=True) as running:
        yield running


async def test_an_answer_may_have_no_content(running: Running) -> None:
    """Nor a length then (RFC 9110 §8.6)."""
    sent = PUT.replace(b"/echo", b"/no-content")
    assert open_ended(await running.answers(sent)) == b"HTTP/1.1 204 No Content\r\n\r\n"


async def test_another_path_is_answered_by_asgi(running: Running) -> None:
    """Also where one asked directly comes before it, and after it, on the connection."""
    asgi = PUT.replace(b"/echo", b"/asgi/echo")
    assert open_ended(await running.answers(PUT + asgi + PUT)) == ECHO * 3
    assert running.begun == [b"/echo", b"/echo", b"/echo"]


async def test_many_requests_for_another_protocol_in_one_piece(running: Running) -> None:
    """They are not answered one within the other, and more than a hundred do not wait."""
    get = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    served = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    answers = open_ended(await running.answers(get * 500))
    assert answers.startswith(served * 101 + b"HTTP/1.1 503 Service Unavailable\r\nwhy: OVERLOADED")


@pytest.mark.parametrize("sent", [UPGRADE, UPGRADE * 3, PUT + UPGRADE + PUT])
async def test_a_body_that_follows_the_wish_for_another_protocol_is_read(
    running: Running, sent: bytes
) -> None:
    """As the request's own (RFC 9110 §7.8)."""
    count = sent.count(b"hello")
    assert open_ended(await running.answers(sent)) == ECHO * count


async def test_a_request_is_answered_before_what_can_not_be_read_after_it(
    running: Running,
) -> None:
    """In the same piece."""
    answers = await running.answers(PUT + b"GET / HTTP/1.1\r\n\r\n")
    assert answers.startswith(ECHO + b"HTTP/1.1 400 Bad Request\r\nwhy: MALFORMED_REQUEST\r\n")


async def test_a_request_whose_body_can_not_be_read_is_not_begun(running: Running) -> None:
    """Where that is in the same piece."""
    chunked = PUT.replace(b"Content-Length: 5", b"Transfer-Encoding: chunked")
    answers = await running.answers(chunked)
    assert answers.startswith(b"HTTP/1.1 400 Bad Request\r\nwhy: MALFORMED_REQUEST\r\n")
    assert running.begun == []
    assert running.admission.waiting == running.admission.receiving == 0


async def test_chunks_and_trailers_are_read(running: Running) -> None:
    """In however many pieces they come."""
    chunked = PUT.replace(b"Content-Length: 5", b"Transfer-Encoding: chunked")
    sent = chunked.replace(b"hello", b"2\r\nhe\r\n3\r\nllo\r\n0\r\nOne: two\r\n\r\n")
    assert open_ended(await running.answers(sent * 2)) == ECHO * 2
    async with running.connection() as (reader, writer):
        for start in range(0, len(sent), 7):
            writer.write(sent[start : start + 7])
            await asyncio.sleep(0.001)
        assert undated(await reader.readuntil(b"hello")) == ECHO


async def test_nothing_is_begun_after_the_last_request(running: Running) -> None:
    """That which said that the connection ends with it."""
    last = PUT.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    answers = await running.answers(PUT + last + PUT.replace(b"/echo", b"/not-begun"))
    assert answers.count(b"HTTP/1.1 200 OK") == 2
    assert running.begun == [b"/echo", b"/echo"]


async def test_a_failure_ends_the_connection(running: Running) -> None:
    """Nothing that comes after it is begun."""
    answers = await running.answers(PUT.replace(b"/echo", b"/raise") + PUT)
    assert answers.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert answers.count(b"HTTP/1.1") == 1
    assert running.begun == [b"/raise"]


async def test_an_answer_that_is_not_complete_ends_the_connection(running: Running) -> None:
    """So that nobody takes a part for all of it."""
    answers = await running.answers(PUT.replace(b"/echo", b"/half"))
    assert answers.endswith(b"\r\n\r\n5\r\nhello\r\n")


@pytest.mark.parametrize("after_a_while", [False, True])
async def test_a_client_that_waits_is_told_to_send_the_body(
    running: Running, *, after_a_while: bool
) -> None:
    """Also where it does not wait for long."""
    head, body = PUT.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"), b"hello"
    async with running.connection() as (reader, writer):
        writer.write(head[: -len(body)] if after_a_while else head)
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        if after_a_while:
            writer.write(body)
        assert undated(await reader.readuntil(b"hello")) == ECHO


@pytest.mark.parametrize("expect", [b"", b"\r\nExpect: 100-continue"])
async def test_a_request_is_answered_before_its_body_comes(running: Running, expect: bytes) -> None:
    """Where the application needs none of it. The connection goes on after the body."""
    sent = PUT.replace(b"/echo", b"/early").replace(b"\r\n\r\n", expect + b"\r\n\r\n")
    async with running.connection() as (reader, writer):
        writer.write(sent[:-3])
        assert (await reader.readuntil(b"No.")).startswith(b"HTTP/1.1 413 ")
        writer.write(sent[-3:] + PUT)
        assert undated(await reader.readuntil(b"hello")) == ECHO


async def test_a_large_body_that_nobody_reads_holds_nothing_up(running: Running) -> None:
    """The connection is paused for none of it."""
    large = PUT.replace(b"/echo", b"/early").replace(b"Length: 5", b"Length: 1000000")
    sent = large.replace(b"hello", b"x" * 1_000_000)
    answers = await running.answers(sent + PUT)
    assert answers.startswith(b"HTTP/1.1 413 ")
    assert open_ended(answers).endswith(ECHO)


async def test_a_client_that_is_behind_gets_its_answers_in_turn() -> None:
    """The next request is begun once it has taken enough of the one before."""
    large = PUT.replace(b"/echo", b"/large")
    async with (
        running_with(replace(LIMITS, unsent_bytes=2**24), is_asked_directly=True) as running,
        running.connection() as (reader, writer),
    ):
        writer.write(large)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(large + PUT)
        await asyncio.sleep(0.1)
        assert running.begun == [b"/large"]
        await reader.readexactly(5_000_000)
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(5_000_000)
        assert undated(await reader.readuntil(b"hello")) == ECHO


async def test_a_client_that_leaves_while_it_is_behind_keeps_nothing(running: Running) -> None:
    """Neither an answer nor a request that waits for it."""
    async with running.connection() as (_, writer):
        writer.write(PUT.replace(b"/echo", b"/large") + PUT.replace(b"/echo", b"/wait") * 3)
        await asyncio.sleep(0.1)
        writer.transport.abort()
        await running.closed()
    assert running.begun == [b"/large"]
    assert running.admission.waiting == 0


async def test_a_client_that_has_left_is_not_worked_for(running: Running) -> None:
    """Where the application has waited before it asks for the body, and that has come."""
    async with running.connection() as (_, writer):
        writer.write(PUT.replace(b"/echo", b"/wait-first"))
        await running.waits(1)
        writer.transport.abort()
        await running.closed()
    running.goes_on.set()
    await running.waits(0)
    assert (running.begun, running.done) == ([b"/wait-first"], [])


async def test_what_waits_is_counted_and_what_is_done_is_not() -> None:
    """However it was begun."""
    limits = replace(LIMITS, waiting=2)
    async with running_with(limits, is_asked_directly=True) as running:
        wait = PUT.replace(b"/echo", b"/wait")
        async with running.connection() as (reader, writer), running.connection() as other:
            writer.write(wait + PUT)
            await running.waits(1)
            other[1].write(wait)
            await running.waits(2)
            assert b"why: OVERLOADED" in await running.answers(PUT)
            running.goes_on.set()
            answers = [await reader.readuntil(b"hello") for _ in range(2)]
            assert [undated(answer) for answer in answers] == [ECHO, ECHO]
            await running.waits(0)
            assert open_ended(await running.answers(PUT)) == ECHO


async def test_what_the_server_cancels_is_answered(running: Running) -> None:
    """By the application, or else as a failure; where it has not begun, too."""
    sent = PUT.replace(b"/echo", b"/cancel-all") + PUT.replace(b"/echo", b"/wait") + PUT
    answers = await running.answers(sent)
    assert answers.startswith(ECHO + b"HTTP/1.1 500 Internal Server Error\r\n")
    assert running.begun == [b"/cancel-all", b"/wait"]
    assert running.admission.waiting == 0


@pytest.mark.parametrize("path", [b"/echo", b"/early", b"/raise", b"/nothing", b"/wait", b"/half"])
async def test_requests_leave_nothing_for_the_garbage_collector(
    running: Running, path: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """However they are answered."""
    caplog.set_level(logging.CRITICAL, "itemstore")  # a record that pytest keeps has the traceback
    kinds = {Exchange, Protocol, EagerTask}
    running.goes_on.set()
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            await running.answers(PUT.replace(b"/echo", path) * 50)
        await running.closed()
        assert [each for each in gc.get_objects() if type(each) in kinds] == []
    finally:
        gc.enable()


async def test_an_idle_connection_keeps_no_body(running: Running) -> None:
    """There may be thousands of them."""
    sent = PUT.replace(b"Length: 5", b"Length: 50000").replace(b"hello", b"x" * 50_000)
    async with running.connection() as (reader, writer):
        writer.write(sent)
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(50_000)
        [exchange] = [each for each in gc.get_objects() if type(each) is Exchange]
        assert exchange.body == b""
