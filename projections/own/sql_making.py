"""The tables of a projection made a second time, beside the live ones: compared, and put in place.

The live tables are read as of one moment, and what is made is compared as of the same events. So
writes go on, and no row is ever seen that is not there at the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from itemstore.domain.positions import START, key_of
from itemstore.eventlog.log_id import identity
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Entry
from itemstore.projections.own.sql_checkpoints import Checkpoint, Keeper
from itemstore.projections.own.sql_follower import HandlerFailed, Wanted
from itemstore.projections.projection import ProjectionFailed
from itemstore.projections.sql.errors import SqlUnavailable
from itemstore.projections.sql.writing import digest_of

Told = Callable[[int], None]
"""Is told how many entries were handled so far."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a table holds: how many rows, and a digest of them whatever their order."""

    rows: int
    digest: str


@dataclass(slots=True)
class Making:
    """Tables in a scratch of their own, and how far they are with each log."""

    keeper: Keeper
    wanted: Wanted
    partitions: Sequence[Partition]
    scratch: Any
    told: Told
    at: dict[Partition, Checkpoint] = field(default_factory=dict)
    first: dict[Partition, str] = field(default_factory=dict)

    async def up_to(self, places: Mapping[Partition, str] | None) -> None:
        """Goes on to a position of each log; without, to where each ends.

        Raises ProjectionFailed where the function fails, SqlUnavailable, LogUnavailable.
        """
        for partition in self.partitions:
            end = None if places is None else key_of(places[partition])
            at = self.at[partition]
            async with aclosing(partition.reader.slices(at.position)) as slices:
                async for entries in slices:
                    within = [
                        each for each in entries if end is None or key_of(each[0].decode()) <= end
                    ]
                    if within:
                        self.first.setdefault(partition, within[0][0].decode())
                        await self._handle(partition, within)
                    if len(within) < len(entries):
                        break

    async def contents(self) -> dict[str, Contents]:
        """What the tables hold now."""
        return await asyncio.to_thread(contents_of, self.keeper, self.scratch)

    async def put_in_place(self) -> None:
        """Has these tables take the place of the live ones, in one transaction."""

        def put(connection: Any) -> None:
            keeper = self.keeper
            with keeper.database.transaction(connection):
                keeper.remake(connection)
                keeper.database.put_in_place(self.scratch, connection, [*keeper.tables])
                for partition, at in self.at.items():
                    keeper.put(connection, partition.keys, at)

        await self.keeper.run(put)

    async def _handle(self, partition: Partition, entries: Sequence[Entry]) -> None:
        try:
            handled = await asyncio.to_thread(self._handled, partition, entries)
        except HandlerFailed as failed:
            where = f"on the event {failed.recorded.id}"
            raise ProjectionFailed(self.keeper.projection, where, failed.reason) from failed
        at, last = self.at[partition], entries[-1]
        self.at[partition] = Checkpoint(
            *(at.log, last[0].decode(), digest_of(last)),
            *(at.events + len(entries), at.handled + handled),
        )
        self.told(sum(each.events for each in self.at.values()))

    def _handled(self, partition: Partition, entries: Sequence[Entry]) -> int:
        count = 0
        with self.keeper.database.transaction(self.scratch):
            for number, entry in enumerate(entries):
                if (recorded := self.wanted.of(partition, entry)) is not None:
                    self.wanted.handled(self.scratch, number, recorded)
                    count += 1
        return count


@asynccontextmanager
async def making(
    keeper: Keeper, wanted: Wanted, partitions: Sequence[Partition], told: Told
) -> AsyncIterator[Making]:
    """Tables that are made of these logs; gone at the end, unless they were put in place.

    Raises SqlUnavailable.
    """
    with ExitStack() as stack:
        try:
            scratch = await asyncio.to_thread(stack.enter_context, keeper.database.scratch())
            made = Making(keeper, wanted, partitions, scratch, told)
            await asyncio.to_thread(keeper.make, scratch)
            for partition in partitions:
                made.at[partition] = Checkpoint(await identity(partition))
            yield made
        except keeper.database.errors as error:
            why = " ".join(str(error).split())[:300]
            raise SqlUnavailable(f"The database of {keeper.projection}: {why}.") from error


async def live(
    keeper: Keeper, partitions: Sequence[Partition]
) -> tuple[dict[str, Contents], dict[Partition, str]]:
    """What the live tables hold, and up to where they have each log, as of one moment."""

    def read(connection: Any) -> tuple[dict[str, Contents], dict[Partition, str]]:
        with keeper.database.snapshot(connection):
            noted = {each: keeper.checkpoint(connection, each.keys) for each in partitions}
            places = {each: at.position if at else START for each, at in noted.items()}
            return contents_of(keeper, connection), places

    return await keeper.run(read)


def contents_of(keeper: Keeper, connection: Any) -> dict[str, Contents]:
    """What each of the tables holds that a connection sees."""
    found = {}
    for table in keeper.tables:
        rows = total = 0
        for row in keeper.database.rows(connection, table):
            rows += 1
            total += int.from_bytes(sha256(repr(tuple(row)).encode()).digest())
        found[table] = Contents(rows, f"{total % 2**256:064x}")
    return found
