"""The state machine of the log's own tests, with an engine that is killed, cut off and full."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from contextlib import AbstractAsyncContextManager, ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test
from redis import exceptions
from redis.asyncio import Redis

from itemstore.domain.commands import Command
from itemstore.domain.decide import decide
from itemstore.domain.errors import ItemNotFound, UnexpectedVersion
from itemstore.domain.events import RecordedEvent
from itemstore.domain.evolve import evolve
from itemstore.engine.dedicated_connection import DedicatedConnection
from itemstore.engine.errors import LogFull, LogUnavailable
from tests.conftest import Server, emptied, program_of, running
from tests.eventlog.test_state_machine import META, Store, commands
from tests.torture.outcome import Outcome

FEW = st.lists(commands, min_size=1, max_size=4)


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

    def append(self, *together: Command) -> None:
        """As ever, and counted."""
        self.restartable.steps += len(together)
        super().append(*together)

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

    @rule(together=FEW, lost=st.integers(1, 3))
    def append_with_requests_lost(self, together: list[Command], lost: int) -> None:
        """The batch does not reach the engine at first."""
        self._count("request lost")
        self.wire.lost_requests = lost
        self.append(*together)

    @rule(together=FEW, ran=st.booleans())
    def append_over_a_kill(self, together: list[Command], ran: bool) -> None:  # noqa: FBT001
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
            self.append(*together)
        self._notice()

    @rule(together=FEW, replies=st.booleans())
    def give_up(self, together: list[Command], replies: bool) -> None:  # noqa: FBT001
        """The batch is given up: all of it is in the log once, or nothing, and the log knows."""
        self._count("batch given up")
        if replies:
            self.wire.lost_replies = 10_000
        else:
            self.wire.lost_requests = 10_000
        with patch("itemstore.eventlog.writer.TIME_LIMIT", 0.05):
            outcomes = self._outcomes(together)
        self.wire.lost_replies = self.wire.lost_requests = 0
        assert {type(outcome) for outcome in outcomes} == {LogUnavailable}
        events = self.run(self.log.reader.read())[len(self.history) :]
        if events:
            self._take(together, events)

    @rule(together=FEW)
    def fill(self, together: list[Command]) -> None:
        """The engine is out of memory."""
        self._count("out of memory")
        self._refused(together, LogFull, ("CONFIG", "SET", "maxmemory", "1"),
                      ("CONFIG", "SET", "maxmemory", "0"))  # fmt: skip

    @rule(together=FEW)
    def demote(self, together: list[Command]) -> None:
        """The engine is a replica for a while."""
        self._count("read only")
        self._refused(together, LogUnavailable, ("REPLICAOF", "127.0.0.1", "1"),
                      ("REPLICAOF", "NO", "ONE"))  # fmt: skip

    def _refused(
        self, together: list[Command], error: type[Exception], before: Any, after: Any
    ) -> None:
        self.run(self.redis.execute_command(*before))  # type: ignore[no-untyped-call]
        outcomes = self._outcomes(together)
        self.run(self.redis.execute_command(*after))  # type: ignore[no-untyped-call]
        kinds = {type(outcome) for outcome in outcomes}
        assert kinds == {error} or kinds <= {ItemNotFound, UnexpectedVersion}

    def _outcomes(self, together: list[Command]) -> list[RecordedEvent | BaseException]:
        async def appended() -> list[RecordedEvent | BaseException]:
            appends = [self.log.append(command, META) for command in together]
            return await asyncio.gather(*appends, return_exceptions=True)

        self.restartable.steps += len(together)
        return self.run(appended())

    def _take(self, together: list[Command], events: list[RecordedEvent]) -> None:
        """Brings the model to where a whole batch has brought the log."""
        waiting = list(events)
        for command in together:
            item = self.model.get(command.item)
            version = item.version if item is not None and item.exists else None
            try:
                event = decide(command, exists=version is not None)
            except ItemNotFound:
                continue
            if not command.expected.admits(version):
                continue
            recorded = waiting.pop(0)
            assert recorded.event == event
            self.history.append(recorded)
            self.model[command.item] = evolve(item, recorded)
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
