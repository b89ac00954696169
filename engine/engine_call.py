"""The span of one call of the engine, by the semantic conventions for clients of Redis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from opentelemetry.trace import Span, SpanKind

from itemstore.engine.placed_pool import PlacedPool
from itemstore.tracing import spans

DEFAULT_PORT = 6379


def engine_call(
    call: Callable[..., Any], operation: str, what: str = "", more: spans.Attributes | None = None
) -> AbstractContextManager[Span]:
    """The span of a command that a method of a client or of a connection sends.

    `what` says more about it than its name, such as that of a script; no key and no value.
    """
    summary = f"{operation} {what}" if what else operation
    attributes = {
        "db.system.name": "redis",
        "db.operation.name": operation,
        "db.query.summary": summary,
        **_place(getattr(call, "__self__", None)),
        **(more or {}),
    }
    return spans.part(summary, SpanKind.CLIENT, attributes)


def _place(of: object) -> Mapping[str, str | int]:
    """Where the engine is, as far as a client or a connection says."""
    pool = getattr(of, "connection_pool", None)
    known: Mapping[str, Any] = getattr(pool, "connection_kwargs", None) or {}
    place: dict[str, str | int] = {"db.namespace": str(known.get("db") or 0)}
    if path := known.get("path"):
        return place | {"server.address": str(path), "network.transport": "unix"}
    host, port = known.get("host"), known.get("port")
    if isinstance(pool, PlacedPool):
        host, port = pool.place.known() or (host, port)
    if host:
        place |= {"server.address": str(host), "server.port": int(port or DEFAULT_PORT)}
    return place
