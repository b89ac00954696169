"""Cache-Control: what a cache may do with an answer (RFC 9111 §5.2)."""

from __future__ import annotations

from itemstore.api.http.entity_tags import position_tag
from itemstore.api.http.reply import Headers
from itemstore.api.http.vary import vary

NO_STORE = (b"cache-control", b"no-store")
"""For what is only true now: health, progress, counts, streams."""

REVALIDATE = (b"cache-control", b"no-cache")
"""A cache may keep it, and has to ask whether it is still current before it shows it."""


def for_ever(actor: str | None, *varies: bytes) -> Headers:
    """The answer never changes, so every cache may keep it for good.

    Where a token was needed, only the client's own cache, and only for that token: it may be
    revoked, and another token of the same client may not read this.
    """
    scope = b"public"
    if actor is not None:
        scope, varies = b"private", (*varies, b"authorization")
    headers: Headers = [(b"cache-control", scope + b", max-age=31536000, immutable")]
    return [*headers, vary(*varies)] if varies else headers


def as_of(position: str, *depends_on: object) -> Headers:
    """For what an event may change: a tag made from the last position; a cache asks each time."""
    return [(b"etag", position_tag(position, *depends_on)), REVALIDATE]
