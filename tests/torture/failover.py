"""The primary is lost again and again, and its replica goes on: ITEMSTORE_DURABILITY=replicas:1."""

from __future__ import annotations

import asyncio
import random
import socket
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import program_of
from tests.torture.checker import check
from tests.torture.faults import Strike
from tests.torture.outcome import Outcome
from tests.torture.processes import Api, DidNotStart, Engine, client_of, log_of, run
from tests.torture.traffic import Recorded, traffic

PATIENCE = 15.0
"""Seconds for a replica to be in step."""


@dataclass
class Pair:
    """A primary, its replica, and an API that waits for both before it answers."""

    directory: Path
    stack: AsyncExitStack
    engines: int = 0

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
        async with client_of(self.replica.socket) as client:
            await client.execute_command("REPLICAOF", "NO", "ONE")  # type: ignore[no-untyped-call]
        self.primary = self.replica
        self.replica = await self._engine(self.primary)
        self.api = self._api(self.api.port)
        await self.api.start()

    def _api(self, port: int) -> Api:
        log = self.directory / f"errors-{self.engines}"
        api = Api(log, "--redis-url", self.primary.url, "--durability", "replicas:1")
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


async def failover(seed: int, seconds: float) -> Outcome:
    """Acknowledged writes outlive their primary. Reads wait for no replica, and are left out."""
    chance = random.Random(f"{seed} failover")
    outcome, recorded, strikes = Outcome("failover", seed), Recorded(), list[Strike]()
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="itemstore-"))
        pair = Pair(Path(directory), stack)
        await pair.begin()
        async with traffic(recorded, [lambda: pair.api.port], seed):
            while time.monotonic() - began < seconds:
                await asyncio.sleep(chance.uniform(0.2, 1.5))
                strike = Strike("primary lost", time.monotonic(), kills=2)
                try:
                    await pair.fail_over()
                except DidNotStart as error:
                    outcome.violations.append(f"did not start after a failover: {error}")
                    break
                strike.ended = time.monotonic()
                strikes.append(strike)
        outcome.seconds = time.monotonic() - began
        async with client_of(pair.primary.socket) as client:
            log = await log_of(client)
        code, output, errors = await run("verify", "--json", "--redis-url", pair.primary.url)
    if code:
        outcome.violations.append(f"verify ended with {code}: {output} {errors}")
    writes = [each for each in recorded.history if each.is_write and not each.is_refusal]
    outcome.count(writes, strikes)
    outcome.time(strikes, recorded.unavailable)
    outcome.violations += [str(violation) for violation in check(writes, log)]
    outcome.violations += recorded.complaints
    return outcome


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
