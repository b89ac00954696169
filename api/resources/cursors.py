"""Where a reader goes on: after an id of the list, or after a cursor of a certain log."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from pydantic import Field

from itemstore.api.http.problems import Problem
from itemstore.api.http.reply import Header
from itemstore.api.http.request import Request
from itemstore.domain.cursors import (
    ID_PATTERN,
    furthest,
    is_beyond,
    is_from_ahead,
    latest,
    nearest,
    partition_ahead,
    position_in,
)
from itemstore.domain.cursors import PATTERN as CURSORS
from itemstore.domain.cursors import cursor_of as cursor_of_text
from itemstore.domain.positions import LARGEST, START, key_of, position_at, position_of
from itemstore.engine.errors import LogFull, LogUnavailable
from itemstore.eventlog.excerpts import quoted
from itemstore.eventlog.feed import Feed
from itemstore.eventlog.log_id import OtherLog
from itemstore.eventlog.log_reader import LogReader
from itemstore.eventlog.reader import FeedReader, Outlook

AfterCursor = Annotated[
    str | None,
    Field(
        description="Only events after this position; of several partitions, a cursor.",
        json_schema_extra={"format": "position", "pattern": CURSORS},
    ),
]
"""`?after=` of the feed. What is no cursor is a malformed one (400), no wrong parameter."""

AfterEvent = Annotated[
    str | None,
    Field(
        description="Only events after this one: its id, or a position.",
        json_schema_extra={"format": "position", "pattern": ID_PATTERN},
    ),
]
"""`?after=` of an item's events; the same of what is no id."""

OfLog = Annotated[
    str | None, Field(description="The log that `after` is of: the Log-Id of its answer.")
]
"""`?log=` of events."""


def cursor_of(item: str) -> str:
    """The cursor of a page of the list that begins after an id."""
    return base64.urlsafe_b64encode(item.encode()).decode().rstrip("=")


