"""A line for each request, where the operator asks for it: what was asked, and what was answered.

Never a query, a header field, a token or a body: of the URL it has the template and the item's id.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from typing import Any
from urllib.parse import unquote

from itemstore.api.http.page_reply import PageReply
from itemstore.api.http.reply import Reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import AnyReply
from itemstore.api.http.stream_reply import StreamReply
from itemstore.logs import current_trace
from itemstore.logs.output import Output
from itemstore.logs.straight_lines import Beginning, straight_to
from itemstore.server.ends import Address

ANSWERED = "A request was answered"
LEFT = "A client left before its answer"

EVENTS = (ANSWERED, LEFT)
"""All that is logged here."""

LOOK_SECONDS = 1.0
"""How often it is looked who listens to the log."""

logger = logging.getLogger(__name__)


class AccessLog:
    """Logs each request of one process when it is answered; a stream at its end."""

    def __init__(self) -> None:
        self._beginning = Beginning(logger.name, logging.INFO)
        self._output: Output | None = None
        self._look_at = float("-inf")

    def answered(self, request: Request, route: str, reply: AnyReply, began: float) -> AnyReply:
        """Logs it, at once or when it ends; gives the reply that is to be sent.

        `began` is when, on the clock of `perf_counter`.
        """
        if isinstance(reply, StreamReply):
            told = _told(request, route) | {"status": reply.status}

            def at_end(sent: int) -> None:
                _log(ANSWERED, told | {"ms": _since(began), "bytes": sent})

            return replace(reply, on_end=at_end)
        if (output := self._looked_up()) is not None and current_trace.ids is None:
            beginning = self._beginning.of(ANSWERED)
            output.put(_line(beginning, request, route, reply, _since(began)))
            return reply
        told = _told(request, route) | {"status": reply.status, "ms": _since(began)}
        told["bytes"] = _length(reply)
        if (event_id := _event_id(reply)) is not None:
            told["event_id"] = event_id
        _log(ANSWERED, told)
        return reply

    def left(self, request: Request, route: str, began: float) -> None:
        """Logs that nobody waits for the answer any more."""
        _log(LEFT, _told(request, route) | {"ms": _since(began)})

    def answered_otherwise(
        self, method: str, route: str, status: int, request_id: str, client: Address = None
    ) -> None:
        """Logs an answer that no resource of the store gave."""
        told: dict[str, Any] = {"request_id": request_id, "method": method, "route": route}
        if client is not None:
            told["client"] = client[0]
        _log(ANSWERED, told | {"status": status})

    def _looked_up(self) -> Output | None:
        """Where lines go straight to; None where records are made, as somebody else listens."""
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            self._output = straight_to(logger, logging.INFO)
        return self._output


def _line(beginning: str, request: Request, route: str, reply: Reply | PageReply, ms: float) -> str:
    """The line that the record would give: its fields as JSON, in the same order."""
    raw, client = request.parameters.get("id"), request.ends.client
    item = "" if raw is None else f',"item":{quoted(_item(raw))}'
    actor = "" if request.actor is None else f',"actor":{quoted(request.actor)}'
    host = "" if client is None else f',"client":{quoted(client[0])}'
    event_id = _event_id(reply)
    event = "" if event_id is None else f',"event_id":{quoted(event_id)}'
    return (
        f'{beginning},"request_id":{quoted(request.id)}{_asked(request.method, route)}'
        f'{item}{actor}{host},"status":{reply.status},"ms":{ms},"bytes":{_length(reply)}{event}}}'
    )


@lru_cache(maxsize=256)
def _asked(method: str, route: str) -> str:
    return f',"method":{quoted(method)},"route":{quoted(route)}'


def _length(reply: Reply | PageReply) -> int:
    return sum(map(len, reply.parts)) if isinstance(reply, PageReply) else len(reply.body)


def _event_id(reply: Reply | PageReply) -> str | None:
    if isinstance(reply, PageReply):
        return None
    for name, value in reply.headers:
        if name == b"event-id":
            return value.decode("ascii")
    return None


def _told(request: Request, route: str) -> dict[str, Any]:
    told: dict[str, Any] = {"request_id": request.id, "method": request.method, "route": route}
    if (raw := request.parameters.get("id")) is not None:
        told["item"] = _item(raw)
    if request.actor is not None:
        told["actor"] = request.actor
    if (client := request.ends.client) is not None:
        told["client"] = client[0]
    return told


def _item(raw: bytes) -> str:
    text = raw.decode("latin-1")
    return unquote(text) if "%" in text else text


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 3)


def _log(event: str, fields: dict[str, Any]) -> None:
    """Hands a record over without a look at who calls: that would cost as much as all the rest."""
    if logger.isEnabledFor(logging.INFO):
        record = logging.LogRecord(logger.name, logging.INFO, __file__, 0, event, (), None)
        record.__dict__.update(fields)
        logger.handle(record)
