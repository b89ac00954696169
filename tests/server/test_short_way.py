"""The short way: what goes it is answered as what does not, one by one and to the byte."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import uvicorn
from fakeredis import FakeAsyncRedis, FakeServer
from opentelemetry.sdk.trace import TracerProvider

from itemstore.api.app import ItemStore, create_app
from itemstore.api.http.reply import Reply
from itemstore.api.http.request import Request
from itemstore.api.http.write_reply import write_reply
from itemstore.api.resources.item import put_item
from itemstore.api.short_way import OnTheShortWay
from itemstore.domain.events import RecordedEvent
from itemstore.eventlog.keys import Keys
from itemstore.server.protocol import Protocol
from itemstore.store.settings import Settings
from itemstore.store.tokens import Role
from itemstore.store.tokens import create as create_token
from itemstore.tracing import spans
from tests.conftest import forget_settings
from tests.server.bare_app import Quiet

_no_settings_from_outside = pytest.fixture(autouse=True)(forget_settings)

BODY = b'{"name":"Fighters"}'

PUT = b"PUT /items/a HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

Ask = Callable[[bytes], Coroutine[Any, Any, bytes]]


def request(line: bytes, *fields: bytes, body: bytes | None = None, host: bytes = b"a") -> bytes:
    """A request for these bytes."""
    lines = [line + b" HTTP/1.1", b"Host: localhost" if host == b"a" else b"Host: " + host, *fields]
    if body is not None:
        if not any(each.lower().startswith(b"content-type") for each in fields):
            lines.append(b"Content-Type: application/json")
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"", body or b""])


def put(*fields: bytes, path: bytes = b"/items/a", body: bytes = BODY) -> bytes:
    """A PUT of an item."""
    return request(b"PUT " + path, *fields, body=body)


SHORT = [
    put(),
    put(b"Prefer: return=minimal"),
    put(b"Prefer: return=representation"),
    put(b'If-Match: "3"'),
    put(b'If-Match: "1"'),
    put(b'If-Match: W/"3"'),
    put(b"If-Match: 3"),
    put(b"If-None-Match: *"),
    put(b"If-None-Match: *", path=b"/items/new"),
    put(b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    put(b"Content-Range: bytes 0-1/2"),
    put(b"Content-Type: text/plain"),
    put(b"Content-Type: application/json;charset=latin-1"),
    put(b"Content-Encoding: gzip"),
    put(body=b"{"),
    put(body=b""),
    put(body=b"[1]"),
    put(body=b'{"a":1,"a":2}'),
    put(body=b'{ "a" : 1.0 }'),
    put(body=b'{"a":"' + b"x" * 300 + b'"}'),
    put(path=b"/items/%41%2F%C3%A4"),
    put(path=b"/items/%FF"),
    put(path=b"/items/%00"),
    put(path=b"/items/%2"),
    put(path=b"/items/" + b"x" * 513),
    put(path=b"/items/a?b=c"),
    request(b"GET /items/a"),
    request(b"GET /items/%61"),
    request(b"GET /items/a?b=c"),
    request(b"GET /items/a", b'If-None-Match: "4"'),
    request(b"GET /items/a", b'If-None-Match: "1", "5"'),
    request(b"GET /items/a", b'If-Match: "1"'),
    request(b"GET /items/a", b"If-Modified-Since: Sat, 28 Nov 2099 15:00:00 GMT"),
    request(b"GET /items/a", b"If-Unmodified-Since: Sat, 28 Nov 2020 15:00:00 GMT"),
    request(b"GET /items/absent"),
    request(b"DELETE /items/a", b'If-Match: "1"'),
    request(b"DELETE /items/%2e%2e", b"If-None-Match: ,"),
    put(b"If-Match: ,", path=b"/items/%2e%2e"),
    request(b"DELETE /items/a"),
    request(b"DELETE /items/a"),
    request(b"GET /items/a"),
    put(),
]
"""Requests that go it, whatever the answer is."""

LONG = [
    put(b'Idempotency-Key: "one"'),
    put(b'Idempotency-Key: "one"'),
    put(b"If-Unmodified-Since: Sat, 28 Nov 2099 15:00:00 GMT"),
    put(body=b'{"a":"' + b"x" * 300_000 + b'"}'),
    request(b"GET /items/a", b"Accept: text/html"),
    request(b"GET /items/a", b"Accept-Datetime: Sat, 28 Nov 2020 15:00:00 GMT"),
    request(b"HEAD /items/a"),
    request(b"OPTIONS /items/a"),
    request(b"TRACE /items/a"),
    request(b"GET /items/a", host=b"stranger.example"),
    request(b"GET /nothing"),
    request(b"PATCH /items/a", b"Content-Type: application/merge-patch+json", body=b'{"b":1}'),
]
"""Requests that don't."""


