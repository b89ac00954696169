"""A slot that is moved key by key, as before Valkey 9: what can not be carried out meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from itemstore.domain.commands import PutItem
from itemstore.engine.errors import LogUnavailable
from itemstore.engine.local_cluster import LocalCluster
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.projections.current_items import CurrentItems
from tests.clusters import (
    begin_legacy_migration,
    end_legacy_migration,
    move_key,
    move_keys,
)
from tests.conftest import assert_agreement
from tests.engine.cluster_traffic import (
    SLOT,
    clients,
    done,
    items,
    keys,
    log,
    owner_and_another,
)

__all__ = ["clients", "items", "keys", "log"]  # fixtures


@asynccontextmanager
async def moving_key_by_key(cluster: LocalCluster, *first: str) -> AsyncIterator[None]:
    """A block in which these keys have moved to another node; all others have after it."""
    old, other = await done(owner_and_another, cluster)
    await done(begin_legacy_migration, old, other, SLOT)
    try:
        for name in first:
            await done(move_key, old, other, name)
        yield
    finally:
        while await done(move_keys, old, other, SLOT):
            pass
        await done(end_legacy_migration, cluster, other, SLOT)


async def test_while_a_slot_moves_key_by_key_what_can_not_be_carried_out_is_told_what_to_do(
    cluster: LocalCluster, log: EventLog, items: CurrentItems, keys: Keys
) -> None:
    """Nothing is written by halves; when all keys have moved, all is as before."""
    await log.append(PutItem("foo", b"1"))
    async with moving_key_by_key(cluster, keys.current):
        for asked in (
            log.append(PutItem("foo", b"2")),
            log.append(PutItem("bar", b"2")),
            items.get("foo"),
        ):
            with pytest.raises(LogUnavailable, match="MIGRATESLOTS"):
                await asked
    assert (await log.append(PutItem("foo", b"3"))).version == 2
    assert (await log.append(PutItem("bar", b"3"))).version == 1
    await assert_agreement(log._partition)


async def test_an_item_whose_history_has_moved_before_the_log_is_not_taken_for_broken(
    cluster: LocalCluster, log: EventLog, keys: Keys
) -> None:
    """It can be written to when the log has moved as well; the others can be until then."""
    for item in ("foo", "bar"):
        await log.append(PutItem(item, b"1"))
    async with moving_key_by_key(cluster, keys.history("foo")):
        with pytest.raises(LogUnavailable, match="MIGRATESLOTS"):
            await log.append(PutItem("foo", b"2"))
        assert (await log.append(PutItem("bar", b"2"))).version == 2
    assert (await log.append(PutItem("foo", b"2"))).version == 2
    assert (await log.append(PutItem("bar", b"3"))).version == 3
    await assert_agreement(log._partition)
