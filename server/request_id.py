"""The id of a request: the client's own, where it can stand in a log, or one that is made.

It is answered in the same field, so that a client, a proxy and this server speak of one request.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from itertools import count
from secrets import token_hex

NAME = b"x-request-id"
"""The header field, of requests and of answers."""

_WELL_FORMED = re.compile(rb"[A-Za-z0-9._~+/=@:-]{1,128}")
"""UUIDs, ULIDs, hexadecimal, base64 and what clouds send. Nothing that has a meaning to a shell, to
a terminal, in JSON or in HTML."""

_PREFIX_BYTES = 6


class _Made:
    """Ids of this process: a prefix that is its own, and a counter. UUIDs cost more."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begins anew, under another prefix."""
        self._prefix = token_hex(_PREFIX_BYTES).encode()
        self._number = count(1).__next__

    def next(self) -> bytes:
        """The next one."""
        return b"%b-%x" % (self._prefix, self._number())


_made = _Made()
os.register_at_fork(after_in_child=_made.begin)

new_id = _made.next


def chosen(values: Sequence[bytes]) -> bytes:
    """The value of the field, where there is one and it is well formed; else an id that is made."""
    if len(values) == 1 and _WELL_FORMED.fullmatch(given := values[0].strip(b" \t")):
        return given
    return new_id()


def id_in(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The same of header fields; their names are in lower case."""
    return chosen([value for name, value in fields if name == NAME])
