"""The replica takes the primary's place again and again, with ITEMSTORE_DURABILITY=replicas:1.

The primary dies, and the API with it; or it becomes the replica, behind an API that goes on.
"""

from __future__ import annotations

import asyncio
import random
import socket
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tests.conftest import program_of
from tests.torture.archived import Place, whole_log
from tests.torture.checker import check
from tests.torture.faults import Strike
from tests.torture.outcome import Outcome
from tests.torture.processes import SEVERAL, Api, DidNotStart, Engine, client_of, verified
from tests.torture.proxy import Proxy
from tests.torture.read_back import read_back
from tests.torture.traffic import Recorded, traffic
from tests.torture.violation import Violation
from tests.torture.wire import Lost, NotSent, Wire

PATIENCE = 15.0
"""Seconds for a replica to be in step, and for an API to follow its engine."""

STALE = 1.5
"""Seconds after which nothing old is read any more. One is promised."""

PROBE = "items/probe"
"""The item that is written and read after a failover; the history of the clients has it not."""

READS = 12
"""Reads of what was written last, after a failover."""


@dataclass
class Pair:
    """A primary, its replica, and an API that waits for both before it answers."""

    directory: Path
    stack: AsyncExitStack
    archive: Place
    engines: int = 0
    kills: ClassVar = 2
    """How many processes a failover ends."""

    @property
    def url(self) -> str:
        """What the API connects to."""
        return self.primary.url

    @staticmethod
    def is_promised(_: Violation) -> bool:
        """Whether the store promises that this does not happen in a failover of this kind."""
        return True

    async def begin(self) -> None:
        """Starts all three."""
        self.primary = await self._engine()
        self.replica = await self._engine(self.primary)
        self.api = self._api(port=0)
        await self.api.start()

    async def fail_over(self) -> None:
        """The primary dies, the replica takes its place, and has a replica of its own."""
        await self.primary.kill()
        await self.api.kill()
        await _replicaof(self.replica, "NO", "ONE")
        self.primary = self.replica
        self.replica = await self._engine(self.primary)
        self.api = self._api(self.api.port)
        await self.api.start()

    def _api(self, port: int) -> Api:
        log = self.directory / f"errors-{self.engines}"
        api = Api(
            *(log, "--redis-url", self.url, "--durability", "replicas:1", *SEVERAL),
            environment=self.archive.environment,
        )
        api.port = port
        self.stack.push_async_callback(api.stop)
        return api

    async def _engine(self, primary: Engine | None = None) -> Engine:
        self.engines += 1
        directory = self.directory / str(self.engines)
        directory.mkdir()
        settings = {"port": str(_free_port()), "bind": "127.0.0.1", "repl-diskless-sync-delay": "0"}
        if primary:
            settings["replicaof"] = f"127.0.0.1 {primary.port}"
        engine = Engine(directory, program_of("valkey"), **settings)
        self.stack.push_async_callback(engine.kill)
        await engine.start()
        if primary:
            await _in_step(engine)
        return engine


class PairBehindProxy(Pair):
    """The same, where the API asks a proxy, which asks the primary. No process dies.

    For a moment there are two primaries. A PATCH that has read, at the old one, what the failover
    takes back, and is appended at the new one, is not what the log says that it should be: alone,
    or in a batch.
    """

    kills = 0

    @staticmethod
    def is_promised(violation: Violation) -> bool:
        """Anything else."""
        patches = violation.detail.startswith("PATCH ") or "[PATCH " in violation.detail
        return not (violation.name == "wrong body" and patches)

    @property
    def url(self) -> str:
        """The proxy's: it does not change, and connections that were made stay as they are."""
        return self.proxy.url

    async def begin(self) -> None:
        """Starts the proxy too."""
        self.proxy = Proxy(self.directory / "1" / "socket", self.directory / "proxy")
        await self.proxy.start()
        self.stack.push_async_callback(self.proxy.stop)
        await super().begin()

    async def fail_over(self) -> None:
        """The replica is promoted, the proxy leads there, and the primary becomes its replica."""
        await _replicaof(self.replica, "NO", "ONE")
        self.proxy.engine = self.replica.socket
        await _replicaof(self.primary, "127.0.0.1", self.replica.port)
        self.primary, self.replica = self.replica, self.primary
        await _in_step(self.replica)