def unlike(answer: bytes) -> bytes:
    """An answer without what is of its moment."""
    answer = re.sub(rb"\d{13}-\d+", b"<position>", answer)
    return re.sub(rb"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT", b"<date>", answer)


@asynccontextmanager
async def served(app: ItemStore, **options: Any) -> AsyncIterator[Ask]:
    """The application on a server of ours; what is asked has a connection and an id of its own."""
    config = uvicorn.Config(app, port=0, http=Protocol, log_config=None, **options)
    server = Quiet(config)
    running = asyncio.create_task(server.serve())
    async with asyncio.timeout(20):
        while not server.started:
            await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    number = 0

    async def ask(sent: bytes) -> bytes:
        nonlocal number
        number += 1
        named = sent.replace(b"\r\n", b"\r\nX-Request-ID: number-%d\r\n" % number, 1)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(named)
            writer.write_eof()
            return await asyncio.wait_for(reader.read(), 20)
        finally:
            writer.close()
            await writer.wait_closed()

    try:
        await ask(request(b"GET /items"))  # has the tokens looked up
        yield ask
    finally:
        server.should_exit = True
        await running


async def logged(engine: FakeServer) -> list[dict[bytes, bytes]]:
    """The fields of each event."""
    entries: Any = await FakeAsyncRedis(server=engine).xrange(Keys().events)
    return [fields for _, fields in entries]


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each request that could go the short way did."""
    found: list[bool] = []
    monkeypatch.setattr("itemstore.store.known_tokens.FRESH_SECONDS", 60)  # else some look them up
    begin = OnTheShortWay.begin

    def noted(self: OnTheShortWay) -> bool:
        found.append(begin(self))
        return found[-1]

    monkeypatch.setattr(OnTheShortWay, "begin", noted)
    return found


def application(engine: FakeServer, *, has_short_way: bool) -> ItemStore:
    """The store on this engine."""
    app = create_app(Settings(), redis=FakeAsyncRedis(server=engine))
    if not has_short_way:
        app.answering.take_over = lambda *_: False  # type: ignore[method-assign]
    return app


def hold(app: ItemStore) -> asyncio.Event:
    """Has batches leave only once this is set."""
    batches = app.context.store.appender._batches  # type: ignore[union-attr]
    send, go = batches._send, asyncio.Event()

    async def wait_and_send(batch: Any) -> Any:
        await go.wait()
        return await send(batch)

    batches._send = wait_and_send
    return go


async def waiting(app: ItemStore, number: int) -> None:
    """Returns once so many requests wait."""
    async with asyncio.timeout(20):
        while app.admission.waiting < number:
            await asyncio.sleep(0.01)


@pytest.fixture
async def held(begun: list[bool]) -> AsyncIterator[tuple[ItemStore, Ask, asyncio.Event]]:
    """A store whose batches leave when they are let go, its server, and what lets them go."""
    app = application(FakeServer(), has_short_way=True)
    go = hold(app)
    async with served(app) as ask:
        yield app, ask, go
        go.set()
    assert begun


async def test_the_short_way_gives_the_answers_of_the_long_one(begun: list[bool]) -> None:
    """To all that go it, which they do, and to all that don't."""
    short, long = FakeServer(), FakeServer()
    async with (
        served(application(short, has_short_way=True)) as ask,
        served(application(long, has_short_way=False)) as ask_long,
    ):
        for sent in SHORT:
            count = len(begun)
            answer = await ask(sent)
            assert begun[count:] == [True], sent
            assert unlike(answer) == unlike(await ask_long(sent)), sent
        for sent in LONG:
            count = len(begun)
            answer = await ask(sent)
            assert True not in begun[count:], sent
            assert unlike(answer) == unlike(await ask_long(sent)), sent
    log = await logged(short)
    assert log == await logged(long)
    assert len(log) > 10


