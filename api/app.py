"""The application: its resources, the store and the server's limits put together."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from importlib import metadata
from threading import Lock
from typing import Any

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from pydantic import BaseModel
from redis.asyncio import Redis
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from itemstore.api.access_log import AccessLog
from itemstore.api.added import check_middleware, check_routes
from itemstore.api.answering import Answering
from itemstore.api.context import Context, limits_of
from itemstore.api.gate.cross_origin import CrossOrigin
from itemstore.api.http.error_replies import http_error, unforeseen
from itemstore.api.http.preconditions import tagged
from itemstore.api.http.reply import Reply, json_reply
from itemstore.api.http.request import Request
from itemstore.api.http.request_ids import WithRequestIds
from itemstore.api.http.routing import Resource, Resources, Route
from itemstore.api.lifespan import running
from itemstore.api.openapi import document
from itemstore.api.refusals import served_app
from itemstore.api.resources import (
    admin_operations,
    admin_projections,
    admin_tokens,
    batch,
    docs,
    events,
    explorer,
    health,
    item,
    item_events,
    items,
    metrics,
    partitions,
    problem_type,
    projections,
    revert,
    schemas,
    service,
    version,
    version_diff,
    versions,
)
from itemstore.domain.events import ITEMS
from itemstore.engine.clients import Clients, OneEngine
from itemstore.projections.queries.indexes.declared import declared
from itemstore.server.admission import Admission
from itemstore.server.counters import Counters
from itemstore.server.served_app import STATE
from itemstore.store.beginning import begun, reach
from itemstore.store.layout import numbers_of, with_partitions
from itemstore.store.model import ItemModel
from itemstore.store.model_probe import doubt
from itemstore.store.named_collections import checked_names, named_collections
from itemstore.store.opening import open_to_serve, store_on
from itemstore.store.projections import named_projections
from itemstore.store.settings import Settings
from itemstore.store.sql_place import database_of
from itemstore.store.store import Store
from itemstore.tracing import spans

logger = logging.getLogger(__name__)

NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "auto_configure": False,
}
"""FastAPI's own would see only what is not the store's (docs/decisions/0087)."""


def create_app(
    settings: Settings | None = None,
    *,
    redis: Redis | None = None,
    model: type[BaseModel] | None = None,
    collections: Mapping[str, type[BaseModel] | None] | None = None,
) -> ItemStore:
    """The API as an ASGI application.

    `redis` is a client of redis-py or fakeredis (`FakeAsyncRedis()`), which stays the caller's
    to close; without it, ITEMSTORE_REDIS_URL says which engine, and without that the embedded one
    runs for as long as the application does. `model` is what ITEMSTORE_MODEL names otherwise,
    and `collections` what ITEMSTORE_COLLECTIONS does: models by name, None for any JSON object.

    An engine that is not the embedded one has an archive only where ITEMSTORE_ARCHIVE names one.

    Raises UnknownName, NotDeclarable, NotAnArchive, NotASqlUrl, and TypeError for a client that
    can't be used, or for both `model` and `collections`.
    """
    settings = settings or Settings()
    models = _models(settings, model, collections)
    for each in models.values():
        if (reason := doubt(each)) is not None:
            logger.warning(
                "A model does not accept unchanged what it stores",
                extra={"model": each.name, "reason": reason},
            )
    return ItemStore(settings, models, redis)


def _models(
    settings: Settings,
    model: type[BaseModel] | None,
    collections: Mapping[str, type[BaseModel] | None] | None,
) -> Mapping[str, ItemModel]:
    """The models of the collections by name: the arguments count before the settings."""
    if collections is not None:
        if model is not None:
            message = "model= is for the only collection, /items; with collections= it is in these."
            raise TypeError(message)
        if not collections:
            message = "collections= names no collection: a store has one at least."
            raise TypeError(message)
        names = checked_names(collections, "collections= names")
        return {name: ItemModel(collections[name]) for name in names}
    if model is not None:
        return {ITEMS: ItemModel(model)}
    return named_collections(settings.collections, settings.model)


class ItemStore(FastAPI):
    """FastAPI, with the resources of the store in front of its own router."""

    def __init__(
        self, settings: Settings, models: Mapping[str, ItemModel], redis: Redis | None
    ) -> None:
        super().__init__(
            title="itemstore",
            version=metadata.version("itemstore"),
            description=document.ABOUT,
            license_info={"name": "MIT", "identifier": "MIT"},
            servers=[{"url": "/"}],
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            telemetry=NO_TELEMETRY,
            lifespan=_lifespan,
            exception_handlers={HTTPException: http_error, Exception: unforeseen},
        )
        self.settings = settings
        self.models = models
        self._description: dict[str, Any] | None = None
        self._describing = Lock()  # it is made off the event loop
        self.projections = named_projections(settings.projections, models)
        database_of(settings)  # before anything is opened: it may be no place
        self.declared = declared(settings.indexes, settings.text, models)
        self.counters = Counters()
        self.admission = Admission(limits_of(settings), self.counters)
        self.router.routes.extend(_routes(models, has_explorer=settings.explorer))
        self.resources = Resources(self.router.routes)
        # No route: FastAPI remembers the endpoints of routes for ever, and this one holds the app.
        self.resources.add(Resource("/openapi.json", GET=self._document))
        self.access_log = AccessLog() if settings.access_log else None
        self.answering = Answering(
            *(self.resources, self.counters, super().__call__, self._has_added),
            short_ways=item.SHORT_WAYS,
            has_explorer=settings.explorer,
            access_log=self.access_log,
        )
        self._own_routes = len(self.router.routes)  # what is added comes after them
        self.cross_origin: CrossOrigin | None = None
        self._own_handlers = dict(self.exception_handlers)
        self.clients: Clients | None = None if redis is None else OneEngine(_usable(redis))
        if self.clients is not None:
            self.serve(store_on(self.clients, settings, names=models))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        spans.look_again()
        self.put_together()
        await self._entry(scope, receive, send)

    def put_together(self) -> None:
        """Puts what was added around the resources, once: after that it is too late to add more.

        Where nothing was, requests don't go through Starlette's stack (docs/decisions/0088).
        Raises CannotAdd.
        """
        if self.middleware_stack is not None:
            return
        spans.look_for_provider()
        check_routes(self.router.routes[self._own_routes :], self.resources)
        self.middleware_stack = self.build_middleware_stack()
        handlers = {
            key: handler
            for key, handler in self.exception_handlers.items()
            if self._own_handlers.get(key) is not handler
        }
        self.is_wrapped = bool(self.user_middleware or handlers)
        entry: ASGIApp = self.answering
        if self.is_wrapped:
            self.answering.be_within(self.router.middleware_stack, handlers)
            self.router.middleware_stack = self.answering
            entry = super().__call__
        if origins := self.settings.cors_origins:
            entry = self.cross_origin = CrossOrigin(entry, origins)
        self._entry: ASGIApp = WithRequestIds(entry)

    def add_middleware(
        self, middleware_class: Callable[..., ASGIApp], *args: Any, **kwargs: Any
    ) -> None:
        """Adds a middleware around all routes, the store's too. Raises CannotAdd, RuntimeError."""
        check_middleware(middleware_class)
        super().add_middleware(middleware_class, *args, **kwargs)

    def add_exception_handler(
        self, exc_class_or_status_code: int | type[Exception], handler: Any
    ) -> None:
        """Adds a handler of errors, the store's too. Raises RuntimeError."""
        if self.middleware_stack is not None:
            raise RuntimeError("Cannot add a handler of errors after an application has started")
        super().add_exception_handler(exc_class_or_status_code, handler)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """The store, open for the block.

        For the lifespan of an application that it is mounted in: nobody else runs the store's own.
        """
        async with self.router.lifespan_context(self):
            yield

    @property
    def context(self) -> Context | None:
        """What requests work with; None for as long as the store is not open."""
        return self.answering.context

    def serve(self, store: Store) -> Context:
        """Answers requests from the store, and gives what they work with."""
        context = Context.of(store, self.models, self.projections, self.admission)
        self.answering.context = context
        return context

    def _has_added(self, scope: Scope) -> bool:
        """Whether a route that is none of the store's was added for a request."""
        return any(route.matches(scope)[0] is not Match.NONE for route in self.router.routes)

    async def _document(self, request: Request) -> Reply:
        """The OpenAPI document, for where the API is mounted: /docs sends requests there."""
        if self._description is None:  # with a hundred collections it takes a second or two
            await request.worked_out(self.openapi)
        document = self.openapi()
        if request.root:
            document = document | {"servers": [{"url": request.root}]}
        return tagged(request, json_reply(document))

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, with the operator's model in it."""
        with self._describing:
            if self._description is None:
                self._description = document.complete(super().openapi(), self.models)
            return self._description


