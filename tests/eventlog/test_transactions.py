"""Transactions: several commands that happen together, at one moment, or not at all."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from itemstore.domain.commands import CheckItem, Command, DeleteItem, PatchItem, PutItem
from itemstore.domain.errors import ItemNotFound, UnexpectedVersion
from itemstore.domain.events import RecordedEvent
from itemstore.domain.expected import ABSENT, ANY, PRESENT, ExpectedVersion, one_of
from itemstore.domain.positions import key_of
from itemstore.engine.errors import LogBroken
from itemstore.eventlog.append import Checked
from itemstore.eventlog.appender import Appender
from itemstore.eventlog.shared_by_appenders import MOST_COMMANDS
from itemstore.eventlog.transaction import TransactionRefused
from tests.conftest import Unchanged
from tests.eventlog.two_collections import ORDERS, PRODUCTS, logs, orders, products
from tests.wire import Wire


async def test_commands_to_several_collections_happen_together_and_in_order(
    redis: Redis, appender: Appender
) -> None:
    """Each on what the one before it left; one transaction in the meta of all."""
    outcomes = await appender.append_together(
        [
            *products(PutItem("a", b"1", ABSENT)),
            *orders(PutItem("a", b"2", ABSENT), CheckItem("a", one_of(1))),
            *products(PatchItem("a", b"3", one_of(1)), DeleteItem("a"), CheckItem("a", ABSENT)),
            *products(PutItem("a", b"4", ABSENT)),
        ],
        {"actor": "ann"},
    )
    events = [each for each in outcomes if isinstance(each, RecordedEvent)]
    assert await logs(redis) == events
    assert [(each.collection, each.type, each.version) for each in events] == [
        ("products", "ItemCreated", 1),
        ("orders", "ItemCreated", 1),
        ("products", "ItemUpdated", 2),
        ("products", "ItemDeleted", 3),
        ("products", "ItemCreated", 4),
    ]
    assert outcomes[2] == Checked("a", 1, events[1].position)
    assert outcomes[5] == Checked("a")
    [meta] = {tuple(each.meta.items()) for each in events}
    assert dict(meta).keys() == {"actor", "transaction"}
    moments = {key_of(each.position)[0] for each in events}
    assert len(moments) == 1


REFUSED: list[tuple[Command | CheckItem, type[Exception]]] = [
    (PutItem("there", b"2", ABSENT), UnexpectedVersion),
    (PutItem("there", b"2", one_of(2)), UnexpectedVersion),
    (PutItem("absent", b"2", PRESENT), UnexpectedVersion),
    (PatchItem("absent", b"2"), ItemNotFound),
    (DeleteItem("absent"), ItemNotFound),
    (DeleteItem("there", one_of(7)), UnexpectedVersion),
    (CheckItem("there", ABSENT), UnexpectedVersion),
    (CheckItem("absent", PRESENT), UnexpectedVersion),
    (CheckItem("new", ABSENT), UnexpectedVersion),
    (PatchItem("broken", b"2"), LogBroken),
    (CheckItem("broken", ANY), LogBroken),
]


@pytest.mark.parametrize(("command", "kind"), REFUSED)
async def test_one_refused_command_refuses_all_and_appends_nothing(
    redis: Redis,
    appender: Appender,
    unchanged: Unchanged,
    command: Command | CheckItem,
    kind: type[Exception],
) -> None:
    """Wherever it stands; the first that is refused is named, with its own error."""
    await appender.append(PRODUCTS, PutItem("there", b"1"))
    await redis.hset(PRODUCTS.current, "broken", "?")
    before = [*products(PutItem("new", b"1")), *orders(PutItem("new", b"1"))]
    after = [*orders(DeleteItem("absent"))]
    async with unchanged():
        with pytest.raises(TransactionRefused) as refused:
            await appender.append_together([*before, *products(command), *after])
    assert refused.value.index == 2
    assert type(refused.value.error) is kind


@pytest.mark.parametrize(
    ("expected", "is_admitted"), [(ANY, True), (ABSENT, False), (PRESENT, True), (one_of(1), True)]
)
async def test_a_transaction_of_checks_appends_nothing(
    appender: Appender, unchanged: Unchanged, expected: ExpectedVersion, *, is_admitted: bool
) -> None:
    """It says what is there, or that this is not as expected."""
    created = await appender.append(PRODUCTS, PutItem("foo", b"1"))
    checks = [*products(CheckItem("foo", expected)), *orders(CheckItem("foo", ABSENT))]
    async with unchanged():
        if is_admitted:
            found = await appender.append_together(checks)
            assert found == [Checked("foo", 1, created.position), Checked("foo")]
        else:
            with pytest.raises(TransactionRefused):
                await appender.append_together(checks)


async def test_a_refused_transaction_harms_no_neighbour_in_its_call(
    redis: Redis, appender: Appender, wire: Wire
) -> None:
    """Single commands and another transaction share its script call, and see nothing of it."""
    first, refused, second, third = await asyncio.gather(
        appender.append(PRODUCTS, PutItem("foo", b"1")),
        appender.append_together(
            products(PutItem("foo", b"2"), PutItem("bar", b"2"), DeleteItem("nothing"))
        ),
        appender.append_together(products(PutItem("foo", b"3"), PutItem("bar", b"3", ABSENT))),
        appender.append(ORDERS, PutItem("foo", b"4")),
        return_exceptions=True,
    )
    assert len(wire.commands) == 1
    assert isinstance(refused, TransactionRefused)
    assert refused.index == 2
    assert isinstance(second, list)
    assert await logs(redis) == [first, *second, third]


async def test_a_transaction_of_the_largest_size_is_never_divided(
    redis: Redis, appender: Appender, wire: Wire
) -> None:
    """Whatever waits beside it."""
    body = b'"' + b"x" * 8_000 + b'"'
    together = products(*(PutItem(f"{n}", body) for n in range(MOST_COMMANDS)))
    answers = await asyncio.gather(
        *(appender.append(ORDERS, PutItem(f"{n}", b"1")) for n in range(20)),
        appender.append_together(together),
        *(appender.append(ORDERS, PutItem(f"{n}", b"2")) for n in range(20)),
    )
    read = await logs(redis)
    assert len(read) == MOST_COMMANDS + 40
    start = read.index(answers[20][0])  # type: ignore[index]
    assert read[start : start + MOST_COMMANDS] == answers[20]
    assert appender.counts.batch_sizes == {1: 1, 20: 2, MOST_COMMANDS: 1}
    assert len(wire.commands) == 3


async def test_a_transaction_looks_at_no_body_in_its_logs(real_redis: Redis) -> None:
    """XINFO would have those of the first and of the last event: milliseconds for each megabyte."""
    appender = Appender(real_redis, PRODUCTS.store)
    commands = [*products(PutItem("a", b"1")), *orders(PutItem("a", b"1"))]
    await appender.append_together(commands)
    await real_redis.config_resetstat()
    await appender.append_together(commands)
    statistics: Any = await real_redis.info("commandstats")
    assert statistics["cmdstat_xadd"]["calls"] == 2
    assert not [name for name in statistics if name.startswith("cmdstat_xinfo")]
    assert len(await logs(real_redis)) == 4
