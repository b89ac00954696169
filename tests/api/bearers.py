"""Tokens, as requests carry them."""

from __future__ import annotations

from redis.asyncio import Redis

from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.store.scope import Scope
from itemstore.store.tokens import Role, create


async def bearer(
    store: Redis | Partition, name: str, scope: Scope, role: Role = Role.writer
) -> dict[str, str]:
    """The header of a new token: of the store on an engine, or of the one with this first part."""
    partition = store if isinstance(store, Partition) else Partition(store, Keys())
    text = await create(partition, name, role, scope)
    return {"authorization": f"Bearer {text}"}
