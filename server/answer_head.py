"""The head of an answer, as it goes out."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from time import time

from itemstore.server.http_date import http_date

_PHRASES = {status.value: status.phrase for status in HTTPStatus}

STATUS_LINES = {
    status: f"HTTP/1.1 {status} {_PHRASES.get(status, '')}\r\n".encode()
    for status in range(100, 600)
}

CLOSE = (b"connection", b"close")


def head_of(status: int, *fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The head of an answer that goes out now, so that its Date is not before its Last-Modified.

    Raises ValueError where a field would be read as several.
    """
    lines = [b"date: %b\r\n" % http_date(int(time()))]
    for each in fields:
        lines += [b"%b: %b\r\n" % field for field in each]
    head = b"".join(lines)
    if not head.count(b"\r") == head.count(b"\n") == len(lines):
        message = "A header field has a line break in it."
        raise ValueError(message)
    return b"".join((STATUS_LINES[status], head, b"\r\n"))
