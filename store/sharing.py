"""What the partitions of a store share in one process."""

from __future__ import annotations

from redis.asyncio import Redis

from itemstore.engine.dedicated_connection import LentConnections
from itemstore.eventlog.appends import AppendCounts
from itemstore.eventlog.batching import Waiting
from itemstore.eventlog.shared_by_appenders import MOST_FLIGHTS, SharedByAppenders, waiting_writes
from itemstore.projections.row_reader import RowReader


class Sharing:
    """Counts and bounds of all partitions, and for those on one engine what reads and writes there.

    Else a process would bear as many times more as there are partitions, and need more connections
    than the engine's client has.
    """

    def __init__(self, most_waiting: int) -> None:
        self._counts = AppendCounts()
        self._writes = waiting_writes(most_waiting)
        self._reads = Waiting(most_waiting)
        self._of_engines: dict[Redis, tuple[SharedByAppenders, RowReader]] = {}

    def on(self, client: Redis) -> tuple[SharedByAppenders, RowReader]:
        """What the appenders share that use this client, and the reader of rows for it."""
        if client not in self._of_engines:
            connections = LentConnections(client, MOST_FLIGHTS)
            self._of_engines[client] = (
                SharedByAppenders(self._counts, self._writes, connections),
                RowReader(client, self._reads),
            )
        return self._of_engines[client]
