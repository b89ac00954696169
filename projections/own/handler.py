"""Projections that call a function for each event, at least once, in the order of the log."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Collection
from dataclasses import KW_ONLY, dataclass

from itemstore.domain.events import RecordedEvent
from itemstore.eventlog.partition import Partition
from itemstore.projections.own.choice import Choice
from itemstore.projections.own.delivery import TAKEN, Answer, Outcome
from itemstore.projections.own.follower import HandedFollower, Terms
from itemstore.projections.own.handed import Begin, Handed, check_seconds, check_terms
from itemstore.projections.own.reasons import reason_of
from itemstore.projections.own.threads import Ended, begun
from itemstore.projections.own.unrun import UNRUN, check_function, is_unrun

Handle = Callable[[RecordedEvent], Awaitable[None] | None]


@dataclass(frozen=True)
class HandlerProjection(Handed):
    """A projection that calls `handle` for each event of some collections and types, or for all.

    `handle` is a function or a coroutine function. One that is no coroutine function runs in a
    thread. What it raises, and that it takes more than so many `seconds`, is a failure: it is
    called again after a while, and no later event of the log before. With `give_up_after` an event
    is set aside after so many tries, and the next one is handled.
    """

    name: str
    handle: Handle
    _: KW_ONLY
    collections: Collection[str] | None = None
    types: Collection[str] | None = None
    begin: Begin = "now"
    give_up_after: int | None = None
    seconds: float = 30.0

    def __post_init__(self) -> None:
        Choice(self.collections, self.types)
        check_terms(self.begin, self.give_up_after)
        check_seconds(self.seconds)
        check_function(self.handle)

    @property
    def terms(self) -> Terms:
        """What it wants to have handed over."""
        choice = Choice(self.collections, self.types)
        return Terms(self.name, choice, self.begin == "start", self.give_up_after)

    def follower(self, partition: Partition) -> HandedFollower:
        """What calls the function for the events of a log."""
        calling = Calling(self.handle, self.seconds)
        return HandedFollower(self.terms, partition, calling.call, seconds=self.seconds)


class Calling:
    """Calls a function, and never twice at once: a thread that takes too long can't be ended."""

    def __init__(self, handle: Handle, seconds: float) -> None:
        self._handle = handle
        self._seconds = seconds
        self._running: asyncio.Future[Ended[object]] | None = None

    async def call(self, recorded: RecordedEvent) -> Answer:
        """How the call for an event ended."""
        try:
            async with asyncio.timeout(self._seconds) as limit:
                raised = await self._called(recorded)
        except TimeoutError as error:
            if not limit.expired():
                return _failed(error)
            return Answer(Outcome.FAILED, f"it took more than {self._seconds:g} seconds")
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and _is_cancelled():
                raise
            return _failed(error)
        return TAKEN if raised is None else _failed(raised)

    async def _called(self, recorded: RecordedEvent) -> BaseException | None:
        """What the function raised in a thread; raises what it raises where it is awaited."""
        if self._running is not None:
            await asyncio.wait([self._running])
        if inspect.iscoroutinefunction(self._handle):
            await self._handle(recorded)
            return None
        self._running = begun(lambda: self._handle(recorded))
        ended = await asyncio.shield(self._running)
        self._running = None
        if inspect.isawaitable(ended.value):
            await ended.value
        elif is_unrun(ended.value):
            return TypeError(UNRUN)
        return ended.error


def _failed(error: BaseException) -> Answer:
    return Answer(Outcome.FAILED, reason_of(error))


def _is_cancelled() -> bool:
    """Whether it is this task that is cancelled, and not something in the function."""
    task = asyncio.current_task()
    return task is None or bool(task.cancelling())
