"""Header fields that came before, to the byte: what they say is known, and not read again.

A client's requests differ in their first line and in their body, and hardly in the fields between.
The same fields, read by the same parser, say the same (docs/decisions/0104).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from itemstore.server.fields_by_name import FieldsByName, fields_by_name
from itemstore.server.proxies import FOR, PROTO
from itemstore.server.request_id import NAME as REQUEST_ID

MOST_BYTES = 8_000
"""Bytes of a request, body included, that is looked for here. None of them can be too long."""

MOST_KNOWN = 256

MOST_SEEN = 1_024
"""Fields that have come once: most of those that are in no other request are never kept."""

_LINE = re.compile(
    rb"(GET|HEAD|PUT|POST|PATCH|DELETE) (/[A-Za-z0-9._~%!$&'()*+,;=:@/-]*)"
    rb"(?:\?([A-Za-z0-9._~%!$&'()*+,;=:@/?-]*))? HTTP/1\.1\r\n"
)
"""A request line of which no parser thinks otherwise; any other is left to the parser."""

_END = b"\r\n\r\n"

_NEVER = frozenset({REQUEST_ID, FOR, PROTO, b"expect", b"transfer-encoding", b"upgrade"})
"""Fields that say more than the application is to know of them."""


class KnownFields(NamedTuple):
    """The fields of requests, in the order that they came in, and by name; how long the body is."""

    fields: list[tuple[bytes, bytes]]
    by_name: FieldsByName
    length: int


Found = tuple[bytes, bytes, bytes, KnownFields, bytes]
"""The method of a request, its path and its query, its fields and its body."""


class KnownHeads:
    """Those of one process, for all of its connections."""

    def __init__(self) -> None:
        self._known: dict[bytes, KnownFields] = {}
        self._seen = set[int]()

    def find(self, data: bytes) -> Found | None:
        """The request that these bytes are: all of one, whose fields are known. None if not."""
        line = _LINE.match(data)
        if line is None:
            return None
        end = data.find(_END, line.end() - 2) + len(_END)
        known = self._known.get(data[line.end() : end])
        if known is None or len(data) - end != known.length:
            return None
        method, path, query = line.groups(b"")
        return method, path, query, known, data[end:]

    def learn(self, data: bytes, fields: list[tuple[bytes, bytes]], body: bytes) -> None:
        """Takes note of the fields of a request, whose bytes these were, as a parser read them.

        It is the caller's to see that the connection goes on after it. Fields that may have been
        read in another way than line by line are not kept.
        """
        if len(data) > MOST_BYTES or (line := _LINE.match(data)) is None:
            return
        end = len(data) - len(body)
        block = data[line.end() : end]
        lines = len(fields) + 1
        if not (
            block.endswith(_END)
            and block.count(b"\r\n") == block.count(b"\n") == block.count(b"\r") == lines
            and data.endswith(body)
        ):
            return
        if (mark := hash(block)) not in self._seen:
            if len(self._seen) >= MOST_SEEN:
                self._seen.clear()
            self._seen.add(mark)
            return
        by_name = fields_by_name(fields)
        length = by_name.get(b"content-length", b"0")
        if _NEVER.isdisjoint(by_name) and length == b"%d" % len(body):
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[block] = KnownFields(fields, by_name, len(body))
