"""The head of an answer, as it goes out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from time import time
from typing import NamedTuple

from itemstore.server.http_date import http_date


class FieldLines:
    """Header fields as they go out: each is a line with its end. To iterate, they are pairs.

    Nothing looks for line breaks in their values, so these are such as can't have any: numbers,
    dates, positions, paths that are percent-encoded (docs/decisions/0109).
    """

    __slots__ = ("lines",)

    def __init__(self, lines: bytes) -> None:
        self.lines = lines

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        return iter(_PAIRS(self.lines))


Fields = Sequence[tuple[bytes, bytes]] | FieldLines

_PHRASES = {status.value: status.phrase for status in HTTPStatus}

STATUS_LINES = {
    status: f"HTTP/1.1 {status} {_PHRASES.get(status, '')}\r\n".encode()
    for status in range(100, 600)
}

CLOSE = (b"connection", b"close")

_LINE = b": ".join

_PAIRS = re.compile(rb"([^:]+): ([^\r]*)\r\n").findall

_END = b"\r\n"


class Answer(NamedTuple):
    """A status, header fields and the whole body; the length is told by the server."""

    status: int
    headers: Fields = ()
    body: bytes = b""


def head_of(status: int, *lines: bytes) -> bytes:
    """The head of an answer that goes out now, so that its Date is not before its Last-Modified."""
    date = http_date(int(time()))
    return b"%bdate: %b\r\n%b\r\n" % (STATUS_LINES[status], date, b"".join(lines))


def lines_of(fields: Fields) -> bytes:
    """The fields as they go out. Raises ValueError where one would be read as several."""
    if isinstance(fields, FieldLines):
        return fields.lines
    lines = [*map(_LINE, fields)]
    text = _END.join((*lines, b""))
    if not text.count(b"\r") == text.count(b"\n") == len(lines):
        message = "A header field has a line break in it."
        raise ValueError(message)
    return text