@asynccontextmanager
async def _lifespan(app: ItemStore) -> AsyncIterator[dict[str, Any]]:
    """Opens the store. The server finds in the state what it has to know of this application."""
    root = app.settings.root_path or ""
    spans.look_for_provider()
    app.put_together()
    is_direct = not app.is_wrapped and app.cross_origin is None
    answering = app.answering if is_direct else None
    told = served_app(app.admission, app.cross_origin, root, answering, app.access_log)
    state = {STATE: told}
    if app.context is not None and app.clients is not None:
        store = app.context.store
        settings = await with_partitions(app.clients, app.settings)
        if numbers_of(settings) != numbers_of(store.settings):
            store = store_on(app.clients, settings, names=app.models)
        async with (
            begun(store, await reach(store)),
            running(app.serve(store)),  # anew: the feed of a lifespan before was closed
        ):
            yield state
        return
    async with open_to_serve(app.settings, app.models) as store:
        try:
            async with running(app.serve(store)):
                yield state
        finally:
            app.answering.close()


def _routes(models: Mapping[str, ItemModel], *, has_explorer: bool) -> Iterator[Route]:
    """Those of each collection, and then those of the whole store."""
    of_a_collection = (item, items, item_events, versions, version, version_diff, revert)
    for name in models:
        for module in of_a_collection:
            for route in module.router.routes:
                assert isinstance(route, Route)
                yield route.of(name)
    of_the_store = [batch, events, projections, schemas, service, health, problem_type]
    of_the_store += [docs, metrics, partitions]
    of_the_store += [admin_operations, admin_projections, admin_tokens]
    if has_explorer:
        of_the_store.append(explorer)
    for module in of_the_store:
        for route in module.router.routes:
            assert isinstance(route, Route)
            yield route


def _usable(redis: Redis) -> Redis:
    """The client, if it answers in bytes and asynchronously. Raises TypeError."""
    if not isinstance(redis, Redis):
        message = f"redis= takes an asynchronous client (redis.asyncio.Redis), not {type(redis)}."
        raise TypeError(message)
    if redis.connection_pool.connection_kwargs.get("decode_responses"):
        message = "redis= takes a client without decode_responses: bodies are bytes."
        raise TypeError(message)
    return redis
