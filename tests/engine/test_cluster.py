"""A cluster that changes: what was asked goes to whichever node has it now, and happens once."""

from __future__ import annotations

from itemstore.engine.local_cluster import LocalCluster, LocalNode
from itemstore.eventlog.log import EventLog
from itemstore.projections.current_items import CurrentItems
from tests.clusters import (
    add_node,
    fail_over,
    migrate,
    paused,
    primary_of,
    remove_node,
)
from tests.conftest import wait_until
from tests.engine.cluster_traffic import (
    SLOT,
    clients,
    done,
    going_on,
    items,
    keys,
    log,
    owner_and_another,
    safe_log,
    some_more,
)

__all__ = ["clients", "items", "keys", "log", "safe_log"]  # fixtures


async def test_slots_that_move_at_once_are_followed_by_every_connection(
    cluster: LocalCluster, log: EventLog, items: CurrentItems
) -> None:
    """To another node and back, under load: nothing fails, and nothing is there twice."""
    old, other = await done(owner_and_another, cluster)
    async with going_on(log, items) as traffic:
        for source, target in ((old, other), (other, old)):
            await done(migrate, source, target, SLOT, SLOT)
            await some_more(traffic)
    assert traffic.failed == []


async def test_a_planned_failover_is_invisible(
    cluster: LocalCluster, log: EventLog, items: CurrentItems
) -> None:
    """A replica that is in step takes the place of its primary."""
    async with going_on(log, items) as traffic:
        await done(fail_over, cluster, await done(primary_of, cluster, SLOT))
    assert traffic.failed == []


async def test_a_primary_that_is_killed_is_replaced_and_loses_no_acknowledged_write(
    cluster: LocalCluster, safe_log: EventLog, items: CurrentItems
) -> None:
    """Where each write waits for a replica. Afterwards all is as it was."""
    old = await done(primary_of, cluster, SLOT)
    async with going_on(safe_log, items) as traffic:
        old.kill()
        await done(_replaced, cluster, old)
        await done(old.start)  # without it the new primary has no replica
        await done(cluster.wait_until_ok)
        await some_more(traffic)
        traffic.failed.clear()
        await some_more(traffic)
        assert traffic.failed == []


async def test_a_primary_that_hangs_is_replaced_and_loses_no_acknowledged_write(
    cluster: LocalCluster, safe_log: EventLog, items: CurrentItems
) -> None:
    """It takes up connections and says nothing; once it goes on, it is a replica."""
    old = await done(primary_of, cluster, SLOT)
    async with going_on(safe_log, items) as traffic:
        with paused(old):
            await done(_replaced, cluster, old)
        await done(cluster.wait_until_ok)
        await some_more(traffic)
        assert (await done(old.ask, "ROLE"))[0] == "slave"
        traffic.failed.clear()
        await some_more(traffic)
        assert traffic.failed == []


def _replaced(cluster: LocalCluster, old: LocalNode) -> None:
    wait_until(lambda: primary_of(cluster, SLOT) is not old)


async def test_a_node_that_comes_takes_slots_and_goes_again_unnoticed(
    cluster: LocalCluster, log: EventLog, items: CurrentItems
) -> None:
    """Added, filled, emptied and taken away under load."""
    old = await done(primary_of, cluster, SLOT)
    async with going_on(log, items) as traffic:
        new = await done(add_node, cluster)
        await done(migrate, old, new, SLOT, SLOT)
        await some_more(traffic)
        await done(migrate, new, old, SLOT, SLOT)
        await done(remove_node, cluster, new)
        await some_more(traffic)
    assert traffic.failed == []
