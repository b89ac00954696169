"""Events of the log after a position that pass a filter, found in steps with a bound."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from itemstore.api.http.query_parameters import Limit, Query
from itemstore.api.http.request import Request
from itemstore.api.resources.cursors import AfterPosition, OfLog
from itemstore.api.resources.item_history import heads_at
from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import START
from itemstore.eventlog.live_feed import Encoded
from itemstore.eventlog.reader import PAGE_BYTES, Within
from itemstore.store.scope import Scope

SCANNED = 10_000
"""Events that one page looks through for those that a filter lets pass."""

EventType = Literal["ItemCreated", "ItemUpdated", "ItemDeleted"]


class FeedQuery(Query):
    """Which events of the log."""

    after: AfterPosition = None
    log: OfLog = None
    limit: Limit = 100
    type: Annotated[EventType | None, Field(description="Only events of this type.")] = None
    item: Annotated[str | None, Field(description="Only events of this item.")] = None
    wait: Annotated[
        float, Field(ge=0, le=60, description="Seconds to wait for an event where there is none.")
    ] = 0


@dataclass(slots=True)
class Found:
    """Events that pass, up to which position was looked, and whether nothing comes after it."""

    position: str
    events: list[RecordedEvent] = field(default_factory=list)
    is_end: bool = False

    @property
    def is_dry(self) -> bool:
        """Whether there is nothing, until something new comes."""
        return self.is_end and not self.events


async def search(request: Request, start: str, wanted: FeedQuery) -> Found:
    """Events after a position that pass, in steps, for as long as the client is there."""
    if wanted.item is not None:
        return await _of_item(request, start, wanted)
    found = Found(start)
    looked, size = 0, 0
    while not found.is_end and len(found.events) < wanted.limit and looked < SCANNED:
        most = wanted.limit - len(found.events)
        within = Within(
            most, SCANNED - looked, kind=wanted.type or "", prefixes=request.scope.prefixes
        )
        part = await request.store.log.reader.part_after(found.position, within)
        looked, size = looked + part.looked, size + part.bytes
        if found.events and size > PAGE_BYTES:
            break
        found.events += (each for each in part.events() if passes(each, wanted, request.scope))
        found.position, found.is_end = part.position, part.is_end
        await request.check_connected()
    return found


async def _of_item(request: Request, start: str, wanted: FeedQuery) -> Found:
    """Events of one item, from its own history: the rest of the log is not looked at."""
    log, item = request.store.log, wanted.item or ""
    end = await log.reader.last_position()
    if not request.scope.may_touch(request.store.partition.keys.collection, item):
        return Found(end, is_end=True)
    version = 0 if start == START else await log.reader.version_at(item, start)
    most = SCANNED if wanted.type else wanted.limit
    positions = await log.reader.positions(item, version, most)
    chosen, looked = positions, len(positions)
    if wanted.type:
        heads, looked = await heads_at(request, log.reader, positions, wanted.limit, wanted.type)
        chosen = [head.position.encode() for head in heads]
    events = await log.reader.at(chosen)
    if events and (len(chosen) == wanted.limit or events[-1].position.encode() != chosen[-1]):
        return Found(events[-1].position, events)
    is_end = looked == len(positions) < most
    return Found(end if is_end else positions[looked - 1].decode(), events, is_end)


def passes(event: RecordedEvent | Encoded, wanted: FeedQuery, scope: Scope) -> bool:
    """Whether the filter lets the event pass, and the scope has its item."""
    return (
        (wanted.type is None or event.type == wanted.type)
        and (wanted.item is None or event.item == wanted.item)
        and scope.may_touch(event.collection, event.item)
    )
