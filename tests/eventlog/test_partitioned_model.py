"""Random commands against a store of three partitions and against the domain alone.

They agree at every step: what is answered, the list, each item, each partition's log, each key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, TypeVar

import hypothesis
import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from itemstore.domain.commands import CheckItem, Command, DeleteItem, PatchItem, PutItem
from itemstore.domain.errors import DifferentPartitions
from itemstore.domain.events import RecordedEvent
from itemstore.domain.evolve import fold
from itemstore.domain.expected import ABSENT, ANY, PRESENT, one_of
from itemstore.domain.partitions import partition_of
from itemstore.engine.clients import OneEngine
from itemstore.eventlog.idempotency import AlreadyDone, IdempotencyKey, KeyReused
from itemstore.eventlog.transaction import Addressed, TransactionRefused
from itemstore.projections.current_items import Page
from itemstore.store.opening import store_on
from itemstore.store.settings import Settings
from tests.eventlog.test_state_machine import Model, assert_same, place_of
from tests.thorough import examples

Result = TypeVar("Result")

PARTITIONS = 3

IDS = ["foo", "foo:{bar}", "{bar}", "bar", "baz", "é", "a/{b}c", "{}x"]
"""Some of each partition, with and without a hash tag."""

NAMES = ("items", "orders")

ids = st.sampled_from(IDS)
names = st.sampled_from(NAMES)
bodies = st.sampled_from([b"1", b"[]", b'"}"'])
expected_versions = st.sampled_from([ANY, ANY, ABSENT, PRESENT, one_of(1), one_of(2, 3)])
commands = (
    st.builds(PutItem, ids, bodies, expected_versions)
    | st.builds(PatchItem, ids, bodies, expected_versions)
    | st.builds(DeleteItem, ids, expected_versions)
)
checks = st.builds(CheckItem, ids, expected_versions)
calls = st.lists(st.tuples(names, commands | commands | checks), min_size=1, max_size=4)
scopes = st.sampled_from(["k", "k2", "{bar}k", "k-é"])


@dataclass(frozen=True)
class Done:
    """What was carried out under a key: a fingerprint, and its outcome."""

    fingerprint: str
    outcome: Any


class InThreePartitions(RuleBasedStateMachine):
    """A store on a fake engine, and beside it a model that the domain alone has a say in."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        clients = OneEngine(FakeAsyncRedis(server=FakeServer()))
        settings = Settings(partitions=PARTITIONS, collections="items=any,orders=any")
        self.store = store_on(clients, settings)
        self.model = Model()
        self.keys: dict[str, Done] = {}

    def run(self, awaitable: Awaitable[Result]) -> Result:
        """What an awaitable comes to, on the machine's own event loop."""

        async def awaited() -> Result:
            return await awaitable

        return self.runner.run(awaited())

    def teardown(self) -> None:
        """Ends the loop."""
        self.runner.close()

    def addressed(self, name: str, command: Command | CheckItem) -> Addressed:
        """The command, with the keys of its item's partition."""
        collection = self.store.collections[name]
        return Addressed(collection.partition_of(command.item).keys, command)

    @rule(name=names, command=commands)
    def append(self, name: str, command: Command) -> None:
        """A command by itself."""
        call = self.addressed(name, command)
        log = self.store.collections[name].log
        if refusal := self.model.refusal(call):
            with pytest.raises(type(refusal)) as raised:
                self.run(log.append(command, {}))
            assert_same(raised.value, refusal)
        else:
            self._take(call, self.run(log.append(command, {})))

    @rule(name=names, command=commands, scope=scopes)
    def append_under_a_key(self, name: str, command: Command, scope: str) -> None:
        """The same with a key that was used before, for this or for another request, or not."""
        key = IdempotencyKey(scope, f"{name} {command!r}".encode().hex())
        log, call = self.store.collections[name].log, self.addressed(name, command)
        done = self.keys.get(scope)
        if done is not None:
            self._assert_known(key, done, log.outcome(key), lambda: log.append(command, {}, key))
            return
        assert self.run(log.outcome(key)) is None
        if refusal := self.model.refusal(call):
            with pytest.raises(type(refusal)) as raised:
                self.run(log.append(command, {}, key))
            assert_same(raised.value, refusal)
            return
        recorded = self.run(log.append(command, {}, key))
        self._take(call, recorded)
        self.keys[scope] = Done(key.fingerprint, recorded)
        assert self.run(log.outcome(key)) == recorded

    @rule(asked=calls, scope=st.none() | scopes)
    def append_together(
        self, asked: list[tuple[str, Command | CheckItem]], scope: str | None
    ) -> None:
        """Several as a transaction, in one partition or in several, with a key or without."""
        key = None if scope is None else IdempotencyKey(scope, repr(asked).encode().hex())
        together = [self.addressed(*each) for each in asked]
        numbers = [partition_of(each.command.item, PARTITIONS) for each in together]
        appender = self.store.appender
        if len({*numbers}) > 1:
            with pytest.raises(DifferentPartitions) as raised:
                self.run(appender.append_together(together, {}, key))
            index = next(n for n, each in enumerate(numbers) if each != numbers[0])
            assert vars(raised.value) == {
                "index": index, "partition": numbers[index], "first": numbers[0],
            }  # fmt: skip
            return
        if key is not None and (done := self.keys.get(key.scope)):
            self._assert_known(
                key, done, appender.outcomes(key),
                lambda: appender.append_together(together, {}, key),
            )  # fmt: skip
            return
        if refused := self.model.refused_at(together):
            with pytest.raises(TransactionRefused) as refusal:
                self.run(appender.append_together(together, {}, key))
            assert refusal.value.index == refused[0]
            assert_same(refusal.value.error, refused[1])
            return
        outcomes = self.run(appender.append_together(together, {}, key))
        for call, outcome in zip(together, outcomes, strict=True):
            if isinstance(outcome, RecordedEvent):
                self._take(call, outcome)
        if key is not None:
            self.keys[key.scope] = Done(key.fingerprint, outcomes)

    def _assert_known(self, key: IdempotencyKey, done: Done, looked: Any, again: Any) -> None:
        """A key that has an outcome gives it to the same request, and refuses every other."""
        if done.fingerprint == key.fingerprint:
            assert self.run(looked) == done.outcome
        else:
            with pytest.raises(KeyReused):
                self.run(looked)
        with pytest.raises((AlreadyDone, KeyReused)):
            self.run(again())

    def _take(self, call: Addressed, recorded: RecordedEvent) -> None:
        version, event = self.model.event(call)
        assert (recorded.version, recorded.event) == (version, event)
        assert recorded.partition == partition_of(recorded.item, PARTITIONS)
        self.model.take(recorded)

    @rule(name=names, limit=st.integers(1, 9), after=st.none() | ids)
    def list_items(self, name: str, limit: int, after: str | None) -> None:
        """A page, from anywhere."""
        there = self._there(name)
        following = [each for each in there if after is None or each.id > after]
        page = self.run(self.store.collections[name].items.page(after=after, limit=limit))
        position = self.run(self.store.collections[name].items.as_of())
        more = len(following) > limit
        assert page == Page(following[:limit], more=more, total=len(there), position=position)

    def _there(self, name: str) -> list[Any]:
        items = [item for (of, _), item in self.model.items.items() if of == name and item.exists]
        return sorted(items, key=lambda item: item.id.encode())

    @invariant()
    def everything_agrees(self) -> None:
        """Items one by one, and each partition's logs, in the order in which they were written."""
        for name in NAMES:
            collection = self.store.collections[name]
            for item in IDS:
                assert self.run(collection.items.get(item)) == self.model.items.get((name, item))
            for number, partition in enumerate(collection.partitions):
                of_this = [
                    each
                    for each in self.model.history
                    if (each.collection, each.partition) == (name, number)
                ]
                assert self.run(partition.reader.read()) == of_this
                assert fold(of_this).keys() <= {*IDS}
        for number in range(PARTITIONS):
            places = [
                place_of(each.position) for each in self.model.history if each.partition == number
            ]
            assert places == sorted({*places})


def test_random_commands_in_three_partitions() -> None:
    """Many short stories, each in a store of its own."""
    run_state_machine_as_test(
        InThreePartitions,
        settings=hypothesis.settings(max_examples=examples(30), stateful_step_count=20),
    )
