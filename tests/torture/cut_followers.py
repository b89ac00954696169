"""Followers of the live stream that are cut off again and again, and go on where they were."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx

from tests.torture.history import LogEntry
from tests.torture.moments import entry_of

FOLLOWERS = 10

LINES = 400
"""After how many lines of the stream at most a follower is cut off."""

PATIENCE = 60.0
"""Seconds in which a follower gets all that there is, when nobody writes and nothing fails."""

REFUSED = {409, 410}
"""What it is told whose place the log does not have, or not yet again."""


@dataclass(slots=True)
class Followed:
    """What all followers have been through."""

    cuts: int = 0
    refused: Counter[int] = field(default_factory=Counter)
    seen: list[list[LogEntry]] = field(default_factory=list)
    """The events that each follower was shown, in that order."""

    def wrong(self, log: Sequence[LogEntry]) -> list[str]:
        """What is wrong with what was seen, now that the log is this one."""
        return [
            f"follower {number}: {sentence}"
            for number, seen in enumerate(self.seen)
            for sentence in _wrong(seen, log)
        ]

    def taken_back(self, log: Sequence[LogEntry]) -> int:
        """How many events were seen that a failover has taken back."""
        there = {entry.position for entry in log}
        return len({each.position for seen in self.seen for each in seen} - there)


def _wrong(seen: Sequence[LogEntry], log: Sequence[LogEntry]) -> list[str]:
    there = {entry.position: entry for entry in log}
    kept = [each for each in seen if each.position in there]
    counted = Counter(each.position for each in kept)
    found = []
    if doubled := [position for position, count in counted.items() if count > 1]:
        found.append(f"{len(doubled)} events were shown again, the first {doubled[0]}")
    if missed := [entry for entry in log if entry.position not in counted]:
        found.append(f"{len(missed)} events were not shown, the first {missed[0]}")
    if unlike := [each for each in kept if there[each.position] != each]:
        found.append(f"{len(unlike)} events are other ones, the first {unlike[0]}")
    last: dict[int, tuple[int, int]] = {}
    for each in kept:
        if last.get(each.partition, (0, 0)) >= each.place:
            found.append(f"{each} is not in the order of its partition")
            break
        last[each.partition] = each.place
    return found


class Follower:
    """One of them. It counts an event when all of it has come, and no later one can come before."""

    def __init__(self, number: int, seed: int, port: Callable[[], int], followed: Followed) -> None:
        self._chance = random.Random(f"{seed} follower {number}")
        self._port = port
        self._followed = followed
        self._seen: list[LogEntry] = []
        followed.seen.append(self._seen)
        self._cursor = "0-0"
        self.is_cut = True
        """Whether it is still cut off; else it follows to the end."""

    async def run(self) -> None:
        """Follows, is cut off, and comes again."""
        async with httpx.AsyncClient(timeout=httpx.Timeout(10, read=30)) as client:
            while True:
                with suppress(httpx.HTTPError):
                    await self._follow(client)
                await asyncio.sleep(self._chance.uniform(0, 0.1))

    async def _follow(self, client: httpx.AsyncClient) -> None:
        url = f"http://127.0.0.1:{self._port()}/events"
        headers = {"accept": "text/event-stream", "last-event-id": self._cursor}
        left = self._chance.randrange(LINES)
        async with client.stream("GET", url, headers=headers) as reply:
            if reply.status_code in REFUSED:
                self._followed.refused[reply.status_code] += 1
                await asyncio.sleep(0.5)
            if reply.status_code != 200:
                return
            cursor, shown = self._cursor, None
            async for line in reply.aiter_lines():
                name, _, value = line.partition(":")
                if name == "id":
                    cursor = value.strip()
                elif name == "data":
                    shown = entry_of(json.loads(value))
                elif not line and shown is not None:
                    self._seen.append(shown)
                    self._cursor, shown = cursor, None
                left -= 1
                if self.is_cut and left < 0:
                    self._followed.cuts += 1
                    return


@asynccontextmanager
async def following(
    ports: Sequence[Callable[[], int]], seed: int
) -> AsyncIterator[tuple[Followed, list[Follower]]]:
    """Followers during the block, spread over the ports."""
    followed = Followed()
    followers = [
        Follower(number, seed, ports[number % len(ports)], followed) for number in range(FOLLOWERS)
    ]
    tasks = [asyncio.create_task(each.run()) for each in followers]
    try:
        yield followed, followers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def to_the_end(
    followed: Followed, followers: Sequence[Follower], log: Sequence[LogEntry]
) -> None:
    """Waits until all of them have been shown all there is, or have had the time for it."""
    until = time.monotonic() + PATIENCE
    there = {entry.position for entry in log}
    for each in followers:
        each.is_cut = False
    while any(there - {each.position for each in seen} for seen in followed.seen):
        if time.monotonic() > until:
            return
        await asyncio.sleep(0.2)
