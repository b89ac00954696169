"""The path of a request: as it was sent, without what it is mounted under, and the id in it."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

from starlette.types import Scope

from itemstore.domain.ids import InvalidItemId, id_of

_NOT_IN_A_PATH = re.compile(rb"[^!$&'()*+,./0-9:;=@A-Z_a-z~%-]|%(?![0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*")
_ESCAPED_UNRESERVED = re.compile(
    rb"%(2[DdEe]|3[0-9]|4[1-9A-Fa-f]|5[0-9AaFf]|6[1-9A-Fa-f]|7[0-9AaEe])"
)
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


def normalised(raw: bytes) -> bytes:
    """The raw path with escaped unreserved characters as themselves.

    The two are the same URI (RFC 3986 §6.2.2.2).
    """
    return _ESCAPED_UNRESERVED.sub(_itself, raw) if b"%" in raw else raw


def _itself(escape: re.Match[bytes]) -> bytes:
    return bytes.fromhex(escape[1].decode())


def item_id(segment: bytes) -> str:
    """The id that a percent-encoded path segment stands for. Raises InvalidItemId."""
    if b"%" not in segment:
        return id_of(segment)
    if _NO_ESCAPE.search(segment):
        raise InvalidItemId("A % is not followed by two hexadecimal digits; itself it is %25.")
    return id_of(unquote_to_bytes(segment))


def item_path(base: str, item: str) -> str:
    """The URL path of an item, after that of its collection."""
    segment = item if _UNRESERVED.fullmatch(item) else quote(item, safe="")
    return f"{base}/{segment}"


def versions_path(base: str, item: str) -> str:
    """The URL path of an item's versions, after that of its collection."""
    return f"{item_path(base, item)}/versions"
