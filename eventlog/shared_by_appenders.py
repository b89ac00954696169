"""What the appenders of one process share: counts, a bound of what waits, connections."""

from __future__ import annotations

from dataclasses import dataclass

from redis.asyncio import Redis

from itemstore.engine.dedicated_connection import LentConnections
from itemstore.eventlog.appends import AppendCounts
from itemstore.eventlog.batching import Waiting

MOST_COMMANDS = 128
"""How many commands one script call takes, and so a transaction: at most some 2 ms of the engine's
time."""

MOST_WAITING = 64 * MOST_COMMANDS
"""How many commands of transactions may wait: 32 clients send 128 at once. Some 0.3 s of work."""

FLIGHTS = 2
"""Batches under way at once: while the engine has one, this process makes the other."""

MOST_FLIGHTS = 8
"""The same of all partitions that are on one engine, which does one thing at a time: what waits for
a connection gathers into larger batches."""


@dataclass(frozen=True, slots=True)
class SharedByAppenders:
    """What those of a store's partitions count in, are bounded by, and send over.

    `connections` are to the engine that theirs are on.
    """

    counts: AppendCounts
    waiting: Waiting
    connections: LentConnections

    @classmethod
    def of(cls, client: Redis, waiting: int) -> SharedByAppenders:
        """What one alone has; so many of its commands may wait."""
        connections = LentConnections(client, FLIGHTS)
        return cls(AppendCounts(), waiting_writes(waiting), connections)


def waiting_writes(most: int) -> Waiting:
    """The bound for a process in which so many commands may wait."""
    return Waiting(most, max(most, MOST_WAITING))
