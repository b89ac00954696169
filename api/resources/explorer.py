"""`/explorer`: the page for people, and the files that it loads."""

from __future__ import annotations

from functools import cache

from fastapi import APIRouter

from itemstore.api.http.files import File, file_reply
from itemstore.api.http.html_pages import HTML, page_headers
from itemstore.api.http.problems import Problem
from itemstore.api.http.reply import Reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Route
from itemstore.explorer.assets import PAGE, POLICY, content_of, media_type_of, names

router = APIRouter(route_class=Route)


@router.get("/explorer", include_in_schema=False)
async def explorer(request: Request) -> Reply:
    """The page itself. It holds no data: what it shows, it asks the API for."""
    return file_reply(request, _page(), page_headers(POLICY))


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
    if name not in names():
        raise Problem("not-found", f"There is nothing at {request.path}.")
    return file_reply(request, _loaded(name))


@cache
def _page() -> File:
    return File.of(HTML, content_of(PAGE))


@cache
def _loaded(name: str) -> File:
    return File.of(media_type_of(name), content_of(name))
