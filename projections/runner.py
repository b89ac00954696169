"""Keeping the projections that follow the logs up with them, in one process at a time.

All collections are followed by one loop, with one small command each time it looks and finds
nothing, however many they are (docs/decisions/0047); of several partitions on one engine, with one
for each, in one round trip. Those on several engines have a loop each: `runners.py`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import sha256

from itemstore.engine.cancellation import heed_cancellation
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.errors import LogBroken, LogFull, LogUnavailable
from itemstore.engine.reminders import Reminders, StandingStill
from itemstore.eventlog.all_logs import have_more, last_position, last_positions
from itemstore.eventlog.lease import Lease, LeaseLost
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.side_by_side import grouped, section_of
from itemstore.projections import pace as paces
from itemstore.projections.following import Following, ProjectionAhead
from itemstore.projections.pace import Pace
from itemstore.projections.projection import Followed, NotYet, ProjectionFailed, Waits, follows
from itemstore.projections.sql.errors import SqlUnavailable
from itemstore.projections.turns import Turns

LEASE_MS = 5000
"""A runner that died is replaced after this long."""

PATIENCE = 1.0
"""Seconds between two tries to be the runner, or to go on after something went wrong."""

THIS_PROCESS = "this process"
"""Who does not follow, where it is no single projection."""

Of = Mapping[str, object]
"""What is followed, as the log names it: a collection, a partition."""

logger = logging.getLogger(__name__)

FORESEEN = (
    LeaseLost,
    LogBroken,
    LogFull,
    LogUnavailable,
    ProjectionAhead,
    ProjectionFailed,
    SqlUnavailable,
    Waits,
)
"""Errors that say in a sentence what is wrong."""


class Runner:
    """Applies what the logs on one engine get to every projection that follows them.

    Any number of processes may have one; of those that follow the same, the one that holds the
    lease works. It is not the lease that makes each event count once, but the projection's own
    position, so nothing is applied twice or left out, whichever process dies or sleeps, and when.

    The projections take turns on their own: one that fails or hangs holds up no other, and no
    other collection.
    """

    def __init__(
        self,
        partitions: Sequence[Partition],
        projections: Sequence[Followed],
        disk: DiskSpace | None = None,
        *,
        pace: Pace | None = None,
        is_alone: bool = False,
    ) -> None:
        """With `is_alone` no other process follows the same, and no lease is needed.

        Where `woken` is set, the next look comes soon.
        """
        self._store = partitions[0]
        self._has_several = len(partitions) > 1
        self._disk = disk or DiskSpace()
        self._pace = pace or paces.USUAL
        self._is_alone = is_alone
        self._all = [
            Following(projection.name, follower, partition, self._pace)
            for projection in projections
            for partition in partitions
            if follows(projection, partition.keys.collection)
            if (follower := projection.follower(partition)) is not None
        ]
        parts = grouped([each.partition for each in self._all], section_of)
        self._followed = [[self._all[place] for place in places] for places in parts]
        self._sections = [each[0].partition for each in self._followed]
        self._turns = {each.name: Turns() for each in projections}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_at_work = False
        self._found = 0
        self._reminders = Reminders()
        self._standing = StandingStill()
        self._pause = 0.0
        self.woken = asyncio.Event()

    async def run(self) -> None:
        """Follows the logs until it is cancelled. Logs what goes wrong, and goes on."""
        if not self._all:
            return
        try:
            while True:
                heed_cancellation()
                try:
                    await self._work()
                except Exception as error:  # noqa: BLE001 - whatever it is, it goes on
                    self._warn(THIS_PROCESS, error, self._place)
                await asyncio.sleep(max(PATIENCE, self._pace.patience))
        finally:
            await self._end_tasks()
            for each in self._all:
                await each.close()

    def look_again(self) -> None:
        """Asks each projection where it is, at the next look: something may have changed there."""
        for each in self._all:
            each.begin_again()

    @property
    def _lease_key(self) -> str:
        """One for all processes that follow the same projections of the same collections."""
        names = sorted(
            {f"{each.projection} {each.partition.keys.collection}" for each in self._all}
        )
        digest = sha256("\n".join(names).encode()).hexdigest()
        return self._store.keys.store.lease(f"following-{digest[:12]}")

    async def _work(self) -> None:
        """Follows the logs for as long as this is the one that does, and the disk has space."""
        self._disk.check()
        lease = None if self._is_alone else Lease(self._store, self._lease_key, LEASE_MS)
        if lease and not await lease.acquire():
            return
        self._is_at_work = True
        for each in self._all:
            each.begin_again()
        try:
            while True:
                heed_cancellation()
                await self._look()
                self._tell_that_it_goes_on(THIS_PROCESS, self._place)
                await self._rest()
                self._disk.check()
                if lease:
                    await lease.renew_in_time()
        finally:
            self._is_at_work = False  # what is being applied may be: its position says if it counts
            if lease:
                with suppress(LogUnavailable):
                    await lease.release()

    async def _rest(self) -> None:
        """Waits until it is time for the next look."""
        await asyncio.sleep(self._pace.pause)
        if self._found >= self._pace.many:
            await asyncio.sleep(max(0.0, self._pace.long_pause - self._pace.pause))
        if self._found or self._tasks:
            self._pause = 0.0
        else:
            twice_as_long = 2 * max(self._pause, self._pace.pause)
            self._pause = min(twice_as_long, self._pace.longest_pause)
            if self._pause > self._pace.pause:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pause - self._pace.pause):
                        await self.woken.wait()
        self._found = 0
        self.woken.clear()

    async def _look(self) -> None:
        """Lets those whose logs have got something advance."""
        wanting = [
            (each, end)
            for end, followed in zip(await self._ends(), self._followed, strict=True)
            if end is not None
            for each in followed
            if each.wants_a_look(end)
        ]
        places = {}
        if len(wanting) > 1:  # one alone just reads, which takes no longer than to ask first
            places = {each: each.position for each, _ in wanting if each.position is not None}
        found = await have_more([(each.partition, at) for each, at in places.items()])
        has_more = dict(zip(places, found, strict=True))
        for each, end in wanting:
            if not has_more.get(each, True):
                each.has_all(end)
                continue
            if self._found >= self._pace.many:
                continue  # it is seen at the next look, which comes later now
            each.is_busy = True
            task = asyncio.create_task(self._advance(each, end))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _ends(self) -> Sequence[str | None]:
        """The last position of each partition, None of one that can't say it.

        Raises LogUnavailable, LogBroken.
        """
        if len(self._sections) == 1:
            return [await last_position(self._sections[0])]
        ends: list[str | None] = []
        for section, end in zip(self._sections, await last_positions(self._sections), strict=True):
            if isinstance(end, Exception):
                self._warn(THIS_PROCESS, end, {"partition": section.keys.partition})
            else:
                self._tell_that_it_goes_on(THIS_PROCESS, {"partition": section.keys.partition})
            ends.append(None if isinstance(end, Exception) else end)
        return ends

    async def _advance(self, following: Following, end: str) -> None:
        try:
            async with self._turns[following.projection].turn():
                if self._applied(0):
                    await following.advance(end, self._applied)
                    of = self._of(following.partition)
                    self._tell_that_it_goes_on(following.projection, of)
                else:
                    following.begin_again()
        except NotYet as waits:
            following.begin_again(waits.seconds)
            if isinstance(waits, Waits):
                self._warn(following.projection, waits, self._of(following.partition))
        except Exception as error:  # noqa: BLE001 - it may be the operator's own
            following.begin_again(PATIENCE)
            self._warn(following.projection, error, self._of(following.partition))
        finally:
            following.is_busy = False

    @property
    def _place(self) -> Of:
        """In which partition it follows the log, where that is one of several."""
        number = self._store.keys.partition
        return {} if len(self._sections) > 1 or number is None else {"partition": number}

    def _of(self, partition: Partition) -> Of:
        keys = partition.keys
        if not self._has_several and keys.partition is None:
            return {}
        number = {} if keys.partition is None else {"partition": keys.partition}
        return {"collection": keys.collection, **number}

    def _applied(self, count: int) -> bool:
        """Notes how many events were applied; whether this is still the one that does it."""
        self._found += count
        heed_cancellation()
        return self._is_at_work

    def _warn(self, who: str, error: Exception, of: Of) -> None:
        """Logs why somebody does not follow, unless it did so a short time ago.

        What is the same for many logs is said of one of them.
        """
        if self._reminders.is_due(who, str(error)):
            self._standing.begin(who, str(of))
            logger.warning(
                "The log is not followed",
                extra={"who": who, **of, "reason": str(error)},
                exc_info=None if isinstance(error, FORESEEN) else error,
            )

    def _tell_that_it_goes_on(self, who: str, of: Of) -> None:
        if (seconds := self._standing.end(who, str(of))) is not None:
            logger.info("The log is followed again", extra={"who": who, **of, "seconds": seconds})

    async def _end_tasks(self) -> None:
        """Cancels what goes on until it ends: once may be lost; see engine/cancellation.py."""
        for _ in range(50):
            if not self._tasks:
                return
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=0.02)
