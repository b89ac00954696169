"""What an acknowledged write survives: what the engine is set to, and what the store waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from redis import exceptions
from redis.asyncio import Redis

from itemstore.engine.acknowledgement import ENGINE, WAIT_MS, Acknowledgement
from itemstore.engine.dedicated_connection import DedicatedConnection
from itemstore.engine.following import followed, was_not_carried_out
from itemstore.engine.redis_errors import translated

SETTLE_SECONDS = 2 * WAIT_MS / 1000
"""How long it is waited in all for what was written before."""


class UnsafeEngine(Exception):
    """The engine would lose events, or can't keep what is asked. The sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Durability:
    """When an appended event is on disk, and what the store waits for beyond that.

    `fsync` is `always` (before it is acknowledged), `everysec` (within a second or two), `no`
    (when the operating system likes), `off` (never: there is no append-only file), or `unknown`
    where the engine does not say.
    """

    fsync: str
    acknowledgement: Acknowledgement = ENGINE

    @property
    def is_on_disk(self) -> bool:
        """Whether an acknowledged write survives a power cut at the engine."""
        return self.acknowledgement.fsync or self.fsync == "always"

    @property
    def sentence(self) -> str:
        """What it means, for a person."""
        kept = _SENTENCES["always" if self.is_on_disk else self.fsync]
        if self.acknowledgement.replicas:
            return f"An acknowledged write is in {self.acknowledgement.replicas} replicas. {kept}"
        return kept


_WEAKEST_FIRST = ("off", "no", "unknown", "everysec", "always")


def weakest(promises: Iterable[Durability]) -> Durability:
    """That of several nodes which promises the least, of at least one."""
    return min(promises, key=lambda each: _WEAKEST_FIRST.index(each.fsync))


_SENTENCES = {
    "always": "An acknowledged write is on disk.",
    "everysec": "A power cut can lose the last second of acknowledged writes.",
    "no": "A power cut can lose acknowledged writes.",
    "off": "NOTHING IS ON DISK: the log is lost when the engine stops. Set appendonly yes.",
    "unknown": "The engine does not say whether the log is on disk.",
}


async def promised(redis: Redis, wanted: Acknowledgement = ENGINE) -> Durability:
    """What the engine's settings promise, and what is waited for beyond that.

    Raises UnsafeEngine where it may throw events away to make room, and LogUnavailable.
    """
    with translated():
        try:
            settings: Any = await redis.config_get(
                "appendonly", "appendfsync", "no-appendfsync-on-rewrite", "maxmemory*"
            )
        except exceptions.ResponseError:  # a fake, or a provider that keeps CONFIG to itself
            settings = {"appendonly": "yes", "appendfsync": "unknown"}
    _refuse_eviction(settings)
    return Durability(_fsync(settings), wanted)


def _fsync(settings: dict[str, str]) -> str:
    if settings.get("appendonly") != "yes":
        return "off"
    fsync = settings.get("appendfsync", "unknown")
    if fsync == "always" and settings.get("no-appendfsync-on-rewrite") == "yes":
        return "no"  # as long as a rewrite of the file runs
    return fsync


async def settle(redis: Redis, scratch: str, wanted: Acknowledgement) -> None:
    """Waits until all that is in the log is as durable as wanted; writes to a `scratch` key for it.

    Raises UnsafeEngine where the engine has no way to tell, NotYetDurable, LogFull and
    LogUnavailable.
    """
    if wanted.command is None:
        return
    connection = DedicatedConnection(redis)
    try:
        with translated():
            seconds = SETTLE_SECONDS if connection.may_move else 0.0
            reply = await followed(lambda: _waited(connection, scratch, wanted), seconds)
    finally:
        await connection.aclose()
    wanted.check(reply)


async def _waited(connection: DedicatedConnection, scratch: str, wanted: Acknowledgement) -> Any:
    """The engine's reply, which waits for what this connection wrote, and for all before that."""
    assert wanted.command is not None
    async with asyncio.timeout(SETTLE_SECONDS):
        await connection.call("SET", scratch, "", "PX", WAIT_MS)
        try:
            return await connection.call_on_same(*wanted.command)
        except exceptions.ResponseError as error:
            if was_not_carried_out(error):
                raise
            raise _unable(wanted, error) from error


def _unable(wanted: Acknowledgement, error: exceptions.ResponseError) -> UnsafeEngine:
    message = f"The engine can't keep ITEMSTORE_DURABILITY={wanted}: {error}."
    if wanted.fsync:
        message += (
            " It takes Redis 7.2 or Valkey, with appendonly yes. With ITEMSTORE_DURABILITY=engine, "
            "and an engine that has appendfsync always, an acknowledged write is on disk as well."
        )
    return UnsafeEngine(message)


def _refuse_eviction(settings: dict[str, str]) -> None:
    policy = settings.get("maxmemory-policy", "noeviction")
    if settings.get("maxmemory", "0") == "0" or policy == "noeviction":
        return
    message = (
        f"The engine's maxmemory-policy is {policy}: when its memory is full it would drop "
        "events. Set it to noeviction (CONFIG SET maxmemory-policy noeviction, and the same in "
        "its configuration file)."
    )
    raise UnsafeEngine(message)
