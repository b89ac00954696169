"""What an application developer adds to a store's application: for every route, or refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import httpx
import pytest
import sentry_sdk
from asgi_correlation_id import CorrelationIdMiddleware, correlation_id
from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from sentry_sdk.envelope import Envelope
from sentry_sdk.integrations.asgi import SentryAsgiMiddleware
from sentry_sdk.transport import Transport
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from itemstore.api.added import CannotAdd
from itemstore.api.app import ItemStore
from itemstore.domain.errors import ItemNotFound
from tests.api.conftest import client_of, problem

EVERY_PATH = (
    "/", "/items", "/items/foo", "/items/foo/events", "/items/foo/versions",
    "/items/foo/versions/1", "/events", "/projections", "/stats", "/problems/gone", "/livez",
    "/readyz", "/metrics", "/openapi.json", "/docs", "/explorer", "/nothing", "/added",
)  # fmt: skip


class Marked:
    """A middleware of ASGI: it notes what comes, and marks what goes."""

    def __init__(self, app: ASGIApp, seen: list[str]) -> None:
        self.app = app
        self.seen = seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        self.seen.append(f"{scope['type']} {scope.get('path', '')}")

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-marked", b"yes")]
            await send(message)

        await self.app(scope, receive, marked)


async def test_a_middleware_sees_every_route(app: ItemStore) -> None:
    """Those of the store, those that are added, and those that there are not."""
    seen: list[str] = []
    app.add_middleware(Marked, seen=seen)
    app.add_api_route("/added", lambda: "here")

    async with client_of(app) as client:
        put = await client.put("/items/foo", json={"size": 6})
        answers = [await client.get(path) for path in EVERY_PATH]

    assert put.status_code == 201
    assert [answer.headers.get("x-marked") for answer in answers] == ["yes"] * len(EVERY_PATH)
    assert seen == [f"http {path}" for path in ("/items/foo", *EVERY_PATH)]


async def test_a_function_of_middleware_sees_every_route_too(app: ItemStore) -> None:
    """`@app.middleware("http")`, with the answer in its hand; also of a stream."""

    @app.middleware("http")
    async def timed(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        answer = await call_next(request)
        answer.headers["x-path"] = request.url.path
        return answer

    async with client_of(app) as client:
        put = await client.put("/items/foo", json={"size": 6})
        lines = await client.get("/events", headers={"Accept": "application/jsonl"})
        head = await client.head("/items/foo")
        refused = await client.put("/items/foo", json={"size": "six"})

    assert (put.status_code, put.headers["etag"], put.json()["size"]) == (201, '"1"', 6)
    assert len(lines.text.splitlines()) == 1
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "22")
    problem(refused, 422, "invalid-item")
    for answer in (put, lines, head, refused):
        assert answer.headers["x-path"] in {"/items/foo", "/events"}


async def test_a_middleware_may_answer_in_the_stores_place(app: ItemStore) -> None:
    """It is asked first, so what it refuses appends nothing."""
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["shop.example"])

    async with client_of(app) as client:
        refused = await client.put("/items/foo", json={})
        taken = await client.get("/items/foo", headers={"Host": "shop.example"})

    assert refused.status_code == 400
    problem(taken, 404, "item-not-found")


async def test_starlettes_cors_is_for_every_route(app: ItemStore) -> None:
    """Before a request, and on answers and problems alike."""
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["https://shop.example"],
        allow_methods=["PUT"],
        expose_headers=["ETag"],
    )
    origin = {"Origin": "https://shop.example"}

    async with client_of(app) as client:
        asked = await client.options(
            "/items/foo", headers=origin | {"Access-Control-Request-Method": "PUT"}
        )
        put = await client.put("/items/foo", json={}, headers=origin)
        none = await client.get("/items/none", headers=origin)

    assert asked.status_code == 200
    assert "PUT" in asked.headers["access-control-allow-methods"]
    for answer in (put, none):
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert answer.headers["access-control-expose-headers"] == "ETag"


@pytest.mark.parametrize("sent", [None, "7d9a3a1c2b4e4f0c9a1b2c3d4e5f6a7b"])
async def test_a_correlation_id_is_the_id_of_the_request(app: ItemStore, sent: str | None) -> None:
    """One id, in the answer, in a problem, and in what the middleware gives to code."""
    app.add_middleware(CorrelationIdMiddleware)
    app.add_api_route("/id", lambda: f"{correlation_id.get()}")

    async with client_of(app) as client:
        fields = {} if sent is None else {"X-Request-ID": sent}
        answer = await client.get("/items/none", headers=fields)
        added = await client.get("/id", headers=fields)

    [id_] = answer.headers.get_list("x-request-id")
    assert id_ == answer.json()["request_id"]
    assert added.json() == added.headers["x-request-id"]
    assert sent is None or id_ == sent


class Kept(Transport):
    """Keeps what would be sent to Sentry."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Any] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        """Keeps an envelope's event."""
        self.events += [event for item in envelope.items if (event := item.payload.json)]


