"""`/`: what this service is."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter

from itemstore.api.http.html_pages import html_page, wants_html
from itemstore.api.http.preconditions import tagged
from itemstore.api.http.reply import Reply, json_reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Route
from itemstore.api.http.vary import vary
from itemstore.api.openapi import operations
from itemstore.store.tokens import Role

router = APIRouter(route_class=Route)

VARY = vary(b"accept", b"authorization")
"""It says what who asks may do."""

_PAGES = {"explorer": "The explorer", "docs": "The API, to try"}

_ABOUT_WITHOUT_QUERIES = "An event-sourced item store."

_ABOUT = f"{_ABOUT_WITHOUT_QUERIES} Items are found by what is in them: ?where=, ?order=, ?search=."


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
    """What this service is, and where everything is; and what who asks may do.

    Who has no token, where one is wanted, is told no names of collections.
    """
    root, access = request.root, _access(request)
    shown = [
        each
        for each in request.store.collections.values()
        if access["role"] is not None and request.scope.sees(each.name)
    ]
    links = {each.name: root + each.path for each in shown}
    if request.store.settings.explorer:
        links["explorer"] = f"{root}/explorer"
    links |= {
        "events": f"{root}/events",
        "projections": f"{root}/projections",
        "stats": f"{root}/stats",
        "docs": f"{root}/docs",
        "openapi": f"{root}/openapi.json",
        "readyz": f"{root}/readyz",
    }
    content = {
        "name": "itemstore",
        "description": _ABOUT if request.context.read_model else _ABOUT_WITHOUT_QUERIES,
        "version": version("itemstore"),
        "collections": [each.name for each in shown],
        "queries": request.context.read_model is not None,
        "access": access,
        "links": links,
    }
    if not wants_html(request):
        return tagged(request, json_reply(content, headers=[VARY]))
    return html_page(request, "itemstore", _for_people(content), VARY)


def _for_people(content: Mapping[str, Any]) -> str:
    """The same as HTML: first what a person looks at, then what there is for programs."""
    links, names = content["links"], content["collections"]
    pages = [name for name in _PAGES if name in links]
    others = [name for name in links if name not in {*pages, *names}]
    said = f"<p>{html.escape(content['description'])}</p>"
    if content["access"]["role"] is None:
        said += "<p>This store wants a token; the pages ask for it.</p>"
    said += "<h2>To look at</h2>" + _listed(links, pages)
    if names:
        said += "<h2>Collections</h2>" + _listed(links, names)
    return said + "<h2>For programs</h2>" + _listed(links, others)


def _listed(links: Mapping[str, str], names: Iterable[str]) -> str:
    listed = "".join(
        f'<li><a href="{html.escape(links[name])}">{_PAGES.get(name, name)}</a></li>'
        for name in names
    )
    return f"<ul>{listed}</ul>"


def _access(request: Request) -> dict[str, Any]:
    """What who asks may do: as an admin's, in a store that is open to all."""
    token, tokens = request.token, request.context.tokens
    if token is not None:
        return {"is_open": False, "token": token.name, "role": token.role.name} | (
            token.scope.as_dict()
        )
    role = Role.admin.name if tokens.lets_all_in else None
    return {"is_open": tokens.lets_all_in, "token": None, "role": role}
