"""History with times of its own: events that tests put into the log as an import would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx
from redis.asyncio import Redis

from itemstore.domain.events import ITEMS, ItemCreated, ItemDeleted, ItemUpdated
from itemstore.domain.partitions import partition_of
from itemstore.domain.positions import START
from itemstore.eventlog.import_check import ImportCheck
from itemstore.eventlog.importing import ForeignEvent, write_step
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition

CREATED, UPDATED, DELETED = (each.__name__ for each in (ItemCreated, ItemUpdated, ItemDeleted))

Line = tuple[str, str, str, bytes]
"""Position, type, item, body."""


async def write_history(redis: Redis, lines: Sequence[Line], partitions: int = 1) -> None:
    """Writes events under these positions into an empty log, each into its partition."""
    for number in range(partitions):
        own = [line for line in lines if partition_of(line[2], partitions) == number]
        keys = Keys(partition=None if partitions == 1 else number)
        await _written(Partition(redis, keys), own)


async def _written(partition: Partition, lines: Sequence[Line]) -> None:
    events = (
        ForeignEvent(number, kind, item, body, position)
        for number, (position, kind, item, body) in enumerate(lines, start=1)
    )
    ends: Mapping[str, str] = {ITEMS: START}
    for step in ImportCheck(0, keep=True).checked(events):
        ends = await write_step({ITEMS: partition}, step, ends)


def position_at(date: str, milliseconds: int = 0) -> str:
    """The first position at a time in UTC, such as `2020-01-01T00:00:00`."""
    time = datetime.fromisoformat(date).replace(tzinfo=UTC)
    return f"{int(time.timestamp()) * 1000 + milliseconds}-0"


def http_date(date: str) -> str:
    """The same time as an HTTP date."""
    return format_datetime(datetime.fromisoformat(date).replace(tzinfo=UTC), usegmt=True)


async def walked(client: httpx.AsyncClient, url: str) -> list[dict[str, Any]]:
    """All events of all pages, from `url` on by the Link header."""
    found: list[dict[str, Any]] = []
    following: str | None = url
    while following:
        page = await client.get(following)
        assert page.status_code == 200
        assert page.headers["content-type"] == "application/cloudevents-batch+json"
        found += page.json()
        following = page.links["next"]["url"] if "next" in page.links else None
    return found
