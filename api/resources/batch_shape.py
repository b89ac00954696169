"""One request of a batch as JSON has it: its method, its path, its header fields, its body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from itemstore.api.http.conditions import NONE, Conditions, conditions_in
from itemstore.api.http.paths import normalised
from itemstore.api.http.request import Request
from itemstore.eventlog.excerpts import quoted
from itemstore.server.request_head import MOST_HEAD
from itemstore.store.collection import Collection

HAS_BODY = {"PUT": True, "PATCH": True, "POST": True, "DELETE": False, "HEAD": False}
"""The methods that a batch takes, and whether such a request has a body."""

_MEMBERS = frozenset({"method", "path", "headers", "body"})

_CONDITIONS = frozenset({b"if-match", b"if-none-match", b"if-unmodified-since"})

_FIELDS = {each.decode(): each for each in (*_CONDITIONS, b"prefer", b"content-type")}
"""The header fields that a request of a batch may have."""

_OF_THE_BATCH = frozenset({"authorization", "idempotency-key", "traceparent"})
"""Header fields that are sent with the batch as a whole."""

_NOT_IN_A_PATH = re.compile(r"[?#\s]")
_NOT_IN_A_VALUE = re.compile(r"[^\t -~\xa0-\xff]")

_SHOWN = 3
"""Collections that an error names."""


class Unreadable(Exception):
    """This can't be a request of a batch. The sentence says why, and has no stop at its end."""


def method_and_path(raw: Any) -> tuple[str, str]:
    """What is asked for, and of what. Raises Unreadable."""
    if not isinstance(raw, dict):
        raise Unreadable('it is no object such as {"method": "DELETE", "path": "/items/foo"}')
    if not raw.keys() <= _MEMBERS:
        unknown = next(name for name in raw if name not in _MEMBERS)
        raise Unreadable(f"it may have method, path, headers and body, and not {quoted(unknown)}")
    method, path = raw.get("method"), raw.get("path")
    if not isinstance(method, str) or method not in HAS_BODY:
        raise Unreadable("its method must be PUT, PATCH, DELETE, POST, or HEAD for a check")
    if not isinstance(path, str):
        raise Unreadable('its path must be text, such as "/items/foo"')
    if ("body" in raw) != HAS_BODY[method]:
        raise Unreadable(f"{method} {'needs a' if HAS_BODY[method] else 'takes no'} body")
    return method, path


def collection_and_segment(
    request: Request, method: str, path: str
) -> tuple[Collection, bytes | None]:
    """The collection that a path is in, and its segment that is an item's id, still encoded.

    A POST's has none. The path is what would stand in the URL of such a request to this store.
    Raises Unreadable.
    """
    if _NOT_IN_A_PATH.search(path):
        raise Unreadable("a path has no query and no blanks; in an id, ? is %3F and # is %23")
    raw = normalised(path.encode().removeprefix(request.root.encode()))
    first, *segments = raw.split(b"/")
    collection = None
    if not first and len(segments) in (1, 2):
        collection = request.store.collections.get(segments[0].decode("latin-1"))
    if collection is None:
        raise Unreadable(_no_item(request, path))
    if method == "POST" and segments[1:]:
        raise Unreadable(f"POST takes the path of a collection, such as {collection.path}")
    if method != "POST" and not segments[1:]:
        raise Unreadable(f"{method} takes the path of an item, such as {collection.path}/an-id")
    return collection, segments[1] if segments[1:] else None


def _no_item(request: Request, path: str) -> str:
    paths = [request.root + each.path for each in request.store.collections.values()]
    named = " or ".join(paths if len(paths) <= _SHOWN else [*paths[:_SHOWN], "another one"])
    return (
        f"there is no item and no collection at {quoted(path)}; a collection is {named}, and a "
        "slash inside an id is written %2F"
    )


def fields_of(headers: Any) -> dict[bytes, bytes]:
    """Its header fields by lower-case name, as a whole request has them. Raises Unreadable."""
    if not isinstance(headers, dict):
        raise Unreadable('its headers must be an object, such as {"If-Match": "*"}')
    fields: dict[bytes, bytes] = {}
    for name, text in headers.items():
        known = _FIELDS.get(name.lower())
        if known is None:
            raise Unreadable(_no_field(name))
        if known in fields:
            raise Unreadable(f"it has {name} twice")
        if not isinstance(text, str) or _NOT_IN_A_VALUE.search(text):
            raise Unreadable(f"its {name} must be text that a header field can have")
        fields[known] = text.encode("latin-1")
    if sum(map(len, fields.values())) > MOST_HEAD:
        raise Unreadable(f"its headers have more than {MOST_HEAD} bytes")
    return fields


def _no_field(name: str) -> str:
    if name.lower() in _OF_THE_BATCH:
        return f"{name} is sent with the whole batch, and not with one of its requests"
    return (
        "its headers may be If-Match, If-None-Match, If-Unmodified-Since, Prefer and Content-Type, "
        f"and {quoted(name)} would have no effect"
    )


def conditions_for(method: str, fields: Mapping[bytes, bytes], *, demanded: bool) -> Conditions:
    """Its conditions; the operator may demand one of a write. Raises Unreadable."""
    if method == "POST":
        if not _CONDITIONS.isdisjoint(fields):
            raise Unreadable("a POST makes a new item, so it takes no condition")
        return NONE
    conditions = conditions_in(fields)
    if method != "HEAD":
        return conditions.demanded if demanded else conditions
    if conditions == NONE:
        raise Unreadable(
            "a HEAD is a check, so it needs If-Match, If-None-Match or a date in "
            "If-Unmodified-Since"
        )
    return conditions