async def failover(seed: int, seconds: float) -> Outcome:
    """Acknowledged writes outlive their primary. Reads wait for no replica, and are left out."""
    return await _failed_over("failover", Pair, seed, seconds)


async def failover_behind_proxy(seed: int, seconds: float) -> Outcome:
    """The same, and the API follows by itself, and reads nothing old once it may not."""
    return await _failed_over("failover behind a proxy", PairBehindProxy, seed, seconds)


async def _failed_over(part: str, kind: type[Pair], seed: int, seconds: float) -> Outcome:
    chance = random.Random(f"{seed} {part}")
    outcome, recorded, strikes = Outcome(part, seed), Recorded(), list[Strike]()
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="itemstore-"))
        pair = kind(Path(directory), stack, Place.in_directory(Path(directory) / "archive"))
        await pair.begin()
        began = time.monotonic()
        async with traffic(recorded, [lambda: pair.api.port], seed):
            while time.monotonic() - began < seconds:
                await asyncio.sleep(chance.uniform(0.2, 1.5))
                strike = Strike(FAULTS[kind], time.monotonic(), kills=pair.kills)
                try:
                    await pair.fail_over()
                except DidNotStart as error:
                    outcome.violations.append(f"did not start after a failover: {error}")
                    break
                strike.ended = time.monotonic()
                strikes.append(strike)
                await _follows(pair, outcome, strike)
        outcome.seconds = time.monotonic() - began
        async with client_of(pair.primary.socket) as client:
            whole = await whole_log(client, pair.archive)
        outcome.violations += whole.complaints
        outcome.violations += await read_back(pair.api.port, whole.log, seed)
        outcome.violations += await verified(
            "--redis-url", pair.primary.url, environment=pair.api.environment
        )
        log = [entry for entry in whole.log if entry.item != PROBE]
    writes = [each for each in recorded.history if each.is_write and not each.is_refusal]
    outcome.count(writes, strikes)
    outcome.time(strikes, recorded.unavailable)
    outcome.violations += [str(each) for each in check(writes, log) if kind.is_promised(each)]
    outcome.violations += recorded.complaints
    return outcome


async def _follows(pair: Pair, outcome: Outcome, strike: Strike) -> None:
    """Waits until the API takes a write, and reads it again when nothing old may be read."""
    wire, version = Wire(), 0
    headers = {"content-type": "application/json"}
    while not version:
        if time.monotonic() > strike.ended + PATIENCE:
            outcome.violations.append(f"the API took no write in {PATIENCE} s after a failover")
            return
        with suppress(Lost, NotSent):
            reply = await wire.ask(pair.api.port, "PUT", f"/{PROBE}", headers, "{}")
            if reply.status in {200, 201}:
                version = int(reply.headers["etag"].strip('"'))
        await asyncio.sleep(0.01)
    outcome.heals.append(time.monotonic() - strike.ended)
    await asyncio.sleep(max(0.0, strike.ended + STALE - time.monotonic()))
    for _ in range(READS):
        reply = await wire.ask(pair.api.port, "GET", f"/{PROBE}", {})
        if reply.status != 200 or int(reply.headers["etag"].strip('"')) < version:
            outcome.violations.append(f"version {version} was written, and then read: {reply}")
    wire.close()


async def _replicaof(engine: Engine, *where: str) -> None:
    async with client_of(engine.socket) as client:
        await client.execute_command("REPLICAOF", *where)  # type: ignore[no-untyped-call]


FAULTS = {Pair: "primary lost", PairBehindProxy: "primary demoted"}


async def _in_step(replica: Engine) -> None:
    async with client_of(replica.socket) as client, asyncio.timeout(PATIENCE):
        said: Any = {}
        while said.get("master_link_status") != "up":
            said = await client.info("replication")
            await asyncio.sleep(0.01)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
