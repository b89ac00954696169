"""The span of a request, by the semantic conventions for servers of HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from http import HTTPStatus
from typing import Any

from opentelemetry import context as contexts
from opentelemetry import propagate, trace
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import Span, SpanKind, StatusCode
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from itemstore.api.http.header_fields import text_of
from itemstore.api.http.incoming import AsgiIncoming, Incoming
from itemstore.api.http.paths import encoded
from itemstore.api.http.routing import AnyReply
from itemstore.tracing import spans

METHODS = frozenset(
    ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE")
)
"""Those that a span names; any other is `_OTHER`, so that nobody makes up names."""

Fields = Mapping[bytes, bytes]


class _ByName(Getter[Fields]):
    """Finds what a client says of its trace in header fields; of several fields, all at once."""

    def get(self, carrier: Fields, key: str) -> list[str] | None:
        value = text_of(carrier, key.lower().encode())
        if value is None or (key == "traceparent" and "," in value):  # then it is none (§3.2)
            return None
        return [value]

    def keys(self, carrier: Fields) -> list[str]:
        return [name.decode("latin-1") for name in carrier]


_BY_NAME = _ByName()


async def with_span(
    answer: Awaitable[AnyReply | None], template: str, incoming: Incoming
) -> AnyReply | None:
    """The answer to a request for a resource, made within a span that ends when it is ready."""
    span = _begin(incoming, template)
    token = contexts.attach(trace.set_span_in_context(span))
    try:
        reply = await answer
        if reply is not None:
            _answered(span, reply.status)
    except HTTPException as error:  # on its way to handlers that somebody added
        _answered(span, error.status_code)
        raise
    except BaseException as error:
        spans.failed(span, error)
        raise
    else:
        return reply
    finally:
        contexts.detach(token)
        span.end()


async def others_with_span(others: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Has FastAPI answer a request within a span, which is named after the route it finds."""
    span = _begin(AsgiIncoming(scope, receive), None)

    async def noted(message: Message) -> None:
        if message["type"] == "http.response.start":
            _answered(span, message["status"])
        await send(message)

    token = contexts.attach(trace.set_span_in_context(span))
    try:
        await others(scope, receive, noted)
    except BaseException as error:
        spans.failed(span, error)
        raise
    finally:
        contexts.detach(token)
        template = getattr(scope.get("route"), "path", None)
        if template is not None:
            span.set_attribute("http.route", template)
            span.update_name(f"{_method(scope['method'])} {template}")
        span.end()


def _begin(incoming: Incoming, template: str | None) -> Span:
    """Below the span of an application that has this one in it, else below that of the client."""
    assert spans.tracer is not None
    fields = incoming.by_name
    kind, parent = SpanKind.INTERNAL, None
    if not trace.get_current_span().get_span_context().is_valid:
        kind, parent = SpanKind.SERVER, propagate.extract(fields, getter=_BY_NAME)
    name = _method(incoming.method)
    if template is not None:
        name = f"{name} {incoming.root}{template}"
    attributes = _attributes(incoming, fields, template)
    return spans.tracer.start_span(name, parent, kind, attributes)


def _method(method: str) -> str:
    return method if method in METHODS else "HTTP"


def _attributes(incoming: Incoming, fields: Fields, template: str | None) -> dict[str, Any]:
    """What is known as it begins: neither the query nor a token nor a body is in it."""
    method, ends = incoming.method, incoming.ends
    known: dict[str, Any] = {
        "http.request.method": method if method in METHODS else "_OTHER",
        "url.path": incoming.root + encoded(incoming.path),
        "url.scheme": ends.scheme,
    }
    if method not in METHODS:
        known["http.request.method_original"] = method
    if template is not None:
        known["http.route"] = incoming.root + template
    if ends.client is not None:
        known["client.address"] = ends.client[0]
    if ends.server is not None:
        known["server.address"] = ends.server[0]
        if ends.server[1] is not None:
            known["server.port"] = ends.server[1]
    if (agent := text_of(fields, b"user-agent")) is not None:
        known["user_agent.original"] = agent
    return known


def _answered(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        span.set_attribute("error.type", str(status))
        span.set_status(StatusCode.ERROR)
