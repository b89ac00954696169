"""The way for people: who asks with a browser is led to the explorer's view of what is there."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode

from itemstore.api.http.accept import prefers_html
from itemstore.api.http.cache_control import REVALIDATE
from itemstore.api.http.reply import Reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Resource
from itemstore.api.http.vary import BY_ACCEPT
from itemstore.domain.ids import InvalidItemId

_OF_A_LIST = frozenset({"prefix", "after", "where", "order", "search", "limit"})
"""Parameters that the view of a list has too."""

_READS = frozenset({"GET", "HEAD"})

_VERSION = re.compile(rb"[1-9][0-9]*")


def way_to_explorer(request: Request, resource: Resource) -> Reply | None:
    """303 to the explorer's view of an item, a list or a version, for who would rather have HTML.

    None for everyone else. It looks at the request alone, so it is the same whether anything is
    there or not, and says nothing to who has no token. The way is relative, as a proxy that takes a
    prefix off the path says nothing of it. A date (Accept-Datetime) leads to a version first, as it
    does everybody.
    """
    accept = request.fields.get(b"accept")
    if accept is None or not prefers_html(accept) or request.method not in _READS:
        return None
    view = _view(request, resource)
    if view is None:
        return None
    up = "../" * (resource.template.count("/") - 1)
    location = f"{up}explorer?{urlencode(view)}"
    return Reply(303, [(b"location", location.encode()), BY_ACCEPT, REVALIDATE])


def _view(request: Request, resource: Resource) -> list[tuple[str, str]] | None:
    """The parameters of the view; None where there is none of the resource, or no such id."""
    collection = resource.collection
    if collection is None:
        return None
    below = resource.template.removeprefix(f"/{collection}")
    if below == "":
        asked = parse_qsl(request.query.decode("latin-1"))
        kept = [each for each in asked if each[0] in _OF_A_LIST]
        return [("view", "items"), ("collection", collection), *kept]
    try:
        item = [("collection", collection), ("id", request.item_id)]
    except InvalidItemId:
        return None
    if below == "/{id}" and b"accept-datetime" not in request.fields:
        return [("view", "item"), *item]
    number = request.parameters.get("n", b"")
    if below == "/{id}/versions/{n}" and _VERSION.fullmatch(number):
        return [("view", "life"), *item, ("version", number.decode())]
    return None
