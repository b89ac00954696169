"""The short way of a request that waits for one batch of the engine's: no coroutine, no task.

It goes by the same steps as the handler that it has (docs/decisions/0110).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from time import perf_counter
from typing import Any, Protocol

from itemstore.api.http.reply import Reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import AnyReply, Resource
from itemstore.domain.values import value
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.batching import Caller
from itemstore.logs.current_request import current_request
from itemstore.server.exchange import Exchange

GOING_DOWN = LogUnavailable("The server is going down.")


@value
class ShortWay:
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
        "_began", "_exchange", "_is_answered", "_replies", "_request", "_resource", "_tasks",
        "_way",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913, PLR0917 - positional, as one is made for each request
        self,
        replies: Replies,
        exchange: Exchange,
        request: Request,
        resource: Resource,
        way: ShortWay,
        tasks: set[Any],
    ) -> None:
        self._replies = replies
        self._exchange = exchange
        self._request = request
        self._resource = resource
        self._way = way
        self._tasks = tasks
        self._is_answered = False
        self._began = perf_counter()

    def begin(self) -> bool:
        """Whether the request goes this way: then it is answered, now or later."""
        try:
            if not self._way.ask(self._request, self):
                return False
        except Exception as error:  # noqa: BLE001 - no traceback ever reaches a client
            self.set_exception(error)
        else:
            self._tasks.add(self)
        return True

    def done(self) -> bool:
        """Whether no answer is wanted any more. Whether the client is there does not matter."""
        return self._is_answered

    def cancel(self, msg: object = None) -> bool:  # noqa: ARG002 - as asyncio.Task has it
        """Has the request answered in the next turn, as the server goes down, if it is not yet."""
        if self._is_answered:
            return False
        asyncio.get_running_loop().call_soon(self._go_down)
        return True

    def _go_down(self) -> None:
        if not self._is_answered:
            self.set_exception(GOING_DOWN)

    def set_result(self, answer: Any) -> None:
        """Answers the request with what became of what was asked."""
        try:
            reply = self._way.reply(self._request, answer)
        except Exception as error:  # noqa: BLE001 - as in begin
            self.set_exception(error)
        else:
            self._answer(reply)

    def set_exception(self, error: Exception) -> None:
        """Answers the request with why there is nothing."""
        try:
            reply = copy_context().run(self._reply_to, error)
        except Exception as other:  # noqa: BLE001 - what came of it was to be logged, and that failed
            self._fail(other)
        else:
            self._answer(reply)

    def _reply_to(self, error: Exception) -> Reply:
        current_request.set(self._exchange.named)  # for what is logged of it
        return self._replies.failed(error, self._exchange, self._resource.template)

    def _answer(self, reply: Reply) -> None:
        try:
            told = self._replies.answered(self._request, self._resource, reply, self._began)
            assert isinstance(told, Reply)  # what is one stays one
        except Exception as error:  # noqa: BLE001 - it was counted, or logged, and that failed
            self._fail(error)
        else:
            self._end()
            self._exchange.answer(told)

    def _fail(self, error: Exception) -> None:
        self._end()
        self._exchange.fail(error)

    def _end(self) -> None:
        self._is_answered = True
        self._tasks.discard(self)
