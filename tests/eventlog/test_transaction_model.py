"""Transactions against a model: the script decides as plain Python does, command for command.

The model is `decide` and expected versions on a dictionary; nothing in it is written in Lua.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import given, settings
from hypothesis import strategies as st

from itemstore.domain.commands import CheckItem, Command, DeleteItem, PatchItem, PutItem
from itemstore.domain.decide import decide
from itemstore.domain.errors import CommandRefused, ItemNotFound, UnexpectedVersion
from itemstore.domain.events import Event, ItemDeleted, RecordedEvent
from itemstore.domain.expected import ABSENT, ANY, NOTHING, PRESENT, none_of, one_of
from itemstore.eventlog.append import Checked
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.transaction import Addressed, TransactionRefused
from tests.eventlog.two_collections import ORDERS, PRODUCTS, logs

Place = tuple[Keys, str]

EXPECTED = st.sampled_from(
    [ANY, ABSENT, PRESENT, NOTHING, one_of(1), one_of(2, 3), none_of(1), none_of(2) & PRESENT]
)
ITEMS = st.sampled_from(["a", "b c", "ü"])
BODIES = st.sampled_from([b"1", b'"}"', b"[]"])
COMMANDS = st.one_of(
    st.builds(PutItem, ITEMS, BODIES, EXPECTED),
    st.builds(PutItem, ITEMS, BODIES),
    st.builds(PatchItem, ITEMS, BODIES, EXPECTED),
    st.builds(DeleteItem, ITEMS, EXPECTED),
    st.builds(CheckItem, ITEMS, EXPECTED),
)
TRANSACTIONS = st.lists(
    st.builds(Addressed, st.sampled_from([PRODUCTS, ORDERS]), COMMANDS), min_size=1, max_size=6
)
ROUNDS = st.lists(st.lists(TRANSACTIONS, min_size=1, max_size=3), min_size=1, max_size=4)
"""Rounds of transactions that are sent at once and so share a script call."""


@dataclass
class Model:
    """Which version each item is at, and whether it exists."""

    states: dict[Place, tuple[int, bool]] = field(default_factory=dict)

    def together(self, commands: Sequence[Addressed]) -> list[tuple[int, Event | None]] | Refusal:
        """The version and the event of each command, or the first refusal; then nothing changed."""
        before, outcomes = dict(self.states), []
        for index, addressed in enumerate(commands):
            try:
                outcomes.append(self._one((addressed.keys, addressed.command.item), addressed))
            except CommandRefused as error:
                self.states = before
                return Refusal(index, error)
        return outcomes

    def _one(self, place: Place, addressed: Addressed) -> tuple[int, Event | None]:
        command = addressed.command
        version, exists = self.states.get(place, (0, False))
        event = None if isinstance(command, CheckItem) else self._event(place, command)
        if not command.expected.admits(version if exists else None):
            raise UnexpectedVersion(command.item, command.expected, version if exists else None)
        if event is None:
            return version if exists else 0, None
        self.states[place] = (version + 1, not isinstance(event, ItemDeleted))
        return version + 1, event

    def _event(self, place: Place, command: Command) -> Event:
        version, exists = self.states.get(place, (0, False))
        try:
            return decide(command, exists=exists)
        except ItemNotFound:
            keys, item = place
            raise ItemNotFound(item, version or None, collection=keys.collection) from None


@dataclass
class Refusal:
    """What a transaction is refused with."""

    index: int
    error: CommandRefused


@settings(max_examples=150)
@given(ROUNDS)
def test_a_transaction_does_what_its_commands_would_one_by_one_or_nothing(
    rounds: list[list[list[Addressed]]],
) -> None:
    """Each outcome, each refusal with its index and its words, and the logs in the end."""
    asyncio.run(_play(rounds))


async def _play(rounds: list[list[list[Addressed]]]) -> None:
    redis = FakeAsyncRedis(server=FakeServer())
    appender, model, appended = Appender(redis, PRODUCTS.store), Model(), []
    for transactions in rounds:
        answers = await asyncio.gather(
            *(appender.append_together(each) for each in transactions), return_exceptions=True
        )
        for commands, answer in zip(transactions, answers, strict=True):
            right = model.together(commands)
            if isinstance(right, Refusal):
                assert isinstance(answer, TransactionRefused)
                assert answer.index == right.index
                assert type(answer.error) is type(right.error)
                assert (str(answer.error), vars(answer.error)) == (
                    str(right.error),
                    vars(right.error),
                )
            else:
                assert isinstance(answer, list)
                assert [_seen(each) for each in answer] == right
                appended += [each for each in answer if isinstance(each, RecordedEvent)]
    assert await logs(redis) == appended


def _seen(outcome: RecordedEvent | Checked) -> tuple[int, Event | None]:
    if isinstance(outcome, Checked):
        return outcome.version or 0, None
    return outcome.version, outcome.event
