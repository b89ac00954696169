"""Events on stdout: for people one a line, for machines as CloudEvents."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from itemstore.cli.errors import MISUSED, Stop
from itemstore.cli.output import write_data, write_text
from itemstore.cli.selected import EVERY, Selected
from itemstore.domain import places
from itemstore.domain.cursors import (
    cursor_after,
    cursor_of,
    is_from_ahead,
    latest,
    nearest,
)
from itemstore.domain.events import ItemDeleted, RecordedEvent
from itemstore.domain.positions import START, key_of, position_of
from itemstore.eventlog.cloudevents import encode
from itemstore.eventlog.feed import Feed
from itemstore.eventlog.reader import Within
from itemstore.logs.terminal_text import escaped
from itemstore.store.store import Store

PAGE = 100
LAST = 10
"""Events that `tail` shows where it is not told where to start."""

FURTHER = 16
"""How many times more events are looked at where there are too few of those that are wanted."""


@dataclass(frozen=True, slots=True)
class View:
    """Events of a feed as they are shown: as JSON, or for people.

    These see the collection too where the store has several.
    """

    feed: Feed
    as_json: bool
    selected: Selected = EVERY

    @classmethod
    def of(
        cls,
        store: Store,
        names: Collection[str] | None,
        *,
        as_json: bool,
        selected: Selected = EVERY,
    ) -> View:
        """That of the collections with these names, or of all. Raises NoSuchCollection."""
        feed = store.feed.of(store.chosen(names)) if names else store.feed
        return cls(feed, as_json, selected)

    async def show_once(self, after: str | None) -> None:
        """Shows the newest events, or those after a cursor: of an item by its own history."""
        if self.selected.item is None or after is not None:
            await self.show_newest(after)
        else:
            count = LAST if self.selected.count is None else self.selected.count
            view = replace(self, selected=replace(self.selected, count=count))
            await view.show_of_item(self.selected.item)

    async def show_newest(self, after: str | None) -> str:
        """Shows the newest events, or those after a cursor; the cursor after the last one."""
        count = self.selected.count
        if after is not None:
            start = await start_of(self.feed, after)
            if count is None:
                return await self.show_after(start)
            found, end = await self._last_after(start, count)
        else:
            count = LAST if count is None else count
            if self.selected.is_every_event:
                return await self.show_after(await self.feed.reader.before_last(count))
            found, end = await self._last(count)
        self._write(found)
        return end

    async def show_after(self, cursor: str) -> str:
        """Shows the events after a cursor; the cursor after the last one."""
        async with aclosing(self.feed.reader.recorded_slices(cursor)) as slices:
            async for recorded in slices:
                cursor = cursor_after(cursor, recorded, self.feed.partitions)
                self.show(recorded)
        return cursor

    async def show_of_item(self, item: str) -> bool:
        """Shows an item's events; whether it ever had one."""
        is_known, newest = False, self._newest(self.selected.count)
        position, is_end = START, False
        while not is_end:
            part = await self.feed.reader.part_after(position, Within(item=item))
            position, is_end = part.position, part.is_end
            is_known = is_known or part.looked > 0
            if self.selected.count is None:
                self.show(part.events())
            else:
                newest += filter(self.selected.passes, part.events())
        self._write(newest)
        return is_known

    async def _last(self, count: int) -> tuple[Sequence[RecordedEvent], str]:
        """The newest of the selected events, looked for ever further back; and the log's end."""
        total, looked = (await self.feed.reader.extent()).events, max(count, PAGE)
        while True:
            start = await self.feed.reader.before_last(looked)
            found, end = await self._last_after(start, count)
            if len(found) >= count or looked >= total:
                return found, end
            looked *= FURTHER

    async def _last_after(self, cursor: str, count: int) -> tuple[Sequence[RecordedEvent], str]:
        """The newest of the selected events after a cursor, and the end of all."""
        newest = self._newest(count)
        async with aclosing(self.feed.reader.recorded_slices(cursor)) as slices:
            async for recorded in slices:
                cursor = cursor_after(cursor, recorded, self.feed.partitions)
                newest += filter(self.selected.passes, recorded)
        return newest, cursor

    @staticmethod
    def _newest(count: int | None) -> deque[RecordedEvent]:
        return deque(maxlen=count)

    def show(self, recorded: Iterable[RecordedEvent]) -> None:
        """Writes those of the events that are selected to stdout, one a line."""
        self._write([*filter(self.selected.passes, recorded)])

    def _write(self, recorded: Collection[RecordedEvent]) -> None:
        if not recorded:
            return
        if self.as_json:
            write_data(b"".join(encode(each) + b"\n" for each in recorded))
        else:
            write_text("\n".join(map(self._line, recorded)))

    def _line(self, recorded: RecordedEvent) -> str:
        event = recorded.event
        body = "" if isinstance(event, ItemDeleted) else " " + event.body.decode()
        time = recorded.time.strftime("%Y-%m-%d %H:%M:%S")
        item = f"{event.item} v{recorded.version}"
        if self.feed.has_several:
            item = f"{recorded.collection}/{item}"
        return f"{recorded.id}  {time}  {recorded.type}  {escaped(item + body)}"


async def start_of(feed: Feed, after: str) -> str:
    """The cursor to start after.

    Raises Stop for a text that is no cursor, for a lost one, and for one ahead of the log.
    """
    cursor = cursor_of(after, feed.partitions)
    if cursor is None:
        raise Stop(_no_cursor(after, feed.partitions), MISUSED)
    if cursor == START:
        return cursor
    if feed.partitions > 1 and position_of(cursor):  # that in each of them, as far as it has come
        end = await feed.end()
        if key_of(cursor) > key_of(latest(end, feed.partitions)):
            raise _ahead(after, end)
        cursor = nearest(cursor, end, feed.partitions)
    outlook = await feed.reader.outlook(cursor)
    if outlook.is_lacking:
        message = f"The log no longer has what came after {after}; leave --after out."
        raise Stop(message)
    if outlook.may_be_ahead and is_from_ahead(cursor, end := await feed.end(), feed.partitions):
        raise _ahead(after, end)
    return cursor


def place_of(text: str, partitions: int) -> str:
    """The cursor that a text is, or that before all events at a time. Raises Stop."""
    place = places.place_of(text, partitions)
    if place is None:
        message = (
            f"--from takes a position, <milliseconds>-<number>, a cursor, or a time such as "
            f"2026-11-23T08:09:06Z, not {text!r}."
        )
        raise Stop(message, MISUSED)
    return place


def _no_cursor(after: str, partitions: int) -> str:
    if partitions == 1:
        return f"--after takes a position, <milliseconds>-<number>, not {after!r}."
    return (
        "--after takes the cursor that an export says at its end; or a position, "
        "<milliseconds>-<number>; or the ids of the last events of some partitions, with commas in "
        f"between: not {after!r}."
    )


def _ahead(after: str, end: str) -> Stop:
    return Stop(
        f"The position {after} is ahead of the log, which ends at {end}: it belongs to another "
        "log, or to a newer state of this one. Leave --after out."
    )
