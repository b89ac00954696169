"""Which of all processes that serve a store is the one that archives it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from itertools import cycle

from itemstore.archive.archive import Archive
from itemstore.archive.archiving import Logs
from itemstore.archive.belonging import NotItsArchive, complaint_about, own_manifest
from itemstore.archive.reasons import FORESEEN, Reasons
from itemstore.archive.work import FINISH_SECONDS, Work
from itemstore.domain.positions import START
from itemstore.engine.cancellation import heed_cancellation
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.errors import LogUnavailable
from itemstore.eventlog.all_logs import last_position
from itemstore.eventlog.lease import Lease
from itemstore.eventlog.partition import Partition

LEASE_MS = 5_000
"""One that died is replaced after this long, or a second later: what is new by then waits so long
for being archived."""

PATIENCE = 1.0
"""Seconds between two tries to be the one."""

STEPPED_BACK, TURNED_AWAY = 3.0, 30.0
"""Seconds for which one that failed lets others try; and where its archive is another store's."""

LOOK_SECONDS, LOOK_AGAIN = 60.0, 5.0
"""Seconds between two looks of each process at the place; and where that was not right."""

LOOKS_AT_ONCE = 8
"""Partitions whose places are looked at together."""

logger = logging.getLogger(__name__)


class Archiver:
    """Has the work done, whenever this process is the one.

    `archived` are the logs and the archive of a store; of each of its partitions, where it has
    several. Then there is one lease for all, in the first of them. While that is away, the one that
    has it goes on with the others: nobody else can take it then.

    Any number of processes may have one. The lease saves work; what keeps them from harming each
    other is that a manifest is published once, and that files and positions never go back.
    """

    def __init__(
        self, archived: Sequence[tuple[Logs, Archive]], work: Work, disk: DiskSpace | None = None
    ) -> None:
        """`disk` is where the engine has its data: what was moved away gets no new archive."""
        self._archived = archived
        self._disk = disk or DiskSpace()
        self._work = work
        self._is_in_doubt = False
        self._task: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._reasons = Reasons()

    def start(self) -> None:
        """Begins, in a task of its own."""
        self._task = asyncio.create_task(self._run())
        self._looking = asyncio.create_task(self._look_again_and_again())

    async def finish(self) -> None:
        """Ends. What came last is archived before that, for a short time, by the one that does."""
        if self._looking is not None:
            self._looking.cancel()
        while self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=2 * FINISH_SECONDS)

    async def _run(self) -> None:
        while True:
            heed_cancellation()
            pause = PATIENCE
            try:
                await self._have_it_done()
            except Exception as error:  # noqa: BLE001 - whatever it is, it goes on
                self._reasons.warn(error)
                pause = TURNED_AWAY if isinstance(error, NotItsArchive) else STEPPED_BACK
            await asyncio.sleep(pause)

    async def _look_again_and_again(self) -> None:
        """Looks whether this process can reach the archive, and whether it is the store's.

        Any process does: those that do not archive it read from it. Of several partitions' all are
        looked at first, and then those that were not right, and one after the other in turn.
        """
        turns, looked_at = cycle(self._archived), self._archived
        while True:
            for start in range(0, len(looked_at), LOOKS_AT_ONCE):
                heed_cancellation()
                some = looked_at[start : start + LOOKS_AT_ONCE]
                await asyncio.gather(*(self._look(*each) for each in some))
            wrong = [each for each in self._archived if each[1].complaint is not None]
            await asyncio.sleep(LOOK_AGAIN if wrong else LOOK_SECONDS)
            following = next(turns)
            looked_at = [following, *(each for each in wrong if each is not following)]

    async def _look(self, logs: Logs, archive: Archive) -> None:
        with suppress(*FORESEEN):
            keys, *_ = await logs.keys()
            before = archive.complaint
            found = await complaint_about(logs.client, keys, archive)
            is_only_one = not any(
                other.complaint for _, other in self._archived if other != archive
            )
            archive.complaint = found
            if found is not None and found != before and is_only_one:
                logger.warning("The archive can't be used as it is", extra={"reason": found})

    async def _have_it_done(self) -> None:
        """Has the work done for as long as this is the one, and there is something to archive."""
        [(logs, _), *_] = self._archived
        [keys, *_] = await logs.keys()
        lease = Lease(Partition(logs.client, keys), keys.store.lease("archive"), LEASE_MS)
        if not await lease.acquire():
            return
        try:
            is_something_to_do = await self._is_something_to_do()
            self._reasons.goes_on()
            if is_something_to_do:
                await self._work_under(lease)
        finally:
            with suppress(*FORESEEN):
                await lease.release()

    async def _is_something_to_do(self) -> bool:
        """Whether there is any event. Raises NotItsArchive where the only archive is of another."""
        self._disk.check()
        if len(self._archived) == 1:
            [(logs, archive)] = self._archived
            [keys, *_] = await logs.keys()
            return await own_manifest(logs.client, keys, archive) is not None
        for logs, _ in self._archived:
            with suppress(LogUnavailable):
                [keys, *_] = await logs.keys()
                if await last_position(Partition(logs.client, keys)) != START:
                    return True
        return False

    async def _work_under(self, lease: Lease) -> None:
        work = asyncio.create_task(self._work.run())
        try:
            while not (await asyncio.wait([work], timeout=LEASE_MS / 10_000))[0]:
                heed_cancellation()
                await self._renew(lease)
            work.result()
        finally:
            work.cancel()
            await asyncio.wait([work], timeout=2 * FINISH_SECONDS)

    async def _renew(self, lease: Lease) -> None:
        """Renews it in time; where the reply is lost, the next try finds out. Raises LeaseLost."""
        try:
            if self._is_in_doubt:
                await lease.find_again()
            await lease.renew_in_time()
            self._is_in_doubt = False
        except LogUnavailable:
            if len(self._archived) == 1:
                raise
            self._is_in_doubt = True
