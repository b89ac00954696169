"""Reading rows of current items: those of all collections go over one connection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from redis.asyncio import Redis

from itemstore.domain.evolve import Item
from itemstore.engine.deadline import Deadline
from itemstore.engine.dedicated_connection import DedicatedConnection
from itemstore.engine.redis_errors import meant, translated
from itemstore.eventlog.batching import Batches, Caller, Waiting
from itemstore.projections.row import MalformedRow, decode

MOST_READS = 256
"""How many items are read at once, for as many callers."""

MOST_BYTES = 4 * 1024 * 1024
"""How large such a reply should be, going by the rows of the one before it."""

TIME_LIMIT = 1.5
"""Seconds after which a reader is told that the log is unavailable."""

ALLOWANCE = 0.1
"""So much earlier it stops asking an engine again that changes its place, and says why."""

Read = tuple[str, bytes]
"""The key of a collection's rows, and an id."""

Answer = Item | Exception | None


class RowReader:
    """Reads rows for one process: concurrent callers share a round trip, whatever they read.

    A connection for each collection would be more than the engine's client has.
    """

    def __init__(self, client: Redis, waiting: Waiting | None = None) -> None:
        """With the bound of what waits that several readers share, or with one of its own."""
        self._connection = DedicatedConnection(client)
        self._reads: Batches[Read, Item | None] = Batches(
            self._get_many,
            most=MOST_READS,
            most_bytes=MOST_BYTES,
            waiting=waiting or Waiting(10_000),
            flights=1,
            called="reads",
        )
        self._deadline = Deadline(TIME_LIMIT)
        self._row_bytes = 0

    async def get(self, rows: str, item: str) -> Item | None:
        """The item in the rows under this key, deleted or not; None where it never existed.

        It sees every write acknowledged before the call. Raises LogUnavailable, LogBroken,
        LogOverloaded, and MalformedRow where the projection needs a rebuild.
        """
        return await self._reads.submit((rows, item.encode()), self._row_bytes)

    def get_for(self, caller: Caller, rows: str, item: str) -> None:
        """Has the caller told the same, or what `get` would raise. Raises LogOverloaded."""
        self._reads.submit_for(caller, (rows, item.encode()), self._row_bytes)

    async def _get_many(self, reads: Sequence[Read]) -> Iterator[Answer]:
        wanted: dict[str, dict[bytes, None]] = {}  # what many ask for is read once
        for rows, name in reads:
            wanted.setdefault(rows, {})[name] = None
        with translated(), self._deadline:
            replies = await self._connection.read_together(
                [("HMGET", rows, *names) for rows, names in wanted.items()],
                TIME_LIMIT - ALLOWANCE,
            )
        found = dict(zip(wanted, replies, strict=True))
        sound = [reply for reply in replies if not isinstance(reply, Exception)]
        size = sum(len(row) for reply in sound for row in reply if row)
        self._row_bytes = size // max(1, sum(map(len, sound)))
        return _answers(reads, wanted, found)


def _answers(
    reads: Sequence[Read], wanted: Mapping[str, Iterable[bytes]], found: Mapping[str, Any]
) -> Iterator[Answer]:
    answers: dict[str, Mapping[bytes, Answer]] = {}
    for rows, names in wanted.items():
        reply = found[rows]
        if isinstance(reply, Exception):  # of this collection alone
            answers[rows] = dict.fromkeys(names, meant(reply))
        else:
            pairs = zip(names, reply, strict=True)
            answers[rows] = {name: _answer(name, row) for name, row in pairs}
    for rows, name in reads:
        yield answers[rows][name]


def _answer(name: bytes, row: bytes | None) -> Answer:
    try:
        return decode(name.decode(), row) if row is not None else None
    except MalformedRow as error:
        return error
