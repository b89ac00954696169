"""Faults that an engine brings upon its stores by what it is told."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from tests.torture.faults import Fault
from tests.torture.processes import client_of, run


class ScriptsForgotten(Fault):
    """SCRIPT FLUSH: the engine has to be told again (NOSCRIPT)."""

    async def happen(self) -> None:
        """As it says."""
        async with client_of(self.engine.socket) as client:
            await client.script_flush()


class ConnectionsClosed(Fault):
    """CLIENT KILL of all connections of all stores."""

    async def happen(self) -> None:
        """As it says."""
        async with client_of(self.engine.socket) as client:
            await client.client_kill_filter(_type="normal", skipme=True)


class OutOfMemory(Fault):
    """Less memory than is in use: the engine takes nothing, and still gives."""

    async def happen(self) -> None:
        """As it says."""
        async with client_of(self.engine.socket) as client:
            await client.config_set("maxmemory", "1mb")
            await asyncio.sleep(self.chance.uniform(0.05, 0.5))
            await client.config_set("maxmemory", "0")


class ReadOnly(Fault):
    """The engine is made a replica of nobody, so it is read-only, and then a primary again."""

    async def happen(self) -> None:
        """As it says."""
        async with client_of(self.engine.socket) as client:
            await _replicaof(client, "127.0.0.1", "1")
            await self.pause()
            await _replicaof(client, "NO", "ONE")


class RebuildMeanwhile(Fault):
    """`itemstore rebuild` replaces rows, ids and histories under the clients."""

    async def happen(self) -> None:
        """As it says."""
        code, _, errors = await run(
            "rebuild", "--redis-url", self.engine.url, environment=self.system.archive.environment
        )
        if code not in {0, 1} or "Traceback" in errors:
            self.system.complaints.append(f"rebuild ended with {code}: {errors}")


async def _replicaof(client: Redis, *where: str) -> None:
    await client.execute_command("REPLICAOF", *where)  # type: ignore[no-untyped-call]
