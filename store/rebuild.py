"""A projection rebuilt in a store's collections, one after the other, for command and API alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing

from itemstore.domain.cursors import positions_of
from itemstore.engine.errors import LogBroken
from itemstore.eventlog.lease import LeaseLost
from itemstore.projections.in_turn import in_turn
from itemstore.projections.own.handed import Handed
from itemstore.projections.progress import Report
from itemstore.projections.projection import Projection, Whole, follows
from itemstore.projections.rebuild.errors import RebuildRefused
from itemstore.projections.rebuild.receipt import Receipt, Receipts
from itemstore.projections.rebuild.run import named, rebuild_whole
from itemstore.projections.rebuild.run import rebuild as run
from itemstore.store.collection import Collection
from itemstore.store.store import Store


class NotRebuilt(Exception):
    """The rebuild is refused, or has stopped; the projection is as it was, or as the log says."""


class Rebuilding:
    """The rebuild of a projection in collections of these names, in all without.

    `collection` is the one that is worked on, empty before the first, and `partition` the number of
    its partition that is, None where the store has one.
    """

    def __init__(  # noqa: PLR0913 - what is rebuilt, and how
        self,
        store: Store,
        projections: Sequence[Projection],
        projection: str,
        collections: Iterable[str] | None,
        *,
        dry_run: bool,
        after: str | None = None,
    ) -> None:
        """With `after` only events after that cursor are meant. Raises NoSuchCollection."""
        self.collection = ""
        self.partition: int | None = None
        self.is_of_several = False
        self._store = store
        self._projections = projections
        self._projection = projection
        self._chosen = store.chosen(collections)
        self._dry_run = dry_run
        self._after = after

    async def run(self, report: Report) -> Mapping[str, Receipts]:
        """The receipts of each collection.

        Raises NotRebuilt, and what the engine and the projection do.
        """
        receipts = {}
        try:
            one = named(self._projection, self._projections)
            self._refuse_after(one)
            self.is_of_several = len(self._chosen) > 1
            if isinstance(one, Whole):
                return await self._of_the_whole(one, report)
            for name, each in self._chosen.items():
                self.collection = name
                if follows(one, name):
                    receipts[name] = await self._receipts(each, one, report)
        except (RebuildRefused, LeaseLost, LogBroken) as error:
            of = self.at_work
            raise NotRebuilt(f"{of}: {error}" if of else str(error)) from None
        if not receipts:
            message = f"{self._projection} is for other collections: there is nothing to rebuild."
            raise NotRebuilt(message)
        return receipts

    def _refuse_after(self, projection: Projection) -> None:
        """Raises RebuildRefused where the projection is always rebuilt from its first event."""
        if self._after is not None and not isinstance(projection, Handed):
            name = self._projection
            message = f"{name} is rebuilt from the first event on: leave --from out."
            raise RebuildRefused(message)

    async def _of_the_whole(self, projection: Projection, report: Report) -> Mapping[str, Receipts]:
        """The receipts of one that has all its collections together."""
        assert isinstance(projection, Whole)
        all_of_them = {
            name: each
            for name, each in self._store.collections.items()
            if follows(projection, name)
        }
        if not {*all_of_them} <= {*self._chosen}:
            message = (
                f"{self._projection} has all its collections together: leave --collection out."
            )
            raise RebuildRefused(message)
        partitions = [one for each in all_of_them.values() for one in each.partitions]
        receipts = iter(
            await rebuild_whole(
                partitions, projection, self._projection, report, dry_run=self._dry_run
            )
        )
        return {
            name: Receipts({one.keys.partition: next(receipts) for one in each.partitions})
            for name, each in all_of_them.items()
        }

    @property
    def at_work(self) -> str:
        """What is worked on, where there are several of it: `/notes, partition 3`."""
        names = [f"/{self.collection}"] if self.is_of_several else []
        if self.partition is not None:
            names.append(f"partition {self.partition}")
        return ", ".join(names)

    async def _receipts(
        self, collection: Collection, projection: Projection, report: Report
    ) -> Receipts:
        """Those of a collection, partition by partition: each has a log and a lease of its own."""
        found: dict[int | None, Receipt] = {}
        count = len(self._store.sections)
        positions = None if self._after is None else positions_of(self._after, count)
        async with aclosing(in_turn(collection.partitions, report)) as turns:
            async for partition, own_report in turns:
                self.partition = partition.keys.partition
                number = partition.keys.partition or 0
                found[self.partition] = await run(
                    partition,
                    projection,
                    dry_run=self._dry_run,
                    report=own_report,
                    disk=self._store.disk,
                    after=None if positions is None else positions[number],
                )
        self.partition = None
        return Receipts(found)


def as_dict(receipts: Mapping[str, Receipts]) -> dict[str, object]:
    """For JSON: the receipt of a single collection, or what several have in common and each."""
    if len(receipts) == 1:
        return next(iter(receipts.values())).as_dict()
    each = [receipt.whole for receipt in receipts.values()]
    return {
        "projection": each[0].projection,
        "dry_run": each[0].dry_run,
        "seconds": round(sum(receipt.seconds for receipt in each), 3),
        "events": sum(receipt.findings.events for receipt in each),
        "items": sum(receipt.findings.items for receipt in each),
        "collections": {name: receipt.as_dict() for name, receipt in receipts.items()},
    }
