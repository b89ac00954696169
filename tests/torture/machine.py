"""The state machine of the log's own tests, with an engine that is killed, cut off and full."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test
from redis import exceptions
from redis.asyncio import Redis

from itemstore.domain.commands import CheckItem
from itemstore.domain.errors import ItemNotFound, UnexpectedVersion
from itemstore.domain.events import RecordedEvent
from itemstore.engine.dedicated_connection import DedicatedConnection
from itemstore.engine.errors import LogFull, LogUnavailable
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.transaction import Addressed, TransactionRefused
from tests.conftest import Server, emptied, program_of, running
from tests.eventlog.test_state_machine import (
    COLLECTIONS,
    Call,
    Store,
    place_of,
    singles,
    transactions,
)
from tests.torture.outcome import Outcome

FEW = st.lists(singles | transactions, min_size=1, max_size=4)

NO_WRITES = {ItemNotFound, UnexpectedVersion, TransactionRefused, list}
"""What commands are told that wrote nothing."""


class Restartable:
    """A server that is killed and started again on what it has on disk."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._stack = ExitStack()
        self.faults: Counter[str] = Counter()
        self.steps = 0
        self.server = self._started()

    def _started(self) -> Server:
        return self._stack.enter_context(running(program_of("valkey"), self._directory))

    def restart(self) -> None:
        """SIGKILL, and a start."""
        self.server.kill()
        self.server = self._started()

    def close(self) -> None:
        """Ends it."""
        self._stack.close()


class FaultyStore(Store):
    """Commands to a store whose engine fails, and a model that knows what may have come of it."""

    restartable: Restartable

    def engine(self) -> AbstractAsyncContextManager[Redis]:
        """The server, emptied."""
        return emptied(self.restartable.server)

    def outcomes(self, calls: Sequence[Call]) -> list[Any]:
        """As ever, and counted."""
        self.restartable.steps += len(calls)
        return super().outcomes(calls)

    @rule()
    def restart(self) -> None:
        """The engine is killed between two commands."""
        self._count("engine killed")
        self.restartable.restart()
        self._notice()

    @rule()
    def close_connections(self) -> None:
        """The engine closes them all."""
        self._count("connections closed")
        self.run(self.redis.client_kill_filter(_type="normal", skipme=True))
        self._notice()

    @rule(calls=FEW, lost=st.integers(1, 3))
    def append_with_requests_lost(self, calls: list[Call], lost: int) -> None:
        """The batch does not reach the engine at first."""
        self._count("request lost")
        self.wire.lost_requests = lost
        self.append(*calls)

    @rule(calls=FEW, ran=st.booleans())
    def append_over_a_kill(self, calls: list[Call], ran: bool) -> None:  # noqa: FBT001
        """The engine is killed before it runs the batch, or before it answers."""
        self._count("engine killed in a batch")
        call = DedicatedConnection.call
        killed = False

        async def calling(connection: DedicatedConnection, *command: Any) -> Any:
            nonlocal killed
            if killed or command[0] not in {"EVALSHA", "EVAL"}:
                return await call(connection, *command)
            if ran:
                await call(connection, *command)
            killed = True
            await asyncio.to_thread(self.restartable.restart)
            raise exceptions.ConnectionError

        with patch.object(DedicatedConnection, "call", calling):
            self.append(*calls)
        self._notice()

    @rule(calls=FEW, replies=st.booleans())
    def give_up(self, calls: list[Call], replies: bool) -> None:  # noqa: FBT001
        """The batch is given up: all of it is in the log once, or nothing, and the log knows."""
        self._count("batch given up")
        if replies:
            self.wire.lost_replies = 10_000
        else:
            self.wire.lost_requests = 10_000
        with patch("itemstore.eventlog.writer.TIME_LIMIT", 0.05):
            outcomes = self.outcomes(calls)
        self.wire.lost_replies = self.wire.lost_requests = 0
        assert {type(outcome) for outcome in outcomes} == {LogUnavailable}
        events = self._new_events()
        if events:
            self._take_all(calls, events)

    @rule(calls=FEW)
    def fill(self, calls: list[Call]) -> None:
        """The engine is out of memory."""
        self._count("out of memory")
        self._refused(calls, LogFull, ("CONFIG", "SET", "maxmemory", "1"),
                      ("CONFIG", "SET", "maxmemory", "0"))  # fmt: skip

    @rule(calls=FEW)
    def demote(self, calls: list[Call]) -> None:
        """The engine is a replica for a while."""
        self._count("read only")
        self._refused(calls, LogUnavailable, ("REPLICAOF", "127.0.0.1", "1"),
                      ("REPLICAOF", "NO", "ONE"))  # fmt: skip

    def _refused(self, calls: list[Call], error: type[Exception], before: Any, after: Any) -> None:
        self.run(self.redis.execute_command(*before))  # type: ignore[no-untyped-call]
        outcomes = self.outcomes(calls)
        self.run(self.redis.execute_command(*after))  # type: ignore[no-untyped-call]
        kinds = {type(outcome) for outcome in outcomes}
        # What writes nothing may be told so: a refusal, and checks that hold.
        assert kinds == {error} or kinds <= NO_WRITES

    def _new_events(self) -> list[RecordedEvent]:
        """Those that the model does not know, of all collections in their order."""
        readers = [Partition(self.redis, keys).reader for keys in COLLECTIONS]
        events = [each for reader in readers for each in self.run(reader.read())]
        events.sort(key=lambda event: place_of(event.position))
        return events[len(self.model.history) :]

    def _take_all(self, calls: list[Call], events: list[RecordedEvent]) -> None:
        """Brings the model to where a whole script call has brought the logs."""
        waiting = list(events)
        for call in calls:
            parts = (call,) if isinstance(call, Addressed) else call
            if self.model.refused_at(parts):
                continue
            for part in parts:
                if isinstance(part.command, CheckItem):
                    continue
                recorded = waiting.pop(0)
                assert (recorded.version, recorded.event) == self.model.event(part)
                self.model.take(recorded)
        assert waiting == []

    def _notice(self) -> None:
        """Lets the machine's own client see that its connections are closed."""
        self.run(asyncio.sleep(0.01))

    def _count(self, fault: str) -> None:
        self.restartable.faults[fault] += 1


def states(seed: int, seconds: float, examples: int = 3) -> Outcome:
    """Stories of random commands and faults, for as long as there is time."""
    outcome = Outcome("state machine", seed)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="itemstore-") as name:
        restartable = Restartable(Path(name))
        try:
            while time.monotonic() - began < seconds and not outcome.violations:
                machine = type("Machine", (FaultyStore,), {"restartable": restartable})
                hypothesis.seed(seed + outcome.inputs)(machine)
                try:
                    run_state_machine_as_test(machine, settings=_settings(examples))
                except Exception as error:  # noqa: BLE001 - whatever it is, it is a violation
                    notes = "\n".join(getattr(error, "__notes__", []))
                    outcome.violations.append(f"{error!r}\n{notes}")
                outcome.inputs += examples
        finally:
            restartable.close()
    outcome.operations = restartable.steps
    outcome.faults = restartable.faults
    outcome.kills = sum(count for fault, count in outcome.faults.items() if "killed" in fault)
    outcome.seconds = time.monotonic() - began
    return outcome


def _settings(examples: int) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=examples,
        stateful_step_count=20,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],  # a shorter story costs minutes of restarts
        print_blob=False,
    )
