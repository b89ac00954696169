"""Many callers, one round trip: while batches are in flight, the next one gathers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import Context
from typing import Any, Generic, Protocol, TypeVar

from opentelemetry.trace import Span

from itemstore.engine.errors import LogOverloaded
from itemstore.tracing import shared, spans

Call = TypeVar("Call")
Answer = TypeVar("Answer")


class TooManyWaiting(LogOverloaded):
    """The queue is full; the call was not taken."""

    def __init__(self, calls: str) -> None:
        super().__init__(f"Too many {calls} are waiting; slow down and try again.")


class Caller(Protocol):
    """Who waits for an answer: a future, or somebody who goes on the moment that it is there.

    `done` says whether no answer is wanted any more.
    """

    def done(self) -> bool: ...  # noqa: D102
    def set_result(self, answer: Any, /) -> None: ...  # noqa: D102
    def set_exception(self, error: Exception, /) -> None: ...  # noqa: D102


class Waiting:
    """How many calls wait in the queues of a process, and how many may: `most_calls` of them.

    And as long as they stand for less than `most`, which is the same number unless said otherwise.
    """

    __slots__ = ("_calls", "_count", "_most", "_most_calls")

    def __init__(self, most_calls: int, most: int | None = None) -> None:
        self._most_calls = most_calls
        self._most = most or most_calls
        self._calls = self._count = 0

    def take(self, count: int) -> bool:
        """Takes a call that stands for so many, unless it is full."""
        if self._calls >= self._most_calls or self._count >= self._most:
            return False
        self._calls += 1
        self._count += count
        return True

    def go(self, calls: int, count: int) -> None:
        """So many calls that stand for so many have gone."""
        self._calls -= calls
        self._count -= count


class Batches(Generic[Call, Answer]):
    """Sends the calls of one process in batches, `flights` of them at a time.

    While one is under way, another leaves only once `crowd` calls wait: a batch has a cost of its
    own, on both sides, and a few calls that come together share it.

    `send` takes a batch and gives an answer for each call, in the same order; an answer that is
    an exception is raised to the caller it belongs to. They are asked for, and handed out, once the
    next batch has left: what makes them is done while that is under way. When `send` itself raises,
    all of its batch and all that wait after it get that exception: a call that comes after a batch
    that ran into a time limit has waited that long too.

    A call may stand for several, as a transaction does for its commands, and is never divided. A
    batch ends at `most` of these, or at `most_bytes` of what the callers say their calls weigh.
    `sizes` counts the batches of each size that were sent, with others that count in it.
    `waiting` says how many may wait, in this queue and in others that have the same. `called` is
    what a caller is told that too many of are waiting.
    """

    def __init__(  # noqa: PLR0913 - bounds, each by its name
        self,
        send: Callable[[Sequence[Call]], Awaitable[Iterable[Answer | Exception]]],
        *,
        most: int,
        most_bytes: int,
        waiting: Waiting,
        flights: int,
        crowd: int = 1,
        called: str = "calls",
        sizes: Counter[int] | None = None,
    ) -> None:
        self._send = send
        self._most = most
        self._most_bytes = most_bytes
        self._bound = waiting
        self._called = called
        self._count = 0
        self._waiting: list[_Waiting[Call]] = []
        self._most_flights = flights
        self._crowd = crowd
        self._flights = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.sizes: Counter[int] = Counter() if sizes is None else sizes

    async def submit(self, call: Call, size: int = 0, count: int = 1) -> Answer:
        """The answer to the call. Raises TooManyWaiting at once when the queue is full."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        span = None if spans.tracer is None else spans.recorded()
        self.submit_for(answer, call, size, count, span)
        try:
            return await answer
        finally:
            del answer  # what it may raise has this frame in its traceback, and would keep itself

    def submit_for(
        self,
        caller: Caller,
        call: Call,
        size: int = 0,
        count: int = 1,
        span: Span | None = None,
    ) -> None:
        """Has the caller told the answer. Raises TooManyWaiting when the queue is full.

        The batch is linked to the caller's `span`.
        """
        if not self._bound.take(count):
            raise TooManyWaiting(self._called)
        self._count += count
        self._waiting.append((call, size, count, caller, span))
        if not self._flights or (self._flights < self._most_flights and self._count >= self._crowd):
            self._flights += 1
            # For all, so it is in the context of none.
            task = asyncio.get_running_loop().create_task(self._fly(), context=Context())
            self._tasks.add(task)  # the event loop alone would not keep it alive
            task.add_done_callback(self._tasks.discard)

    async def _fly(self) -> None:
        # From an answer to the end nothing awaits: an answered caller may end the event loop.
        loop = asyncio.get_running_loop()
        try:
            while batch := self._next_batch():
                self.sizes[sum(count for _, _, count, _, _ in batch)] += 1
                try:
                    if spans.tracer is None:
                        answers = await self._send([call for call, _, _, _, _ in batch])
                    else:
                        answers = await self._send_traced(batch)
                except Exception as error:  # noqa: BLE001 - it goes to the callers that wait
                    _fail(batch + self._first(len(self._waiting), self._count), error)
                else:
                    loop.call_soon(_hand_out, batch, answers)
        finally:
            self._flights -= 1

    async def _send_traced(self, batch: list[_Waiting[Call]]) -> Iterable[Answer | Exception]:
        carried = [span for *_, span in batch if span is not None]
        size = sum(count for _, _, count, _, _ in batch)
        with shared.batch(f"batch of {self._called}", carried, {"itemstore.batch.size": size}):
            return await self._send([call for call, _, _, _, _ in batch])

    def _next_batch(self) -> list[_Waiting[Call]]:
        calls, count, size = 0, 0, 0
        for _, bytes_, commands, _, _ in self._waiting[: self._most]:
            size += bytes_
            if calls and (size > self._most_bytes or count + commands > self._most):
                break
            calls += 1
            count += commands
        return self._first(calls, count)

    def _first(self, calls: int, count: int) -> list[_Waiting[Call]]:
        """So many calls, which stand for so many: they wait no more."""
        first, self._waiting = self._waiting[:calls], self._waiting[calls:]
        self._count -= count
        self._bound.go(calls, count)
        return first


_Waiting = tuple[Call, int, int, Caller, Span | None]
"""A call, its bytes, for how many it stands, who waits for its answer, and of which span."""


def _hand_out(batch: list[_Waiting[Call]], answers: Iterable[Answer | Exception]) -> None:
    try:
        for (_, _, _, caller, _), answer in zip(batch, answers, strict=True):
            _settle(caller, answer)
    except Exception as error:  # noqa: BLE001 - it goes to the callers that have no answer
        _fail(batch, error)


def _fail(batch: list[_Waiting[Call]], error: Exception) -> None:
    for _, _, _, caller, _ in batch:
        _settle(caller, error)


def _settle(caller: Caller, answer: Answer | Exception) -> None:
    """Tells a caller, whose errors are no concern of the others': the event loop gets them."""
    try:
        if caller.done():
            return
        if isinstance(answer, Exception):
            caller.set_exception(answer)
        else:
            caller.set_result(answer)
    except Exception as error:  # noqa: BLE001 - the next one is to be told its answer
        asyncio.get_running_loop().call_soon(_raise, error)


def _raise(error: Exception) -> None:
    raise error
