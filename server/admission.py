"""What one process has under way at once, and how much of it may be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from itemstore.server.concurrency_limit import NoPlace, Place, Places
from itemstore.server.counters import Counters
from itemstore.server.refusals import Overloaded
from itemstore.server.unsent import Unsent

TICK = 1.0
"""Seconds between two looks at which clients are slow."""

READS_AT_ONCE = 4
"""Pages that are made at the same time: each takes a part of every turn of the event loop."""

READS_WAITING = 100
"""Requests for pages that wait for that."""

READ_SECONDS = 1.5
"""How long they do."""

SLOW_AT_ONCE = 8
"""Reads of what is slow, such as an archive, that requests wait for at the same time."""

SLOW_SECONDS = 10.0
"""How long a request waits for its turn at that."""

SLOW_PIECES_AT_ONCE = 4
"""The same for streams: so those that catch up leave what is slow to others as well."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one process takes on at once; the caller that runs the server chooses the numbers.

    `connections`, `waiting` requests and `streams` are counted; `unsent_bytes` are of answers that
    wait for their clients, `read_bytes` the most that one read of many items makes. A client may
    hold up its request, or take nothing of its answer, for `client_seconds`.
    """

    connections: int
    waiting: int
    streams: int
    unsent_bytes: int
    read_bytes: int
    client_seconds: float


_place: ContextVar[Place | None] = ContextVar("place", default=None)
"""The place that the request or stream at hand has among those who read."""


class Admission:
    """Connections, requests and streams of one process.

    `tasks` are the requests that the server has under way, streams and those that are still being
    received among them; `receiving` is how many of the latter there are. Pages, lists and the like
    have places of their own, so that they never take those of writes and of single items.
    """

    def __init__(self, limits: Limits, counters: Counters) -> None:
        self.counters = counters
        self.tasks: set[Any] = set()
        self.receiving = 0
        self.streams = 0
        self.reading = 0
        self.unsent = Unsent(limits.unsent_bytes, lambda: counters.full.note("unsent"))
        self._reads = Places(READS_AT_ONCE, READS_WAITING, READ_SECONDS)
        self._pieces = Places(READS_AT_ONCE)
        self._slow = Places(SLOW_AT_ONCE, READS_WAITING, SLOW_SECONDS)
        self._slow_pieces = Places(SLOW_PIECES_AT_ONCE)
        self._connections: set[Any] = set()
        self._next_tick: asyncio.TimerHandle | None = None
        self.most_connections = limits.connections
        self.patience: float = limits.client_seconds
        self._most_waiting = limits.waiting
        self._read_bytes = limits.read_bytes
        self._most_streams = limits.streams
        counters.gauges |= {
            "waiting": lambda: self.waiting,
            "connections": lambda: len(self._connections),
            "max_connections": lambda: self.most_connections,
            "streams": lambda: self.streams,
            "reads": lambda: self.reading,
            "unsent_bytes": lambda: self.unsent.bytes,
        }

    @property
    def waiting(self) -> int:
        """Requests that have come and wait for their answer."""
        return max(0, len(self.tasks) - self.receiving - self.streams - self.reading)

    @property
    def is_full(self) -> bool:
        """Whether one more request would have to wait too long (docs/decisions/0011)."""
        aside = self.receiving + self.streams + self.reading
        return len(self.tasks) - aside >= self._most_waiting

    def watch(
        self,
        connections: set[Any],
        tasks: set[Any],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """Counts a server's connections and its tasks, and calls `tick` of each connection.

        One timer for all: one for each would cost every request more than all of its limits do.
        """
        self._connections, self.tasks = connections, tasks
        if self._next_tick is None:
            self._next_tick = loop.call_later(TICK, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        for connection in tuple(self._connections):
            connection.tick()
        self._next_tick = loop.call_later(TICK, self._tick, loop) if self._connections else None

    @asynccontextmanager
    async def read(self, check_connected: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
        """A place for the block among those that read much. Raises Overloaded.

        Where it had to wait, `check_connected` is called when it is its turn: it raises where the
        client has left meanwhile.
        """
        self.reading += 1
        try:
            async with self._reads.one() as place:
                if place.has_waited:
                    await check_connected()
                reads = self._reads.taken + self._slow.taken
                if not self.unsent.has_room(self._read_bytes * reads):
                    sentence = "Too much is waiting to be taken by its clients."
                    raise Overloaded(sentence, "unsent")
                with _held(place):
                    yield
        except NoPlace:
            raise Overloaded("Too many requests for pages are waiting.", "reads") from None
        finally:
            self.reading -= 1

    @contextmanager
    def apart(self) -> Iterator[None]:
        """A block that waits for what has bounds of its own, and takes the place of no write."""
        self.reading += 1
        try:
            yield
        finally:
            self.reading -= 1

    @asynccontextmanager
    async def read_piece(self) -> AsyncIterator[None]:
        """A place for reading the next piece of a stream; how many may wait is bounded."""
        async with self._pieces.one() as place:
            with _held(place):
                yield

    @asynccontextmanager
    async def slow_read(self) -> AsyncIterator[None]:
        """A place for the block among those that wait for what is slow. Raises Overloaded.

        A caller that has a place among those who read moves, and stays until it has read: others
        read meanwhile, and what is read is in memory for no more of them than have places.
        """
        place = _place.get()
        try:
            if place is None:
                self.reading += 1
                try:
                    async with self._slow.one():
                        yield
                finally:
                    self.reading -= 1
            else:
                await self._move_to_the_slow(place)
                yield
        except NoPlace:
            raise Overloaded("Too many requests wait for the archive.", "slow_reads") from None

    async def _move_to_the_slow(self, place: Place) -> None:
        is_of_a_stream = place.places in {self._pieces, self._slow_pieces}
        slow = self._slow_pieces if is_of_a_stream else self._slow
        if place.places is not slow:
            await place.move_to(slow)

    def begin_stream(self) -> None:
        """Takes a place among the streams; the caller gives it back. Raises Overloaded."""
        if self.streams >= self._most_streams:
            sentence = f"{self.streams} streams are open, and no more are allowed."
            raise Overloaded(sentence, "streams")
        self.streams += 1

    def end_stream(self) -> None:
        """Gives a place back."""
        self.streams -= 1

    def cut(self, reason: str) -> None:
        """Counts a stream that was cut off because its client is too slow."""
        self.counters.streams_cut[reason] += 1

    @contextmanager
    def stream(self) -> Iterator[None]:
        """A place among the streams for the block. Raises Overloaded."""
        self.begin_stream()
        try:
            yield
        finally:
            self.end_stream()


@contextmanager
def _held(place: Place) -> Iterator[None]:
    """A block in which the caller is known to have a place."""
    _place.set(place)
    try:
        yield
    finally:
        _place.set(None)
