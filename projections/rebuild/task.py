"""What a rebuild is given to work with."""

from __future__ import annotations

from dataclasses import dataclass

from itemstore.engine.disk_space import DiskSpace
from itemstore.eventlog.partition import Partition
from itemstore.projections.lease import Lease
from itemstore.projections.progress import Progress, Report


@dataclass(frozen=True, slots=True)
class Task:
    """A rebuild that holds the lease, on a log of `length` entries at its beginning.

    A dry run does everything but put in place what was built.
    """

    partition: Partition
    lease: Lease
    length: int
    dry_run: bool
    report: Report
    disk: DiskSpace

    def tell(self, stage: str, events: int, length: int = 0) -> None:
        """Reports how far it is."""
        self.report(Progress(stage, events, max(events, length, self.length)))
