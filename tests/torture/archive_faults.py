"""What goes wrong with an archive and with who archives, while clients go on."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from redis import exceptions

from tests.archive.faulty_s3 import Faults
from tests.torture.faults import Fault
from tests.torture.processes import client_of

LEASE = "itemstore:lease:archive"

MOSTLY = Faults(failing=1 / 3, lost=0.05, torn=0.05)
"""What is always wrong with the object store: one request in three, and more."""


class LeaseEnded(Fault):
    """The lease of who archives ends, as time does it to one that hangs; so there may be two."""

    async def happen(self) -> None:
        """As it says."""
        async with client_of(self.engine_socket) as client:
            with suppress(exceptions.RedisError, OSError):
                await client.delete(LEASE)


class ArchiverHung(Fault):
    """SIGSTOP of one that archives until it has lost its lease, and then it goes on."""

    async def happen(self) -> None:
        """As it says."""
        api = self.chance.choice(self.system.archivers)
        api.signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(self.chance.uniform(0, 0.1))
            await LeaseEnded(self.system, self.chance).happen()
            await asyncio.sleep(self.chance.uniform(0.2, 3))
        finally:
            api.signal(signal.SIGCONT)


class ArchiverKilled(Fault):
    """SIGKILL of one that archives, and a start."""

    kills = 1

    async def happen(self) -> None:
        """As it says."""
        api = self.chance.choice(self.system.archivers)
        await api.kill()
        await LeaseEnded(self.system, self.chance).happen()
        await api.start()


class ObjectFault(Fault):
    """Something that is wrong with the object store for a while."""

    @contextmanager
    def wrong(self, wrong: Faults) -> Iterator[None]:
        """It is that during the block, in place of what is always wrong."""
        objects = self.system.objects
        assert objects is not None
        objects.faults = wrong
        try:
            yield
        finally:
            objects.faults = MOSTLY


class ObjectsSlow(ObjectFault):
    """Each answer takes long."""

    async def happen(self) -> None:
        """As it says."""
        with self.wrong(Faults(failing=0.05, seconds=self.chance.choice([0.1, 0.3, 0.8]))):
            await asyncio.sleep(self.chance.uniform(0.5, 3))


class ObjectsReadOnly(ObjectFault):
    """Every write is refused."""

    async def happen(self) -> None:
        """As it says."""
        with self.wrong(replace(MOSTLY, read_only=True)):
            await asyncio.sleep(self.chance.uniform(0.2, 3))


class ObjectsGone(ObjectFault):
    """Every connection is cut."""

    async def happen(self) -> None:
        """As it says."""
        with self.wrong(Faults(is_gone=True)):
            await asyncio.sleep(self.chance.uniform(0.2, 3))


class AnswersTorn(ObjectFault):
    """Most answers end in the middle, or never come."""

    async def happen(self) -> None:
        """As it says."""
        with self.wrong(Faults(lost=0.3, torn=0.5)):
            await asyncio.sleep(self.chance.uniform(0.2, 2))
