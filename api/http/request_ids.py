"""`X-Request-ID` where another server than our own has the connection: taken or made, and answered.

Our own adds it to every answer, to those that no application gives too (server/request_id.py).
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from itemstore.logs.current_request import current_request
from itemstore.server.exchange import NAMED
from itemstore.server.request_id import NAME, chosen, id_in


def request_id_of(scope: Scope) -> str:
    """The id of a request, which is noted in its scope the first time that it is asked for."""
    if NAMED not in scope:
        scope[NAMED] = id_in(scope["headers"]).decode("ascii")
    request_id: str = scope[NAMED]
    return request_id


def take_up_request_id(scope: Scope) -> None:
    """Goes by the id that a middleware put into the request, if one did: it answers that, too."""
    given = [value for name, value in scope["headers"] if name == NAME]
    if given and (named := chosen(given).decode("ascii")) != scope.get(NAMED):
        scope[NAMED] = named
        current_request.set(named.encode("ascii"))


class WithRequestIds:
    """An application whose answers say the id of their requests, as do lines of the log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        if scope["type"] != "http" or NAMED in scope:
            await self._app(scope, receive, send)
            return
        named = request_id_of(scope).encode("ascii")

        async def with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                fields = message.get("headers", ())
                if not any(name == NAME for name, _ in fields):  # a middleware may have named it
                    message = {**message, "headers": [*fields, (NAME, named)]}
            await send(message)

        before = current_request.set(named)
        try:
            await self._app(scope, receive, with_id)
        finally:
            current_request.reset(before)
