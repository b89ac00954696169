"""The one way into the logs of all collections of a store.

The commands of one process share a script call (group commit), whichever collections they are in:
each flight of batches is a writer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from weakref import WeakSet

from redis.asyncio import Redis

from itemstore.domain.commands import Command
from itemstore.domain.events import RecordedEvent
from itemstore.engine.acknowledgement import NotYetDurable
from itemstore.engine.durability import settle
from itemstore.eventlog.append import Append, Meta
from itemstore.eventlog.append_for import AppendFor
from itemstore.eventlog.append_span import OUTCOMES, note_command, note_event
from itemstore.eventlog.appends import Appends
from itemstore.eventlog.batching import Batches, Caller
from itemstore.eventlog.idempotency import IdempotencyKey
from itemstore.eventlog.keys import Keys, StoreKeys
from itemstore.eventlog.past import Past
from itemstore.eventlog.script_call import Call, ScriptCall, lines_of_each
from itemstore.eventlog.shared_by_appenders import FLIGHTS, MOST_COMMANDS, SharedByAppenders
from itemstore.eventlog.terms import DEFAULT, Terms
from itemstore.eventlog.transaction import Addressed, Outcome, Transaction
from itemstore.eventlog.transaction_outcomes import outcomes
from itemstore.eventlog.writer import EngineClock, Writer
from itemstore.tracing import spans

MOST_BYTES = 4 * 1024 * 1024
"""How many bytes of bodies one script call takes; a larger body or transaction goes alone."""

CROWD = 24
"""Commands that wait before a second batch leaves beside the first (docs/decisions/0002)."""


class Appender(Appends):
    """Appends to the logs of one store, for one process.

    `counts` has what it has appended. What is not in the engine any more is asked of `past`.
    """

    def __init__(
        self,
        client: Redis,
        keys: StoreKeys,
        terms: Terms = DEFAULT,
        past: Past | None = None,
        shared: SharedByAppenders | None = None,
    ) -> None:
        """With what the appenders of a store's partitions share, or with all of its own."""
        self._client = client
        self._past = past
        self._keys = keys
        self._acknowledgement = terms.acknowledgement
        self._disk = terms.disk
        shared = shared or SharedByAppenders.of(client, terms.waiting)
        self.counts = shared.counts
        clock = EngineClock()
        self._idle_writers = [
            Writer(shared.connections, clock, keys, terms) for _ in range(FLIGHTS)
        ]
        self._batches: Batches[Call, Sequence[bytes]] = Batches(
            self._send,
            most=MOST_COMMANDS,
            most_bytes=MOST_BYTES,
            waiting=shared.waiting,
            flights=FLIGHTS,
            crowd=CROWD,
            called="writes",
            sizes=self.counts.batch_sizes,
        )
        self._not_yet_durable: NotYetDurable | None = None
        self._told = WeakSet[asyncio.Event]()

    @spans.traced("append", OUTCOMES)
    async def append(
        self,
        keys: Keys,
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
        one = Append(keys, command, Meta.of(meta or {}), key)
        if spans.tracer is not None:
            note_command(keys.collection, command)
        [line] = await self._batches.submit(one, one.size)
        recorded = one.outcome(line)
        self.counts.count(recorded)
        if spans.tracer is not None:
            note_event(recorded)
        return recorded

    def append_for(
        self, caller: Caller, keys: Keys, command: Command, meta: Mapping[str, str]
    ) -> None:
        """Has the caller told the event that the command becomes, or what `append` would raise.

        Raises LogOverloaded when too many wait.
        """
        one = AppendFor(caller, self.counts, keys, command, Meta.of(meta))
        self._batches.submit_for(one, one, one.size)

    @spans.traced("append together", OUTCOMES)
    async def append_together(
        self,
        commands: Sequence[Addressed],
        meta: Mapping[str, str] | None = None,
        key: IdempotencyKey | None = None,
    ) -> list[Outcome]:
        """What each of 1 to MOST_COMMANDS commands became: an event, or for a check what it found.

        Each is decided on what the ones before it leave. All happen at one moment, with nothing of
        anybody else in between, or none does. The key is that of all together, and of checks as
        well. Raises TransactionRefused with what the first refused command would be told alone,
        and all else as `append` does.
        """
        assert 0 < len(commands) <= MOST_COMMANDS
        spans.note({"itemstore.commands": len(commands)})
        transaction = Transaction(commands, meta or {}, key)
        lines = await self._batches.submit(transaction, transaction.size, len(commands))
        found = transaction.outcomes(lines)
        for each in found:
            if isinstance(each, RecordedEvent):
                self.counts.count(each)
        return found

    async def outcomes(self, key: IdempotencyKey) -> list[Outcome] | None:
        """What the commands of the transaction with this key became, None where it is not known.

        It is as durable as an append. Raises KeyReused where the key stands for another request.
        """
        found = await outcomes(self._client, self._keys, key, self._past)
        if found:  # its first answer may have been that it is not durable yet
            await self.settle()
            # That was perhaps at an engine to which a failover has led since the first look.
            found = await outcomes(self._client, self._keys, key, self._past)
        return found

    async def settle(self) -> None:
        """Waits until all that was appended is as durable as wanted; see durability.settle."""
        await settle(self._client, self._keys.writer("settle"), self._acknowledgement)

    async def settle_what_is_not(self) -> None:
        """The same where the last batch was not; once that is so it counts as durable."""
        if self._not_yet_durable is not None:
            await self.settle()
            self._not_yet_durable = None

    @property
    def not_yet_durable(self) -> NotYetDurable | None:
        """Why the last batch was not as durable as wanted in time; None where it was."""
        return self._not_yet_durable

    def tell(self, event: asyncio.Event) -> None:
        """Has an event set after each batch, for as long as somebody else keeps it."""
        self._told.add(event)

    async def _send(self, batch: Sequence[Call]) -> Iterator[Sequence[bytes]]:
        self._disk.check()
        writer = self._idle_writers.pop()
        try:
            lines = await writer.send(ScriptCall.of(batch))
        except NotYetDurable as error:
            self._not_yet_durable = NotYetDurable(str(error))
            raise
        finally:
            self._idle_writers.append(writer)
        self._not_yet_durable = None
        if self._told:  # going through a WeakSet that is empty takes ten times as long
            for event in self._told:
                event.set()
        return lines_of_each(batch, lines)
