"""Logs that somebody cut by hand (XTRIM, XDEL) after what a projection has handled."""

from __future__ import annotations

from itemstore.domain.cursors import event_id
from itemstore.domain.positions import key_of
from itemstore.eventlog.partition import Partition
from itemstore.projections.own.state import Failure, State, note_failure
from itemstore.projections.projection import Waits

LOOK = 2.0
"""Seconds between two looks of a projection that waits: somebody may have it go on."""


async def stop_where_cut(
    partition: Partition, projection: str, state: State, events: int | None = None
) -> None:
    """Stops a projection that has handled so many `events` where the log lacks the next ones.

    They are those in its state unless they are given. Once somebody has had it go on, it takes what
    is left of that log. Raises Waits where it stops, LogUnavailable, LogBroken.
    """
    log, after = await partition.reader.extent(), state.position
    if after is None or not log.lost or not log.length or log.first in {state.cut, state.failing}:
        return  # the event that it tried last is the next one, so none is lost before it
    handled = state.events if events is None else events
    is_cut_behind_it = key_of(after) < key_of(log.first) and log.added - handled <= log.length
    if is_cut_behind_it or not (await partition.reader.outlook(after)).is_lacking:
        return
    why = (
        f"events between {after} and {log.first} were taken out of the log by hand (XTRIM, XDEL). "
        f"It has stopped: `itemstore projection resume {projection}` has it go on without them"
    )
    await note_failure(
        partition, projection, after, Failure(log.first, 0, why, 0, is_after_a_cut=True)
    )
    raise Waits(event_id(log.first, partition.keys.partition), why, LOOK)
