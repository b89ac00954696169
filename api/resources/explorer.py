"""`/explorer`: the page for people, and the files that it loads."""

from __future__ import annotations

from fastapi import APIRouter

from itemstore.api.http.entity_tags import content_tag
from itemstore.api.http.html_pages import html_reply
from itemstore.api.http.preconditions import tagged
from itemstore.api.http.problems import Problem
from itemstore.api.http.reply import Reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Route
from itemstore.explorer.assets import PAGE, POLICY, content_of, media_type_of

router = APIRouter(route_class=Route)


@router.get("/explorer", include_in_schema=False)
async def explorer(request: Request) -> Reply:
    """The page itself. It holds no data: what it shows, it asks the API for."""
    page = content_of(PAGE)
    assert page is not None
    return tagged(request, html_reply(page, POLICY))


@router.get("/explorer/{file}", include_in_schema=False)
async def explorer_file(request: Request) -> Reply:
    """A file that the page loads."""
    return _file(request, request.parameters["file"])


@router.get("/explorer/{folder}/{file}", include_in_schema=False)
async def explorer_file_in_folder(request: Request) -> Reply:
    """A file in one of the page's folders."""
    return _file(request, request.parameters["folder"] + b"/" + request.parameters["file"])


def _file(request: Request, path: bytes) -> Reply:
    name = path.decode("latin-1")
    media_type, content = media_type_of(name), content_of(name)
    if media_type is None or content is None:
        raise Problem("not-found", f"There is nothing at {request.path}.")
    reply = Reply(200, [(b"content-type", media_type.encode())], content)
    return tagged(request, reply, content_tag(content))
