"""What a cache may do with an answer (RFC 9111), and answers that a client has already."""

from __future__ import annotations

import base64
import hashlib
from importlib.metadata import version

from itemstore.api.http.preconditions import has_tag
from itemstore.api.http.reply import Headers, Reply
from itemstore.api.http.request import Request

REVALIDATE = (b"cache-control", b"no-cache")
"""A cache may keep it, and has to ask whether it is still current before it shows it."""

ORIGIN = b"host, x-forwarded-proto"
"""What absolute links depend on, for Vary: some proxies keep answers by another name than Host."""

VERSION = version("itemstore")
"""Another version of the store may put the same events into other words."""

_KEPT = frozenset({b"etag", b"cache-control", b"vary"})


def for_ever(request: Request, *varies: bytes) -> Headers:
    """Lets every cache keep the answer for good.

    Only the client's own where a token opened it, and for that token alone: it may be revoked, and
    another one of the same client may not read this.
    """
    scope = b"public"
    if request.actor is not None:
        scope, varies = b"private", (*varies, b"authorization")
    headers: Headers = [(b"cache-control", scope + b", max-age=31536000, immutable")]
    return [*headers, (b"vary", b", ".join(varies))] if varies else headers


def revalidated(request: Request, reply: Reply, tag: bytes | None = None) -> Reply:
    """The reply with an entity tag of its content, or 304 where the client has that.

    Raises Problem 400 and 412.
    """
    tag = tag or tag_of(reply.body)
    headers = [*reply.headers, (b"etag", tag), REVALIDATE]
    return known(request, headers) or Reply(reply.status, headers, reply.body)


def known(request: Request, headers: Headers) -> Reply | None:
    """304 where the client has what these headers, with its entity tag, are about.

    Raises Problem 400 and 412.
    """
    if has_tag(request, dict(headers)[b"etag"]):
        return Reply(304, [(name, value) for name, value in headers if name in _KEPT])
    return None


def asks_again(request: Request) -> bool:
    """Whether the client may have it already: it names an entity tag."""
    return b"if-none-match" in request.fields or b"if-match" in request.fields


def as_of(position: str, *depends_on: object) -> Headers:
    """A tag and a word for caches of what an event may change, the last of which is at a position.

    It goes by the position, and by whatever else the answer depends on beside its URL. It is weak,
    as it is read before the content is, and that may be newer.
    """
    digest = tag_of(repr((VERSION, *depends_on)).encode())[1:9]
    return [(b"etag", b'W/"%b-%b"' % (position.encode(), digest)), REVALIDATE]


def tag_of(content: bytes) -> bytes:
    """A strong entity tag that only the same bytes have."""
    digest = hashlib.sha256(content).digest()[:16]
    return b'"%b"' % base64.urlsafe_b64encode(digest).rstrip(b"=")
