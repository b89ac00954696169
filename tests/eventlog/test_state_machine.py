"""Random commands against the store and against `decide` and `evolve`: they agree at every step."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack
from itertools import pairwise
from typing import Any, TypeVar

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

from itemstore.domain.commands import CheckItem, DeleteItem, PatchItem, PutItem
from itemstore.domain.decide import decide
from itemstore.domain.errors import CommandRefused, ItemNotFound, UnexpectedVersion
from itemstore.domain.events import Event, RecordedEvent
from itemstore.domain.evolve import Item, evolve, fold
from itemstore.domain.expected import ABSENT, ANY, PRESENT, ExpectedVersion
from itemstore.eventlog.append import Checked
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.transaction import Addressed, TransactionRefused
from itemstore.projections.current_items import CurrentItems
from tests.conftest import ServerOf, assert_agreement, emptied
from tests.thorough import examples
from tests.wire import wire_of

Result = TypeVar("Result")

IDS = ["a", "a/b", "é", "\U0001f600 b"]
META = {"actor": "ann"}

COLLECTIONS = (Keys(), Keys("orders"))

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
checks = st.builds(CheckItem, ids, expected_versions)

Call = Addressed | tuple[Addressed, ...]
"""A command by itself, or a transaction of several."""

singles = st.builds(Addressed, st.sampled_from(COLLECTIONS), commands)
transactions = st.lists(
    st.builds(Addressed, st.sampled_from(COLLECTIONS), commands | commands | checks),
    min_size=1,
    max_size=5,
).map(tuple)


class Model:
    """What the domain alone says of the items of all collections, and the events that they had."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Item] = {}
        self.history: list[RecordedEvent] = []

    def item(self, addressed: Addressed) -> Item | None:
        """The one that a command speaks of."""
        return self.items.get((addressed.keys.collection, addressed.command.item))

    def refusal(self, addressed: Addressed) -> CommandRefused | None:
        """What a command is refused with, if it is."""
        item, command = self.item(addressed), addressed.command
        version = item.version if item is not None and item.exists else None
        if not isinstance(command, CheckItem):
            try:
                decide(command, exists=version is not None)
            except ItemNotFound:
                deleted = item.version if item else None
                return ItemNotFound(command.item, deleted, collection=addressed.keys.collection)
        if not command.expected.admits(version):
            return UnexpectedVersion(command.item, command.expected, version)
        return None

    def event(self, addressed: Addressed) -> tuple[int, Event]:
        """What a command becomes that is not refused, and its version."""
        item, command = self.item(addressed), addressed.command
        assert not isinstance(command, CheckItem)
        event = decide(command, exists=item is not None and item.exists)
        return item.version + 1 if item else 1, event

    def take(self, recorded: RecordedEvent) -> None:
        """Goes on by an event."""
        key = recorded.collection, recorded.item
        self.items[key] = evolve(self.items.get(key), recorded)
        self.history.append(recorded)

    def refused_at(self, calls: Sequence[Addressed]) -> tuple[int, CommandRefused] | None:
        """The first command that is refused on what the ones before it leave, and with what."""
        after = Model()
        after.items = dict(self.items)
        for index, call in enumerate(calls):
            if refusal := after.refusal(call):
                return index, refusal
            if not isinstance(call.command, CheckItem):
                version, event = after.event(call)
                after.take(RecordedEvent("0-0", version, event, {}, call.keys.collection))
        return None


def assert_same(error: BaseException, other: BaseException) -> None:
    """Two of them are of the same kind and say the same."""
    assert (type(error), vars(error)) == (type(other), vars(other)), repr(error)


