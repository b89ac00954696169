"""Where a reader goes on: after an id of the list, or after a position of a certain log."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from pydantic import Field

from itemstore.api.http.problems import Problem
from itemstore.api.http.reply import Header
from itemstore.api.http.request import Request
from itemstore.domain.positions import LARGEST, PATTERN, START, key_of, position_at, position_of
from itemstore.engine.errors import LogFull, LogUnavailable
from itemstore.eventlog.excerpts import quoted
from itemstore.eventlog.log_id import OtherLog
from itemstore.eventlog.reader import FeedReader, Outlook

AfterPosition = Annotated[
    str | None,
    Field(
        description="Only events after this position.",
        json_schema_extra={"format": "position", "pattern": PATTERN},
    ),
]
"""`?after=` of events. What is no position is a malformed cursor (400), no wrong parameter."""

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
    """The position to start after, where it is to be at a time or later: that many milliseconds.

    Notes the id of the log in the request. Raises OtherLog, and Problem for text that is no
    position (400) and for a position whose events were removed from what the reader reads (410).
    """
    position, outlook = await position_and_outlook(request, reader, after, log)
    before_time = position_at(since - 1, LARGEST)
    if since > 0 and key_of(before_time) > key_of(position):
        position, outlook = before_time, await reader.outlook(before_time)
    if outlook is not None and outlook.is_lacking:
        raise Problem("gone", f"The log no longer has what came after {position}.")
    return position


async def position_and_outlook(
    request: Request, reader: FeedReader, after: str | None, log: str | None
) -> tuple[str, Outlook | None]:
    """The position, and what comes after it: None at the start, where there is nothing to ask.

    Notes the id of the log in the request. Raises Problem and OtherLog.
    """
    position = START if after is None else checked_position(after)
    feed = request.store.feed
    request.log_id = await feed.identity.now()
    if log not in (None, request.log_id):
        sentence = "The position is of another log; this one has events of its own."
        raise OtherLog(sentence, request.log_id, await feed.end())
    if position == START:
        return position, None
    outlook = await reader.outlook(position)
    if outlook.may_be_ahead:
        end = await feed.end()
        if key_of(end) < key_of(position):
            sentence = f"The position {position} is from ahead of the log, which ends at {end}."
            raise OtherLog(sentence, request.log_id, end)
    return position, outlook


async def check_same_log(request: Request) -> None:
    """Raises OtherLog where another log took the place of the one that the request began with."""
    feed = request.store.feed
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


def checked_position(text: str) -> str:
    """The position that the text is. Raises Problem."""
    position = position_of(text)
    if position is None:
        sentence = (
            f"A position is <milliseconds>-<number>, as an event's id is, not {quoted(text)}."
        )
        raise Problem("malformed-cursor", sentence)
    return position
