"""Events after a position that a request asks for, found in steps with a bound."""

from __future__ import annotations

from dataclasses import dataclass, field

from itemstore.api.http.request import Request
from itemstore.api.resources.event_selection import Selection
from itemstore.domain.events import RecordedEvent
from itemstore.eventlog.reader import PAGE_BYTES, fitting, size_of

SCANNED = 10_000
"""Events that one page looks through for those that are asked for."""

MOST_PARTS = 64
"""Steps in which it looks through the events of an item: 256 of them each time, or a mebibyte."""


@dataclass(slots=True)
class Found:
    """Events that pass, up to which cursor was looked, and whether nothing comes after it."""

    position: str
    events: list[RecordedEvent] = field(default_factory=list)
    is_end: bool = False

    @property
    def is_dry(self) -> bool:
        """Whether there is nothing, until something new comes."""
        return self.is_end and not self.events


async def search(request: Request, start: str, selection: Selection) -> Found:
    """Events after a cursor that pass, in steps, for as long as the client is there."""
    found, most = Found(start), selection.wanted.limit
    looked, size, parts = 0, 0, 0
    while not found.is_end and len(found.events) < most and looked < SCANNED:
        within = selection.within(most - len(found.events), SCANNED - looked)
        part = await selection.reader.part_after(found.position, within)
        looked, parts = looked + part.looked, parts + 1
        count = fitting(part.entries, PAGE_BYTES - size, one=not found.events)
        size += size_of(part.entries[:count])
        events = part.events()[:count]
        found.events += (each for each in events if selection.passes(each))
        if count < len(part.entries):
            found.position = part.cursor_after(count) if count else found.position
            break
        found.position, found.is_end = part.position, part.is_end
        if selection.wanted.item is not None and parts == MOST_PARTS:
            break
        await request.check_connected()
    return found