class Store(RuleBasedStateMachine):
    """A store on an engine, and beside it a model that the domain alone has a say in."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = ExitStack()
        self.engines = AsyncExitStack()
        self.redis = self.run(self.engines.enter_async_context(self.engine()))
        self.wire = self.stack.enter_context(wire_of("EVALSHA", "EVAL"))
        self.appender = Appender(self.redis, COLLECTIONS[0].store)
        self.model = Model()

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

    @rule(call=singles | transactions)
    def append_one(self, call: Call) -> None:
        """A command or a transaction by itself."""
        self.append(call)

    @rule(calls=st.lists(singles | singles | transactions, min_size=2, max_size=10))
    def append_at_once(self, calls: list[Call]) -> None:
        """Some of them in one script call, which may speak of the same item."""
        self.append(*calls)

    @rule(calls=st.lists(singles | transactions, min_size=1, max_size=4), lost=st.integers(1, 2))
    def append_with_replies_lost(self, calls: list[Call], lost: int) -> None:
        """Some of them whose script call is asked for again."""
        self.wire.lost_replies = lost
        self.append(*calls)
        assert not self.wire.lost_replies

    @rule()
    def forget_the_scripts(self) -> None:
        """The engine has to be told again."""
        self.run(self.redis.script_flush())

    def append(self, *calls: Call) -> None:
        """Gives calls to both, and compares what each answers."""
        for call, outcome in zip(calls, self.outcomes(calls), strict=True):
            if isinstance(call, Addressed):
                self._compare_single(call, outcome)
            else:
                self._compare_transaction(call, outcome)

    def outcomes(self, calls: Sequence[Call]) -> list[Any]:
        """What the store answers, or raises, to each of them when they come at once."""

        def asked(call: Call) -> Awaitable[Any]:
            if isinstance(call, Addressed):
                assert not isinstance(call.command, CheckItem)
                return self.appender.append(call.keys, call.command, META)
            return self.appender.append_together(call, META)

        async def answered() -> list[Any]:
            return await asyncio.gather(*map(asked, calls), return_exceptions=True)

        return self.run(answered())

    def _compare_single(self, call: Addressed, outcome: Any) -> None:
        if refusal := self.model.refusal(call):
            assert_same(outcome, refusal)
        else:
            self._take(call, outcome, META)

    def _compare_transaction(self, calls: tuple[Addressed, ...], outcome: Any) -> None:
        if refused := self.model.refused_at(calls):
            assert isinstance(outcome, TransactionRefused), repr(outcome)
            index, refusal = refused
            assert outcome.index == index
            assert_same(outcome.error, refusal)
            return
        assert isinstance(outcome, list), repr(outcome)
        events = [each for each in outcome if isinstance(each, RecordedEvent)]
        earlier = {each.meta.get("transaction") for each in self.model.history}
        assert len({each.meta["transaction"] for each in events}) == bool(events)
        for call, done in zip(calls, outcome, strict=True):
            if isinstance(call.command, CheckItem):
                item = self.model.item(call)
                found = (item.version, item.position) if item and item.exists else ()
                assert done == Checked(call.command.item, *found)
            else:
                assert done.meta["transaction"] not in earlier
                self._take(call, done, {**META, "transaction": done.meta["transaction"]})

    def _take(self, call: Addressed, outcome: Any, meta: dict[str, str]) -> None:
        version, event = self.model.event(call)
        collection = call.keys.collection
        assert isinstance(outcome, RecordedEvent), repr(outcome)
        assert outcome == RecordedEvent(outcome.position, version, event, meta, collection)
        self.model.take(outcome)

    @invariant()
    def everything_agrees(self) -> None:
        """Logs, rows, lists, histories, what is folded from the logs, and the order of all."""
        for keys in COLLECTIONS:
            self.run(self._agrees(Partition(self.redis, keys)))
        places = [place_of(each.position) for each in self.model.history]
        assert places == sorted(set(places))
        for before, after in pairwise(self.model.history):
            name = before.meta.get("transaction", "")
            if name and name == after.meta.get("transaction"):
                (ms, number), following = place_of(before.position), place_of(after.position)
                assert following == (ms, number + 1)

    async def _agrees(self, partition: Partition) -> None:
        await assert_agreement(partition)
        name, items = partition.keys.collection, CurrentItems(partition)
        history = [each for each in self.model.history if each.collection == name]
        model = {item: each for (of, item), each in self.model.items.items() if of == name}
        assert await partition.reader.read() == history
        assert fold(history) == model
        got = await asyncio.gather(*(items.get(item) for item in IDS))
        assert got == [model.get(item) for item in IDS]
        page = await items.page()
        there = [model[item] for item in sorted(model) if model[item].exists]
        assert (page.items, page.more, page.total) == (there, False, len(there))
        for item in IDS:
            of_item = [recorded for recorded in history if recorded.item == item]
            assert await partition.reader.history(item) == of_item


def place_of(position: str) -> tuple[int, int]:
    """A position as it is compared."""
    milliseconds, number = position.split("-")
    return int(milliseconds), int(number)


def test_random_commands_on_a_fake_engine() -> None:
    """Many short stories, each on an engine of its own."""

    class OnAFake(Store):
        def engine(self) -> FakeAsyncRedis:
            return FakeAsyncRedis(server=FakeServer())

    run_state_machine_as_test(
        OnAFake, settings=hypothesis.settings(max_examples=examples(30), stateful_step_count=20)
    )


def test_random_commands_on_a_real_server(server_of: ServerOf) -> None:
    """A few of them, on a server that is emptied for each."""
    server = server_of("valkey")

    class OnAServer(Store):
        def engine(self) -> AbstractAsyncContextManager[Redis]:
            return emptied(server)

    run_state_machine_as_test(
        OnAServer, settings=hypothesis.settings(max_examples=examples(15), stateful_step_count=20)
    )
