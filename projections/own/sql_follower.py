"""Handing events to a function that writes to SQL: what it writes and the checkpoint, or neither.

So each event counts exactly once in the tables, whichever process dies, and when.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from itemstore.domain.events import RecordedEvent
from itemstore.domain.positions import START, key_of
from itemstore.eventlog.log_id import identity
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.past import border
from itemstore.eventlog.reader import Entry
from itemstore.projections.own.choice import Choice
from itemstore.projections.own.cut import LOOK, stop_where_cut
from itemstore.projections.own.delivery import Answer, Outcome, pause_after
from itemstore.projections.own.events import decoded
from itemstore.projections.own.reasons import reason_of
from itemstore.projections.own.sql_checkpoints import Checkpoint, Keeper
from itemstore.projections.own.state import (
    Failure,
    Handled,
    State,
    note_failure,
    note_position,
    state_of,
)
from itemstore.projections.own.unrun import UNRUN, is_unrun
from itemstore.projections.projection import NotYet, Waits
from itemstore.projections.sql.errors import SqlUnavailable
from itemstore.projections.sql.whole_transactions import with_the_rest
from itemstore.projections.sql.writing import digest_of

BUDGET = 5.0
"""Seconds after which a transaction ends, though there is more to handle."""

logger = logging.getLogger(__name__)

Handle = Callable[[Any, RecordedEvent], object]

_NOT_SOUND = (
    "the function ended the transaction, which is not its own, or went on after a statement that "
    "failed"
)


class HandlerFailed(Exception):
    """The function fails on the event with this number of those it was given."""

    def __init__(self, number: int, recorded: RecordedEvent, reason: str) -> None:
        super().__init__(reason)
        self.number = number
        self.recorded = recorded
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a projection handles, and with what."""

    choice: Choice
    handle: Handle
    is_sound: Callable[[Any], bool]

    def of(self, partition: Partition, entry: Entry) -> RecordedEvent | None:
        """The event in an entry; None where it is none, or is not wanted."""
        recorded = decoded(partition, *entry)
        return recorded if recorded is not None and self.choice.takes(recorded) else None

    def handled(self, connection: Any, number: int, recorded: RecordedEvent) -> None:
        """Handles an event. Raises HandlerFailed."""
        try:
            returned = self.handle(connection, recorded)
        except BaseException as error:  # it is in a thread of its own, which nothing else ends
            raise HandlerFailed(number, recorded, reason_of(error)) from error
        if is_unrun(returned):
            raise HandlerFailed(number, recorded, UNRUN)
        if not self.is_sound(connection):
            raise HandlerFailed(number, recorded, _NOT_SOUND)