def id_of_cursor(cursor: str) -> str:
    """The id that a page of the list begins after. Raises Problem (400)."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        sentence = f"{quoted(cursor)} is not the `next` of a page of this list."
        raise Problem("malformed-cursor", sentence) from None


def log_id(request: Request) -> Header:
    """Which log the answer is from, for `?log=`."""
    return b"log-id", request.log_id.encode()


async def start_of(
    request: Request, reader: FeedReader, after: str | None, log: str | None, since: int = 0
) -> str:
    """The cursor to start after, where it is to be at a time or later: that many milliseconds.

    Notes the id of the log in the request. Raises OtherLog, and Problem for text that is no
    cursor (400) and for one whose events were removed from what the reader reads (410).
    """
    feed = request.store.feed
    cursor = START if after is None else checked_cursor(after, feed.partitions)
    await _note_log(request, feed, log)
    if feed.partitions > 1 and cursor != START and position_of(cursor):
        cursor = nearest(cursor, await _end_after(request, feed, cursor), feed.partitions)
    outlook = await _outlook(request, reader, cursor)
    before_time = position_at(since - 1, LARGEST)
    if since > 0 and is_beyond(before_time, cursor, feed.partitions):
        cursor = furthest((cursor, await _reached(feed, before_time)), feed.partitions)
        outlook = await reader.outlook(cursor)
    if outlook is not None and outlook.is_lacking:
        raise Problem("gone", f"The log no longer has what came after {cursor}.")
    return cursor


async def _end_after(request: Request, feed: Feed, position: str) -> str:
    """The end of the log, of which one partition at least has come to a position.

    Raises OtherLog.
    """
    end = await feed.end()
    if key_of(position) > key_of(latest(end, feed.partitions)):
        raise _from_ahead(request, position, end)
    return end


async def _reached(feed: Feed, before_time: str) -> str:
    """What is before a time in each of several partitions, so that all have come as far as that.

    What one of them does not have yet will be after it. A time to come stays what it is.
    """
    if feed.partitions == 1:
        return before_time
    end = await feed.end()
    if key_of(before_time) > key_of(latest(end, feed.partitions)):
        return before_time
    return nearest(before_time, end, feed.partitions)


async def position_of_item(
    request: Request, reader: LogReader, after: str | None, log: str | None
) -> str:
    """The position in the log of an item that a text says: an event's id, or a position.

    Notes the id of the log in the request: that of the item's partition, where there are several,
    so that nothing is asked of the others. Raises OtherLog, and Problem for other text (400).
    """
    position: str | None = START
    if after is not None and reader.partition is None:
        position = checked_cursor(after, 1)
    elif after is not None:
        position = position_in(after, reader.partition)
    if position is None:
        form = f"<milliseconds>-<number>@{reader.partition}, as the id of the item's events is"
        raise _malformed(after or "", f"a position is <milliseconds>-<number>, or {form}")
    feed = feed_of_item(request)
    await _note_log(request, feed, log)
    if position != START and (await reader.outlook(position)).may_be_ahead:
        await _end_after(request, feed, position)
    return position


def feed_of_item(request: Request) -> Feed:
    """The logs of the partition that the item of a request is in."""
    return request.store.section_of(request.item_id).feed


async def _note_log(request: Request, feed: Feed, log: str | None) -> None:
    """Notes the id of a feed's log in the request. Raises OtherLog where another one is meant.

    That of the whole store may be meant as well.
    """
    request.log_id = await feed.identity.now()
    if log in {None, request.log_id}:
        return
    whole = request.store.feed
    if whole is feed or log != await whole.identity.now():
        sentence = "The position is of another log; this one has events of its own."
        raise OtherLog(sentence, request.log_id, await feed.end())


async def _outlook(request: Request, reader: FeedReader, cursor: str) -> Outlook | None:
    """What comes after a cursor: None at the start, where there is nothing to ask.

    Raises OtherLog for one from ahead of the log.
    """
    if cursor == START:
        return None
    outlook = await reader.outlook(cursor)
    if outlook.may_be_ahead:
        feed = request.store.feed
        end = await feed.end()
        if is_from_ahead(cursor, end, feed.partitions):
            raise _from_ahead(request, cursor, end)
    return outlook


def _from_ahead(request: Request, cursor: str, end: str) -> OtherLog:
    sentence = f"The position {cursor} is from ahead of the log, which ends at {end}."
    ahead = (
        None if position_of(cursor) else partition_ahead(cursor, end, request.store.feed.partitions)
    )
    if ahead is not None:
        number, position, last = ahead
        sentence = (
            f"In partition {number} the cursor is at {position}, from ahead of the log, which ends "
            f"there at {last}."
        )
    return OtherLog(sentence, request.log_id, end)


async def check_same_log(request: Request, feed: Feed | None = None) -> None:
    """Raises OtherLog where another log took the place of the one that the request began with.

    That is the log of the whole store, where no other feed is named.
    """
    feed = feed or request.store.feed
    now = await feed.identity.now()
    if now != request.log_id:
        request.log_id = now
        sentence = "Another log took the place of this one meanwhile."
        raise OtherLog(sentence, now, await feed.end())


async def is_replaced(request: Request) -> bool:
    """Whether another log took its place, as of the last second; False where that is unknown."""
    try:
        return await request.store.feed.identity.lately() != request.log_id
    except (LogUnavailable, LogFull):
        return False


def checked_cursor(text: str, partitions: int) -> str:
    """The cursor that the text is in a store with so many partitions. Raises Problem."""
    cursor = cursor_of_text(text, partitions)
    if cursor is not None:
        return cursor
    if partitions == 1:
        raise _malformed(text, "a position is <milliseconds>-<number>, as an event's id is")
    raise _malformed(
        text,
        f"in a store with {partitions} partitions a cursor is the `after` of a Link or the `id` of "
        "a live stream; or a position, <milliseconds>-<number>; or the ids of the last events of "
        "some partitions, with commas in between",
    )


def _malformed(text: str, what_it_is: str) -> Problem:
    sentence = f"{what_it_is[0].upper()}{what_it_is[1:]}, not {quoted(text)}."
    return Problem("malformed-cursor", sentence)
