"""`/problems/{slug}`: what a problem type means and what to do about it."""

from __future__ import annotations

import html
import re

from fastapi import APIRouter

from itemstore.api.http.html_pages import html_page, wants_html
from itemstore.api.http.preconditions import tagged
from itemstore.api.http.problem_types import PROBLEM_TYPES, ProblemType
from itemstore.api.http.problems import Problem
from itemstore.api.http.reply import Reply, json_reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Route
from itemstore.api.http.vary import BY_ACCEPT
from itemstore.api.openapi import operations
from itemstore.domain.events import ITEMS

router = APIRouter(route_class=Route)

_CODE = re.compile(r"`([^`]+)`")


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
    kind = PROBLEM_TYPES.get(request.named("slug"))
    if kind is None:
        raise Problem("not-found", f"There is no problem type {request.path}.")
    remedy = _of_this_store(request, kind.remedy)
    if wants_html(request):
        meaning, remedy = _as_html(kind.meaning), _as_html(remedy)
        said = f'<p class="muted">Status {kind.status}</p><p>{meaning}</p>'
        said += f"<h2>What to do</h2><p>{remedy}</p>"
        return html_page(request, html.escape(kind.title), said)
    content = {
        "type": request.path,
        "title": kind.title,
        "status": kind.status,
        "meaning": kind.meaning,
        "remedy": remedy,
        "example": _example(kind, request),
    }
    return tagged(request, json_reply(content, headers=[BY_ACCEPT]))


def _as_html(text: str) -> str:
    """A sentence; what stands between backticks in it is code."""
    return _CODE.sub(r"<code>\1</code>", html.escape(text))


def _example(kind: ProblemType, request: Request) -> dict[str, object]:
    return {
        "type": request.path,
        "title": kind.title,
        "status": kind.status,
        "detail": kind.meaning,
        "instance": _of_this_store(request, f"/{ITEMS}/foo"),
        "request_id": "7d1f0c9a52e4-1",
    }


def _of_this_store(request: Request, text: str) -> str:
    """The text for a store whose items are not at `/items`, or not all of them.

    It names no collection: who asks may have no token.
    """
    if [*request.store.collections] == [ITEMS]:
        return text
    return text.replace(f"/{ITEMS}/foo", "/collection/foo").replace(f"/{ITEMS}", "/{collection}")
