"""The shadow of the current items: what a rebuild builds beside the live ones, step by step.

Each step is one script, and does so little that it takes the engine a few milliseconds at most.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from itemstore.domain.positions import START, key_of
from itemstore.engine.cancellation import heed_cancellation
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.errors import EventsRemoved
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.engine.steps import steps
from itemstore.eventlog.lease import Lease, LeaseLost
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.past import border
from itemstore.eventlog.reader import Extent
from itemstore.projections.rebuild.errors import LogIncomplete
from itemstore.projections.runs import Run, Runs
from itemstore.projections.states import State, States

EVENTS = 400
"""Events replayed in one step, one by one."""

RUNS = 100
"""Runs replayed in one step."""

RUN_BYTES = 50_000
"""Bytes of the runs replayed in one step: some 3,000 positions."""

STATES = 200
"""States replayed in one step."""

STATE_BYTES = 250_000
"""Bytes of the bodies and positions of the states replayed in one step."""

ENTRIES = 128
"""Entries of the log with which a step catches up before it does its own work."""

AT_END, BEHIND = 1, 2
"""What a script that catches up says: all of the log is replayed, or the stream may lack a part."""

_LOST = "lost events meanwhile (XTRIM, XDEL)"

_REPLAY = (
    lua("itemstore.eventlog", "apply", "positions", "item_history")
    + lua("itemstore.projections", "tried", "history")
    + lua(__package__, "replay")
)

REPLAY_RUNS, REPLAY_STATES = (
    Script(_REPLAY + lua(__package__, name)) for name in ("replay_runs", "replay_states")
)


def at_the_end(name: str) -> Script:
    """The script that takes a step once all of the log is replayed."""
    return Script(_REPLAY + lua(__package__, "catch_up", name))


REPLAY_IN_ORDER, HEAL_HISTORIES, SWAP = map(
    at_the_end, ("replay_in_order", "heal_histories", "swap")
)


class Shadow:
    """The shadow rows and ids, and how far into the log they are.

    `first` and `position` are those of the first and the last entry replayed, `events` how many
    events there were, `skipped` how many entries were none, `length` how many entries the log had
    when last looked at, in the engine and in the archive. Every step renews the lease, and raises
    LeaseLost where it is gone. Replaying writes every row to the engine's file once more, and
    raises LogFull where there is no room for that.
    """

    def __init__(self, partition: Partition, lease: Lease, log: Extent, disk: DiskSpace) -> None:
        """For a log that was found to be so."""
        self.live = partition.keys
        self.keys = partition.keys.shadow(lease.token)
        self.first = log.first if log.length else ""
        self.position = START
        self.events = 0
        self.skipped = 0
        self.length = log.events
        self._lost = log.lost
        self._histories_from = log.first
        self._after = START  # all up to here is replayed
        self._partition = partition
        self._lease = lease
        self._disk = disk
        self._aside = partition.keys.aside(lease.token)

    async def replay(self, runs: Runs, position: str) -> None:
        """Replays a stretch of the log, which ends at a position."""
        for step in steps(runs, _bytes_of, most=RUNS, most_bytes=RUN_BYTES):
            texts = [run.text for run in step]
            while texts:
                self._disk.check()
                texts = texts[await self._step(REPLAY_RUNS, [], texts) :]
        self._went_on(position, runs.events, runs.skipped)

    async def has_border(self) -> bool:
        """Whether a part of the log may be in the archive only."""
        return await border(self._partition.client, self.live.store) != START

    async def replay_states(self, told: Callable[[int], None] = lambda _: None) -> States:
        """Replays what comes next in the log, to its end if that is near: what it leaves of items.

        So it does not matter whether the engine still has it. `told` is how many events are read.
        """
        up_to = await border(self._partition.client, self.live.store)
        states = States(self._histories_from)
        async with aclosing(self._partition.reader.slices(self._after)) as log:
            async for entries in log:
                states.extend(entries)
                told(states.events)
                await self._lease.renew_in_time()
                if states.full:
                    up_to = states.position
                    break
        for step in steps(states, _bytes_of_state, most=STATES, most_bytes=STATE_BYTES):
            arguments = [value for state in step for value in state]
            while arguments:
                self._disk.check()
                done = await self._step(REPLAY_STATES, [], arguments)
                arguments = arguments[done * len(State._fields) :]
        if self.position == START:
            self.first = states.first
        self._went_on(states.position, states.events, states.skipped)
        self._after = max(self._after, up_to, key=key_of)
        return states

    async def replay_in_order(self) -> AsyncGenerator[None]:
        """Replays what the log has event by event, while most of them are the first of their item.

        Where items come again and again it is faster to gather their events before.
        """
        end, are_first = self.length, True
        while are_first and self.events + self.skipped < end:
            self._disk.check()
            before = self.events
            _, firsts = await self._catch_up(REPLAY_IN_ORDER, [], EVENTS, [])
            are_first = self.events > before and 2 * firsts >= self.events - before
            yield

    async def wrong_histories(self, most: int) -> tuple[int, list[bytes]]:
        """How many histories are known to be wrong, and the items of at most `most` of them."""
        with translated():
            count = int(await self._partition.client.scard(self.keys.wrong_histories))
            items: Any = await self._partition.client.srandmember(self.keys.wrong_histories, most)
        return count, items or []

    async def row_count(self) -> int:
        """How many rows there are, also of deleted items."""
        with translated():
            return int(await self._partition.client.hlen(self.keys.current))

    async def item_count(self) -> int:
        """How many items exist."""
        with translated():
            return int(await self._partition.client.zcard(self.keys.ids))

    async def heal_histories(self) -> None:
        """Puts right histories in the place of wrong ones."""
        remaining = 1
        while remaining:
            [remaining] = await self.at_the_end(HEAL_HISTORIES, [], [])

    async def swap(self) -> None:
        """Puts rows and ids in the place of the live ones, in one step with the end of the log."""
        live, aside = self.live, self._aside
        keys = [live.current, live.ids, aside.current, aside.ids]
        await self.at_the_end(SWAP, keys, [])

    async def at_the_end(self, script: Script, keys: list[str], arguments: list[Any]) -> list[Any]:
        """The script's own reply, from a moment when all of the log is replayed."""
        most = ENTRIES
        while True:
            before = self.length - self.events - self.skipped
            at_end, *own = await self._catch_up(script, keys, most, arguments)
            if at_end == BEHIND:
                await self.replay_states()
                continue
            if at_end:
                return own
            # Writers that are faster than the replay would keep it from ending for ever.
            if self.length - self.events - self.skipped >= before:
                most *= 2

    async def _catch_up(
        self, script: Script, keys: list[str], most: int, arguments: list[Any]
    ) -> list[Any]:
        """Whether all of the log is replayed after `most` more entries, and the script's own reply.

        Where it is not, the script has done nothing of its own. BEHIND where the stream may lack
        what comes next.
        """
        reply: list[Any] = await self._step(script, keys, [self._after, most, *arguments])
        position, events, skipped, self.length, at_end, renewed, *own = reply
        if not renewed:
            self._lease.take_back()
        if events or skipped:
            self._went_on(position.decode(), events, skipped)
        if at_end == AT_END:
            self._check_length()
        return [at_end, *own]

    def _check_length(self) -> None:
        missing = self.length + self._lost - self.events - self.skipped
        if missing:
            lacks = f"lacks {missing} events (XTRIM, XDEL), and so does the archive"
            raise LogIncomplete(lacks if missing > 0 else _LOST)

    def _went_on(self, position: str, events: int, skipped: int) -> None:
        """Notes what was replayed, up to a position, empty where there was nothing."""
        if position:
            self.position = self._after = position
        self.events += events
        self.skipped += skipped

    async def _step(self, script: Script, keys: list[str], arguments: list[Any]) -> Any:
        heed_cancellation()
        await self._lease.renew_in_time()
        shadow = self.keys
        try:
            reply: Any = await self._partition.run(
                script,
                keys=[
                    *(self.live.events, shadow.current, shadow.ids),
                    *(self._lease.key, shadow.wrong_histories),
                    *(self.live.store.archive, self.live.trimmed),
                    *keys,
                ],
                args=[
                    *(shadow.histories, self.live.histories),
                    *self._lease.renewal(),
                    *arguments,
                ],
            )
        except EventsRemoved:
            raise LogIncomplete(_LOST) from None
        if reply is None:
            raise LeaseLost
        return reply


def _bytes_of(run: Run) -> int:
    return len(run.text)


def _bytes_of_state(state: State) -> int:
    return len(state.body) + len(state.positions)
