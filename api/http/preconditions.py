"""Conditional requests (RFC 9110 §13), and the demand for a condition on a write (RFC 6585 §3)."""

from __future__ import annotations

from itemstore.api.http.cache_control import REVALIDATE
from itemstore.api.http.conditions import Conditions
from itemstore.api.http.entity_tags import content_tag
from itemstore.api.http.reply import Headers, Reply
from itemstore.api.http.request import Request

_ON_A_304 = frozenset({b"etag", b"cache-control", b"vary", b"position"})


def conditions_of(request: Request) -> Conditions:
    """The conditions that a request carries."""
    conditions = request.typed.conditions
    return conditions.demanded if request.store.settings.require_conditions else conditions


def names_a_tag(request: Request) -> bool:
    """Whether the client may have the answer already: it sent an entity tag."""
    return b"if-none-match" in request.fields or b"if-match" in request.fields


def tagged(request: Request, reply: Reply, tag: bytes | None = None) -> Reply:
    """The reply with an entity tag of its content, or 304 where the client has that.

    Raises Problem 400 and 412.
    """
    headers = [*reply.headers, (b"etag", tag or content_tag(reply.body)), REVALIDATE]
    return not_modified(request, headers) or Reply(reply.status, headers, reply.body)


def not_modified(request: Request, headers: Headers) -> Reply | None:
    """304 where the client has what these headers, with its entity tag, are about.

    Raises Problem 400 and 412.
    """
    if names_a_tag(request) and conditions_of(request).has_tag(dict(headers)[b"etag"]):
        return Reply(304, [(name, value) for name, value in headers if name in _ON_A_304])
    return None
