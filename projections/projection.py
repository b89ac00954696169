"""What every projection can do, whatever it keeps and wherever (docs/decisions/0031).

Its kinds: `current_items.py`, written with the log, and `counting.py`, which follows the log.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from itemstore.eventlog.partition import Partition
from itemstore.eventlog.reader import Entry, Extent
from itemstore.projections.fold import Check, Fold
from itemstore.projections.handling import Handling
from itemstore.projections.progress import Report
from itemstore.projections.task import Findings, Task

RESERVED = frozenset(("log", "row", "index", "history", "total", "archive", "rebuild", "sql"))
"""Names that mean something else: the places that `verify` names, and the lease of a rebuild."""


@dataclass(frozen=True, slots=True)
class Status:
    """How far a projection is: up to `position`, `lag` entries from the end of the log.

    `rows` is how many rows it has; each kind says what a row is. One that handles events says in
    `handling` how it stands with that.
    """

    position: str
    lag: int
    rows: int
    handling: Handling | None = None


class ProjectionFailed(Exception):
    """The code of a projection fails on an event, or makes of it what can't be stored."""

    def __init__(self, projection: str, where: str, why: str) -> None:
        super().__init__(f"{projection} fails {where}: {why}. Correct its code.")


class NotYet(Exception):
    """There is nothing to do for a projection for so many seconds, whatever the log gets."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"It waits for {seconds} seconds.")
        self.seconds = seconds


class Waits(NotYet):
    """A projection does not get past an event, and has noted that; it is looked at again then."""

    def __init__(self, event: str, why: str, seconds: float) -> None:
        super().__init__(seconds)
        self.args = (f"it does not get past the event {event}: {why}",)


class Follower(Protocol):
    """What keeps a projection up with the log, at a position that it keeps itself."""

    async def position(self) -> str:
        """That of the last entry applied, START for none.

        Raises NotYet, LogUnavailable, LogBroken.
        """

    async def apply(self, entries: Sequence[Entry], after: str) -> bool:
        """Whether the entries were applied, together with their position and all or none.

        They were not where the projection is no longer at `after`: somebody else went on, or it has
        applied some and is to be asked where it is. Raises LogUnavailable, LogBroken, LogFull,
        ProjectionFailed, Waits.
        """


@runtime_checkable
class Ending(Protocol):
    """A follower that holds something open."""

    async def close(self) -> None:
        """Ends that; what comes later opens it again."""


class Followed(Protocol):
    """What can be kept up with the logs; see Projection."""

    @property
    def name(self) -> str:
        """What it is called; no two have the same."""

    def follower(self, partition: Partition) -> Follower | None:
        """What keeps it up with the log; None where it is written together with that."""


@runtime_checkable
class Projection(Followed, Protocol):
    """A read model: made from the log and from nothing else.

    It holds no connection: one object serves every store of a process, and every collection. One
    that is for some of these only names them in `collections`; see `follows`.
    """

    @property
    def name(self) -> str:
        """What `rebuild`, `/projections` and the metrics call it; no two have the same."""

    async def statuses(
        self, logs: Sequence[tuple[Partition, Extent]]
    ) -> Sequence[Status | Exception]:
        """How far it is in each of some collections, whose logs end there.

        Where one can't say, its exception stands in its place. Raises LogUnavailable.
        """

    async def rebuild(self, task: Task) -> Findings:
        """Rebuilds it from the log beside the live one, and puts it in place.

        A dry run puts nothing in place. Raises LeaseLost, LogUnavailable, LogBroken, LogFull and
        ProjectionFailed.
        """

    def check(self, fold: Fold) -> Check:
        """What compares it with the log while that is folded."""


@runtime_checkable
class Whole(Protocol):
    """A projection whose rows have all logs together, so that they can't be made of one of them."""

    async def rebuild_whole(
        self, partitions: Sequence[Partition], report: Report, *, dry_run: bool
    ) -> Sequence[Findings]:
        """Rebuilds it from all of its logs, and puts it in place; what was found, log by log."""

    async def compare_whole(
        self, partitions: Sequence[Partition], report: Report
    ) -> Sequence[tuple[str, str, str]]:
        """What is not as the logs say: what it is called, what it is, what it should be."""


def follows(projection: Followed, collection: str) -> bool:
    """Whether a projection is for a collection: each one, or those that its `collections` name."""
    named: Container[str] | None = getattr(projection, "collections", None)
    return named is None or collection in named
