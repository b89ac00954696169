"""A line for each request, where the operator asks for it: what was asked, and what was answered.

Never a query, a header field, a token or a body: of the URL it has the template and the item's id.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from itemstore.api.http.page_reply import PageReply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import AnyReply
from itemstore.api.http.stream_reply import StreamReply

ANSWERED = "A request was answered"
LEFT = "A client left before its answer"

EVENTS = (ANSWERED, LEFT)
"""All that is logged here."""

logger = logging.getLogger(__name__)


class AccessLog:
    """Logs each request of one process when it is answered; a stream at its end."""

    def answered(self, request: Request, route: str, reply: AnyReply, began: float) -> AnyReply:
        """Logs it, at once or when it ends; gives the reply that is to be sent.

        `began` is when, on the clock of `perf_counter`.
        """
        told = _told(request, route)
        told["status"] = reply.status
        if isinstance(reply, StreamReply):

            def at_end(sent: int) -> None:
                _log(ANSWERED, told | {"ms": _since(began), "bytes": sent})

            return replace(reply, on_end=at_end)
        told["ms"] = _since(began)
        if isinstance(reply, PageReply):
            told["bytes"] = sum(map(len, reply.parts))
        else:
            told["bytes"] = len(reply.body)
            for name, value in reply.headers:
                if name == b"event-id":
                    told["event_id"] = value.decode("ascii")
        _log(ANSWERED, told)
        return reply

    def left(self, request: Request, route: str, began: float) -> None:
        """Logs that nobody waits for the answer any more."""
        _log(LEFT, _told(request, route) | {"ms": _since(began)})

    def answered_otherwise(self, method: str, route: str, status: int, request_id: str) -> None:
        """Logs an answer that no resource of the store gave."""
        _log(
            ANSWERED,
            {"request_id": request_id, "method": method, "route": route, "status": status},
        )


def _told(request: Request, route: str) -> dict[str, Any]:
    told: dict[str, Any] = {"request_id": request.id, "method": request.method, "route": route}
    if (raw := request.parameters.get("id")) is not None:
        told["item"] = unquote(raw.decode("latin-1")) if b"%" in raw else raw.decode("latin-1")
    if request.actor is not None:
        told["actor"] = request.actor
    return told


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 3)


def _log(event: str, fields: dict[str, Any]) -> None:
    """Hands a record over without a look at who calls: that would cost as much as all the rest."""
    if logger.isEnabledFor(logging.INFO):
        record = logging.LogRecord(logger.name, logging.INFO, __file__, 0, event, (), None)
        record.__dict__.update(fields)
        logger.handle(record)
