"""What the log knows of one item: its versions, with their bodies or without."""

from __future__ import annotations

from contextlib import aclosing
from typing import TypeVar

from itemstore.api.http.problems import Problem
from itemstore.api.http.request import Request
from itemstore.api.openapi import operations
from itemstore.domain.events import ItemDeleted, RecordedEvent
from itemstore.eventlog.codec import EventHead
from itemstore.eventlog.excerpts import LONGEST, quoted
from itemstore.eventlog.log_reader import LogReader

T = TypeVar("T")

VERSION_NOT_THERE = (
    "item-not-found", "item-deleted", "version-not-found", "gone", *operations.OF_THE_PAST
)  # fmt: skip
"""The problems of what needs a version."""

MOST_PARTS = 64
"""How often one request goes to the engine for events that stay there: it looks at 256 of them
each time, or at a mebibyte."""


async def last_change(request: Request) -> tuple[int, str]:
    """The item's last version, and the position that made it. Raises ItemNotFound without one."""
    count, position = await request.log_reader.last_change(request.item_id)
    if count == 0:
        raise request.not_found()
    return count, position


async def heads_at(
    request: Request, reader: LogReader, positions: list[bytes], limit: int, kind: str = ""
) -> tuple[list[EventHead], int]:
    """At most `limit` of the events at positions, of one type where it is named, without bodies.

    Also how many of the positions were looked at: not all of them after MOST_PARTS steps. Raises
    ClientDisconnect.
    """
    found: list[EventHead] = []
    looked, steps = 0, 0
    async with aclosing(reader.heads_at(positions, kind)) as parts:
        async for heads, seen in parts:
            found += heads
            looked, steps = looked + seen, steps + 1
            if len(found) >= limit or steps == MOST_PARTS:
                break
            await request.check_connected()
    return found[:limit], looked


async def version(request: Request, number: int) -> tuple[RecordedEvent, int]:
    """The event that made a version, and how many versions the item has.

    Raises ItemNotFound where it never existed, and Problem for a missing version.
    """
    count, found = await request.log_reader.version(request.item_id, number)
    return _there(request, number, count, found), count


async def version_head(request: Request, number: int) -> EventHead:
    """The event that made a version, without its body. Raises as `version` does."""
    count, found = await request.log_reader.version_head(request.item_id, number)
    return _there(request, number, count, found)


async def version_body(request: Request, number: int) -> bytes:
    """The body that a version left. Raises as `version` and `body_of` do."""
    recorded, _ = await version(request, number)
    return body_of(request, recorded)


def _there(request: Request, number: int, count: int, found: T | None) -> T:
    """What was found of a version. Raises what says why nothing was."""
    if found is not None:
        return found
    item = request.item_id
    if count == 0:
        raise request.not_found()
    if number <= count:
        raise Problem("gone", f"Version {number} was removed from the log by its operator.")
    sentence = f"Item {quoted(item, LONGEST)} has {count} versions; there is no version {number}."
    raise Problem("version-not-found", sentence, members={"version": count})


def version_number(request: Request) -> int:
    """The version in the path. Raises Problem."""
    text = request.parameters["n"]
    if text.isdigit() and len(text) < 16 and int(text) > 0:  # noqa: PLR2004 - 10**15 is enough
        return int(text)
    raise Problem("version-not-found", "A version is a whole number from 1.")


def body_of(request: Request, recorded: RecordedEvent) -> bytes:
    """The body that an event left. Raises ItemNotFound for an ItemDeleted."""
    if isinstance(recorded.event, ItemDeleted):
        raise request.not_found(recorded.version)
    return recorded.event.body