class SqlHandledFollower:
    """Brings the tables of a projection up to the end of a log."""

    recheck = LOOK

    def __init__(self, keeper: Keeper, wanted: Wanted, partition: Partition) -> None:
        self._keeper = keeper
        self._wanted = wanted
        self._partition = partition
        self._at: Checkpoint | None = None
        self._state = State()
        self._archived: Checkpoint | None = None  # one whose event stays in the log for ever

    async def position(self) -> str:
        """Where the tables are; it is noted beside the log too, for all who want to know.

        Tables of another log, or with what a failover took back, are made again from the first
        event on. Raises NotYet, SqlUnavailable, LogUnavailable, LogBroken.
        """
        state = await state_of(self._partition, self._keeper.projection)
        if state.is_stopped:
            raise NotYet(LOOK)
        if (seconds := state.next / 1000 - time.time()) > 0:
            raise NotYet(min(seconds, LOOK))
        log = await identity(self._partition)
        try:
            at = await self._keeper.run(lambda connection: self._noted(connection, log))
            if at.log != log:
                at = await self._remade(log, f"they are of another log ({at.log}) than this")
            elif not await self._is_in_log(at):
                at = await self._remade(log, f"the log has no such event at {at.position}")
        except SqlUnavailable as error:
            await self._note("", state, str(error))
            raise
        if state.position != at.position or state.handled != at.handled:
            await self._tell(at)
            state = replace(state, position=at.position)
        self._at, self._state = at, state
        return at.position

    async def apply(self, entries: Sequence[Entry], after: str) -> bool:
        """Whether all entries were handled, those that are wanted.

        Raises Waits where one can't be, or those before them are lost, SqlUnavailable,
        LogUnavailable, LogBroken.
        """
        at = self._at
        if at is None or at.position != after:
            return False
        projection, events = self._keeper.projection, at.events
        await stop_where_cut(self._partition, projection, self._state, events)
        entries = await with_the_rest(entries, self._partition.reader)
        coming = replace(at, position=entries[-1][0].decode(), event=digest_of(entries[-1]))
        if not (await self._is_in_log(at) and await self._is_in_log(coming)):
            return False
        self._at = None
        try:
            done = await self._handled(entries, at)
        except HandlerFailed as failed:
            await self._wait(entries, at, failed)
        except SqlUnavailable as error:
            await self._note("", self._state, str(error))
            raise
        return done == len(entries)

    async def close(self) -> None:
        """Ends the connection."""
        self._keeper.close()

    async def _handled(self, entries: Sequence[Entry], at: Checkpoint) -> int:
        """How many of the entries were handled, from the first on, in one transaction."""
        done, reached = await self._keeper.run(lambda each: self._written(each, entries, at))
        if done:
            self._at = reached
            self._state = State(position=reached.position, cut=self._state.cut)
            await self._tell(reached)
        return done

    def _written(
        self, connection: Any, entries: Sequence[Entry], at: Checkpoint
    ) -> tuple[int, Checkpoint]:
        keys, until = self._partition.keys, time.monotonic() + BUDGET
        with self._keeper.database.transaction(connection):
            if not self._keeper.move(connection, keys, at, at):
                return 0, at
            done = handled = 0
            for number, entry in enumerate(entries):
                if (recorded := self._wanted.of(self._partition, entry)) is not None:
                    self._wanted.handled(connection, number, recorded)
                    handled += 1
                done = number + 1
                if time.monotonic() > until:
                    break
            last = entries[done - 1]
            reached = Checkpoint(
                *(at.log, last[0].decode(), digest_of(last)),
                *(at.events + done, at.handled + handled),
            )
            self._keeper.move(connection, keys, at, reached)
        return done, reached

    async def _wait(self, entries: Sequence[Entry], at: Checkpoint, failed: HandlerFailed) -> None:
        """Handles what is before the event that fails, notes why that does, and raises Waits."""
        if failed.number:
            try:
                done = await self._handled(entries[: failed.number], at)
            except HandlerFailed as another:  # what it does differs from time to time
                failed = another
            else:
                if done < failed.number:
                    raise NotYet(0.0)
        self._at = None
        seconds = await self._note(failed.recorded.position, self._state, failed.reason)
        raise Waits(failed.recorded.id, failed.reason, min(seconds, LOOK))

    async def _note(self, failing: str, state: State, reason: str) -> float:
        """Notes what it can't get past; the seconds until it tries again."""
        tries = state.tries + 1 if state.failing == failing else 1
        seconds = pause_after(Answer(Outcome.FAILED), tries, 1.0)
        failure = Failure(failing, tries, reason, int((time.time() + seconds) * 1000))
        projection = self._keeper.projection
        await note_failure(self._partition, projection, state.position or "", failure)
        return seconds

    async def _tell(self, at: Checkpoint) -> None:
        """Notes beside the log how far the tables are."""
        place = Handled(at.position, at.events, at.handled)
        await note_position(self._partition, self._keeper.projection, place)

    def _noted(self, connection: Any, log: str) -> Checkpoint:
        keys = self._partition.keys
        self._keeper.put(connection, keys, Checkpoint(log))
        return self._keeper.checkpoint(connection, keys) or Checkpoint(log)

    async def _remade(self, log: str, why: str) -> Checkpoint:
        """Begins again, with all logs that come together in the tables."""
        logger.warning(
            "The tables of a projection are made again",
            extra={"projection": self._keeper.projection, "reason": why},
        )

        def remade(connection: Any) -> Checkpoint:
            with self._keeper.database.transaction(connection):
                self._keeper.remake(connection)
                return self._noted(connection, log)

        return await self._keeper.run(remade)

    async def _is_in_log(self, at: Checkpoint) -> bool:
        """Whether the log has the event of a checkpoint, or has lost all up to it, by hand."""
        if at.position == START or at == self._archived:
            return True
        reader = self._partition.reader
        found, _ = await reader.entries_at([at.position.encode()])
        if found:
            is_in_it = digest_of(found[0]) == at.event
            up_to = await border(self._partition.client, self._partition.keys.store)
            if is_in_it and key_of(at.position) <= key_of(up_to):
                self._archived = at
            return is_in_it
        log = await reader.extent()
        begins_later = not log.length or key_of(at.position) < key_of(log.first)
        return bool(log.lost and begins_later and not log.is_before(at.position))
