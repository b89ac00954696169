"""Short steps of the engine that look at several logs, or at one as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from itemstore.domain.prefixes import EVERY_ID
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.past import BeforeBorder
from itemstore.eventlog.reader import (
    ABOUT_BYTES,
    LOOKED_AT,
    Extent,
    Outlook,
    Part,
    Within,
)

_EXTENT = Script(lua(__package__, "entries", "extent"))
_OUTLOOK = Script(lua(__package__, "positions", "entries", "outlook"))
_READ_ALL_AFTER = Script(
    lua(__package__, "positions", "border", "entries", "wanted", "in_order", "read_all_after")
)
_READ_ITEM_AFTER = Script(
    lua(
        __package__,
        *("positions", "border", "entries", "wanted", "in_order", "item_history"),
        "read_item_after",
    )
)

ANY = "+"
"""As an upper bound: any position."""


async def extents(client: Redis, logs: Sequence[Keys]) -> list[Extent]:
    """Where each of the logs begins and ends."""
    found: list[Extent] = []
    while len(found) < len(logs):
        reply = await run(client, _EXTENT, _with_trimmed(logs[len(found) :]), ABOUT_BYTES)
        found += [
            Extent(first.decode(), last.decode(), length, added, end.decode(), trimmed)
            for first, last, length, added, end, trimmed in reply
        ]
    return found


async def outlook(client: Redis, logs: Sequence[Keys], position: str) -> Outlook:
    """What comes after a position in any of the logs."""
    done, lacks, has = 0, False, False
    while done < len(logs) and not lacks:
        keys = [*_with_trimmed(logs[done:]), logs[0].store.archive]
        looked, lost, found = await run(client, _OUTLOOK, keys, position, ABOUT_BYTES)
        done, lacks, has = done + looked, bool(lost), has or bool(found)
    return Outlook(lacks, not has)


async def part_of_logs(client: Redis, logs: Sequence[Keys], after: str, within: Within) -> Part:
    """The next entries of all the logs, in one order. Raises BeforeBorder."""
    if not logs:
        return Part([], after, 0, is_end=True, collections=[])
    keys = [*(log.events for log in logs), logs[0].store.archive]
    bounds, prefixes = bounds_of(after, within), prefixes_of(within)
    bound: str = ANY
    while True:
        reply = await step_after(client, _READ_ALL_AFTER, keys, *bounds, bound, *prefixes)
        position, looked, is_end, narrower, *entries = reply
        if not narrower:
            return _part(logs, position, looked, is_end, entries)
        bound = narrower.decode()


async def part_of_item(client: Redis, logs: Sequence[Keys], after: str, within: Within) -> Part:
    """The next entries of the items of one id in all the logs. Raises BeforeBorder."""
    if not logs:
        return Part([], after, 0, is_end=True, collections=[])
    item = within.item or ""
    keys = [*(log.events for log in logs), *(log.history(item) for log in logs)]
    keys.append(logs[0].store.archive)
    arguments = (*bounds_of(after, within), *prefixes_of(within))
    reply = await step_after(client, _READ_ITEM_AFTER, keys, *arguments)
    position, looked, is_end, *entries = reply
    return _part(logs, position, looked, is_end, entries)


async def step_after(
    client: Redis, script: Script, keys: Sequence[str], *arguments: Any
) -> list[Any]:
    """The reply of a script that reads on after a position. Raises BeforeBorder, and as `run`."""
    reply: list[Any] = await run(client, script, keys, *arguments)
    if len(reply) == 1:
        raise BeforeBorder(reply[0])
    return reply


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


def _with_trimmed(logs: Sequence[Keys]) -> list[str]:
    return [*(log.events for log in logs), *(log.trimmed for log in logs)]


def _part(
    logs: Sequence[Keys], position: bytes, looked: int, is_end: int, entries: list[Any]
) -> Part:
    return Part(
        [(place, fields) for place, fields, _ in entries],
        position.decode(),
        looked,
        bool(is_end),
        [logs[number - 1].collection for _, _, number in entries],
        logs[0].partition,
    )
