"""Whether the engine would take a write now, without writing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redis import exceptions
from redis.asyncio import Redis

from itemstore.domain.positions import START, key_of
from itemstore.engine.acknowledgement import Acknowledgement, NotYetDurable
from itemstore.engine.durability import UnsafeEngine
from itemstore.engine.redis_errors import NO_RIGHT, translated
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.partition import Partition

AHEAD_MS = 5_000
"""How far the log may be ahead of the engine's clock: one that is set goes back a little."""

LAG_SECONDS = 3
"""Since when a replica may not have answered. Each says every second how far it is."""

_WOULD_WRITE = Script(lua(__package__, "would_write"))


@dataclass(frozen=True, slots=True)
class LogEnd:
    """Where the log ends, and what the engine's clock says, in milliseconds since 1970."""

    position: str
    now: int

    @property
    def ahead_seconds(self) -> int:
        """How far the log is ahead of the clock; 0 where that is no more than clocks are wrong."""
        ahead = key_of(self.position)[0] - self.now
        return ahead // 1000 if ahead > AHEAD_MS else 0

    @property
    def sentence(self) -> str | None:
        """What that means, None where the log is not ahead."""
        if not self.ahead_seconds:
            return None
        return (
            f"The log ends at {self.position}, {_duration(self.ahead_seconds)} ahead of the "
            "engine's clock: something was written while a clock was wrong. Until then all new "
            "events have that time; docs/operations.md says how to get out."
        )


async def log_end(redis: Redis, position: str) -> LogEnd:
    """A log's last position beside the engine's clock. Raises LogUnavailable."""
    with translated():
        seconds, microseconds = await redis.time()
    return LogEnd(position, int(seconds) * 1000 + int(microseconds) // 1000)


async def check_writable(partition: Partition) -> LogEnd:
    """Where the log ends, if a write would be taken after that.

    Raises UnsafeEngine where the engine's user may not do what a write takes, LogFull, LogBroken,
    and LogUnavailable with what the engine says against it.
    """
    keys = partition.keys
    names = [keys.events, keys.current, keys.ids, keys.store.writer("a")]
    names += [keys.store.idempotency("a"), keys.history("a"), keys.store.position]
    several = "one" if keys.partition is None else "several"
    reply = await partition.run(_WOULD_WRITE, keys=names, args=[several])
    position, now, *refused = (each.decode() for each in reply)
    if refused:
        raise UnsafeEngine(NO_RIGHT.format(", ".join(sorted({*refused}))))
    return LogEnd(position or START, int(now))


async def check_replicas(redis: Redis, wanted: Acknowledgement) -> None:
    """Raises NotYetDurable where fewer replicas are in touch than each write has to reach."""
    if not wanted.replicas:
        return
    with translated():
        try:
            told: dict[str, Any] = await redis.info("replication")
        except exceptions.NoPermissionError:
            return
    replicas = [each for name, each in told.items() if name.startswith("slave")]
    count = sum(_is_in_touch(each) for each in replicas)
    if count < wanted.replicas:
        message = f"{count} of {wanted.replicas} replicas are in touch with the engine."
        raise NotYetDurable(message)


def _is_in_touch(replica: Any) -> bool:
    return (
        isinstance(replica, dict)
        and replica.get("state") == "online"
        and int(replica.get("lag", 0)) <= LAG_SECONDS
    )


def _duration(seconds: int) -> str:
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:,} {unit}s"
    return f"{seconds} seconds"