async def test_tokens_that_are_known_go_it_too(begun: list[bool]) -> None:
    """And what they may not do is refused as ever; so is what is no token."""
    engine = FakeServer()
    app = application(engine, has_short_way=True)
    store = app.context.store  # type: ignore[union-attr]
    roles = (Role.reader, Role.writer)
    secrets = {role: await create_token(store.partition, role.name, role) for role in roles}
    async with served(app) as ask:
        for role, expected in ((Role.writer, b"201"), (Role.reader, b"403")):
            answer = await ask(put(b"Authorization: Bearer " + secrets[role].encode()))
            assert answer.split(b" ")[1] == expected
        for wrong in (b"Basic YTpi", b"Bearer writer.wrong", b"Bearer nobody.wrong"):
            answer = await ask(put(b"Authorization: " + wrong))
            assert answer.split(b" ")[1] == b"401"
        assert (await ask(put())).split(b" ")[1] == b"401"
    assert begun == [True]
    [entry] = await logged(engine)
    assert entry[b"meta"] == b'{"actor":"writer"}'


async def test_a_reply_that_fails_is_an_error_of_its_own_request_alone(
    begun: list[bool], caplog: pytest.LogCaptureFixture
) -> None:
    """Others of the same batch get their answers, and the log says which one failed."""
    app = application(FakeServer(), has_short_way=True)

    def reply(request: Request, recorded: RecordedEvent) -> Reply:
        if request.item_id == "bad":
            raise ValueError
        return write_reply(request, recorded)

    ways = app.answering._short_ways
    app.answering._short_ways = {**ways, put_item: replace(ways[put_item], reply=reply)}
    async with served(app) as ask:
        paths = [b"/items/1", b"/items/bad", b"/items/3"]
        answers = await asyncio.gather(*(ask(put(path=each)) for each in paths))
        assert [each.split(b" ")[1] for each in answers] == [b"201", b"500", b"201"]
    assert begun == [True] * 3
    [error] = [each for each in caplog.records if each.exc_info]
    assert error.__dict__["path"] == "/items/bad"


