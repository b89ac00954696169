"""The path of a request: as it was sent, without what it is mounted under, and the id in it."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

from starlette.types import Scope

from itemstore.api.http.problems import Problem

LONGEST_ID = 512
"""Bytes of UTF-8."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NOT_IN_A_PATH = re.compile(rb"[^!$&'()*+,./0-9:;=@A-Z_a-z~%-]|%(?![0-9A-Fa-f]{2})")
_NO_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def raw_path(scope: Scope) -> bytes:
    """The path as it was sent, the root path included; not every server gives it undecoded."""
    return scope.get("raw_path") or quote(scope["path"]).encode()


def root_path(scope: Scope) -> str:
    """What stands in front of every path of this API, percent-encoded; usually empty."""
    root: str = scope.get("root_path", "")
    return encoded(root.encode()) if root else ""


def own_path(scope: Scope) -> bytes:
    """The raw path after the root path, under which the API may be mounted."""
    raw = raw_path(scope)
    if not (root := scope.get("root_path", "")):
        return raw
    sent = root_path(scope).encode()
    return raw[len(sent) :] if raw.startswith(sent) else raw.removeprefix(root.encode())


def encoded(raw: bytes) -> str:
    """A raw path as a URL has it: some clients send characters that it must not have as they are.

    They would end a URL in a header field or mean something else there (RFC 3986 §3.3).
    """
    if _NOT_IN_A_PATH.search(raw):
        raw = _NOT_IN_A_PATH.sub(lambda found: b"%%%02X" % found[0][0], raw)
    return raw.decode()


def item_id(segment: bytes) -> str:
    """The id that a percent-encoded path segment stands for. Raises Problem (422)."""
    raw = segment
    if b"%" in segment:
        if _NO_ESCAPE.search(segment):
            raise _invalid_id("A % is not followed by two hexadecimal digits; itself it is %25.")
        raw = unquote_to_bytes(segment)
    if len(raw) > LONGEST_ID:
        raise _invalid_id(f"It has {len(raw)} bytes; {LONGEST_ID} are allowed.")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise _invalid_id("It is not UTF-8.") from None
    if _CONTROL.search(text):
        raise _invalid_id("It has control characters.")
    if text in (".", ".."):
        raise _invalid_id("Clients and proxies normalise . and .. away.")
    return text


def item_path(root: str, item: str) -> str:
    """The URL path of an item."""
    return f"{root}/items/{quote(item, safe='')}"


def _invalid_id(reason: str) -> Problem:
    return Problem("invalid-item-id", f"This can't be an item id. {reason}")
