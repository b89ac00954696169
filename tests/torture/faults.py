"""What goes wrong while clients go on: each fault is a class, and its name is its class's."""

from __future__ import annotations

import asyncio
import random
import re
import signal
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from redis import exceptions

from itemstore.engine.local_cluster import LocalCluster
from tests.archive.faulty_s3 import FaultyS3
from tests.torture.archived import Place
from tests.torture.processes import Api, Engine, client_of, killed
from tests.torture.proxy import Mishap, Proxy


@dataclass(slots=True)
class Strike:
    """A fault that happened: from when to when, in seconds of time.monotonic().

    It ended when what had gone away was there again and answered.
    """

    name: str
    began: float
    ended: float = 0.0
    kills: int = 0
    failovers: int = 0
    migrations: int = 0


@dataclass(slots=True)
class System:
    """What can be struck."""

    apis: list[Api]
    archive: Place
    engine: Engine | None = None
    proxy: Proxy | None = None
    objects: FaultyS3 | None = None
    cluster: LocalCluster | None = None
    away: set[int] = field(default_factory=set)
    """The ports of nodes of the cluster that are struck now."""
    archivers: list[Api] = field(default_factory=list)
    """APIs that nobody asks, and that archive."""
    complaints: list[str] = field(default_factory=list)
    """What a fault saw that must not be."""

    @property
    def engine_socket(self) -> Path:
        """That of the engine, whoever runs it."""
        return self.engine.socket if self.engine else self.apis[0].engine_socket


class Fault:
    """Something that goes wrong, once."""

    kills = 0
    """How many processes it ends with SIGKILL."""
    failovers = 0
    """How many replicas took the place of their primaries."""
    migrations = 0
    """How many times slots moved to another node."""

    def __init__(self, system: System, chance: random.Random) -> None:
        self.system = system
        self.chance = chance

    @classmethod
    def can_happen(cls) -> bool:
        """Whether this machine lets it."""
        return True

    @classmethod
    def name(cls) -> str:
        """The class's name as words."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", cls.__name__).lower()

    async def strike(self) -> Strike:
        """Lets it happen, and waits until it is over."""
        strike = Strike(self.name(), time.monotonic())
        await self.happen()
        strike.ended = time.monotonic()
        strike.kills = self.kills
        strike.failovers, strike.migrations = self.failovers, self.migrations
        return strike

    async def happen(self) -> None:
        """What goes wrong, and its end."""
        raise NotImplementedError

    @property
    def engine(self) -> Engine:
        """The engine that the test runs."""
        assert self.system.engine is not None
        return self.system.engine

    @property
    def proxy(self) -> Proxy:
        """What stands in front of it."""
        assert self.system.proxy is not None
        return self.system.proxy

    @property
    def cluster(self) -> LocalCluster:
        """The cluster that the test runs."""
        assert self.system.cluster is not None
        return self.system.cluster

    @property
    def engine_socket(self) -> Path:
        """That of the engine, whoever runs it."""
        return self.system.engine_socket

    async def pause(self) -> None:
        """Mostly a moment; sometimes longer than a store waits."""
        often, seldom = self.chance.uniform(0, 0.1), self.chance.uniform(1, 2.5)
        await asyncio.sleep(often if self.chance.random() < 0.75 else seldom)


class EngineKilled(Fault):
    """SIGKILL, and a start on what is on disk."""

    kills = 1

    async def happen(self) -> None:
        """As it says."""
        await self.engine.kill()
        await self.pause()
        await self.engine.start()


class EngineKilledWhileItRewrites(Fault):
    """SIGKILL in the middle of a rewrite of the append-only file."""

    kills = 1

    async def happen(self) -> None:
        """As it says."""
        async with client_of(self.engine.socket) as client:
            with suppress(exceptions.RedisError):
                await client.bgrewriteaof()
        await asyncio.sleep(self.chance.uniform(0, 0.05))
        await self.engine.kill()
        await self.engine.start()


class EngineHung(Fault):
    """SIGSTOP, and SIGCONT later: as under a disk that hangs."""

    async def happen(self) -> None:
        """As it says."""
        self.engine.signal(signal.SIGSTOP)
        try:
            await self.pause()
        finally:
            self.engine.signal(signal.SIGCONT)


class ApiKilled(Fault):
    """SIGKILL of an API that is one process, and a start at the same port."""

    kills = 1

    async def happen(self) -> None:
        """As it says."""
        api = self.system.apis[0]
        await api.kill()
        await api.start()


class WorkerKilled(Fault):
    """SIGKILL of one worker of an API that has several; another is started by itself."""

    kills = 1

    async def happen(self) -> None:
        """As it says."""
        workers = self.system.apis[-1].workers()
        self.kills = len(workers[:1])
        if workers:
            killed(self.chance.choice(workers))
        await asyncio.sleep(self.chance.uniform(0, 0.5))


class ApiAndEngineKilled(Fault):
    """SIGKILL of the API and of its embedded engine at once, and a start of both."""

    kills = 2

    async def happen(self) -> None:
        """As it says."""
        [api] = self.system.apis
        pids = await api.pids_of_engine() or ()
        self.kills = 1 + len(pids[:1])
        await api.kill(*pids[:1])
        await api.start()


class EverythingKilled(Fault):
    """SIGKILL of the API, its embedded engine and the engine's watcher at once: a power cut."""

    kills = 3

    async def happen(self) -> None:
        """As it says."""
        [api] = self.system.apis
        pids = await api.pids_of_engine() or ()
        self.kills = 1 + len(pids)
        await api.kill(*pids)
        await api.start()


