"""What a server has to know of the application that it serves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from itemstore.server.admission import Admission
from itemstore.server.refusals import Refused

Fields = Sequence[tuple[bytes, bytes]]

STATE = "server"
"""The name under which the lifespan of an application has its ServedApp in the state."""


class Answer(NamedTuple):
    """A status, header fields and a body; the length is told by the server."""

    status: int
    fields: Fields
    body: bytes


@dataclass(frozen=True, slots=True)
class ServedApp:
    """The application hands this in, as STATE in the state of its lifespan.

    `answer` is how a client is told that its request is not taken; the server adds `fields` of the
    header fields that came with the request, as far as any did: what a script of another origin
    needs to read the answer, say. Requests for `urgent_paths` are taken when there is too much to
    do: those of monitoring, which must see the process most then.
    """

    admission: Admission
    answer: Callable[[Refused], Answer]
    fields: Callable[[Fields], Fields]
    urgent_paths: frozenset[bytes]
