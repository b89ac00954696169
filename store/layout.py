"""How many partitions a store has: written down at its first start, and never another number.

With several, the layout of partition 0 says so. A store of one has a layout without that.
"""

from __future__ import annotations

import secrets
from typing import Any

from redis import exceptions
from redis.asyncio import Redis

from itemstore.domain.partitions import MOST
from itemstore.engine.clients import Clients
from itemstore.engine.errors import LogBroken
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.keys import StoreKeys, hash_tag
from itemstore.store.settings import Settings

PARTITIONS = "partitions"
"""The field of the layout."""

ON_A_CLUSTER = 16
"""Partitions of a new store on a cluster, where nothing else is said."""

_NOTE = Script(lua(__package__, "note_partitions"))


class WrongPartitions(Exception):
    """The store can't have as many partitions as the settings say. The sentence says what to do."""


def keys_of(settings: Settings, partition: int | None) -> StoreKeys:
    """The keys of what belongs to the whole store, for a partition, or for the only one."""
    return StoreKeys(settings.namespace or "", partition)


def numbers_of(settings: Settings) -> list[int | None]:
    """The numbers of the partitions, as keys have them: that of an only one is None."""
    partitions = settings.partitions or 1
    return [None] if partitions == 1 else [*range(partitions)]


def client_of(clients: Clients, settings: Settings, partition: int | None) -> Redis:
    """The client for the keys of a partition."""
    return clients.of(keys_of(settings, partition).tag)


async def with_partitions(clients: Clients, settings: Settings) -> Settings:
    """The settings, with the number of partitions that the store has; see partitions_of."""
    return settings.model_copy(update={"partitions": await partitions_of(clients, settings)})


async def partitions_of(clients: Clients, settings: Settings) -> int:
    """How many partitions the store has; where it is new, will have.

    Raises WrongPartitions, LogUnavailable and LogBroken.
    """
    wanted = settings.partitions
    is_tagged = hash_tag(settings.namespace or "") is not None
    if is_tagged and (wanted or 1) > 1:
        message = (
            f"The namespace {settings.namespace} has a hash tag, which keeps all keys in one slot: "
            "take one without braces, or ITEMSTORE_PARTITIONS=1."
        )
        raise WrongPartitions(message)
    if is_tagged:
        return 1
    written = await _several(clients, settings)
    if clients.is_cluster:
        if wanted == 1:
            message = (
                "On a cluster a store of one partition needs a namespace with a hash tag, such as "
                "{items}; or let it have several with ITEMSTORE_PARTITIONS."
            )
            raise WrongPartitions(message)
        written = written or wanted or ON_A_CLUSTER
    elif written is None:
        written = 1 if wanted is None or await _is_there(clients, settings) else wanted
    if wanted is not None and wanted != written:
        raise _other(written, wanted)
    return written


async def write_down(client: Redis, settings: Settings, *, is_one_engine: bool) -> None:
    """Notes, where that is not done yet, how many partitions the store has.

    `client` is that of the first one, and on one engine a store of the same name may have another
    number. Raises WrongPartitions where another process was faster and noted another;
    LogUnavailable, LogFull and LogBroken.
    """
    wanted = settings.partitions or 1
    several, alone = keys_of(settings, 0).layout, keys_of(settings, None).layout
    keys = [alone, several] if wanted == 1 else [several, alone]
    if not is_one_engine:
        keys.pop()
    with translated():
        reply = await _NOTE.run(client.execute_command, keys, [wanted, secrets.token_hex(8)])
    noted = _number(reply, several)
    if noted != wanted:
        raise _other(noted, wanted)


async def _several(clients: Clients, settings: Settings) -> int | None:
    """The number that a store of several partitions has noted; None where there is none."""
    keys = keys_of(settings, 0)
    with translated():
        try:
            found: Any = await client_of(clients, settings, 0).hget(keys.layout, PARTITIONS)
        except exceptions.NoPermissionError:
            if clients.is_cluster or (settings.partitions or 1) > 1:
                raise
            return None  # its engine's user has never had keys of several
    return None if found is None else _number(found, keys.layout)


def _number(noted: bytes, key: str) -> int:
    """The number of partitions that is noted. Raises LogBroken where it is none."""
    if noted.isdigit() and 1 <= int(noted) <= MOST:
        return int(noted)
    message = (
        f"The field {PARTITIONS} of {key} holds {noted[:20]!r}, which is no number of partitions; "
        "another program writes in this namespace."
    )
    raise LogBroken(message)


async def _is_there(clients: Clients, settings: Settings) -> bool:
    """Whether there is a store of one partition."""
    with translated():
        there = await client_of(clients, settings, None).exists(keys_of(settings, None).layout)
    return bool(there)


def _other(written: int, wanted: int) -> WrongPartitions:
    has = "1 partition" if written == 1 else f"{written} partitions"
    return WrongPartitions(
        f"The store has {has}, and ITEMSTORE_PARTITIONS says {wanted}. The number stays what it "
        "was at the first start. For another one, `itemstore export` the store and `itemstore "
        "import` that into an empty engine, or under another --namespace; see docs/cluster.md."
    )
