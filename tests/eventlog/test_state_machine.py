"""Random commands against the store and against `decide` and `evolve`: they agree at every step."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack
from typing import TypeVar

import hypothesis
from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from redis.asyncio import Redis

from itemstore.domain.commands import Command, DeleteItem, PatchItem, PutItem
from itemstore.domain.decide import decide
from itemstore.domain.errors import ItemNotFound, UnexpectedVersion
from itemstore.domain.events import RecordedEvent
from itemstore.domain.evolve import Item, evolve, fold
from itemstore.domain.expected import ABSENT, ANY, PRESENT, ExpectedVersion
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections.current_items import CurrentItems
from tests.conftest import ServerOf, assert_agreement, emptied
from tests.wire import wire_of

Result = TypeVar("Result")

IDS = ["a", "a/b", "é", "\U0001f600 b"]
META = {"actor": "ann"}

ids = st.sampled_from(IDS)
bodies = st.sampled_from([b"[]", b"{}", b"1.0", b'{"deleted":true}', b'"\\"}"', b"9" * 30])
expected_versions = st.sampled_from([ANY, ANY, ABSENT, PRESENT]) | st.builds(
    ExpectedVersion,
    absent=st.booleans(),
    versions=st.frozensets(st.integers(min_value=1, max_value=12), max_size=5),
    others=st.booleans(),
)
commands = (
    st.builds(PutItem, ids, bodies, expected_versions)
    | st.builds(PatchItem, ids, bodies, expected_versions)
    | st.builds(DeleteItem, ids, expected_versions)
)


class Store(RuleBasedStateMachine):
    """A store on an engine, and beside it a dictionary that the domain alone has a say in."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = ExitStack()
        self.engines = AsyncExitStack()
        self.redis = self.run(self.engines.enter_async_context(self.engine()))
        self.wire = self.stack.enter_context(wire_of("EVALSHA", "EVAL"))
        self.log = EventLog(Partition(self.redis, Keys()))
        self.items = CurrentItems(Partition(self.redis, Keys()))
        self.history: list[RecordedEvent] = []
        self.model: dict[str, Item] = {}

    def engine(self) -> AbstractAsyncContextManager[Redis]:
        """A client of an engine with nothing in it."""
        raise NotImplementedError

    def run(self, awaitable: Awaitable[Result]) -> Result:
        """What an awaitable comes to, on the machine's own event loop."""

        async def awaited() -> Result:
            return await awaitable

        return self.runner.run(awaited())

    def teardown(self) -> None:
        """Ends the engine's client, and the loop."""
        self.stack.close()
        self.run(self.engines.aclose())
        self.runner.close()

    @rule(command=commands)
    def append_one(self, command: Command) -> None:
        """A command by itself."""
        self.append(command)

    @rule(together=st.lists(commands, min_size=2, max_size=10))
    def append_together(self, together: list[Command]) -> None:
        """Commands in one batch, which may speak of the same item."""
        self.append(*together)

    @rule(together=st.lists(commands, min_size=1, max_size=4), lost=st.integers(1, 2))
    def append_with_replies_lost(self, together: list[Command], lost: int) -> None:
        """Commands whose batch is asked for again."""
        self.wire.lost_replies = lost
        self.append(*together)
        assert not self.wire.lost_replies

    @rule()
    def forget_the_scripts(self) -> None:
        """The engine has to be told again."""
        self.run(self.redis.script_flush())

    def append(self, *together: Command) -> None:
        """Gives commands to both, and compares what each answers."""

        async def appended() -> list[RecordedEvent | BaseException]:
            appends = [self.log.append(command, META) for command in together]
            return await asyncio.gather(*appends, return_exceptions=True)

        for command, outcome in zip(together, self.run(appended()), strict=True):
            item = self.model.get(command.item)
            version = item.version if item is not None and item.exists else None
            try:
                event = decide(command, exists=version is not None)
            except ItemNotFound:
                assert isinstance(outcome, ItemNotFound)
                assert outcome.deleted_version == (item.version if item else None)
                continue
            if not command.expected.admits(version):
                assert isinstance(outcome, UnexpectedVersion)
                assert (outcome.expected, outcome.version) == (command.expected, version)
                continue
            assert isinstance(outcome, RecordedEvent)
            next_version = item.version + 1 if item else 1
            assert outcome == RecordedEvent(outcome.position, next_version, event, META)
            self.history.append(outcome)
            self.model[command.item] = evolve(item, outcome)

    @invariant()
    def everything_agrees(self) -> None:
        """Log, rows, list, histories, and what is folded from the log."""
        self.run(self._everything_agrees())

    async def _everything_agrees(self) -> None:
        await assert_agreement(Partition(self.redis, Keys()))
        assert await self.log.reader.read() == self.history
        assert fold(self.history) == self.model
        got = await asyncio.gather(*(self.items.get(name) for name in IDS))
        assert got == [self.model.get(name) for name in IDS]
        page = await self.items.page()
        there = [self.model[name] for name in sorted(self.model) if self.model[name].exists]
        assert (page.items, page.more, page.total) == (there, False, len(there))
        for name in IDS:
            of_item = [recorded for recorded in self.history if recorded.item == name]
            assert await self.log.reader.history(name) == of_item


def test_random_commands_on_a_fake_engine() -> None:
    """Many short stories, each on an engine of its own."""

    class OnAFake(Store):
        def engine(self) -> FakeAsyncRedis:
            return FakeAsyncRedis(server=FakeServer())

    run_state_machine_as_test(
        OnAFake, settings=hypothesis.settings(max_examples=30, stateful_step_count=20)
    )


def test_random_commands_on_a_real_server(server_of: ServerOf) -> None:
    """A few of them, on a server that is emptied for each."""
    server = server_of("valkey")

    class OnAServer(Store):
        def engine(self) -> AbstractAsyncContextManager[Redis]:
            return emptied(server)

    run_state_machine_as_test(
        OnAServer, settings=hypothesis.settings(max_examples=15, stateful_step_count=20)
    )
