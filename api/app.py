"""The application: routes, errors and the store put together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from importlib.metadata import version
from time import perf_counter
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from redis.asyncio import Redis
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from api import (
    components,
    docs,
    feed,
    item,
    items,
    metrics,
    projections,
    service,
    time_map,
    versions,
)
from api.access import OPEN, authenticate
from api.caching import revalidated
from api.cors import CrossOrigin
from api.idempotency import WRITES, once
from api.model import ItemModel
from api.model_probe import doubt
from api.problems import Problem, problem_of
from api.quoting import shown
from api.rebinding import check_name
from api.reply import NOSNIFF, Headers, Reply, json_reply, problem_reply
from api.request import Request, encoded, raw_path, root_path
from api.routing import Resource, Resources
from api.settings import Settings
from api.shutdown import on_stop_signal
from api.store import Store
from api.tally import OTHER, Tally
from api.traffic import Traffic
from eventlog.connect import connect_to_primary
from eventlog.durability import Acknowledgement, Durability, durability, settle
from eventlog.engine import embedded_in, run
from eventlog.errors import LogBroken, LogFull, LogUnavailable
from eventlog.keys import Keys
from eventlog.room import Room
from eventlog.writable import check_writable
from projections.runner import Runner

logger = logging.getLogger("itemstore")

PATIENCE = 10.0
"""Seconds for which a process that starts waits for its engine."""


def create_app(
    settings: Settings | None = None,
    *,
    redis: Redis | None = None,
    model: type[BaseModel] | None = None,
) -> ItemStore:
    """The API as an ASGI application.

    `redis` is a client of redis-py or fakeredis (`FakeAsyncRedis()`), which stays the caller's
    to close; without it, ITEMSTORE_REDIS_URL says which engine, and without that the embedded one
    runs for as long as the application does. `model` is what ITEMSTORE_MODEL names otherwise.

    Raises UnknownModel, and TypeError for a client that can't be used.
    """
    settings = settings or Settings()
    item_model = ItemModel(model) if model is not None else ItemModel.named(settings.model)
    if (reason := doubt(item_model)) is not None:
        logger.warning(
            "The model %s does not take again what it gives. %s", item_model.name, reason
        )
    return ItemStore(settings, item_model, redis)


class ItemStore(FastAPI):
    """FastAPI, with the resources of the store in front of its own router."""

    def __init__(self, settings: Settings, model: ItemModel, redis: Redis | None) -> None:
        super().__init__(
            title="itemstore",
            version=version("itemstore"),
            description=components.ABOUT,
            license_info={"name": "MIT", "identifier": "MIT"},
            servers=[{"url": "/"}],
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            lifespan=_lifespan,
            exception_handlers={HTTPException: _http_error, Exception: _unforeseen},
        )
        self.settings = settings
        self.model = model
        self.tally = Tally()
        self.traffic = Traffic(settings, self.tally)
        self.store = self.store_on(_usable(redis), Room()) if redis is not None else None
        for module in (
            item, items, time_map, versions, feed, projections, service, docs, metrics,
        ):  # fmt: skip
            self.router.routes.extend(module.router.routes)
        self.resources = Resources(self.router.routes)
        # No route: FastAPI remembers the endpoints of routes for ever, and this one holds the app.
        self.resources.add(Resource("/openapi.json", GET=self._document))
        origins = settings.cors_origins
        self.cross_origin = CrossOrigin(self._answer, origins) if origins else None
        self._entry = self.cross_origin or self._answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        await self._entry(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers from a resource of the store; FastAPI has the description of the API."""
        began = perf_counter()
        found = self.resources.find(_own_path(scope)) if scope["type"] == "http" else None
        if found is None:
            await self._otherwise(scope, receive, send)
            return
        resource, parameters = found
        if self.store is None:
            message = "The store is not open: run the application's lifespan, or pass redis=."
            raise RuntimeError(message)
        request = Request(scope, receive, self.store, parameters)
        method = scope["method"]
        try:
            handler = resource.handler(method)
            if resource.template not in OPEN:
                if not self.store.access.is_open:
                    await authenticate(request)
                if request.token is None:
                    check_name(request)
            if method in WRITES and b"idempotency-key" in request.fields:
                reply = await once(request, handler)
            else:
                reply = await handler(request)
        except ClientDisconnect:
            return
        except asyncio.CancelledError:  # by the server, which has waited for long enough
            reply = _error_reply(LogUnavailable("The server is going down."), request, self.tally)
        except Exception as error:  # noqa: BLE001 - no traceback ever reaches a client
            reply = _error_reply(error, request, self.tally)
        self.tally.answered(resource.template, method, reply.status, perf_counter() - began)
        await reply.send(receive, send, with_body=method != "HEAD")

    async def _document(self, request: Request) -> Reply:
        """The OpenAPI document, for where the API is mounted: /docs sends requests there."""
        document = self.openapi()
        if request.root:
            document = document | {"servers": [{"url": request.root}]}
        return revalidated(request, json_reply(document))

    async def _otherwise(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What FastAPI has besides, for callers who may read: added routes, and 404."""

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.tally.answered(OTHER, scope["method"], message["status"], 0.0)
                if NOSNIFF not in message["headers"]:
                    message["headers"] = [*message["headers"], NOSNIFF]
            await send(message)

        if scope["type"] == "http" and self.store is not None:
            request = Request(scope, receive, self.store, {})
            try:
                authorization = request.field(b"authorization")
                if await self.store.access.token(authorization, "GET") is None:
                    check_name(request)
            except Exception as error:  # noqa: BLE001 - as in __call__
                await _error_reply(error, request, self.tally).send(receive, counted)
                return
        await super().__call__(scope, receive, counted)

    def store_on(self, redis: Redis, room: Room) -> Store:
        """The store that the engine behind a client holds, with the settings of this app."""
        return Store.on(redis, self.settings, self.model, self.traffic, room)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, with the operator's model in it."""
        if not self.openapi_schema:
            self.openapi_schema = components.complete(super().openapi(), self.model)
        return self.openapi_schema


@asynccontextmanager
async def _lifespan(app: ItemStore) -> AsyncIterator[dict[str, Any]]:
    """Opens the store. The server's connections find in the state what they have to heed."""
    state = {"traffic": app.traffic, "cross_origin": app.cross_origin}
    wanted = Acknowledgement.of(app.settings.durability)
    if app.store is not None:
        await settle(app.store.redis, app.store.keys, wanted)
        async with _running(app.store):
            yield state
        return
    async with _engine_url(app.settings) as url:
        redis = connect_to_primary(url)
        try:
            promise = await _promise(redis, app.settings, wanted)
            log = logger.info if promise.is_on_disk else logger.warning
            log("Durability (fsync %s): %s", promise.fsync, promise.sentence)
            await _warn(redis, Keys(app.settings.namespace))
            room = Room(embedded_in(app.settings.data_dir, url))
            app.store = app.store_on(redis, room)
            async with _running(app.store):
                yield state
        finally:
            app.store = None
            await redis.aclose()


async def _promise(redis: Redis, settings: Settings, wanted: Acknowledgement) -> Durability:
    """What the engine promises; waited for where it is just being started again.

    Raises UnsafeEngine, and LogUnavailable after PATIENCE.
    """
    until = perf_counter() + PATIENCE
    while True:
        try:
            return await durability(redis, Keys(settings.namespace), wanted)
        except LogUnavailable:
            if perf_counter() > until:
                raise
        await asyncio.sleep(0.1)


async def _warn(redis: Redis, keys: Keys) -> None:
    """Logs why no write would be taken now, or that the log is ahead. Raises UnsafeEngine."""
    try:
        end = await check_writable(redis, keys)
    except (LogUnavailable, LogFull, LogBroken) as error:
        logger.warning("No write would be taken now: %s", error)
    else:
        if end.sentence is not None:
            logger.warning(end.sentence)


@asynccontextmanager
async def _running(store: Store) -> AsyncIterator[None]:
    """What goes on beside the requests: projections follow the log, streams end in time."""
    with suppress(LogUnavailable, LogFull):  # then the first to read it does this
        await store.log.identity()
    tasks = [
        asyncio.create_task(Runner(store.redis, store.keys, room=store.room).run()),
        asyncio.create_task(store.workers.keep_publishing()),
        asyncio.create_task(store.health.keep_settling()),
    ]
    try:
        with on_stop_signal(store.feed.close):
            yield
    finally:
        store.feed.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _engine_url(settings: Settings) -> AsyncIterator[str]:
    if settings.redis_url is not None:
        yield settings.redis_url
    else:
        with run(settings.data_dir) as engine:
            yield engine.url


def _own_path(scope: Scope) -> bytes:
    """The raw path after the root path, under which the API may be mounted."""
    raw = raw_path(scope)
    if not (root := scope.get("root_path", "")):
        return raw
    sent = root_path(scope).encode()
    return raw[len(sent) :] if raw.startswith(sent) else raw.removeprefix(root.encode())


def _error_reply(error: Exception, request: StarletteRequest, tally: Tally) -> Reply:
    root = root_path(request.scope)
    instance = root + encoded(_own_path(request.scope))
    problem = problem_of(error)
    if problem is None:
        logger.error("%s %s", request.method, instance, exc_info=error)
        problem = Problem("internal-error", "The server's log says what happened.")
    tally.problems[problem.type.slug] += 1
    return problem_reply(problem, instance, root)


async def _http_error(request: StarletteRequest, error: Exception) -> Response:
    """FastAPI's own errors, on the paths that it answers itself, as problems."""
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allow = (error.headers or {}).get("Allow", "GET")
        problem = Problem(
            "method-not-allowed",
            f"{shown(request.url.path)} takes {allow}, not {request.method}.",
            headers={"Allow": allow},
        )
    else:
        path = _own_path(request.scope)
        is_one_slash_off = path.endswith(b"/") and request.app.resources.find(path[:-1])
        hint = ""
        if is_one_slash_off:
            hint = "; without the slash at its end there is"
        elif path.startswith(b"/items/"):
            hint = "; a slash inside an id is written %2F"
        problem = Problem("not-found", f"There is nothing at {shown(request.url.path)}{hint}.")
    return _response(problem, request)


async def _unforeseen(request: StarletteRequest, error: Exception) -> Response:
    """What goes wrong on those paths: a model that JSON Schema has no words for, for one."""
    return _response(error, request)


def _response(error: Exception, request: StarletteRequest) -> Response:
    reply = _error_reply(error, request, request.app.tally)
    return Response(reply.body, reply.status, dict(_decoded(reply.headers)))


def _decoded(headers: Headers) -> Iterator[tuple[str, str]]:
    return ((name.decode(), value.decode()) for name, value in headers)


def _usable(redis: Redis) -> Redis:
    """The client, if it answers in bytes and asynchronously. Raises TypeError."""
    if not isinstance(redis, Redis):
        message = f"redis= takes an asynchronous client (redis.asyncio.Redis), not {type(redis)}."
        raise TypeError(message)
    if redis.connection_pool.connection_kwargs.get("decode_responses"):
        message = "redis= takes a client without decode_responses: bodies are bytes."
        raise TypeError(message)
    return redis
