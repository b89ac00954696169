"""The live end of the log: one reader in a process feeds all followers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from itemstore.domain.cursors import furthest
from itemstore.engine.cancellation import heed_cancellation
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.feed import Feed
from itemstore.eventlog.live_events import (
    PAGE,
    PIECE_BYTES,
    Coming,
    Encode,
    Encoded,
    LiveEvents,
    OrderedEvents,
)
from itemstore.eventlog.live_partitions import Again, PartitionedEvents
from itemstore.eventlog.reader import FeedReader, Within

WOKEN_AT_ONCE = 10

IN_A_PIECE = Within(PAGE, bytes=PIECE_BYTES)

Reading = Callable[[], AbstractAsyncContextManager[object]]


class FeedClosed(Exception):
    """The process is about to end."""


class FeedBroken(Exception):
    """The log has something that is no event, so it can't be followed past it."""


class FellBehind(Exception):
    """A follower took its events more slowly than they are kept for it."""


class LiveFeed:
    """The newest events, kept in memory for followers; older ones come from the log.

    A follower asks for what comes after the cursor it is at, so it can neither miss an event
    nor get one twice, and one that is slow holds nobody up. `encode` makes the text of an event,
    and `again` that of one for a follower who is elsewhere in the other partitions. `reading` is
    entered for each read of older ones: it bounds how many go on at once.
    """

    def __init__(
        self,
        feed: Feed,
        encode: Encode,
        again: Again,
        reading: Reading = nullcontext,
    ) -> None:
        self._feed = feed
        self._encode = encode
        self._again = again
        self._reading = reading
        self._followers = 0
        self._reader: asyncio.Task[None] | None = None
        self._closed = False
        self._changes = 0
        self._waiting: set[asyncio.Future[None]] = set()
        self._newest: LiveEvents | None = None

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Keeps the reader running for as long as anyone follows."""
        self._followers += 1
        if self._reader is None or self._reader.done():
            self._newest = None
            self._reader = asyncio.create_task(self._read())
        try:
            yield
        finally:
            self._followers -= 1
            if self._followers == 0 and self._reader is not None:
                reader, self._reader = self._reader, None
                self._newest = None
                await _ended(reader)

    async def after(
        self,
        cursor: str,
        *,
        older: FeedReader | None = None,
        within: Within = IN_A_PIECE,
        live: bool = False,
        until: float | None = None,
    ) -> Coming:
        """Events after a cursor, oldest first; it waits for one, or to come closer to the end.

        Call it within `following`. `older` reads what is no longer in memory, all of the feed or
        the part that a follower wants, and `within` leaves in the engine what it does not.

        `live` says that the follower was at the end already; then FellBehind is raised where it
        would have to go back to the log. `until` is the time of the event loop from which on it
        does not wait but raises TimeoutError. Raises FeedClosed, FeedBroken and LogUnavailable.
        """
        while not self._closed:
            heed_cancellation()
            changes, newest = self._changes, self._newest
            if newest is not None and newest.holds(cursor):
                if (found := newest.after(cursor)) is not None:
                    return found
            elif live:
                raise FellBehind
            else:
                coming = await self._older(cursor, older or self._feed.reader, within)
                if coming.cursor != cursor:
                    return coming
            if self._reader is not None and self._reader.done():
                error = self._reader.exception()
                raise FeedBroken(str(error)) from error
            if changes == self._changes:
                await self._change(until)
        raise FeedClosed

    def holds(self, cursor: str) -> bool:
        """Whether all that comes after the cursor is, or will be, in memory."""
        return self._newest is not None and self._newest.holds(cursor)

    def close(self) -> None:
        """Ends all following: `after` raises FeedClosed from now on."""
        self._closed = True
        self._changes += 1
        self._wake(list(self._waiting))

    async def _read(self) -> None:
        try:
            await self._read_on()
        finally:
            self._changes += 1
            self._wake(list(self._waiting))  # nothing will come any more

    async def _read_on(self) -> None:
        newest = None
        while True:
            heed_cancellation()
            try:
                if newest is None:
                    newest = self._newest = self._from(await self._feed.reader.last_position())
                    await self._announce()
                async for recorded in self._feed.follow(newest.newest):
                    newest.add(recorded)
                    await self._announce()
            except LogUnavailable:
                await asyncio.sleep(0.2)

    def _from(self, cursor: str) -> LiveEvents:
        """What is kept of that which comes after a cursor."""
        partitions = self._feed.partitions
        if partitions == 1:
            return OrderedEvents(cursor, self._encode)
        return PartitionedEvents(cursor, partitions, self._encode, self._again)

    async def _older(self, cursor: str, reader: FeedReader, within: Within) -> Coming:
        newest = None if self._newest is None else self._newest.newest
        async with self._reading():
            part = await reader.part_after(cursor, within)
            events = [
                Encoded.of(event, after, self._encode) for event, after in part.events_and_cursors()
            ]
        if part.is_end and newest is not None:  # up to there nothing else is wanted
            return Coming(furthest((part.position, newest), self._feed.partitions), events)
        return Coming(part.position, events)

    async def _announce(self) -> None:
        """Wakes the followers, a few in a turn of the event loop: writers get theirs between."""
        self._changes += 1
        waiting, self._waiting = list(self._waiting), set()
        await asyncio.sleep(0)
        for start in range(0, len(waiting), WOKEN_AT_ONCE):
            self._wake(waiting[start : start + WOKEN_AT_ONCE])
            await asyncio.sleep(0)

    def _wake(self, waiting: Iterable[asyncio.Future[None]]) -> None:
        for change in waiting:
            if not change.done():
                change.set_result(None)

    async def _change(self, until: float | None) -> None:
        # asyncio.timeout_at would cost each follower as much again as all else that an event does.
        loop = asyncio.get_running_loop()
        change = loop.create_future()
        timer = None if until is None else loop.call_at(until, _expire, change)
        waiting = self._waiting
        waiting.add(change)
        try:
            await change
        finally:
            waiting.discard(change)
            if timer is not None:
                timer.cancel()


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancels a task until it ends: the first time may be lost; see engine/cancellation.py."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.02)


def _expire(change: asyncio.Future[None]) -> None:
    if not change.done():
        change.set_exception(TimeoutError())
