"""What a server has to know of the application that it serves."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from itemstore.server.admission import Admission
from itemstore.server.answer_head import Answer, Fields
from itemstore.server.exchange import Exchange, InParts
from itemstore.server.refusals import Refused

STATE = "server"
"""The name under which the lifespan of an application has its ServedApp in the state."""


Respond = Callable[[Exchange], Coroutine[Any, Any, Answer | InParts | None] | None]
"""Gives the coroutine that answers a request, or None where the application is asked by ASGI."""

TakeOver = Callable[[Exchange, set[Any]], bool]
"""Takes a request over, to answer it by Exchange.answer; False where it does not: then nothing has
happened. Among the server's tasks, the second argument, is what will answer it, until it has. It
has the `cancel` of a task, which ends nothing before the next turn of the event loop."""


@dataclass(frozen=True, slots=True)
class ServedApp:
    """The application hands this in, as STATE in the state of its lifespan.

    `answer` is how a client is told that its request, of this id and this method, is not taken; the
    method is empty where it is not known. The server adds the id, and `fields` of the header fields
    that came with the request, as far as any did: what a script of another origin needs to read the
    answer, say. Requests for `urgent_paths` are taken when there is too much to do: those of
    monitoring, which must see the process most then. `respond` is a shorter way than ASGI's
    messages (docs/decisions/0040): it gives the coroutine that answers a request, or None where the
    application is to be asked by ASGI. Without it all are. `take_over` is asked before it, as a
    way that needs no coroutine either (docs/decisions/0110). The server adds `on_every_body` to
    every Answer that has a body.
    """

    admission: Admission
    answer: Callable[[Refused, bytes, str], Answer]
    fields: Callable[[Fields], Fields]
    urgent_paths: frozenset[bytes]
    respond: Respond | None = None
    on_every_body: Fields = ()
    take_over: TakeOver | None = None
