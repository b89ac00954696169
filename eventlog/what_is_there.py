"""What a log has already, for an import that compares itself with it."""

from __future__ import annotations

from collections.abc import Iterator

from itemstore.domain.events import RecordedEvent
from itemstore.eventlog.reader import FeedReader


class WhatIsThere:
    """The events that the log of a partition has already, one after the other.

    `is_over` says that `next` has given all of them.
    """

    def __init__(self, log: FeedReader) -> None:
        self._slices = log.recorded_slices()
        self._slice: Iterator[RecordedEvent] = iter(())
        self.is_over = False

    async def next(self) -> RecordedEvent | None:
        """The next one, None after the last. Raises what a failing engine raises."""
        while (recorded := next(self._slice, None)) is None:
            slice_ = await anext(self._slices, None)
            if slice_ is None:
                self.is_over = True
                return None
            self._slice = iter(slice_)
        return recorded

    async def aclose(self) -> None:
        """Ends reading it."""
        await self._slices.aclose()
