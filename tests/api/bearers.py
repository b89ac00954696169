"""Tokens, as requests carry them."""

from __future__ import annotations

from fakeredis import FakeAsyncRedis

from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.store.scope import Scope
from itemstore.store.tokens import Role, create


async def bearer(
    redis: FakeAsyncRedis, name: str, scope: Scope, role: Role = Role.writer
) -> dict[str, str]:
    """The header of a new token."""
    text = await create(Partition(redis, Keys()), name, role, scope)
    return {"authorization": f"Bearer {text}"}
