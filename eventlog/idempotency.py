"""Idempotency keys: a request that is sent twice is carried out once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from itemstore.domain.events import RecordedEvent
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.partition import Partition

REMEMBERED_SECONDS = 24 * 60 * 60
"""How long an outcome is kept where nothing else is said."""


class AlreadyDone(Exception):
    """The key has an outcome already; nothing was appended."""


class KeyReused(Exception):
    """The key was used for another request."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """What remembers the outcome of one request.

    `name` is the whole key in the engine, `fingerprint` 64 hexadecimal digits that differ where
    what is asked for differs.
    """

    name: str
    fingerprint: str


async def outcome(partition: Partition, key: IdempotencyKey) -> RecordedEvent | None:
    """The event that the request with this key became, None where it is not known.

    Raises KeyReused where the key stands for another request, and LogUnavailable.
    """
    with translated():
        remembered: Any = await partition.client.get(key.name)
        if remembered is None:
            return None
        fingerprint, *_, position = remembered.decode().split()
        if fingerprint != key.fingerprint:
            raise KeyReused
    found = await partition.reader.at([position.encode()])
    return found[0] if found else None
