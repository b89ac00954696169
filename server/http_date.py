"""Dates as HTTP writes them."""

from __future__ import annotations

from email.utils import formatdate
from functools import lru_cache


@lru_cache(maxsize=4096)
def http_date(seconds: int) -> bytes:
    """The time, in seconds since 1970, as an HTTP date (RFC 9110 §5.6.7)."""
    return formatdate(seconds, usegmt=True).encode()