async def test_an_error_while_a_reply_is_logged_harms_no_other_of_the_batch(
    begun: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A filter of the operator's may raise; what was asked for has happened all the same."""
    monkeypatch.setenv("ITEMSTORE_ACCESS_LOG", "true")
    app = application(FakeServer(), has_short_way=True)

    def refuse(record: logging.LogRecord) -> bool:
        if record.__dict__.get("item") == "bad":
            raise ValueError
        return True

    logger = logging.getLogger("itemstore.api.access_log")
    monkeypatch.setattr(logger, "level", logging.INFO)
    logger.addFilter(refuse)
    try:
        async with served(app) as ask:
            paths = [b"/items/1", b"/items/bad", b"/items/3"]
            answers = await asyncio.gather(*(ask(put(path=each)) for each in paths))
            assert [each.split(b" ")[1] for each in answers] == [b"201", b"500", b"201"]
            assert app.admission.waiting == 0
            assert b'etag: "2"' in await ask(put(path=b"/items/3"))
    finally:
        logger.removeFilter(refuse)
    assert begun == [True] * 4


async def test_traces_may_begin_while_one_waits(
    held: tuple[ItemStore, Ask, asyncio.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it rides in the same batch as one that has a span."""
    app, ask, go = held
    asked = []
    for number in range(3):
        if number == 2:
            tracer = TracerProvider().get_tracer("tests")
            monkeypatch.setattr("itemstore.tracing.spans.tracer", tracer)
        asked.append(asyncio.create_task(ask(put(path=b"/items/%d" % number))))
        await waiting(app, number + 1)
    go.set()
    assert [each.split(b" ")[1] for each in await asyncio.gather(*asked)] == [b"201"] * 3


async def test_an_engine_that_is_away_is_said(begun: list[bool]) -> None:
    """To each that waited, and nothing is under way after that."""
    engine = FakeServer()
    app = application(engine, has_short_way=True)
    async with served(app) as ask:
        await ask(put())
        engine.connected = False
        answers = await asyncio.gather(*(ask(each) for each in (put(), request(b"GET /items/a"))))
        assert [each.split(b" ")[1] for each in answers] == [b"503", b"503"]
        assert app.admission.waiting == 0
    assert begun == [True] * 3


async def test_what_waits_is_counted_and_cancelled_at_the_end(
    held: tuple[ItemStore, Ask, asyncio.Event],
) -> None:
    """As every request is: it is told that the server goes down, and no second answer comes."""
    app, ask, go = held
    asked = [asyncio.create_task(ask(put(path=b"/items/%d" % each))) for each in range(3)]
    await waiting(app, len(asked))
    for task in tuple(app.admission.tasks):
        assert task.cancel(msg="the end")
    answers = await asyncio.gather(*asked)
    go.set()
    assert [each.count(b"HTTP/1.1 503 Service Unavailable") for each in answers] == [1, 1, 1]
    assert all(each.count(b"HTTP/1.1") == 1 for each in answers)
    assert app.admission.waiting == 0
    assert b"200" in (await ask(request(b"GET /livez")))[:16]


async def test_a_provider_of_traces_that_is_configured_late_is_found(
    begun: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though no request is asked by ASGI; from then on requests have spans, and a longer way."""
    monkeypatch.setattr("itemstore.tracing.spans.tracer", None)
    monkeypatch.setattr("itemstore.tracing.spans.LOOK_SECONDS", 0.01)
    provider = TracerProvider(shutdown_on_exit=False)
    async with served(application(FakeServer(), has_short_way=True)) as ask:
        await ask(put())
        monkeypatch.setattr("opentelemetry.trace.get_tracer_provider", lambda: provider)
        async with asyncio.timeout(20):
            while spans.tracer is None:
                await asyncio.sleep(0.01)
        assert b'etag: "2"' in await ask(put())
    assert begun == [True]


async def test_a_server_that_ends_answers_all_that_still_wait(begun: list[bool]) -> None:
    """Once their time is over; and it ends as it should."""
    app = application(FakeServer(), has_short_way=True)
    go = hold(app)
    async with served(app, timeout_graceful_shutdown=1) as ask:
        asked = [asyncio.create_task(ask(put(path=b"/items/%d" % each))) for each in range(3)]
        await waiting(app, len(asked))
    assert [each.split(b" ")[1] for each in await asyncio.gather(*asked)] == [b"503"] * 3
    assert begun == [True] * 3
    go.set()


async def test_what_was_asked_happens_also_where_the_client_has_left(
    held: tuple[ItemStore, Ask, asyncio.Event],
) -> None:
    """It is in the log, and nothing is under way after that."""
    app, ask, go = held
    asked = asyncio.create_task(ask(put()))
    await waiting(app, 1)
    async with asyncio.timeout(20):
        asked.cancel()
        await asyncio.sleep(0.1)
        go.set()
        while app.admission.waiting:
            await asyncio.sleep(0.01)
    assert b'etag: "2"' in await ask(put())
