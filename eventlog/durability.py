"""What the engine does with what it is given: asked of the engine itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redis import exceptions
from redis.asyncio import Redis

from eventlog.faults import translated


class UnsafeEngine(Exception):
    """The engine's settings would lose events. The sentence says what to change."""


@dataclass(frozen=True, slots=True)
class Durability:
    """When an appended event is on disk.

    `fsync` is `always` (before it is acknowledged), `everysec` (within a second or two), `no`
    (when the operating system likes), `off` (never: there is no append-only file), or `unknown`
    where the engine does not say.
    """

    fsync: str

    @property
    def sentence(self) -> str:
        """The same for a person."""
        return _SENTENCES[self.fsync]


_SENTENCES = {
    "always": "An acknowledged write is on disk.",
    "everysec": "A power cut can lose the last second of acknowledged writes.",
    "no": "A power cut can lose acknowledged writes.",
    "off": "NOTHING IS ON DISK: the log is lost when the engine stops. Set appendonly yes.",
    "unknown": "The engine does not say whether the log is on disk.",
}


async def durability(redis: Redis) -> Durability:
    """What the engine promises.

    Raises UnsafeEngine when it may throw events away to make room, and LogUnavailable.
    """
    with translated():
        try:
            settings: Any = await redis.config_get("appendonly", "appendfsync", "maxmemory*")
        except exceptions.ResponseError:  # a fake, or a provider that keeps CONFIG to itself
            return Durability("unknown")
    _refuse_eviction(settings)
    if settings.get("appendonly") != "yes":
        return Durability("off")
    return Durability(settings.get("appendfsync", "unknown"))


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
