"""A part of the store with an order of its own: an engine, and the keys that are its on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log_reader import LogReader
from itemstore.eventlog.past import Past
from itemstore.eventlog.stream import Stream
from itemstore.eventlog.whole_log import WholeLog


@dataclass(frozen=True, slots=True)
class Partition:
    """A client for the engine, the names of the keys, and the way to run a script on them.

    `past` has the older part of its log, where there is an archive.
    """

    client: Redis
    keys: Keys
    past: Past | None = None

    @property
    def reader(self) -> LogReader:
        """What reads its log, all of it."""
        return WholeLog(Stream(self.client, self.keys), self.past)

    async def run(self, script: Script, *, keys: Sequence[str], args: Sequence[Any] = ()) -> Any:
        """A script's reply. Raises LogUnavailable, LogFull, LogBroken, and what it says itself."""
        with translated():
            return await script.run(self.client.execute_command, keys, args)
