"""The right to be the only process that does a piece of work, for as long as it is renewed."""

from __future__ import annotations

import time
import uuid
from typing import Any

from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.partition import Partition

_LEASE = Script(lua(__package__, "lease"))
_TAKE = Script(lua(__package__, "take_lease"))


class LeaseLost(Exception):
    """The lease ran out before it was renewed, or a reply was lost. The work stops here."""

    def __init__(self) -> None:
        super().__init__(
            "The lease was lost: this process or the engine stood still for too long, or the "
            "connection broke. Run it again."
        )


class Lease:
    """A key with a lifetime, which names its holder and counts how often the lease was renewed.

    A holder that dies is forgotten after `milliseconds`. Each renewal changes the value, so a
    script that renews the lease as its first deed is never run twice, even where a client library
    sends it again after a lost reply.
    """

    def __init__(self, partition: Partition, key: str, milliseconds: int) -> None:
        self.key = key
        self.token = uuid.uuid4().hex[:12]
        self.milliseconds = milliseconds
        self._partition = partition
        self._number = 0
        self._renewed = 0.0
        self._before = 0.0

    async def acquire(self) -> bool:
        """Whether the lease is this one's now; False where somebody else holds it."""
        taken = await self._partition.run(
            _TAKE, keys=[self.key], args=[self._value, self.milliseconds]
        )
        self._renewed = time.monotonic()
        return bool(taken)

    async def remaining(self) -> float:
        """Seconds until the lease is free if its holder does not renew it."""
        with translated():
            return max(0, await self._partition.client.pttl(self.key)) / 1000

    async def renew(self) -> None:
        """Holds the lease for its whole lifetime again. Raises LeaseLost."""
        if not await self._partition.run(_LEASE, keys=[self.key], args=self.renewal()):
            raise LeaseLost

    async def renew_in_time(self) -> None:
        """Renews it where a third of its lifetime has passed. Raises LeaseLost."""
        if time.monotonic() - self._renewed > self.milliseconds / 3000:
            await self.renew()

    async def release(self) -> None:
        """Gives the lease up, if it is still held."""
        await self._partition.run(_LEASE, keys=[self.key], args=[self._value, "", 0])

    def renewal(self) -> list[str | int]:
        """What a script needs to renew it: the value before, the value after, the lifetime."""
        before = self._value
        self._number += 1
        self._before, self._renewed = self._renewed, time.monotonic()
        return [before, self._value, self.milliseconds]

    async def find_again(self) -> None:
        """Goes on from what the lease holds, where the reply of a script that renews it is lost."""
        with translated():
            value: Any = await self._partition.client.get(self.key) or b""
        token, _, number = value.decode().partition(" ")
        if token == self.token:
            self._number = int(number)

    def take_back(self) -> None:
        """Goes back to before the last `renewal`, which the script that got it had no need of."""
        self._number -= 1
        self._renewed = self._before

    @property
    def _value(self) -> str:
        return f"{self.token} {self._number}"
