"""The live end of the log: one reader in a process feeds all followers."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass

from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import key_of
from itemstore.engine.cancellation import heed_cancellation
from itemstore.engine.errors import LogUnavailable
from itemstore.engine.steps import steps
from itemstore.eventlog.feed import Feed
from itemstore.eventlog.reader import FeedReader, Within

KEPT_EVENTS = 10_000
KEPT_BYTES = 64 * 1024 * 1024
PAGE = 200

MOST_PIECES = 1000

WOKEN_AT_ONCE = 10

PIECE_BYTES = 64 * 1024
"""About how much a follower gets at once: what it does not take stays in memory, for each."""

IN_A_PIECE = Within(PAGE, bytes=PIECE_BYTES)

Reading = Callable[[], AbstractAsyncContextManager[object]]


class FeedClosed(Exception):
    """The process is about to end."""


class FeedBroken(Exception):
    """The log has something that is no event, so it can't be followed past it."""


class FellBehind(Exception):
    """A follower took its events more slowly than they are kept for it."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """An event in the form that followers send on, made once for all of them."""

    position: str
    type: str
    item: str
    text: bytes
    collection: str


@dataclass(frozen=True, slots=True)
class Coming:
    """Events, and the position up to which there are no others."""

    position: str
    events: Sequence[Encoded] = ()


class LiveFeed:
    """The newest events, kept in memory for followers; older ones come from the log.

    A follower asks for what comes after the position it is at, so it can neither miss an event
    nor get one twice, and one that is slow holds nobody up. `reading` is entered for each read of
    older ones: it bounds how many go on at once.
    """

    def __init__(
        self,
        feed: Feed,
        encode: Callable[[RecordedEvent], bytes],
        reading: Reading = nullcontext,
    ) -> None:
        self._feed = feed
        self._encode = encode
        self._reading = reading
        self._followers = 0
        self._reader: asyncio.Task[None] | None = None
        self._closed = False
        self._changes = 0
        self._waiting: set[asyncio.Future[None]] = set()
        self._forget()

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Keeps the reader running for as long as anyone follows."""
        self._followers += 1
        if self._reader is None or self._reader.done():
            self._forget()
            self._reader = asyncio.create_task(self._read())
        try:
            yield
        finally:
            self._followers -= 1
            if self._followers == 0 and self._reader is not None:
                reader, self._reader = self._reader, None
                self._forget()
                await _ended(reader)

    async def after(
        self,
        position: str,
        *,
        older: FeedReader | None = None,
        within: Within = IN_A_PIECE,
        live: bool = False,
        until: float | None = None,
    ) -> Coming:
        """Events after a position, oldest first; it waits for one, or to come closer to the end.

        Call it within `following`. `older` reads what is no longer in memory, all of the feed or
        the part that a follower wants, and `within` leaves in the engine what it does not.

        `live` says that the follower was at the end already; then FellBehind is raised where it
        would have to go back to the log. `until` is the time of the event loop from which on it
        does not wait but raises TimeoutError. Raises FeedClosed, FeedBroken and LogUnavailable.
        """
        while not self._closed:
            heed_cancellation()
            changes = self._changes
            if self.holds(position):
                if found := self._kept_after(position):
                    return Coming(found[-1].position, found)
            elif live:
                raise FellBehind
            else:
                coming = await self._older(position, older or self._feed.reader, within)
                if coming.position != position:
                    return coming
            if self._reader is not None and self._reader.done():
                error = self._reader.exception()
                raise FeedBroken(str(error)) from error
            if changes == self._changes:
                await self._change(until)
        raise FeedClosed

    def holds(self, position: str) -> bool:
        """Whether all that comes after the position is, or will be, in memory."""
        return self._floor is not None and key_of(position) >= self._floor

    def close(self) -> None:
        """Ends all following: `after` raises FeedClosed from now on."""
        self._closed = True
        self._changes += 1
        self._wake(list(self._waiting))

    def _forget(self) -> None:
        self._kept: list[Encoded] = []
        self._kept_keys: list[tuple[int, int]] = []
        self._kept_bytes = 0
        self._pieces: dict[str, list[Encoded]] = {}  # by the position of the followers that asked
        self._floor: tuple[int, int] | None = None
        self._newest: str | None = None  # what is up to there is in the log

    async def _read(self) -> None:
        try:
            await self._read_on()
        finally:
            self._changes += 1
            self._wake(list(self._waiting))  # nothing will come any more

    async def _read_on(self) -> None:
        position = None
        while True:
            heed_cancellation()
            try:
                if position is None:
                    position = await self._feed.reader.last_position()
                    self._floor, self._newest = key_of(position), position
                    await self._announce()
                async for recorded in self._feed.follow(position):
                    position = recorded[-1].position
                    self._keep(recorded)
                    await self._announce()
            except LogUnavailable:
                await asyncio.sleep(0.2)

    def _keep(self, recorded: Sequence[RecordedEvent]) -> None:
        for each in recorded:
            encoded = self._encoded(each)
            self._kept.append(encoded)
            self._kept_keys.append(key_of(encoded.position))
            self._kept_bytes += len(encoded.text)
            self._newest = encoded.position
        dropped = 0
        while len(self._kept) - dropped > KEPT_EVENTS or self._kept_bytes > KEPT_BYTES:
            self._kept_bytes -= len(self._kept[dropped].text)
            self._floor = self._kept_keys[dropped]
            dropped += 1
        del self._kept[:dropped], self._kept_keys[:dropped]
        self._pieces.clear()

    async def _older(self, position: str, reader: FeedReader, within: Within) -> Coming:
        newest = self._newest
        async with self._reading():
            part = await reader.part_after(position, within)
            events = [self._encoded(each) for each in part.events()]
        if part.is_end and newest is not None:  # up to there nothing else is wanted
            return Coming(max(part.position, newest, key=key_of), events)
        return Coming(part.position, events)

    def _kept_after(self, position: str) -> list[Encoded]:
        # Nearly all followers are at the same place: what comes next is looked up once for them.
        piece = self._pieces.get(position)
        if piece is None:
            if len(self._pieces) > MOST_PIECES:
                self._pieces.clear()
            index = bisect_right(self._kept_keys, key_of(position))
            kept = self._kept[index : index + PAGE]
            pieces = steps(kept, _bytes_of, most=PAGE, most_bytes=PIECE_BYTES)
            piece = self._pieces[position] = next(pieces, [])
        return piece

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

    def _encoded(self, recorded: RecordedEvent) -> Encoded:
        text = self._encode(recorded)
        return Encoded(recorded.position, recorded.type, recorded.item, text, recorded.collection)


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancels a task until it ends: the first time may be lost; see engine/cancellation.py."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.02)


def _expire(change: asyncio.Future[None]) -> None:
    if not change.done():
        change.set_exception(TimeoutError())


def _bytes_of(event: Encoded) -> int:
    return len(event.text)