async def test_sentrys_middleware_sees_requests_and_their_errors(
    app: ItemStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody has foreseen: the client gets a problem, and Sentry the exception."""
    transport = Kept()

    async def broken(*_: object, **__: object) -> None:
        message = "broken on purpose"
        raise ValueError(message)

    assert app.context is not None
    monkeypatch.setattr(type(app.context.store.collections["items"].items), "get", broken)
    with sentry_sdk.isolation_scope():
        client_of_sentry = sentry_sdk.Client(
            dsn="http://key@localhost/1",
            transport=transport,
            traces_sample_rate=1.0,
            auto_enabling_integrations=False,  # it would import what else is installed
        )
        sentry_sdk.get_isolation_scope().set_client(client_of_sentry)
        app.add_middleware(SentryAsgiMiddleware)
        async with client_of(app) as client:
            answer = await client.get("/items/foo")
        client_of_sentry.flush()

    problem(answer, 500, "internal-error")
    [error] = [event for event in transport.events if event.get("exception")]
    assert error["exception"]["values"][-1]["value"] == "broken on purpose"
    assert error["request"]["url"] == "http://store/items/foo"
    assert any(event.get("type") == "transaction" for event in transport.events)


def test_gzip_is_refused_with_what_to_do(app: ItemStore) -> None:
    """Two bodies under one strong ETag."""
    with pytest.raises(CannotAdd, match=r"Compress in a proxy"):
        app.add_middleware(GZipMiddleware)


async def test_nothing_is_added_once_requests_were_answered(app: ItemStore) -> None:
    """Starlette says so for middleware; what handlers of errors would not do is refused as well."""
    async with client_of(app) as client:
        await client.get("/items/foo")

    with pytest.raises(RuntimeError, match="after an application has started"):
        app.add_middleware(CORSMiddleware)
    with pytest.raises(RuntimeError, match="after an application has started"):
        app.add_exception_handler(404, lambda *_: Response())


def who() -> str:
    """A dependency: who asks."""
    return "somebody"


async def test_a_router_that_is_included_works_with_its_dependencies(app: ItemStore) -> None:
    """Beside the store's routes, also below their paths; and in the OpenAPI document."""
    router = APIRouter()

    @router.get("/items/{item}/price")
    def price(item: str, asker: Annotated[str, Depends(who)]) -> dict[str, str]:
        return {"item": item, "asker": asker}

    app.include_router(router)
    app.dependency_overrides[who] = lambda: "the test"

    async with client_of(app) as client:
        answer = await client.get("/items/tea/price")
        document = (await client.get("/openapi.json")).json()

    assert answer.json() == {"item": "tea", "asker": "the test"}
    assert "get" in document["paths"]["/items/{item}/price"]
    assert "put" in document["paths"]["/items/{id}"]


@pytest.mark.parametrize(
    ("path", "shadowed_by"),
    [
        ("/items/{item}", "/items/{id}"),
        ("/items/special", "/items/{id}"),
        ("/items/{rest:path}", "/items/{id}"),
        ("/events", "/events"),
        ("/", "/"),
    ],
)
@pytest.mark.parametrize("is_included", [False, True])
async def test_a_route_that_no_request_would_come_to_is_refused(
    app: ItemStore, path: str, shadowed_by: str, *, is_included: bool
) -> None:
    """When the application starts: silence would be found out in production."""
    router = APIRouter()
    (router if is_included else app).add_api_route(path, lambda: "never")
    if is_included:
        app.include_router(router)

    async with client_of(app) as client:
        with pytest.raises(CannotAdd) as refused:
            await client.get("/items")

    sentence = f"The route {path} would never be asked: {shadowed_by} of the store is there."
    assert str(refused.value).startswith(sentence)


async def test_an_application_that_is_mounted_in_the_store_works(app: ItemStore) -> None:
    """At a path that is free, or at all that are left."""

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(f"page {scope['path']}")(scope, receive, send)

    app.mount("/pages", page)
    app.mount("", page)

    async with client_of(app) as client:
        assert (await client.get("/pages/one")).text == "page /pages/one"
        assert (await client.get("/other")).text == "page /other"
        assert (await client.get("/items")).json()["items"] == []


async def test_what_is_added_needs_a_token_where_the_store_has_one(
    app: ItemStore, whole: dict[str, str]
) -> None:
    """As before; a middleware is around that, and sees what is refused."""
    seen: list[str] = []
    app.add_middleware(Marked, seen=seen)
    app.add_api_route("/added", lambda: "here")

    async with client_of(app) as client:
        refused = await client.get("/added")
        assert (await client.get("/added", headers=whole)).json() == "here"

    problem(refused, 401, "unauthorized")
    assert refused.headers["x-marked"] == "yes"


async def test_an_error_of_an_added_route_keeps_its_status_and_its_words(app: ItemStore) -> None:
    """An HTTPException is a problem with its own status; it was answered with 404 once."""

    @app.get("/prices/{item}")
    def price(item: str) -> None:
        raise HTTPException(403 if item == "secret" else 404, f"No price of {item} for you")

    async with client_of(app) as client:
        for item, status, title in (("secret", 403, "Forbidden"), ("tea", 404, "Not Found")):
            answer = await client.get(f"/prices/{item}")
            assert answer.status_code == status
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json() == {
                "type": "about:blank",
                "title": title,
                "status": status,
                "detail": f"No price of {item} for you",
                "request_id": answer.headers["x-request-id"],
            }


async def test_a_handler_of_a_status_is_asked_for_every_route(app: ItemStore) -> None:
    """What none is for stays the problem that it is."""

    @app.exception_handler(404)
    async def not_here(request: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"nothing": request.url.path, "why": error.detail}, error.status_code)

    async with client_of(app) as client:
        item = await client.get("/items/none")
        page = await client.get("/none")
        stale = await client.put("/items/foo", json={}, headers={"If-Match": '"1"'})

    assert (item.status_code, page.status_code) == (404, 404)
    assert item.json()["nothing"] == "/items/none"
    assert item.json()["why"] == "There is no item 'none'."
    assert page.json()["nothing"] == "/none"
    problem(stale, 412, "unexpected-version")
    assert stale.json()["request_id"] == stale.headers["x-request-id"]


async def test_a_handler_of_a_class_is_asked_for_the_stores_own_errors(app: ItemStore) -> None:
    """The one that the domain raises, before it is a problem."""

    @app.exception_handler(ItemNotFound)
    async def not_found(_: Request, error: ItemNotFound) -> JSONResponse:
        return JSONResponse({"lacks": error.item}, 404)

    async with client_of(app) as client:
        assert (await client.get("/items/none")).json() == {"lacks": "none"}
        problem(await client.delete("/items"), 405, "method-not-allowed")


async def test_a_handler_of_all_errors_is_asked_for_what_nobody_has_foreseen(
    app: ItemStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And, as Starlette has it, the server is told of the error too."""

    async def broken(*_: object, **__: object) -> None:
        message = "broken on purpose"
        raise ValueError(message)

    assert app.context is not None
    monkeypatch.setattr(type(app.context.store.collections["items"].items), "get", broken)

    @app.exception_handler(Exception)
    async def sorry(_: Request, error: Exception) -> PlainTextResponse:
        return PlainTextResponse(f"sorry: {error}", 500)

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://store") as client:
        assert (await client.get("/items/foo")).text == "sorry: broken on purpose"
        problem(await client.get("/items/a/b"), 404, "not-found")
