"""Short steps of the engine that look at several logs, or at one as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from itemstore.domain.prefixes import EVERY_ID
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.reader import (
    ABOUT_BYTES,
    LOOKED_AT,
    Extent,
    Outlook,
    Part,
    Within,
)

_EXTENT = Script(lua(__package__, "entries", "extent"))
_OUTLOOK = Script(lua(__package__, "entries", "in_order", "outlook"))
_READ_ALL_AFTER = Script(lua(__package__, "entries", "wanted", "in_order", "read_all_after"))
_READ_ITEM_AFTER = Script(
    lua(__package__, "entries", "wanted", "in_order", "item_history", "read_item_after")
)

ANY = "+"
"""As an upper bound: any position."""


async def extents(client: Redis, logs: Sequence[Keys]) -> list[Extent]:
    """Where each of the logs begins and ends."""
    found: list[Extent] = []
    while len(found) < len(logs):
        left = [log.events for log in logs[len(found) :]]
        found += [
            Extent(first.decode(), last.decode(), length, added, end.decode())
            for first, last, length, added, end in await run(client, _EXTENT, left, ABOUT_BYTES)
        ]
    return found


async def outlook(client: Redis, logs: Sequence[Keys], position: str) -> Outlook:
    """What comes after a position in any of the logs."""
    done, lacks, has = 0, False, False
    while done < len(logs) and not lacks:
        left = [log.events for log in logs[done:]]
        looked, lost, found = await run(client, _OUTLOOK, left, position, ABOUT_BYTES)
        done, lacks, has = done + looked, bool(lost), has or bool(found)
    return Outlook(lacks, not has)


async def part_of_logs(client: Redis, logs: Sequence[Keys], after: str, within: Within) -> Part:
    """The next entries of all the logs, in one order."""
    keys = [log.events for log in logs]
    bounds, prefixes = bounds_of(after, within), prefixes_of(within)
    bound: str = ANY
    while True:
        reply = await run(client, _READ_ALL_AFTER, keys, *bounds, bound, *prefixes)
        position, looked, is_end, narrower, *entries = reply
        if not narrower:
            return _part(logs, position, looked, is_end, entries)
        bound = narrower.decode()


async def part_of_item(client: Redis, logs: Sequence[Keys], after: str, within: Within) -> Part:
    """The next entries of the items of one id in all the logs, in one order."""
    item = within.item or ""
    keys = [*(log.events for log in logs), *(log.history(item) for log in logs)]
    arguments = (*bounds_of(after, within), *prefixes_of(within))
    position, looked, is_end, *entries = await run(client, _READ_ITEM_AFTER, keys, *arguments)
    return _part(logs, position, looked, is_end, entries)


async def run(client: Redis, script: Script, keys: Sequence[str], *arguments: Any) -> Any:
    """A script's reply. Raises LogUnavailable and LogBroken."""
    with translated():
        return await script.run(client.execute_command, keys, arguments)


def bounds_of(after: str, within: Within) -> tuple[str | int, ...]:
    """The first five arguments of a script that reads on after a position."""
    return (after, within.entries, min(within.looked, LOOKED_AT), within.bytes, within.kind)


def prefixes_of(within: Within) -> tuple[str, ...]:
    """The last arguments of such a script."""
    return () if within.prefixes == EVERY_ID else within.prefixes


def _part(
    logs: Sequence[Keys], position: bytes, looked: int, is_end: int, entries: list[Any]
) -> Part:
    return Part(
        [(place, fields) for place, fields, _ in entries],
        position.decode(),
        looked,
        bool(is_end),
        [logs[number - 1].collection for _, _, number in entries],
    )
