"""Idempotency keys over partitions: which partition has a key, and which request may use it."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from redis.asyncio import Redis

from itemstore.domain.errors import CommandRefused
from itemstore.engine.errors import LogBroken, LogFull, LogOverloaded, LogUnavailable
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.claim import FREE, Claim, Step, claim_text, step_of
from itemstore.eventlog.idempotency import (
    CLOSED,
    AlreadyDone,
    IdempotencyKey,
    KeyInUse,
    KeyReused,
    held_by,
    is_outcome,
)
from itemstore.eventlog.keys import StoreKeys
from itemstore.eventlog.transaction import TransactionRefused

ATTEMPTS = 8
"""How often a request tries to have its key, where others with the same key come between."""

LONGER_MS = 60 * 1000
"""How much longer a claim is kept than an outcome, which comes after it."""

T = TypeVar("T")

_CLAIM = Script(lua(__package__, "claim"))
_CLOSE = Script(lua(__package__, "close_key"))

_NOTHING_APPENDED = (CommandRefused, TransactionRefused, LogOverloaded, LogFull, LogBroken)


class Claims:
    """The idempotency keys of a store with several partitions; see claim.py.

    `places` are a client and the keys of each partition.
    """

    def __init__(self, places: Sequence[tuple[Redis, StoreKeys]], remembered_seconds: int) -> None:
        self._places = places
        self._kept_ms = remembered_seconds * 1000 + LONGER_MS

    async def place_of_outcome(self, key: IdempotencyKey) -> int | None:
        """The number of the partition that has the key's outcome, this request's or another's.

        That is the one of the last claim, whoever made it: any other was closed before. None where
        there is none for certain. Raises LogUnavailable.
        """
        home = self._home(key)
        held = await self._held(home, key)
        if not held:
            return None
        claim = Claim.of(held)
        return home if claim is None else claim.partition

    async def carried_out(
        self, key: IdempotencyKey, partition: int, append: Callable[[], Awaitable[T]]
    ) -> T:
        """What `append` gives, which appends to the partition under the key.

        Raises KeyReused and KeyInUse where another request has the key, AlreadyDone where it has an
        outcome, which may be of this request or of another, and what `append` does.
        """
        is_home = partition == self._home(key)
        claim, closed = None, ""
        for attempt in range(ATTEMPTS):
            if attempt or not is_home:
                claim = await self._claimed(key, partition)
            if closed:
                await self._swap(partition, key, closed, "")
            try:
                return await append()
            except AlreadyDone:
                held = await self._held(partition, key)
                if is_outcome(held):
                    raise
                closed = held if held.startswith(CLOSED) else ""
            except _NOTHING_APPENDED:
                if claim:
                    await self._let_go(key, claim)
                raise
        raise KeyInUse

    async def _claimed(self, key: IdempotencyKey, partition: int) -> str:
        """What the home holds once the key is this request's: its claim; nothing in its own home.

        Raises KeyReused, KeyInUse, and AlreadyDone as carried_out does.
        """
        home, held, own = self._home(key), "", ""
        for _ in range(ATTEMPTS):
            if partition != home:
                own = claim_text(key.fingerprint, partition, _new_mark())
            now, there = await self._swap(home, key, held, own)
            if there.startswith(own) if own else not there:
                return there
            held = there
            await self._make_way(held, key, partition, now)
        raise KeyInUse

    async def _make_way(self, held: str, key: IdempotencyKey, partition: int, now: int) -> None:
        """Returns once this request's claim may stand in the place of what the home holds.

        Raises as _claimed does.
        """
        claim = Claim.of(held)
        match step_of(held, key.fingerprint, now):
            case Step.answer:
                raise AlreadyDone
            case Step.wait:
                assert claim is not None
                if is_outcome(await self._held(claim.partition, key)):
                    raise AlreadyDone
                raise KeyInUse
            case Step.take_over:
                assert claim is not None
                if claim.partition != partition and not await self._close(claim.partition, key):
                    raise KeyReused

    async def _let_go(self, key: IdempotencyKey, claim: str) -> None:
        """Lets anybody have the key of a request that was refused; if not now, it grows old."""
        fingerprint, partition = claim.split(" ")[1:3]
        free = claim_text(fingerprint, int(partition), _new_mark())
        with suppress(LogUnavailable, LogFull, LogBroken):
            await self._swap(self._home(key), key, claim, free, since=FREE)

    async def _held(self, partition: int, key: IdempotencyKey) -> str:
        client, keys = self._places[partition]
        return await held_by(client, keys, key)

    async def _swap(
        self, partition: int, key: IdempotencyKey, held: str, wanted: str, since: str = "now"
    ) -> tuple[int, str]:
        """The engine's time, and what the key holds after it was tried; see claim.lua."""
        now, there = await self._run(_CLAIM, partition, key, held, wanted, self._kept_ms, since)
        return int(now), there.decode()

    async def _close(self, partition: int, key: IdempotencyKey) -> bool:
        """Closes the key in a partition; False where it has an outcome there."""
        text = CLOSED + _new_mark()
        return bool(await self._run(_CLOSE, partition, key, text, self._kept_ms))

    async def _run(
        self, script: Script, partition: int, key: IdempotencyKey, *args: str | int
    ) -> Any:
        client, keys = self._places[partition]
        with translated():
            return await script.run(client.execute_command, [keys.idempotency(key.scope)], args)

    def _home(self, key: IdempotencyKey) -> int:
        return key.home(len(self._places))


def _new_mark() -> str:
    return secrets.token_hex(8)
