"""Link (RFC 8288): the next page; an item, its TimeGate, its TimeMap and its versions."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlencode

from itemstore.api.http.header_fields import text
from itemstore.api.http.paths import item_path
from itemstore.api.http.query_parameters import Query
from itemstore.api.http.reply import Header
from itemstore.api.http.request import Request

_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]+)?|\[[0-9A-Fa-f:.]+\](:[0-9]+)?")


def origin(request: Request) -> str:
    """Scheme and host as the client knows them; empty where the request does not say.

    The server has found out which scheme, from the proxies that it trusts. Memento clients expect
    absolute URIs, as in all the examples of RFC 7089.
    """
    return _origin(request.fields.get(b"host"), request.ends.scheme)


@lru_cache(maxsize=64)
def _origin(host: bytes | None, scheme: str) -> str:
    name = text(host or b"")
    if not _HOST.fullmatch(name):
        return ""
    return f"{scheme}://{name}"


def item_links(request: Request, item: str) -> bytes:
    """The item, and all of its versions (RFC 5829 §3, RFC 7089 §2.2)."""
    return _item_links(origin(request) + item_path(request.base, item)).encode()


def version_links(request: Request, item: str, number: int, count: int) -> Header:
    """The links of one of `count` versions: the item's, and the versions before and after it."""
    url = origin(request) + item_path(request.base, item)
    links = _item_links(url)
    if number > 1:
        links += f', <{url}/versions/{number - 1}>; rel="predecessor-version"'
    if number < count:
        links += f', <{url}/versions/{number + 1}>; rel="successor-version"'
    return b"link", links.encode()


def next_page(path: str, wanted: Query, **cursor: str) -> Header:
    """The link to the next page, which begins where the cursor says."""
    parameters = wanted.model_dump(exclude_defaults=True, by_alias=True) | cursor
    shown = {
        name: f"{value:g}" if isinstance(value, float) else value  # as it was sent, and not 1.0
        for name, value in parameters.items()
    }
    return b"link", f'<{path}?{urlencode(shown)}>; rel="next"'.encode()


def _item_links(url: str) -> str:
    return (
        f'<{url}>; rel="original timegate latest-version", '
        f'<{url}/versions>; rel="timemap version-history"; type="application/link-format"'
    )
