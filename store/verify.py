"""A store's log folded and compared with all that is derived from it, for command and API alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from itemstore.domain.cursors import positions_of
from itemstore.engine.errors import LogBroken
from itemstore.eventlog.past import PastDamaged
from itemstore.eventlog.readiness import LogEnd, log_end
from itemstore.projections.in_turn import in_turn
from itemstore.projections.progress import Report
from itemstore.projections.projection import Projection, Whole, follows
from itemstore.projections.verdict import Differences, Verdict, together
from itemstore.projections.verify.run import verify as compare
from itemstore.store.archive_check import complaints
from itemstore.store.collection import Collection
from itemstore.store.store import Store
from itemstore.store.verdicts import Verdicts, unread_verdict


class NotVerified(Exception):
    """A log can't be read, so there is no verdict."""


@dataclass(frozen=True, slots=True)
class Verified:
    """The verdicts, and where the log ended beside the engine's clock."""

    verdicts: Verdicts
    end: LogEnd

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return self.verdicts.as_dict() | {"ahead_seconds": self.end.ahead_seconds}


class Verifying:
    """The verification of collections of these names, of all without, and of the archive.

    `collection` is the one that is folded, empty before the first, and `partition` the number of
    its partition that is, None where the store has one.
    """

    def __init__(
        self, store: Store, projections: Sequence[Projection], collections: Iterable[str] | None
    ) -> None:
        """Raises NoSuchCollection."""
        self.collection = ""
        self.partition: int | None = None
        self._store = store
        self._projections = projections
        self._chosen = store.chosen(collections)
        self._is_named = bool(collections)

    async def run(self, report: Report) -> Verified:
        """What was found. Raises NotVerified, PastUnavailable, and what the engine does."""
        found, in_archive, are_unread = dict[str, Verdict](), list[str](), False
        try:
            in_archive = await complaints(self._store, report)
            for name, each in self._chosen.items():
                self.collection = name
                found[name] = await self._verdict(each, report)
            for projection in self._projections:
                if isinstance(projection, Whole):
                    await self._compare_whole(projection, found, report)
        except PastDamaged as error:
            in_archive, are_unread = in_archive or [str(error)], True
            unread = unread_verdict("the archive is damaged")
            found |= {each: unread for each in self._chosen if each not in found}
        except LogBroken as error:
            raise NotVerified(f"{self._of()}{error}") from None
        compared = {each.name for each in self._projections}
        count = len(self._store.sections)
        verdicts = Verdicts(found, compared, in_archive, self._is_named, are_unread, count)
        return Verified(verdicts, await self._end(verdicts.whole.position))

    def _of(self) -> str:
        """What is worked on, in front of a sentence, where there are several."""
        names = [f"/{self.collection}"] if len(self._chosen) > 1 else []
        if self.partition is not None:
            names.append(f"partition {self.partition}")
        return f"{', '.join(names)}: " if names else ""

    async def _verdict(self, collection: Collection, report: Report) -> Verdict:
        """That on a collection: each partition is folded by itself, so memory is needed for one."""
        own = [one for one in self._projections if follows(one, collection.name)]
        count, found = len(collection.partitions), dict[int | None, Verdict]()
        async with aclosing(in_turn(collection.partitions, report)) as turns:
            async for partition, own_report in turns:
                self.partition = partition.keys.partition
                found[self.partition] = await compare(
                    partition, own, report=own_report, partitions=count
                )
        self.partition = None
        return together(found)

    async def _compare_whole(
        self, projection: Projection, found: dict[str, Verdict], report: Report
    ) -> None:
        """Compares one that has all its collections together; the first one's verdict says it."""
        assert isinstance(projection, Whole)
        names = [name for name in self._store.collections if follows(projection, name)]
        first = next(name for name in found if not names or name in names)
        if not {*names} <= {*found}:
            reason = "it has all its collections together, and some of them are left out"
            told = found[first].not_compared | {projection.name: reason}
            found[first] = replace(found[first], not_compared=told)
            return
        partitions = [one for name in names for one in self._store.collections[name].partitions]
        differences = Differences()
        for table, is_now, should_be in await projection.compare_whole(partitions, report):
            differences.add(projection.name, table, is_now, should_be)
        found[first] = found[first].with_more(differences)

    async def _end(self, position: str) -> LogEnd:
        """Where the logs end, in the partition that is the most ahead of its clock."""
        sections = self._store.sections
        positions = positions_of(position, len(sections))
        ends = [
            await log_end(section.partition.client, at)
            for section, at in zip(sections, positions, strict=True)
        ]
        return max(ends, key=lambda end: end.ahead_seconds)
