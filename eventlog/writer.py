"""A writer: sends batches to the append script, each carried out once or never."""

from __future__ import annotations

import asyncio
import time
import uuid

from redis import exceptions

from itemstore.engine.deadline import Deadline
from itemstore.engine.dedicated_connection import Argument, DedicatedConnection, LentConnections
from itemstore.engine.errors import LogUnavailable
from itemstore.engine.following import may_be_asked_again
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.keys import StoreKeys
from itemstore.eventlog.script_call import ScriptCall
from itemstore.eventlog.terms import Terms

TIME_LIMIT = 1.5
"""Seconds for which a batch is tried before its callers are told that the log is unavailable."""

ALLOWANCE_MS = 500
"""How long after that a copy of it that is still on its way may be carried out."""

REMEMBERED_MS = 10 * 60 * 1000
"""How long a writer is remembered after its last batch: far longer than any batch is in time."""

LATE = [b"late"]
"""The reply to a batch whose time was over."""

FORGOTTEN = "The engine's clock went far ahead while a write was under way; try again."
"""What was carried out the first time may be forgotten by then, so it can't be sent as another."""

_APPEND = Script(lua(__package__, "apply", "order", "append"))


class EngineClock:
    """The engine's clock, going by the last reply that showed it.

    It is behind by the journey of that reply, and never ahead. `shown` is what that said, in
    milliseconds since 1970; 0 where none has come yet.
    """

    def __init__(self) -> None:
        self.shown = 0
        self._seen = 0.0

    def show(self, milliseconds: int) -> None:
        """Notes what a reply said that has just come."""
        self.shown, self._seen = milliseconds, time.monotonic()

    def now(self) -> int:
        """Milliseconds since 1970; long ago where no reply has come yet."""
        return self.shown + int((time.monotonic() - self._seen) * 1000)


class Writer:
    """Numbers the batches that it sends, and is remembered by the engine under an id of its own.

    The engine's script remembers the last batch of each writer with its reply. A lost reply is
    asked for again under the same number, and what it was the first time comes back, so nothing is
    appended twice. Each batch says until when it may be carried out, by the engine's clock, so a
    copy of it that was held up on the way is not carried out when nobody waits for it any more,
    or when the engine has forgotten the writer.
    """

    _connection: DedicatedConnection

    def __init__(
        self,
        connections: LentConnections,
        clock: EngineClock,
        keys: StoreKeys,
        terms: Terms,
    ) -> None:
        self._connections = connections
        self._clock = clock
        self._keys = (keys.writer(uuid.uuid4().hex), keys.position)
        self._remembered_ms = terms.remembered_seconds * 1000
        self._acknowledgement = terms.acknowledgement
        self._wait = terms.acknowledgement.command
        self._deadline = Deadline(TIME_LIMIT)
        self._number = 0
        self._last_refusal: exceptions.RedisError | None = None

    async def send(self, batch: ScriptCall) -> list[bytes]:
        """The lines of the script's reply, asked for again until the time limit.

        Raises LogUnavailable where none has come until then: the batch may still be carried out
        within ALLOWANCE_MS. A batch that came late was not carried out and never will be, so it is
        sent as another one.
        """
        self._last_refusal = None
        with translated():
            try:
                with self._deadline:
                    connection = self._connection = await self._connections.take()
                    try:
                        while (lines := await self._answered(batch)) == LATE:
                            pass  # the clock has been shown by this reply
                    finally:
                        self._connections.give_back(connection)
                    return lines
            except TimeoutError as error:
                raise self._last_refusal or error from None

    async def _answered(self, batch: ScriptCall) -> list[bytes]:
        self._number += 1
        knew_the_time = self._clock.shown > 0
        late_from = self._clock.now() + int(TIME_LIMIT * 1000) + ALLOWANCE_MS
        keys = [*self._keys, *batch.keys]
        arguments: list[Argument] = [self._number, late_from, REMEMBERED_MS, self._remembered_ms]
        arguments += batch.arguments
        pause, is_first = 0.01, True
        while True:
            try:
                lines = await self._run(keys, arguments)
            except exceptions.RedisError as error:
                if not may_be_asked_again(error, is_read=True):  # the number makes it like a read
                    raise
                self._last_refusal = error
                await asyncio.sleep(pause)
                pause, is_first = min(2 * pause, 0.2), False
                continue
            if lines == LATE and not is_first and knew_the_time:
                raise LogUnavailable(FORGOTTEN)
            return lines

    async def _run(self, keys: list[str], arguments: list[Argument]) -> list[bytes]:
        reply: bytes = await _APPEND.run(self._connection.call, keys, arguments)
        time_there, *lines = reply.split(b"\n")
        self._clock.show(int(time_there))
        if self._wait and lines != LATE:
            self._acknowledgement.check(await self._connection.call_on_same(*self._wait))
        return lines
