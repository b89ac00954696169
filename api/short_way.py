"""The short way of a request that waits for one batch of the engine's: no coroutine, no task.

It goes by the same steps as the handler that it has (docs/decisions/0110).
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from time import perf_counter
from typing import Any, NamedTuple, Protocol

from itemstore.api.http.reply import Reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import AnyReply, Resource
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.batching import Caller
from itemstore.logs.current_request import current_request
from itemstore.server.exchange import Exchange

GOING_DOWN = LogUnavailable("The server is going down.")


class ShortWay(NamedTuple):
    """What a handler does until it waits, and what it makes of what it has waited for.

    `ask` sends what it asks, for a caller that is told the answer. It gives False where the handler
    would wait for something else too; then nothing has happened.
    """

    ask: Callable[[Request, Caller], bool]
    reply: Callable[[Request, Any], Reply]


class Replies(Protocol):
    """What becomes of every reply, and of every error."""

    def answered(
        self, request: Request, resource: Resource, reply: AnyReply, began: float
    ) -> AnyReply:
        """The reply, once it is counted and logged."""

    def failed(self, error: Exception, incoming: Exchange, template: str) -> Reply:
        """The reply to an error."""


class OnTheShortWay:
    """One request on its short way: asks, is told, and answers. To the server it is a task."""

    __slots__ = (
        "_began", "_exchange", "_is_answered", "_replies", "_reply", "_request", "_resource",
        "_tasks",
    )  # fmt: skip

    def __init__(
        self,
        replies: Replies,
        exchange: Exchange,
        request: Request,
        resource: Resource,
        tasks: set[Any],
    ) -> None:
        self._replies = replies
        self._exchange = exchange
        self._request = request
        self._resource = resource
        self._tasks = tasks
        self._is_answered = False
        self._began = perf_counter()

    def begin(self, way: ShortWay) -> bool:
        """Whether the request goes this way: then its answer is seen to."""
        self._reply = way.reply
        try:
            if not way.ask(self._request, self):
                return False
        except Exception as error:  # noqa: BLE001 - no traceback ever reaches a client
            self.set_exception(error)
        else:
            self._tasks.add(self)
        return True

    def done(self) -> bool:
        """Whether the request has its answer. Whether its client is there does not matter."""
        return self._is_answered

    def cancel(self, msg: object = None) -> bool:  # noqa: ARG002 - as asyncio.Task has it
        """Answers now that the server goes down; whether the request had no answer yet."""
        if self._is_answered:
            return False
        self.set_exception(GOING_DOWN)
        return True

    def set_result(self, answer: Any) -> None:
        """Answers the request with what became of what was asked."""
        try:
            self._send(self._reply(self._request, answer))
        except Exception as error:  # noqa: BLE001 - as in begin
            self.set_exception(error)

    def set_exception(self, error: Exception) -> None:
        """Answers the request with why there is nothing."""
        copy_context().run(self._fail, error)

    def _fail(self, error: Exception) -> None:
        current_request.set(self._exchange.named)  # for what is logged of it
        self._send(self._replies.failed(error, self._exchange, self._resource.template))

    def _send(self, reply: Reply) -> None:
        answer = self._replies.answered(self._request, self._resource, reply, self._began)
        assert isinstance(answer, Reply)  # what is one stays one
        self._is_answered = True
        self._tasks.discard(self)
        self._exchange.answer(answer)