class EmbeddedEngineKilled(Fault):
    """SIGKILL of the embedded engine alone, which is started again by itself."""

    kills = 1

    async def happen(self) -> None:
        """As it says."""
        [api] = self.system.apis
        pids = await api.pids_of_engine()
        if pids is None:
            self.kills = 0
            return
        killed(pids[0])
        until = time.monotonic() + 10
        while (now := await api.pids_of_engine()) is None or now[0] == pids[0]:
            if time.monotonic() > until:
                self.system.complaints.append("the embedded engine was not started again in 10 s")
                return
            await asyncio.sleep(0.01)


class RequestLost(Fault):
    """The connection ends before the engine has got a byte of what was asked."""

    async def happen(self) -> None:
        """As it says."""
        self.proxy.to_requests.append(Mishap(kept=0.0))


class RequestTorn(Fault):
    """The connection ends in the middle of what is asked."""

    async def happen(self) -> None:
        """As it says."""
        self.proxy.to_requests.append(Mishap(kept=self.chance.uniform(0.01, 0.99)))


class ReplyLost(Fault):
    """The engine has done what was asked, and its reply never comes."""

    async def happen(self) -> None:
        """As it says."""
        self.proxy.to_replies.append(Mishap(kept=0.0))


class ReplyTorn(Fault):
    """The connection ends in the middle of the reply."""

    async def happen(self) -> None:
        """As it says."""
        self.proxy.to_replies.append(Mishap(kept=self.chance.uniform(0.01, 0.99)))


class RepliesLostAgainAndAgain(Fault):
    """Several replies in a row are lost, so that a batch is asked for more than twice."""

    async def happen(self) -> None:
        """As it says."""
        self.proxy.to_replies.extend([Mishap(kept=0.0)] * self.chance.randint(3, 12))


class RepliesSlow(Fault):
    """For a while each reply comes some milliseconds late."""

    async def happen(self) -> None:
        """As it says."""
        until = time.monotonic() + self.chance.uniform(0.1, 1)
        while time.monotonic() < until:
            if not self.proxy.to_replies:
                self.proxy.to_replies.append(Mishap(after=self.chance.uniform(0, 0.02)))
            await asyncio.sleep(0.001)


class RequestDelayed(Fault):
    """What was asked reaches the engine late, perhaps after the store has given it up."""

    async def happen(self) -> None:
        """As it says."""
        await _delayed(self.chance, self.proxy.to_requests)


class ReplyDelayed(Fault):
    """The reply comes late, perhaps when nobody waits for it any more."""

    async def happen(self) -> None:
        """As it says."""
        await _delayed(self.chance, self.proxy.to_replies)


class CopiesDelivered(Fault):
    """The network brings what was asked a second time, on another connection, at once or later."""

    async def happen(self) -> None:
        """As it says."""
        calls = list(self.proxy.calls)
        for call in self.chance.sample(calls, min(len(calls), self.chance.randint(1, 8))):
            await asyncio.sleep(self.chance.choice([0, 0, 0.01, 0.1, 0.5]))
            with suppress(OSError):
                await self.proxy.deliver(call)
        for _ in range(20):
            if self.proxy.calls:
                with suppress(OSError):
                    await self.proxy.deliver(self.proxy.calls[-1])
            await asyncio.sleep(0)


async def _delayed(chance: random.Random, mishaps: deque[Mishap]) -> None:
    after = chance.choice([0.05, 0.3, 1.0, 1.4, 1.6, 2.5])
    mishaps.extend([Mishap(after=after)] * chance.randint(1, 4))
    await asyncio.sleep(after)
