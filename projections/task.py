"""What a projection is given for a rebuild, and what it reports of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from itemstore.engine.disk_space import DiskSpace
from itemstore.eventlog.lease import Lease
from itemstore.eventlog.partition import Partition
from itemstore.projections.progress import Progress, Report

EXAMPLES = 10
"""How many of the things that differ a receipt names."""


@dataclass(frozen=True, slots=True)
class Task:
    """A rebuild that holds the lease, on a log of `length` entries at its beginning.

    A dry run does everything but put in place what was built. `after` is the position after which
    events are meant, None for all.
    """

    partition: Partition
    lease: Lease
    length: int
    dry_run: bool
    report: Report
    disk: DiskSpace
    after: str | None = None

    def tell(self, stage: str, events: int, length: int = 0) -> None:
        """Reports how far it is."""
        self.report(Progress(stage, events, max(events, length, self.length)))


@dataclass(frozen=True, slots=True)
class Findings:
    """What a rebuild went through, and what it found.

    `first` and `last` are the positions of the range that was replayed, empty for an empty log,
    `events` how many events there were in it, `skipped` how many entries that are none. `items`
    is the number of items that exist, or of the numbers that are counted.

    The digests are the same where the projection was what the log says, and empty where it keeps
    nothing: then these are the events that it hands over again. `different` counts what
    was not, by kind, and `examples` names the first few.
    """

    first: str
    last: str
    events: int
    skipped: int
    items: int
    digest_before: str
    digest_after: str
    different: Mapping[str, int]
    examples: list[str]
