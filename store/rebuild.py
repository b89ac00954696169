"""A projection rebuilt in a store's collections, one after the other, for command and API alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing

from itemstore.engine.errors import LogBroken
from itemstore.eventlog.lease import LeaseLost
from itemstore.projections.in_turn import in_turn
from itemstore.projections.progress import Report
from itemstore.projections.projection import Projection, follows
from itemstore.projections.rebuild.errors import RebuildRefused
from itemstore.projections.rebuild.receipt import Receipt, Receipts
from itemstore.projections.rebuild.run import named
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

    def __init__(
        self,
        store: Store,
        projections: Sequence[Projection],
        projection: str,
        collections: Iterable[str] | None,
        *,
        dry_run: bool,
    ) -> None:
        """Raises NoSuchCollection."""
        self.collection = ""
        self.partition: int | None = None
        self.is_of_several = False
        self._store = store
        self._projections = projections
        self._projection = projection
        self._chosen = store.chosen(collections)
        self._dry_run = dry_run

    async def run(self, report: Report) -> Mapping[str, Receipts]:
        """The receipts of each collection.

        Raises NotRebuilt, and what the engine and the projection do.
        """
        receipts = {}
        try:
            one = named(self._projection, self._projections)
            self.is_of_several = len(self._chosen) > 1
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
        async with aclosing(in_turn(collection.partitions, report)) as turns:
            async for partition, own_report in turns:
                self.partition = partition.keys.partition
                found[self.partition] = await run(
                    partition,
                    projection,
                    dry_run=self._dry_run,
                    report=own_report,
                    disk=self._store.disk,
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
