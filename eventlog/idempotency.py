"""Idempotency keys: a request that is sent twice is carried out once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from itemstore.domain.events import RecordedEvent
from itemstore.domain.partitions import partition_of
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.keys import StoreKeys
from itemstore.eventlog.partition import Partition


class AlreadyDone(Exception):
    """The key has an outcome already; nothing was appended."""


class KeyReused(Exception):
    """The key was used for another request."""


class KeyInUse(Exception):
    """Another request with the key has not come to its end; nothing was appended."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """What remembers the outcome of one request.

    `scope` is what a caller named it, `fingerprint` 64 hexadecimal digits that differ where what is
    asked for differs.
    """

    scope: str
    fingerprint: str

    def home(self, partitions: int) -> int:
        """The number of the partition, of so many, in which it is looked for first."""
        return partition_of(self.scope, partitions)


async def outcome(partition: Partition, key: IdempotencyKey) -> RecordedEvent | None:
    """The event that the request with this key became, None where it is not known.

    Raises KeyReused where the key stands for another request, and LogUnavailable.
    """
    with translated():
        held = await held_by(partition.client, partition.keys.store, key)
        if not is_outcome(held):
            return None
        fingerprint, *_, position = held.split()
        if fingerprint != key.fingerprint:
            raise KeyReused
    found = await partition.reader.at([position.encode()])
    return found[0] if found else None


async def held_by(client: Redis, keys: StoreKeys, key: IdempotencyKey) -> str:
    """The text that a key holds; empty where it holds nothing. Raises LogUnavailable."""
    with translated():
        held: Any = await client.get(keys.idempotency(key.scope))
    return held.decode() if held else ""


def is_outcome(held: str) -> bool:
    """Whether what a key holds is an outcome.

    In a store of several partitions it may also be a claim, or closed; see claim.py.
    """
    return bool(held) and not held.startswith((CLAIM, CLOSED))


CLAIM, CLOSED = "claim ", "closed "
"""What else a key may hold begins so, which no fingerprint does."""
