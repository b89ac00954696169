"""Problems: every error has one form, and every type of it a page (RFC 9457)."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from unittest.mock import AsyncMock

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.api.app import ItemStore
from itemstore.api.http.errors_as_problems import problem_of
from itemstore.api.http.problem_types import PROBLEM_TYPES
from itemstore.api.resources import item_queries
from itemstore.engine.errors import LogBroken, LogFull, LogOverloaded, LogUnavailable
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections.sql.errors import SqlUnavailable
from itemstore.server.refusals import Refusal, Refused
from itemstore.store.operations import SUCCEEDED, VERIFY, Operation
from itemstore.store.read_model import ReadModel
from itemstore.store.tokens import Role, create
from tests.api.conftest import Serve, problem
from tests.eventlog.memory_past import MemoryPast, with_past
from tests.logged import all_told

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"

Sent = tuple[str, str, dict[str, str], bytes]

REQUESTS: dict[str, Sent] = {
    "not-found": ("GET", "/nothing", {}, b""),
    "item-not-found": ("GET", "/items/none", {}, b""),
    "item-deleted": ("GET", "/items/gone", {}, b""),
    "version-not-found": ("GET", "/items/foo/versions/9", {}, b""),
    "other-log": ("GET", "/events?after=999999999999999-0", {}, b""),
    "gone": ("GET", "/items/trimmed/versions/1", {}, b""),
    "invalid-batch": ("POST", "/batch", {}, b'{"requests":[]}'),
    "different-partitions": (
        "POST", "/batch", {},
        b'{"requests":[%b]}' % b",".join(
            b'{"method":"DELETE","path":"/items/%b"}' % item for item in (b"a", b"b")
        ),
    ),
    "invalid-body": ("POST", "/admin/operations", {}, b'{"operation":"mend"}'),
    "operation-running": ("POST", "/admin/operations", {}, b'{"operation":"verify"}'),
    "operation-ended": ("DELETE", "/admin/operations/0198", {}, b""),
    "token-exists": ("POST", "/admin/tokens", {}, b'{"name":"ann"}'),
    "last-token": ("DELETE", "/admin/tokens/ann", {}, b""),
    "method-not-allowed": ("PUT", "/items", {}, b""),
    "malformed-header": ("PUT", "/items/foo", {"If-Match": "1"}, b"{}"),
    "malformed-json": ("PUT", "/items/foo", {}, b"{"),
    "malformed-patch": ("PATCH", "/items/foo", {"Content-Type": JSON_PATCH}, b"{}"),
    "partial-put": ("PUT", "/items/foo", {"Content-Range": "bytes 0-1/2"}, b"{}"),
    "malformed-cursor": ("GET", "/items?after=!", {}, b""),
    "patch-conflict": (
        "PATCH", "/items/foo", {"Content-Type": JSON_PATCH},
        b'[{"op": "test", "path": "/size", "value": 9}]',
    ),
    "idempotency-key-in-use": ("PUT", "/items/foo", {"Idempotency-Key": "busy"}, b"{}"),
    "idempotency-key-reused": ("PUT", "/items/foo", {"Idempotency-Key": "used"}, b"{}"),
    "unexpected-version": ("PUT", "/items/foo", {"If-Match": '"9"'}, b"{}"),
    "content-too-large": ("PUT", "/items/foo", {"Content-Length": "9999999"}, b""),
    "unsupported-media-type": ("PUT", "/items/foo", {"Content-Type": "text/plain"}, b"{}"),
    "misdirected": ("GET", "http://127.0.0.1/items", {"Host": "page.example"}, b""),
    "invalid-item": ("PUT", "/items/foo", {}, b'{"size": "large"}'),
    "invalid-item-id": ("PUT", "/items/%00", {}, b"{}"),
    "invalid-parameter": ("GET", "/items?limit=0", {}, b""),
    "invalid-query": ("GET", "/items?where=@.size==", {}, b""),
    "read-model-behind": ("GET", "/items?min_position=99999999999999-0", {}, b""),
    "read-model-unavailable": ("GET", "/items?where=@.size", {}, b""),
    "store-damaged": ("GET", "/items/damaged", {}, b""),
}  # fmt: skip
"""A request that has each problem, in the store that `prepared` makes."""

ERRORS: dict[str, Exception] = {
    "log-unavailable": LogUnavailable("The engine does not answer; try again."),
    "overloaded": LogOverloaded("Too many writes are waiting; slow down and try again."),
    "log-full": LogFull("The engine is out of memory."),
    "internal-error": RuntimeError("a secret of the code"),
    "read-model-unavailable": SqlUnavailable("The database does not answer; try again."),
}
"""What an append, or a query, raises for each problem that what is below it has, or the code."""

BEFORE_REQUESTS = {
    "malformed-request",
    "request-timeout",
    "uri-too-long",
    "headers-too-large",
    "not-implemented",
    "version-not-supported",
    "cross-origin",
}
"""Answered before there is a request: test_cross_origin.py, and tests/server/test_limits.py."""

OF_SETTINGS: dict[str, dict[str, Any]] = {
    "queries-off": {"sql_url": "off"},
    "query-too-expensive": {"query_rows": 1},
}
"""Settings with which a query has each problem."""

_BEGUN = Operation.new(VERIFY, None, None, dry_run=False, started_by=None)

ENDED = replace(_BEGUN.ended(SUCCEEDED), id="0198")
"""An operation of the store that `prepared` makes."""

OF_REQUESTS = [slug for slug in PROBLEM_TYPES if slug not in BEFORE_REQUESTS]

MEMBERS = {"type", "title", "status", "detail", "instance", "request_id"}

OWN_MEMBERS = {
    "invalid-body": {"errors", "count"},
    "operation-running": {"running"},
    "other-log": {"log", "end"},
    "item-deleted": {"version"},
    "version-not-found": {"version"},
    "patch-conflict": {"operation"},
    "unexpected-version": {"version", "expected"},
    "content-too-large": {"limit"},
    "invalid-item": {"errors", "count"},
    "invalid-parameter": {"errors"},
    "invalid-query": {"parameter", "place"},
    "query-too-expensive": {"index", "setting"},
    "different-partitions": {"index", "partition", "first_partition"},
    "read-model-behind": {"position", "retry_after"},
    "read-model-unavailable": {"retry_after"},
    "precondition-required": {"version"},
    "log-unavailable": {"retry_after"},
    "archive-unavailable": {"retry_after"},
    "overloaded": {"retry_after"},
}

Ask = Callable[[str], Awaitable[httpx.Response]]


@pytest.fixture
async def prepared(
    app: ItemStore, client: httpx.AsyncClient, redis: FakeAsyncRedis
) -> httpx.AsyncClient:
    """A client of a store with an item `foo`, a deleted, a damaged and a trimmed one."""
    assert app.context is not None
    app.context.keys_in_use.add("busy")
    for name in ("trimmed", "foo", "gone", "damaged"):
        await client.put(f"/items/{name}", json={"size": 1})
    await client.delete("/items/gone", headers={"Idempotency-Key": "used"})
    await redis.hset("items:current", "damaged", "{}")
    entries: Any = await redis.xrange("items:events")
    await redis.xdel("items:events", entries[0][0])
    return client


async def of_an_admin(redis: FakeAsyncRedis, slug: str) -> dict[str, str]:
    """What the problems of admins need, and the header of such a one where it takes a token."""
    if slug.startswith("operation-"):
        await redis.hset("itemstore:operations", "0198", ENDED.as_text())
    if slug == "operation-running":
        await redis.set("itemstore:lease:operation", "0198")
    if slug not in {"token-exists", "last-token"}:
        return {}
    await redis.hdel("itemstore:tokens", "ann")  # that of the problem before
    token = await create(Partition(redis, Keys()), "ann", Role.admin)
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def ask(
    app: ItemStore,
    prepared: httpx.AsyncClient,
    redis: FakeAsyncRedis,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
) -> Ask:
    """Gives the answer that has the problem of this type."""

    async def answer(slug: str) -> httpx.Response:
        if slug == "precondition-required":
            return await serve(require_conditions=True).put("/items/foo", json={})
        if slug in OF_SETTINGS:
            return await serve(**OF_SETTINGS[slug]).get("/items?where=@.size>0")
        monkeypatch.setattr(item_queries, "PATIENCE", 0.01)
        if slug in ("unauthorized", "forbidden"):
            token = await create(Partition(redis, Keys()), "reader", Role.reader)
            headers = {"Authorization": f"Bearer {token}"} if slug == "forbidden" else {}
            return await serve().put("/items/foo", json={}, headers=headers)
        if slug.startswith("archive-"):
            assert app.context is not None
            await redis.hset("itemstore:archive", "border", "99999999999999-0")
            await redis.delete("items:history:trimmed")
            past = MemoryPast() if slug == "archive-damaged" else None
            app.serve(with_past(app.context.store, past))
            return await prepared.get("/items/trimmed/versions/1")
        if slug in ERRORS:
            failing = AsyncMock(side_effect=ERRORS[slug])
            if slug != "read-model-unavailable":
                monkeypatch.setattr(EventLog, "append", failing)
                return await prepared.put("/items/foo", json={})
            monkeypatch.setattr(ReadModel, "find", failing)
        method, path, headers, body = REQUESTS[slug]
        own = await of_an_admin(redis, slug)
        client = serve() if own else prepared  # which may take the store to be open
        if slug == "different-partitions":
            client = serve(partitions=2, sql_url="off")
        headers = {"Content-Type": "application/json"} | headers | own
        return await client.request(method, path, content=body, headers=headers)

    return answer


@pytest.mark.parametrize("slug", OF_REQUESTS)
async def test_every_problem_has_its_status_its_type_and_its_members(ask: Ask, slug: str) -> None:
    """One form for all: what it is, what to do about it, where it was, and its own members."""
    answer = await ask(slug)

    kind, content = PROBLEM_TYPES[slug], answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert content["type"] == f"/problems/{slug}"
    assert content["title"] == kind.title
    assert content["status"] == answer.status_code == kind.status
    assert content["detail"].endswith(".")
    assert content["instance"] == answer.request.url.raw_path.decode().partition("?")[0]
    assert set(content) == MEMBERS | OWN_MEMBERS.get(slug, set())


@pytest.mark.parametrize("slug", OF_REQUESTS)
async def test_the_type_of_every_problem_has_a_page(
    ask: Ask, client: httpx.AsyncClient, slug: str
) -> None:
    """Its URL, as the answer gives it, says what the type means, what to do, and an example."""
    problem = (await ask(slug)).json()

    page = await client.get(problem["type"])

    assert (page.status_code, page.headers["content-type"]) == (200, "application/json")
    content = page.json()
    assert content["type"] == problem["type"]
    assert content["title"] == problem["title"]
    assert content["status"] == problem["status"]
    assert content["meaning"].endswith(".")
    assert content["remedy"].endswith(".")
    assert set(content["example"]) == MEMBERS


@pytest.mark.parametrize("slug", PROBLEM_TYPES)
async def test_the_page_of_a_problem_type_is_html_for_a_browser(
    client: httpx.AsyncClient, slug: str
) -> None:
    """The same words, well-formed, for a person who follows the link."""
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    page = await client.get(f"/problems/{slug}", headers={"Accept": accept})

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "accept" in page.headers["vary"]
    assert PROBLEM_TYPES[slug].title in text_of(page.text)
    assert PROBLEM_TYPES[slug].remedy.replace("`", "") in text_of(page.text)  # it is code there


@pytest.mark.parametrize("slug", ["none", "Not-Found", "%00", "%E9", "<script>", "x" * 5000])
async def test_a_problem_type_that_is_none_is_not_found(
    client: httpx.AsyncClient, slug: str
) -> None:
    """404, as a problem."""
    answer = await client.get(f"/problems/{slug}", headers={"Accept": "text/html"})

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "PURGE"])
@pytest.mark.parametrize(
    "path",
    ["/nothing", "/items/", "/items/a/b", "/docs/oauth2-redirect/x", "/redoc", "/favicon.ico",
     "/.env", "/%FF", "/%00", "/a%0Ab", "/index.php?x=<script>", "/docs", "/livez",
     "/openapi.json"],
)  # fmt: skip
async def test_no_path_and_method_have_an_error_of_another_form(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    """404 and 405 of any path are problems: no HTML, no bare detail."""
    answer = await client.request(method, path, headers={"Accept": "text/html"})

    if answer.is_success:
        assert method == "GET"
        return
    content = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(content) == MEMBERS
    assert content["status"] == answer.status_code in (404, 405)


async def test_the_instance_is_a_url_whatever_was_sent(client: httpx.AsyncClient) -> None:
    """It is the path in its encoded form, without the query."""
    answer = await client.get("/items/a%2Fb%20%C3%A9?x=1")

    assert answer.json()["instance"] == "/items/a%2Fb%20%C3%A9"


async def test_an_error_that_nobody_foresaw_is_in_the_log_and_not_in_the_answer(
    ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    """500 without a traceback or a word of the code's; the log has all of it."""
    with caplog.at_level(logging.ERROR, logger="itemstore"):
        answer = await ask("internal-error")

    assert answer.json()["detail"] == "The server's log says what happened."
    assert not re.search(r"secret|Traceback|\.py", answer.text)
    [record] = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[1] is ERRORS["internal-error"]
    [told] = all_told(caplog)
    assert (told["method"], told["path"]) == ("PUT", "/items/foo")


