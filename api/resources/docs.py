"""`/docs`: the OpenAPI document as a page to try things on (Swagger UI), and all that it loads.

The files come with the store, so that the page works without the internet and runs no script from
elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.resources import files

from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html

from itemstore.api.http.files import File, file_reply
from itemstore.api.http.html_pages import html_reply
from itemstore.api.http.preconditions import tagged
from itemstore.api.http.problems import Problem
from itemstore.api.http.reply import Reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Route

router = APIRouter(route_class=Route)

_SCRIPT, _STYLE, _ICON = "swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"
_MEDIA_TYPES = {
    _SCRIPT: "text/javascript; charset=utf-8",
    _STYLE: "text/css; charset=utf-8",
    _ICON: "image/png",
}
_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Reply:
    """The page itself."""
    page = get_swagger_ui_html(
        openapi_url=f"{request.root}/openapi.json",
        title="itemstore",
        swagger_js_url=f"{request.root}/docs/{_SCRIPT}",
        swagger_css_url=f"{request.root}/docs/{_STYLE}",
        swagger_favicon_url=f"{request.root}/docs/{_ICON}",
    )
    body = bytes(page.body)
    inline = _INLINE_SCRIPT.search(body)
    assert inline is not None
    digest = base64.b64encode(hashlib.sha256(inline[1]).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}' 'self'; "
        "style-src 'unsafe-inline' 'self'; img-src data: 'self'; connect-src 'self'"
    )
    return tagged(request, html_reply(body, policy))


@router.get("/docs/{file}", include_in_schema=False)
async def docs_file(request: Request) -> Reply:
    """A file that the page loads."""
    name = request.parameters["file"].decode("latin-1")
    if name not in _MEDIA_TYPES:
        raise Problem("not-found", f"There is nothing at {request.path}.")
    if name not in _loaded:
        _loaded[name] = await request.worked_out(lambda: _load(name))  # 50 ms for the largest
    return file_reply(request, _loaded[name])


_loaded: dict[str, File] = {}


def _load(name: str) -> File:
    content = files("fastapi_offline").joinpath("static", name).read_bytes()
    return File.of(_MEDIA_TYPES[name], content)
