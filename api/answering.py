"""A request's way: to its resource, through the gates, to the handler; every error is an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from time import perf_counter
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from itemstore.api.access_log import AccessLog
from itemstore.api.context import Context
from itemstore.api.gate.authentication import OPEN, authenticate, let_in, token_of
from itemstore.api.gate.dns_rebinding import check_name
from itemstore.api.gate.scoping import check_whole
from itemstore.api.gate.to_explorer import way_to_explorer
from itemstore.api.http.error_replies import Handlers, error_reply, to_handlers
from itemstore.api.http.idempotency import WRITES, carry_out_once
from itemstore.api.http.incoming import AsgiIncoming, Incoming
from itemstore.api.http.paths import own_path
from itemstore.api.http.reply import ON_EVERY_BODY, Reply
from itemstore.api.http.request import Request
from itemstore.api.http.request_ids import request_id_of, take_up_request_id
from itemstore.api.http.request_span import others_with_span, with_span
from itemstore.api.http.routing import AnyReply, Found, Handler, Resource, Resources
from itemstore.api.short_way import GOING_DOWN, OnTheShortWay, ShortWay
from itemstore.server.counters import OTHER, Counters
from itemstore.server.exchange import Exchange
from itemstore.server.slow_work import QUICK_BYTES
from itemstore.store.tokens import Role
from itemstore.tracing import spans

NOT_OPEN = (
    "The store is not open: run the application's lifespan, or pass redis=. Where it is mounted in "
    "another application, that one's lifespan has to run it: `async with store.lifespan(): yield`."
)


class Answering:
    """The resources as an ASGI application, and another one for every other path.

    Our own server asks `take_over` first, then `respond`: neither needs messages of ASGI
    (docs/decisions/0040, 0110).

    `take_over` takes what can be answered by one of the `short_ways`, which are by their handlers.
    `context` is None for as long as the store is not open. `is_added` says whether there is more at
    a path of the other application than a 404: a route that was added to it. `has_explorer` says
    whether people are led there. `access_log` is None where no requests are logged.
    """

    def __init__(  # noqa: PLR0913 - what it asks, and how it says what it did
        self,
        resources: Resources,
        counters: Counters,
        others: ASGIApp,
        is_added: Callable[[Scope], bool],
        *,
        short_ways: Mapping[Handler, ShortWay],
        has_explorer: bool,
        access_log: AccessLog | None = None,
    ) -> None:
        self.context: Context | None = None
        self._is_closed = False
        self._is_within = False
        self._resources = resources
        self._counters = counters
        self._others = others
        self._handlers: Handlers = {}
        self._is_added = is_added
        self._has_explorer = has_explorer
        self._access_log = access_log
        self._short_ways = short_ways

    def be_within(self, router: ASGIApp, handlers: Handlers) -> None:
        """Is asked from now on from within what somebody added around it.

        Other paths are left to the router then. Where handlers of errors were added, errors are
        raised to them.
        """
        self._others = router
        self._handlers = handlers
        self._is_within = True

    def close(self) -> None:
        """Ends the use of the store; a client that still waits on its connection is told so."""
        self.context = None
        self._is_closed = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request of any server's, by ASGI."""
        found = self._resources.find(own_path(scope)) if scope["type"] == "http" else None
        if self._is_within and scope["type"] == "http":
            take_up_request_id(scope)
        if found is None:
            if spans.tracer is None or scope["type"] != "http":
                await self._otherwise(scope, receive, send)
            else:
                await others_with_span(self._otherwise, scope, receive, send)
            return
        reply = await self._reply(found, AsgiIncoming(scope, receive))
        if reply is not None:
            await reply.send(receive, send, with_body=scope["method"] != "HEAD")

    def respond(self, exchange: Exchange) -> Coroutine[Any, Any, AnyReply | None] | None:
        """What answers a request of our own server's; None where another application does."""
        found = self._resources.find(exchange.path)
        return None if found is None else self._reply(found, exchange)

    def take_over(self, exchange: Exchange, tasks: set[Any]) -> bool:
        """Whether a request goes the short way. Among the tasks is then what answers it."""
        found = self._resources.find(exchange.path)
        if found is None:
            return False
        resource, parameters = found
        handler = resource.handlers.get(exchange.method)
        way = None if handler is None else self._short_ways.get(handler)
        if (
            way is None
            or self.context is None
            or spans.tracer is not None
            or not exchange.has_whole_body(QUICK_BYTES)
            or b"idempotency-key" in exchange.by_name
        ):
            return False
        request = Request(exchange, self.context, parameters, resource.collection)
        if self._has_explorer and way_to_explorer(request, resource) is not None:
            return False
        if not let_in(request, resource):
            return False
        return OnTheShortWay(self, exchange, request, resource, way, tasks).begin()

    def _reply(self, found: Found, incoming: Incoming) -> Coroutine[Any, Any, AnyReply | None]:
        """What answers a request for a resource; within a span, where somebody takes those."""
        answer = self._answer(found, incoming)
        if spans.tracer is None:
            return answer
        return with_span(answer, found[0].template, incoming)

    async def _answer(self, found: Found, incoming: Incoming) -> AnyReply | None:
        """The handler's reply, or that to an error; None where the client has left."""
        began = perf_counter()
        resource, parameters = found
        if self.context is None:
            return self._without_store(incoming)
        request = Request(incoming, self.context, parameters, resource.collection)
        method = incoming.method
        reply: AnyReply
        try:
            handler = resource.handler(method)
            way = way_to_explorer(request, resource) if self._has_explorer else None
            if way is None and resource.template not in OPEN:
                if not self.context.tokens.is_open:
                    await authenticate(request, resource)
                if request.token is None and self.context.tokens.lets_all_in:
                    check_name(request)
            if way is not None:
                reply = way
            elif method in WRITES and b"idempotency-key" in request.fields:
                reply = await carry_out_once(request, handler)
            else:
                reply = await handler(request)
        except ClientDisconnect:
            self._left(request, resource, began)
            return None
        except asyncio.CancelledError:  # by the server, which has waited for long enough
            reply = error_reply(GOING_DOWN, incoming, self._counters)
        except Exception as error:  # noqa: BLE001 - no traceback ever reaches a client
            reply = self.failed(error, incoming, resource.template)
        return self.answered(request, resource, reply, began)

    def _left(self, request: Request, resource: Resource, began: float) -> None:
        """Nothing: the client waits for no answer."""
        if self._access_log is not None:
            self._access_log.left(request, resource.template, began)

    def answered(
        self, request: Request, resource: Resource, reply: AnyReply, began: float
    ) -> AnyReply:
        """The reply, counted and, where that is wanted, logged."""
        template = resource.template
        self._counters.answered(template, request.method, reply.status, perf_counter() - began)
        if self._access_log is None:
            return reply
        return self._access_log.answered(request, template, reply, began)

    def failed(self, error: Exception, incoming: Incoming, template: str) -> Reply:
        """The answer to an error. Raises what is for handlers that were added, where any were."""
        if not self._handlers:
            return error_reply(error, incoming, self._counters)
        status, raised = to_handlers(error, incoming, self._counters, self._handlers)
        self._counters.answered(template, incoming.method, status, 0.0)
        if self._access_log is not None:
            asked = (incoming.method, template, status, incoming.request_id)
            self._access_log.answered_otherwise(*asked, incoming.ends.client)
        raise raised from error.__cause__

    def _without_store(self, incoming: Incoming) -> AnyReply:
        if not self._is_closed:
            raise RuntimeError(NOT_OPEN)
        return error_reply(GOING_DOWN, incoming, self._counters)

    async def _otherwise(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets FastAPI answer, to callers that may read: routes that were added, and 404."""

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._counters.answered(OTHER, scope["method"], message["status"], 0.0)
                if self._access_log is not None:
                    asked = (scope["method"], OTHER, message["status"], request_id_of(scope))
                    self._access_log.answered_otherwise(*asked, scope.get("client"))
                missing = [each for each in ON_EVERY_BODY if each not in message["headers"]]
                message["headers"] = [*message["headers"], *missing]
            await send(message)

        if scope["type"] == "http" and self.context is not None:
            incoming = AsgiIncoming(scope, receive)
            request = Request(incoming, self.context, {})
            try:
                request.token = await token_of(request, Role.reader)
                if request.token is None:
                    check_name(request)
                elif self._is_added(scope):
                    check_whole(request, request.path)
            except Exception as error:  # noqa: BLE001 - as in _answer
                reply = self.failed(error, incoming, OTHER)
                await reply.send(receive, counted)
                return
        await self._others(scope, receive, counted)
