"""The whole log read back over HTTP when all is over: feeds, versions, dates, queries."""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx

from tests.torture.history import LogEntry
from tests.torture.moments import entry_of
from tests.torture.queries import a_query, body_of
from tests.torture.rules import exists

VERSIONS, DATES, PAGES, HISTORIES, QUERIES = 60, 30, 20, 6, 6
"""How many old versions, items at a date, pages of the feed, whole histories, and queries to their
ends are read."""

ATTEMPTS = 40
"""How often a read that is told 503 is tried."""

SHOWN = 5
"""Differences that are told."""

PAGE = 200


async def read_back(port: int, log: Sequence[LogEntry], seed: int) -> list[str]:
    """What of all reads differs from the log; nothing where all is well."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        reading = Reading(client, log, random.Random(f"{seed} read back"))
        return [wrong async for wrong in reading.differences()][:SHOWN]


class Reading:
    """One client that reads all of it once more."""

    def __init__(
        self, client: httpx.AsyncClient, log: Sequence[LogEntry], chance: random.Random
    ) -> None:
        self._client = client
        self._log = log
        self._chance = chance
        self._items: dict[str, list[LogEntry]] = defaultdict(list)
        for entry in log:
            self._items[entry.item].append(entry)

    async def differences(self) -> AsyncIterator[str]:
        """What differs, one after another."""
        if not self._log:
            return
        for count, look in (
            (1, self._feed),
            (1, self._live),
            (PAGES, self._page),
            (PAGES, self._since),
            (VERSIONS, self._version),
            (DATES, self._date),
            (HISTORIES, self._history),
            (QUERIES, self._query),
        ):
            for _ in range(count):
                try:
                    wrong = await look()
                except (httpx.HTTPError, TimeoutError, ValueError) as error:
                    wrong = f"{look.__doc__} It failed: {error!r}"
                if wrong:
                    yield wrong

    async def _get(self, path: str, **headers: str) -> httpx.Response:
        for attempt in range(ATTEMPTS):
            reply = await self._client.get(path, headers=headers)
            if reply.status_code != 503:
                return reply
            await asyncio.sleep(0.05 * attempt)
        return reply

    async def _feed(self) -> str:
        """JSON lines from the start to the end."""
        reply = await self._get("/events", accept="application/jsonl")
        found = [entry_of(json.loads(line)) for line in reply.text.splitlines()]
        return self._wrong("JSON lines from the start", found, self._log)

    async def _live(self) -> str:
        """A live stream from the start, until it has come to the end."""
        found, headers = list[LogEntry](), {"accept": "text/event-stream"}
        async with (
            asyncio.timeout(30),
            self._client.stream("GET", "/events?after=0-0", headers=headers) as reply,
        ):
            async for line in reply.aiter_lines():
                if line.startswith("data:"):
                    found.append(entry_of(json.loads(line[5:])))
                    if len(found) == len(self._log):
                        break
        return self._wrong("a live stream from the start", found, self._log)

    async def _page(self) -> str:
        """A page after any position, of all collections or of one."""
        place, limit = self._chance.randrange(len(self._log)), self._chance.choice([1, 7, PAGE])
        collection = self._chance.choice(["", self._log[place].item.partition("/")[0]])
        inside = f"{collection}/" if collection else ""
        due = [each for each in self._log[place + 1 :] if each.item.startswith(inside)]
        path = f"/events?after={self._log[place].position}&limit={limit}"
        path += f"&source=/{collection}" if collection else ""
        return self._wrong(path, await self._events(path), due[:limit])

    async def _since(self) -> str:
        """A page from a time on."""
        moment = self._chance.choice(self._log).place[0] + self._chance.choice([-1, 0, 0, 1])
        due = [each for each in self._log if each.place[0] >= moment]
        when = datetime.fromtimestamp(moment // 1000, UTC)
        path = f"/events?since={when:%Y-%m-%dT%H:%M:%S}.{moment % 1000:03}Z&limit=7"
        return self._wrong(path, await self._events(path), due[:7])

    async def _version(self) -> str:
        """One version of an item, mostly an old one."""
        entry = self._chance.choice(self._items[self._chance.choice(list(self._items))])
        path = f"/{entry.item}/versions/{entry.version}"
        reply = await self._get(path)
        if exists(entry):
            is_right = (reply.status_code, reply.text) == (200, entry.body)
        else:
            is_right = (reply.status_code, _problem(reply)) == (404, "item-deleted")
        return "" if is_right else f"{path}: {reply.status_code} {reply.text[:300]}, not {entry}"

    async def _date(self) -> str:
        """The version of an item at a date."""
        events = self._items[self._chance.choice(list(self._items))]
        second = self._chance.choice(self._log).place[0] // 1000 + self._chance.choice([-1, 0, 0])
        before = [each for each in events if each.place[0] // 1000 <= second]
        entry = before[-1] if before else events[0]
        date = format_datetime(datetime.fromtimestamp(second, UTC), usegmt=True)
        reply = await self._get(f"/{entry.item}", **{"accept-datetime": date})
        path = f"/{entry.item}/versions/{entry.version}"
        if exists(entry):
            is_right = reply.status_code == 302 and reply.headers["location"].endswith(path)
        else:
            is_right = (reply.status_code, _problem(reply)) == (404, "item-deleted")
        told = f"{reply.status_code} {reply.headers.get('location')}"
        return "" if is_right else f"/{entry.item} at {date}: {told}, not {entry}"

    async def _history(self) -> str:
        """All events of one item, oldest or newest first, and all its versions."""
        item = self._chance.choice(list(self._items))
        events, order = self._items[item], self._chance.choice(["", "desc"])
        found, path = list[LogEntry](), f"/{item}/events?limit=50"
        path += f"&order={order}" if order else ""
        after = ""
        while some := await self._events(path + after):
            found += some
            after = f"&after={some[-1].position}"
        due = events[::-1] if order else events
        if wrong := self._wrong(path, found, due):
            return wrong
        versions = [each async for each in self._versions(item)]
        wanted = [(entry.version, entry.type, entry.position) for entry in events]
        return "" if versions == wanted else f"/{item}/versions: {versions}, not {wanted}"[:2000]

    async def _query(self) -> str:
        """All pages of a query, as of the end of the log."""
        last = self._chance.choice(self._log)
        collection = last.item.partition("/")[0]
        query = a_query(self._chance, collection, "item-", len(self._log) // 16)
        bodies = {
            name.partition("/")[2]: body_of(events[-1].body)
            for name, events in self._items.items()
            if name.startswith(f"{collection}/") and exists(events[-1])
        }
        due = [(item, query.shown(body)) for item, body in query.found(bodies)]
        found, after = list[tuple[str, Any]](), None
        while True:
            path = query.path(after=after, min_position=self._log[-1].position)
            reply = await self._get(path)
            if reply.status_code != 200:
                return f"{path} was told {reply.status_code}: {reply.text[:500]}"
            said = reply.json()
            found += [(each["id"], each["item"]) for each in said["items"]]
            after = said["next"]
            if after is None:
                break
        return "" if found == due else f"{query}: {found}, not {due}"[:2000]

    async def _versions(self, item: str) -> AsyncIterator[tuple[int, str, str]]:
        after: int | None = 0
        while after is not None:
            path = f"/{item}/versions?limit=50" + (f"&after={after}" if after else "")
            said = (await self._get(path, accept="application/json")).json()
            for each in said["versions"]:
                yield each["version"], each["type"], each["event"]
            after = said["next"] and said["versions"][-1]["version"]

    async def _events(self, path: str) -> list[LogEntry]:
        reply = await self._get(path)
        if reply.status_code != 200:
            raise ValueError(f"{path} was told {reply.status_code}: {reply.text[:500]}")
        return [entry_of(event) for event in reply.json()]

    @staticmethod
    def _wrong(what: str, found: Sequence[LogEntry], due: Sequence[LogEntry]) -> str:
        if list(found) == list(due):
            return ""
        at = next(_unlike(found, due), min(len(found), len(due)))
        return (
            f"{what}: {len(found)} events, not {len(due)}; the first that differs: "
            f"{[str(each) for each in found[at : at + 1]]}, not "
            f"{[str(each) for each in due[at : at + 1]]}"
        )


def _unlike(found: Sequence[LogEntry], due: Sequence[LogEntry]) -> Iterator[int]:
    return (place for place, both in enumerate(zip(found, due, strict=False)) if both[0] != both[1])


def _problem(reply: httpx.Response) -> str:
    return str(reply.json()["type"]).removeprefix("/problems/") if reply.text else ""
