"""`/livez` and `/readyz`: whether the process is up, and whether it takes writes."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from itemstore.api.http.cache_control import NO_STORE
from itemstore.api.http.reply import Reply, json_reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Route
from itemstore.api.openapi import operations
from itemstore.engine.errors import LogUnavailable

router = APIRouter(route_class=Route)


@router.get(
    "/livez",
    **operations.service(
        "livez", "The process is up.", content=operations.json_of("Liveness"), is_open=True
    ),
)
async def livez(_: Request) -> Reply:
    """Whether the process is up."""
    return json_reply({"status": "up"}, headers=[NO_STORE])


@router.get(
    "/readyz",
    **operations.service(
        "readyz",
        "The store takes writes.",
        "log-unavailable",
        "log-full",
        content=operations.json_of("Readiness"),
        is_open=True,
    ),
)
async def readyz(request: Request) -> Reply:
    """Whether a write would be taken now, how durable it would be, and what is archived."""
    ready = await request.context.health.readiness()
    tokens = request.context.tokens
    await tokens.refresh()
    if tokens.is_closed:
        raise LogUnavailable(tokens.standing.value, retry_after=60)
    durability = {
        "waits_for": str(ready.durability.acknowledgement),
        "fsync": ready.durability.fsync,
        "meaning": ready.durability.sentence,
    }
    clock = {
        "ahead_seconds": ready.end.ahead_seconds,
        "meaning": ready.end.sentence or "The log is not ahead of the engine's clock.",
    }
    archive = None
    if (progress := ready.archive) is not None:
        archive = {
            "lag": progress.events,
            "lag_seconds": round(progress.seconds, 3),
            "meaning": progress.sentence,
        }
    content: dict[str, Any] = {
        "status": "ready",
        "durability": durability,
        "clock": clock,
        "archive": archive,
    }
    if (partitions := len(request.store.sections)) > 1:
        content["partitions"] = partitions
    return json_reply(content, headers=[NO_STORE])
