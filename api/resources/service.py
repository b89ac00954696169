"""`/`, `/livez`, `/readyz` and `/problems/{slug}`: the service itself."""

from __future__ import annotations

import html
from importlib.metadata import version

from fastapi import APIRouter

from itemstore.api.http.accept import preferred
from itemstore.api.http.cache_control import NO_STORE
from itemstore.api.http.preconditions import tagged
from itemstore.api.http.problem_types import PROBLEM_TYPES, ProblemType
from itemstore.api.http.problems import Problem
from itemstore.api.http.reply import Reply, html_reply, json_reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Route
from itemstore.api.http.vary import BY_ACCEPT
from itemstore.api.openapi import operations
from itemstore.engine.errors import LogUnavailable

router = APIRouter(route_class=Route)


@router.get(
    "/",
    **operations.service(
        "service",
        "What this service is.",
        content=operations.json_of("Service") | operations.text_of("text/html"),
        parameters=operations.VALIDATED,
    ),
)
async def service(request: Request) -> Reply:
    """What this service is, and where everything is."""
    root = request.root
    links = {
        "items": f"{root}/items",
        "events": f"{root}/events",
        "projections": f"{root}/projections",
        "stats": f"{root}/stats",
        "docs": f"{root}/docs",
        "openapi": f"{root}/openapi.json",
        "readyz": f"{root}/readyz",
    }
    content = {
        "name": "itemstore",
        "description": "An event-sourced item store.",
        "version": version("itemstore"),
        "links": links,
    }
    if not _wants_html(request):
        return tagged(request, json_reply(content, headers=[BY_ACCEPT]))
    listed = "".join(f'<li><a href="{url}">{name}</a></li>' for name, url in links.items())
    return _page(request, "itemstore", f"<p>{content['description']}</p><ul>{listed}</ul>")


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
    """Whether a write would be taken now, and how durable it would be."""
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
    content = {"status": "ready", "durability": durability, "clock": clock}
    return json_reply(content, headers=[NO_STORE])


@router.get(
    "/problems/{slug}",
    **operations.service(
        "problem_type",
        "A problem type.",
        "not-found",
        content=operations.json_of("ProblemType") | operations.text_of("text/html"),
        parameters=("slug", *operations.VALIDATED),
        is_open=True,
    ),
)
async def problem_type(request: Request) -> Reply:
    """What a problem type means and what to do about it."""
    kind = PROBLEM_TYPES.get(request.parameters["slug"].decode("latin-1"))
    if kind is None:
        raise Problem("not-found", f"There is no problem type {request.path}.")
    if _wants_html(request):
        escaped = [html.escape(text) for text in (kind.title, kind.meaning, kind.remedy)]
        title, meaning, remedy = escaped
        return _page(request, title, f"<p>{meaning}</p><h2>What to do</h2><p>{remedy}</p>")
    content = {
        "type": request.path,
        "title": kind.title,
        "status": kind.status,
        "meaning": kind.meaning,
        "remedy": kind.remedy,
        "example": _example(kind, request.path),
    }
    return tagged(request, json_reply(content, headers=[BY_ACCEPT]))


def _example(kind: ProblemType, path: str) -> dict[str, object]:
    return {
        "type": path,
        "title": kind.title,
        "status": kind.status,
        "detail": kind.meaning,
        "instance": "/items/foo",
    }


def _wants_html(request: Request) -> bool:
    """Whether the client is a browser, which would rather have HTML than JSON."""
    return preferred(request, "application/json", "text/html") == "text/html"


def _page(request: Request, title: str, content: str) -> Reply:
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title></head><body><h1>{title}</h1>{content}</body></html>"
    )
    reply = html_reply(page.encode(), "default-src 'none'")
    return tagged(request, Reply(reply.status, [*reply.headers, BY_ACCEPT], reply.body))
