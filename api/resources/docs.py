"""`/docs`: the OpenAPI document as a page to try things on (Swagger UI), and all that it loads.

The files come with the store, so that the page works without the internet and runs no script from
elsewhere. It holds no data, so it is open to everybody, and asks for a token by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

from fastapi import APIRouter

from itemstore.api.http.files import File, file_reply
from itemstore.api.http.html_pages import HTML, page_headers
from itemstore.api.http.problems import Problem
from itemstore.api.http.reply import Reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Route
from itemstore.explorer import assets

router = APIRouter(route_class=Route)

_PAGE = "docs/page.html"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline' 'self'; "
    "img-src data: 'self'; connect-src 'self'"
)

_SWAGGER = frozenset({"swagger-ui-bundle.js", "swagger-ui.css"})

_OURS: Mapping[str, str] = {
    path.rpartition("/")[2]: path
    for path in (
        *("docs/docs.js", "docs/docs.css", "docs/mending.js", "kept_token.js", "icon.svg"),
        *("styles/base.css", "styles/forms.css", "styles/frame.css", "styles/notices.css"),
    )
}
"""Files of the explorer by the names that they have here: it may be turned off."""

_loaded: dict[str, File] = {}


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Reply:
    """The page itself."""
    return file_reply(request, await _file(request, _PAGE), page_headers(_POLICY))


@router.get("/docs/{file}", include_in_schema=False)
async def docs_file(request: Request) -> Reply:
    """A file that the page loads."""
    name = request.named("file")
    if name not in _SWAGGER and name not in _OURS:
        raise Problem("not-found", f"There is nothing at {request.path}.")
    return file_reply(request, await _file(request, name))


async def _file(request: Request, name: str) -> File:
    """A file, by its name here. The first time it is compressed beside the event loop."""
    if name not in _loaded:
        _loaded[name] = await request.context.slow_work.run(lambda: _load(name))
    return _loaded[name]


def _load(name: str) -> File:
    if name == _PAGE:
        return File.of(HTML, assets.content_of(name))
    if name in _OURS:
        return File.of(assets.media_type_of(name), assets.content_of(_OURS[name]))
    content = files("fastapi_offline").joinpath("static", name).read_bytes()
    return File.of(assets.media_type_of(name), content)
