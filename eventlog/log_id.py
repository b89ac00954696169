"""Which log this is. Positions of two logs look the same, and one may be ahead of another's end.

A log has a random id from the moment it is first opened or read. It is new where the engine was
emptied, and where an export was imported into another store.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from time import monotonic
from typing import Any

from itemstore.engine.one_trip import sound
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.side_by_side import replies_of

_FIELD = "log"

LOOK = 1.0
"""Seconds for which all in a process make do with one look whether the log is still the same."""


class OtherLog(Exception):
    """A position is of another log than this one, or from ahead of its end.

    `log` is the id of this one, `end` the cursor of the last position that it has given.
    """

    def __init__(self, sentence: str, log: str, end: str) -> None:
        super().__init__(sentence)
        self.log = log
        self.end = end


async def known_identity(partition: Partition) -> str | None:
    """The log's id, None where it has none yet. Raises LogUnavailable, LogBroken."""
    with translated():
        found: Any = await partition.client.hget(partition.keys.store.layout, _FIELD)
    return None if found is None else found.decode(errors="replace")


async def identity(partition: Partition) -> str:
    """The log's id; it gets one where it has none. Raises LogUnavailable, LogFull, LogBroken."""
    known = await known_identity(partition)
    while known is None:
        with translated():
            await partition.client.hsetnx(partition.keys.store.layout, _FIELD, secrets.token_hex(8))
        known = await known_identity(partition)
    return known


class Identity:
    """Which log a store has, for all in a process that want to know.

    A partition is enough of each that the store has.
    """

    def __init__(self, *partitions: Partition) -> None:
        self._partitions = partitions
        self._known, self._due, self._is_asked_for = "", 0.0, False

    async def now(self) -> str:
        """The id; see `identity`. Of several partitions, which have logs of their own, a digest."""
        known = await self.known()
        if known is None:
            known = _together(await asyncio.gather(*map(identity, self._partitions)))
        return known

    async def known(self) -> str | None:
        """The same, None where one of the logs has none yet; nothing is written."""
        if len(self._partitions) == 1:
            return await known_identity(self._partitions[0])
        asked = [(each, ("HGET", each.keys.store.layout, _FIELD)) for each in self._partitions]
        found = sound(await replies_of(asked))
        return (
            None if None in found else _together([each.decode(errors="replace") for each in found])
        )

    async def lately(self) -> str:
        """The id of about a second ago. One caller asks; the others get what is known."""
        if monotonic() > self._due and not (self._known and self._is_asked_for):
            self._is_asked_for = True
            try:
                self._known = await self.now()
            finally:
                self._is_asked_for = False
            self._due = monotonic() + LOOK
        return self._known


def _together(ids: Sequence[str]) -> str:
    """One id for logs that are read as one: another one where any of them was replaced."""
    if len(ids) == 1:
        return ids[0]
    return hashlib.sha256(" ".join(ids).encode()).hexdigest()[:16]
