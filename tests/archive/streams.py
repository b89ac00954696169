"""What the archive has of logs, read from the streams: as if all of it were archived."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from redis.asyncio import Redis

from itemstore.archive import trimming
from itemstore.archive.frame_lines import Head
from itemstore.eventlog.keys import Keys


async def trim(client: Redis, logs: Sequence[Keys]) -> int:
    """Takes what is not after the border out of logs."""
    keys = {log.collection: log for log in logs}

    async def archived(
        begin_at: Mapping[str, str], up_to: str
    ) -> AsyncGenerator[tuple[str, list[Head]]]:
        for name, begin in begin_at.items():
            yield name, await heads(client, keys[name], begin, up_to)

    return await trimming.trim(client, logs, archived)


async def heads(
    client: Redis, log: Keys, begin: str = "-", up_to: str = "+", count: int = 10**6
) -> list[Head]:
    """Those of the entries that a log has."""
    entries: Any = await client.execute_command(  # type: ignore[no-untyped-call]
        b"XRANGE", log.events, begin, up_to, "COUNT", count
    )
    return [
        (position, fields[3] if fields[2:3] == [b"item"] else b"") for position, fields in entries
    ]
