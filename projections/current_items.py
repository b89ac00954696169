"""The current items: each item as its last event left it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from itemstore.domain.evolve import Item
from itemstore.domain.prefixes import EVERY_ID
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.batching import Caller
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Extent
from itemstore.eventlog.side_by_side import replies_of
from itemstore.projections.fold import Fold
from itemstore.projections.projection import Status
from itemstore.projections.rebuild.items import rebuild_items
from itemstore.projections.row import MalformedRow, decode
from itemstore.projections.row_reader import RowReader
from itemstore.projections.task import Findings, Task
from itemstore.projections.verify.items import ItemsCheck
from itemstore.tracing import spans

PAGE_BYTES = 8 * 1024 * 1024
"""How many bytes of rows a page has, unless it is one item."""

_LIST_ITEMS = Script(lua(__package__, "list_items"))


@dataclass(frozen=True, slots=True)
class Page:
    """Items in id order. `more` says whether others follow, `total` how many match in all.

    `position` is where the log ended then, START where it was empty.
    """

    items: list[Item]
    more: bool
    total: int
    position: str


class CurrentItemsProjection:
    """The projection that is written in the same step as the log: nothing follows the log for it.

    A row is an item, deleted or not.
    """

    name = "current-items"

    def follower(self, _: Partition) -> None:
        """None: the append script keeps it up with the log."""

    async def statuses(
        self, logs: Sequence[tuple[Partition, Extent]]
    ) -> Sequence[Status | Exception]:
        """It is where each log ends."""
        rows = await replies_of(
            [(partition, ("HLEN", partition.keys.current)) for partition, _ in logs]
        )
        return [
            number if isinstance(number, Exception) else Status(log.last, 0, number)
            for (_, log), number in zip(logs, rows, strict=True)
        ]

    async def rebuild(self, task: Task) -> Findings:
        """Rebuilds rows, ids and histories, and puts them in place."""
        return await rebuild_items(task)

    def check(self, fold: Fold) -> ItemsCheck:
        """What compares rows, ids and histories with the fold."""
        return ItemsCheck(fold)


class Items(Protocol):
    """The current items of one collection. Its kinds: CurrentItems, and `partitioned_items.py`."""

    @abstractmethod
    async def get(self, item: str) -> Item | None:
        """The item, deleted or not; None where it never existed."""

    @abstractmethod
    def get_for(self, caller: Caller, item: str) -> None:
        """Has the caller told the same, or what `get` would raise. Raises LogOverloaded."""

    @abstractmethod
    async def as_of(self) -> str:
        """A cursor that is another after each event of the collection."""

    @abstractmethod
    async def page(
        self,
        *,
        after: str | None = None,
        prefixes: Sequence[str] = EVERY_ID,
        limit: int = 100,
        most_bytes: int = PAGE_BYTES,
    ) -> Page:
        """At most `limit` existing items after the id `after`, with one of the prefixes."""


class CurrentItems(Items):
    """Reads the projection. The append script writes it, in the same step as the log."""

    def __init__(self, partition: Partition, *, reader: RowReader | None = None) -> None:
        """With the `reader` that the collections of a store share, or with one of its own."""
        self._reader = reader or RowReader(partition.client)
        self._partition = partition
        self._rows = partition.keys.current

    @spans.traced("read item")
    async def get(self, item: str) -> Item | None:
        """The item, deleted or not; None where it never existed.

        Concurrent callers share a round trip, and each sees every write acknowledged before its
        call. Raises LogUnavailable, and MalformedRow where the projection needs a rebuild.
        """
        if spans.tracer is not None:
            spans.note({"itemstore.item": item})
        return await self._reader.get(self._rows, item)

    def get_for(self, caller: Caller, item: str) -> None:
        """Has the caller told the same, or what `get` would raise. Raises LogOverloaded."""
        self._reader.get_for(caller, self._rows, item)

    async def as_of(self) -> str:
        """The position of the last event. Raises LogUnavailable, LogBroken."""
        return await self._partition.reader.last_position()

    @spans.traced("list items")
    async def page(
        self,
        *,
        after: str | None = None,
        prefixes: Sequence[str] = EVERY_ID,
        limit: int = 100,
        most_bytes: int = PAGE_BYTES,
    ) -> Page:
        """At most `limit` existing items, after the id `after`.

        Only those whose id starts with one of the prefixes, none of which starts with another.
        Fewer where they are large: a page ends before `most_bytes`, or after one item. Ids are in
        the order of their UTF-8 bytes. Raises LogUnavailable and MalformedRow.
        """
        ranges = [bound for prefix in prefixes for bound in _range(prefix, after)]
        reply = await self._partition.run(
            _LIST_ITEMS,
            keys=[self._rows, self._partition.keys.ids, self._partition.keys.events],
            args=[limit, most_bytes, *ranges],
        )
        position, total, more, names, rows = reply
        items = []
        while rows:  # from the end, and none stays: the bodies are copies
            items.append(_read(names.pop().decode(), rows.pop()))
        items.reverse()
        return Page(items, more=bool(more), total=total, position=position.decode())


def _range(prefix: str, after: str | None) -> tuple[bytes, bytes, bytes]:
    """Where the ids with a prefix start, from where on they come after an id, and where they end.

    As ZRANGEBYLEX has it. Where the id is after all of them, none is left.
    """
    # No UTF-8 text has the byte 0xff, so it closes the range of a prefix.
    start = b"[" + prefix.encode() if prefix else b"-"
    end = b"(" + prefix.encode() + b"\xff" if prefix else b"+"
    if after is None or after < prefix:
        return start, start, end
    return start, b"(" + after.encode(), end


def _read(item: str, row: bytes | None) -> Item:
    if row is None:  # an id without a row: the projection was edited by hand
        raise MalformedRow(item)
    return decode(item, row)
