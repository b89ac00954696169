"""The head of an answer, as it goes out."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from itertools import chain
from time import time
from typing import NamedTuple

from itemstore.server.http_date import http_date

Fields = Sequence[tuple[bytes, bytes]]

_PHRASES = {status.value: status.phrase for status in HTTPStatus}

STATUS_LINES = {
    status: f"HTTP/1.1 {status} {_PHRASES.get(status, '')}\r\n".encode()
    for status in range(100, 600)
}

CLOSE = (b"connection", b"close")

_LINE = b": ".join
"""A header field as it goes out."""


class Answer(NamedTuple):
    """A status, header fields and the whole body; the length is told by the server."""

    status: int
    headers: Fields = ()
    body: bytes = b""


def head_of(status: int, *fields: Fields) -> bytes:
    """The head of an answer that goes out now, so that its Date is not before its Last-Modified.

    Raises ValueError where a field would be read as several.
    """
    lines = [*map(_LINE, chain.from_iterable(fields))]
    head = b"\r\n".join(lines)
    breaks = len(lines) - 1
    if not head.count(b"\r") == head.count(b"\n") == breaks:
        message = "A header field has a line break in it."
        raise ValueError(message)
    date = http_date(int(time()))
    return b"%bdate: %b\r\n%b\r\n\r\n" % (STATUS_LINES[status], date, head)
