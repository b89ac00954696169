"""Entity tags (RFC 9110 §8.8.3): of a version, of a body, and of what changes with the log."""

from __future__ import annotations

import base64
import hashlib
from importlib.metadata import version

from itemstore.domain.cursors import CURSOR

VERSION = version("itemstore")
"""Another version of the store may put the same events into other words."""


_TAG = b'"%d"'

VALIDATORS = b"etag: %b\r\nlast-modified: %%b\r\n" % _TAG
"""The lines that say which version of an item there is, by its number, and since when (§8.8)."""


def version_tag(number: int) -> bytes:
    """The strong tag of an item's version: its number in quotes."""
    return _TAG % number


def content_tag(content: bytes) -> bytes:
    """A strong tag that only the same bytes have."""
    digest = hashlib.sha256(content).digest()[:16]
    return b'"%b"' % base64.urlsafe_b64encode(digest).rstrip(b"=")


def position_tag(position: str, *depends_on: object) -> bytes:
    """A tag for what any event may change; the last event is at the position, or at a cursor.

    `depends_on` is what the answer depends on besides its URL. The tag is weak, because it is read
    before the content, which may be newer.
    """
    if position.startswith(CURSOR):  # it may be long
        position = content_tag(position.encode())[1:-1].decode()
    digest = content_tag(repr((VERSION, *map(str, depends_on))).encode())[1:9]
    return b'W/"%b-%b"' % (position.encode(), digest)
