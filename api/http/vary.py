"""Vary: the fields of a request on which an answer depends, for caches (RFC 9110 §12.5.5)."""

from __future__ import annotations

from itemstore.api.http.reply import Header

ORIGIN = (b"host", b"x-forwarded-proto")
"""What absolute links depend on: some proxies keep answers by another name than Host."""


def vary(*names: bytes) -> Header:
    """The header field with these names."""
    return b"vary", b", ".join(names)


BY_ACCEPT = vary(b"accept")
