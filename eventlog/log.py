"""The log: the one way into it.

Commands of one process share a script call (group commit): each flight of batches is a writer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from itemstore.domain.commands import Command
from itemstore.domain.events import RecordedEvent
from itemstore.engine.dedicated_connection import Argument, DedicatedConnection
from itemstore.engine.durability import NotYetDurable, settle
from itemstore.engine.errors import LogOverloaded
from itemstore.eventlog.append import Append
from itemstore.eventlog.batching import Batches, TooManyWaiting
from itemstore.eventlog.idempotency import IdempotencyKey, outcome
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.terms import DEFAULT, Terms
from itemstore.eventlog.writer import EngineClock, Writer

MOST_COMMANDS = 128
"""How many commands one script call takes: at most some 1.5 ms of the engine's time."""

MOST_BYTES = 4 * 1024 * 1024
"""How many bytes of bodies one script call takes; a single larger body goes alone."""

FLIGHTS = 2
"""Batches under way at once: while the engine has one, this process makes the other."""

CROWD = 12
"""Commands that wait before a second batch leaves beside the first (docs/decisions/0002)."""


class EventLog:
    """The events of one namespace, in the order they were appended.

    `appended` counts the events of each type that this process has appended, and `batch_sizes`
    the batches of each size in which their commands went to the engine. `not_yet_durable` says why
    the last of them was not as durable as wanted in time; None where it was. `reader` reads them.
    """

    def __init__(self, partition: Partition, terms: Terms = DEFAULT) -> None:
        self.reader = partition.reader
        self._partition = partition
        self._acknowledgement = terms.acknowledgement
        self._disk = terms.disk
        clock = EngineClock()
        self._idle_writers = [
            Writer(DedicatedConnection(partition.client), clock, partition.keys, terms)
            for _ in range(FLIGHTS)
        ]
        self._batches: Batches[Append, RecordedEvent] = Batches(
            self._send,
            most=MOST_COMMANDS,
            most_bytes=MOST_BYTES,
            waiting=terms.waiting,
            flights=FLIGHTS,
            crowd=CROWD,
        )
        self.appended: Counter[str] = Counter()
        self.batch_sizes = self._batches.sizes
        self.not_yet_durable: NotYetDurable | None = None

    async def append(
        self,
        command: Command,
        meta: Mapping[str, str] | None = None,
        key: IdempotencyKey | None = None,
    ) -> RecordedEvent:
        """The event that the command became, with its position and version.

        With a key, the outcome is remembered under it in the same step; AlreadyDone is raised
        when it has one. Raises ItemNotFound or UnexpectedVersion when the command is refused,
        LogOverloaded when too many wait, LogFull, LogBroken, and LogUnavailable when the outcome
        is unknown or not as durable as wanted: then there is no event or exactly one.
        """
        self._disk.check()
        one = Append(command, meta or {}, key)
        try:
            recorded = await self._batches.submit(one, one.size)
        except TooManyWaiting:
            sentence = "Too many writes are waiting; slow down and try again."
            raise LogOverloaded(sentence) from None
        except NotYetDurable as error:
            self.not_yet_durable = NotYetDurable(str(error))
            raise
        self.not_yet_durable = None
        self.appended[recorded.type] += 1
        return recorded

    async def _send(self, batch: Sequence[Append]) -> Iterator[RecordedEvent | Exception]:
        writer = self._idle_writers.pop()
        try:
            commands: list[Argument] = []
            for each in batch:
                commands += each.arguments
            lines = await writer.send(commands)
        finally:
            self._idle_writers.append(writer)
        return (each.outcome(line) for each, line in zip(batch, lines, strict=True))

    async def outcome(self, key: IdempotencyKey) -> RecordedEvent | None:
        """The event that the request with this key became, None where it is not known.

        It is as durable as an append. Raises KeyReused where the key stands for another request.
        """
        found = await outcome(self._partition, key)
        if found:  # its first answer may have been that it is not durable yet
            await self.settle()
        return found

    async def settle(self) -> None:
        """Waits until all that was appended is as durable as wanted; see durability.settle."""
        scratch = self._partition.keys.store.writer("settle")
        await settle(self._partition.client, scratch, self._acknowledgement)