async def test_an_error_on_a_path_of_fastapi_is_a_problem_too(
    app: ItemStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`/openapi.json` of a model that can't be described: 500, and no plain text."""

    def fails() -> None:
        message = "a secret of the code"
        raise RuntimeError(message)

    monkeypatch.setattr(app, "openapi", fails)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://store") as client:
        answer = await client.get("/openapi.json")

    assert "secret" not in answer.text
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal-error")


async def test_an_error_of_the_client_is_not_in_the_log(
    ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    """The log is for what the operator has to look at."""
    with caplog.at_level(logging.INFO, logger="itemstore"):
        for slug in REQUESTS.keys() - {"store-damaged"}:
            await ask(slug)

    # Limits are for the operator, and so is who makes tokens, as the requests of this test do.
    others = {
        "A limit is reached, and requests are refused",
        "A token was made",
        "The tokens of the store have changed",
    }
    assert {each["event"] for each in all_told(caplog)} <= others


async def test_a_damaged_store_is_said_to_be_so_when_it_is_written_to(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500 `store-damaged` for a write, as for a read."""
    monkeypatch.setitem(ERRORS, "store-damaged", LogBroken("A key holds something else."))

    answer = await ask("store-damaged")

    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/store-damaged")


def text_of(page: str) -> str:
    """The text of an HTML page, of which every element that opens also closes."""
    texts: list[str] = []
    opened: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - its class's
            if tag not in {"meta", "link"}:
                opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

        def handle_data(self, data: str) -> None:
            texts.append(data)

    Reader().feed(page)
    assert opened == []
    return "".join(texts)


async def test_a_path_is_quoted_by_its_start(client: httpx.AsyncClient) -> None:
    """It can have thousands of characters, and some that can't be printed."""
    answer = await client.get(f"/%E2%80%AE{'x' * 7000}")
    detail = problem(answer, 404, "not-found")["detail"]
    assert detail == f"There is nothing at /\\u202e{'x' * 58}…."


@pytest.mark.parametrize("refusal", Refusal)
def test_what_the_server_refuses_is_a_problem_of_the_status_that_it_names(refusal: Refusal) -> None:
    """The server names a status, and the table of problems has it too."""
    found = problem_of(Refused(refusal, "No."))
    assert found is not None
    assert found.type.status == refusal
