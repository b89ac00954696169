"""Refusals: a command that does not fit what is there appends nothing at all."""

from __future__ import annotations

import asyncio

import pytest

from itemstore.domain.commands import Command, DeleteItem, PatchItem, PutItem
from itemstore.domain.errors import ItemNotFound, UnexpectedVersion
from itemstore.domain.expected import ABSENT, PRESENT, ExpectedVersion, one_of
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from tests.conftest import ENGINES_AND_A_CLUSTER, Unchanged, assert_agreement

pytestmark = ENGINES_AND_A_CLUSTER


@pytest.fixture
async def filled(log: EventLog) -> EventLog:
    """A log in which `foo` is at version 2, and `gone` was deleted at version 3."""
    await log.append(PutItem("foo", b"1"))
    await log.append(PutItem("foo", b"2"))
    await log.append(PutItem("gone", b"1"))
    await log.append(PutItem("gone", b"2"))
    await log.append(DeleteItem("gone"))
    return log


@pytest.mark.parametrize(
    ("command", "version"),
    [
        (PutItem("foo", b"3", ABSENT), 2),
        (PutItem("foo", b"3", one_of(1)), 2),
        (PatchItem("foo", b"3", one_of(1, 3)), 2),
        (DeleteItem("foo", one_of(12)), 2),
        (PutItem("gone", b"3", PRESENT), None),
        (PutItem("gone", b"3", one_of(3)), None),
        (PutItem("new", b"3", one_of(0)), None),
    ],
)
async def test_an_unexpected_version_is_refused_and_appends_nothing(
    filled: EventLog, unchanged: Unchanged, command: Command, version: int | None
) -> None:
    """The refusal says what the item is at; log, rows, ids and histories stay as they are."""
    async with unchanged():
        with pytest.raises(UnexpectedVersion) as refused:
            await filled.append(command)
    assert refused.value.item == command.item
    assert refused.value.expected == command.expected
    assert refused.value.version == version


@pytest.mark.parametrize("expected", [ABSENT, PRESENT, one_of(3)])
@pytest.mark.parametrize(("item", "deleted_version"), [("new", None), ("gone", 3)])
async def test_where_there_is_nothing_neither_patch_nor_delete_appends(
    filled: EventLog,
    unchanged: Unchanged,
    item: str,
    deleted_version: int | None,
    expected: ExpectedVersion,
) -> None:
    """The refusal says at which version the item was deleted, if it ever was there."""
    for command in (PatchItem(item, b"1", expected), DeleteItem(item, expected)):
        async with unchanged():
            with pytest.raises(ItemNotFound) as refused:
                await filled.append(command)
        assert refused.value.deleted_version == deleted_version


async def test_a_refusal_in_a_batch_refuses_nothing_else(
    filled: EventLog, partition: Partition
) -> None:
    """What came before it and after it in the same batch is appended."""
    before, refused, after = await asyncio.gather(
        filled.append(PutItem("foo", b"3")),
        filled.append(PutItem("foo", b"4", one_of(2))),
        filled.append(PutItem("foo", b"5")),
        return_exceptions=True,
    )
    assert not isinstance(before, BaseException)
    assert not isinstance(after, BaseException)
    assert isinstance(refused, UnexpectedVersion)
    assert (before.version, refused.version, after.version) == (3, 3, 4)
    await assert_agreement(partition)
