"""All logs of a store with several partitions as one feed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Container, Sequence

from itemstore.domain.events import RecordedEvent
from itemstore.eventlog.feed import Feed
from itemstore.eventlog.log_id import Identity
from itemstore.eventlog.reader import FeedReader


class PartitionedFeed(Feed):
    """Those of the partitions, merged."""

    def __init__(self, parts: Sequence[Feed]) -> None:
        self._parts = parts

    @property
    def partitions(self) -> int:
        """How many partitions the store has."""
        return len(self._parts)

    @property
    def identity(self) -> Identity:
        """Which log the store has."""
        return self._parts[0].identity

    @property
    def has_several(self) -> bool:
        """Whether the store has several collections."""
        return self._parts[0].has_several

    @property
    def reader(self) -> FeedReader:
        """What reads the logs."""
        raise NotImplementedError

    def of(self, names: Container[str]) -> PartitionedFeed:
        """That of some of the collections, or of none."""
        return PartitionedFeed([each.of(names) for each in self._parts])

    async def end(self) -> str:
        """After all that was given in the store, be it in one of these logs or not."""
        raise NotImplementedError

    async def as_of(self) -> str:
        """A cursor that is another after each event in these logs."""
        raise NotImplementedError

    def follow(
        self, after: str, limit: int = 100, *, check: Callable[[], Awaitable[None]] | None = None
    ) -> AsyncGenerator[list[RecordedEvent]]:
        """Events after a cursor as they come, in batches of at most `limit`; it never ends."""
        raise NotImplementedError
