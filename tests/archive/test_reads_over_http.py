"""Every read over HTTP answers the same bytes, wherever the events are that it is made of."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from redis.asyncio import Redis

from itemstore.api.app import ItemStore, create_app
from itemstore.api.http.dates import event_date
from itemstore.archive.archived_past import ArchivedPast
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.past import PastDamaged
from itemstore.store.scope import Scope
from itemstore.store.settings import Settings
from itemstore.store.tokens import Role, create
from tests.archive.trimmed import leave
from tests.conftest import PATIENCE
from tests.recorded_spans import recording

NAMES = ("notes", "orders")

ITEMS = ("a/b", "small", "gone", "large", "never")

LARGE = 900_000

FORMS = ("application/cloudevents-batch+json", "application/jsonl", "text/event-stream")

NAMED = {"x-request-id": "the-same"}
"""Each answer has the id of its request: the same one, so that answers can be compared."""

Asked = tuple[str, dict[str, str]]

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Served:
    """A store, its engine, and clients of it: one that may do all, and one that may see little."""

    app: ItemStore
    redis: Redis
    client: httpx.AsyncClient
    bound: dict[str, str]

    async def archive(self, leaving: int) -> None:
        """Takes all but the last few events out of the engine."""
        assert self.app.context is not None
        archive = self.app.context.store.archive
        assert archive is not None
        await leave(self.redis, archive, NAMES, leaving)

    async def answer(self, asked: Asked) -> Answer:
        """To a GET; the events of a live stream up to the last one there is."""
        path, headers = asked[0], asked[1] | NAMED
        if headers.get("accept") == "text/event-stream":
            return await _streamed(self.app, path, headers)
        answer = await self.client.get(path, headers=headers)
        return answer.status_code, dict(answer.headers), answer.content


async def _streamed(app: ItemStore, path: str, headers: dict[str, str]) -> Answer:
    """What a live stream has until an event comes that is made to be the last."""
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    sent: list[Any] = []
    has_end = asyncio.Event()

    async def receive() -> Any:
        await has_end.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if b'"last":true' in b"".join(each.get("body", b"") for each in sent[-2:]):
            has_end.set()
        if sent[0]["status"] != 200:
            has_end.set()

    async with asyncio.timeout(30):
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(app(scope, receive, send))
            await has_end.wait()
            task.cancel()
    body = b"".join(bytes(each.get("body", b"")) for each in sent)
    shown = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], shown, body


@pytest.fixture
async def served(redis: Redis) -> AsyncIterator[Served]:
    """A store of two collections on each engine."""
    settings = Settings(archive=f"memory://{secrets.token_hex(8)}")
    app = create_app(settings, redis=redis, collections=dict.fromkeys(NAMES))
    partition = Partition(redis, Keys(NAMES[0]))
    whole, bound = [
        {"authorization": f"Bearer {await create(partition, name, Role.writer, scope)}"}
        for name, scope in (("whole", Scope()), ("bound", Scope(frozenset(["notes"]), ("a", "l"))))
    ]
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://store", headers=whole | NAMED
    ) as client:
        yield Served(app, redis, client, bound)


BODIES: tuple[Any, ...] = (
    b'{"size":1.0,"n":[],"o":{}}',
    b'{"size":123456789012345678901234567890,"text":"\\u00e9\\n\xc3\xa9 </script>"}',
    b'{"size":-0.0,"deep":[[[{"a":null}]]]}',
    b'{"size":1e300}',
)


async def write(client: httpx.AsyncClient, large: int) -> None:
    """Items that are made, changed, deleted and made again, alone and together, with keys."""
    json_type = {"content-type": "application/json"}
    for round_, body in enumerate(BODIES * 2):
        for name in NAMES:
            for item in ("small", "a%2Fb"):
                key = {"idempotency-key": f"{name}-{item}-{round_}"}
                put = await client.put(f"/{name}/{item}", content=body, headers=json_type | key)
                assert put.status_code in (200, 201), put.text
        if round_ % 4 == 3:
            await client.delete("/notes/small")
        if round_ % 5 == 2:
            requests = [
                {"method": "PUT", "path": "/orders/gone", "body": {"round": round_}},
                {"method": "PATCH", "path": "/notes/a%2Fb", "body": {"together": [round_]},
                 "headers": {"content-type": "application/merge-patch+json"}},
                {"method": "DELETE", "path": "/orders/gone"},
            ]  # fmt: skip
            key = {"idempotency-key": f"batch-{round_}"}
            batch = await client.post("/batch", json={"requests": requests}, headers=key)
            assert batch.status_code == 200, batch.text
    for number in range(large):
        body = json.dumps({"text": chr(97 + number) * LARGE}).encode()
        await client.put("/notes/large", content=body, headers=json_type)
    for name in NAMES:
        await client.put(f"/{name}/end", json={"end": True})
    await client.put("/notes/a%2Fb", json={"last": True})


async def of_items(client: httpx.AsyncClient) -> list[Asked]:
    """What is asked of each item: versions, dates, its history, what changed."""
    asked: list[Asked] = []
    for path in (f"/{name}/{quote(item, safe='')}" for name in NAMES for item in ITEMS):
        asked += [(path, {}), (f"{path}/versions", {})]
        listed = await client.get(f"{path}/versions", headers={"accept": "application/json"})
        versions = listed.json().get("versions", [])
        for accept in ("application/json", "application/link-format"):
            asked += [
                (f"{path}/versions?after={after}&limit={limit}", {"accept": accept})
                for after, limit in ((0, 1000), (1, 2), (len(versions) - 1, 3), (99, 5))
                if after >= 0
            ]
        for each in versions:
            number, position = each["version"], each["event"]
            asked.append((f"{path}/versions/{number}", {}))
            asked.append((f"{path}/versions/{number}/diff?from={max(1, number - 2)}", {}))
            for order in ("asc", "desc"):
                asked.append((f"{path}/events?after={position}&order={order}&limit=3", {}))
        for order in ("asc", "desc"):
            asked += [(f"{path}/events?order={order}&limit={limit}", {}) for limit in (2, 1000)]
        for date in ("Tue, 01 Jan 2002 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"):
            asked.append((path, {"accept-datetime": date}))
        if versions:
            dates = {"accept-datetime": _date_of(listed.text)}
            asked.append((path, dates))
        asked.append((f"{path}/versions/{len(versions) + 1}", {}))
    return asked


def _date_of(time_map: str) -> str:
    return event_date(json.loads(time_map)["versions"][0]["event"]).decode()


async def of_the_feed(client: httpx.AsyncClient, bound: dict[str, str]) -> list[Asked]:
    """What is asked of all: in three forms, from any cursor, with every filter, by either token."""
    whole = {"authorization": client.headers["authorization"]}
    events = (await client.get("/events?limit=1000", headers={"accept": FORMS[0]})).json()
    while len(events) < 1000:
        more = await client.get(f"/events?limit=1000&after={events[-1]['id']}")
        if not more.json():
            break
        events += more.json()
    cursors = [None, *(each["id"] for each in events[:: max(1, len(events) // 4)])]
    filters = (
        "", "type=ItemDeleted", "type=ItemCreated&item=small", "item=a/b", "source=/orders",
        "source=/notes,/orders&item=gone", f"since={events[len(events) // 2]['time']}",
    )  # fmt: skip
    asked: list[Asked] = []
    for who in (whole, bound):
        for after in cursors:
            start = f"after={after}&" if after else ""
            for each in filters:
                if who is bound and "orders" in each:
                    continue
                asked += [
                    (f"/events?{start}limit={limit}&{each}".rstrip("&"), who) for limit in (3, 1000)
                ]
                asked.append((f"/events?{start}{each}".rstrip("&?"), {"accept": FORMS[1]} | who))
            if after != events[-1]["id"]:
                live = {"accept": FORMS[2]} | who
                asked.append((f"/events?{start}".rstrip("&?"), live))
                if after:
                    asked.append(("/events?after=0-0", live | {"last-event-id": after}))
                asked.append((f"/events?{start}wait=5&limit=2", who))
    return asked


@pytest.mark.parametrize("redis", ["valkey", "redis"], indirect=True)
async def test_every_read_answers_the_same_bytes(served: Served) -> None:
    """One item's and the feed's, in every form, from any cursor, for any token."""
    await write(served.client, 0)
    asked = [*await of_items(served.client), *await of_the_feed(served.client, served.bound)]
    before = [await served.answer(each) for each in asked]
    log = (await served.client.get("/projections")).json()["log"]
    await served.archive(3)
    assert (await served.client.get("/projections")).json()["log"] == log
    lengths = [await served.redis.xlen(f"{name}:events") for name in NAMES]
    assert sum(lengths) <= 3 + len(NAMES)
    for each, wanted in zip(asked, before, strict=True):
        found = await served.answer(each)
        assert found == wanted, each
    tagged = [(each, wanted[1]["etag"]) for each, wanted in zip(asked, before, strict=True)
              if wanted[0] == 200 and "etag" in wanted[1]]  # fmt: skip
    for (path, headers), tag in tagged[::7]:
        answer = await served.answer((path, headers | {"if-none-match": tag}))
        assert answer[0] == 304, path


@pytest.mark.parametrize("redis", ["fakeredis", "valkey"], indirect=True)
async def test_pages_of_large_bodies_are_the_same_pages(served: Served) -> None:
    """They end at eight mebibytes, in the middle of a step and at the border."""
    await write(served.client, 12)
    asked: list[Asked] = [
        (path, {})
        for path in (
            "/events?limit=1000", "/events?item=large", "/events?type=ItemUpdated&limit=1000",
            "/notes/large/events", "/notes/large/events?order=desc", "/notes/large/versions",
            "/notes/large/versions/3", "/notes/large/versions/3/diff",
        )
    ]  # fmt: skip
    asked.append(("/events", {"accept": FORMS[1]}))
    before = [await served.answer(each) for each in asked]
    assert sum("next" in httpx.Response(200, headers=each[1]).links for each in before) >= 4
    for leaving in (9, 3):
        await served.archive(leaving)
        for each, wanted in zip(asked, before, strict=True):
            assert await served.answer(each) == wanted, each


async def test_writes_that_need_the_past_are_answered_as_before(served: Served) -> None:
    """The first answer to a key, of a write and of a batch; a revert to what is archived."""
    await write(served.client, 0)
    client, body = served.client, {"content-type": "application/json"}

    async def replays() -> list[Answer]:
        sent = [
            await client.put(
                f"/{name}/small",
                content=BODIES[number],
                headers=body | {"idempotency-key": f"{name}-small-{number}"},
            )
            for name in NAMES
            for number in (0, 3)
        ]
        requests = [
            {"method": "PUT", "path": "/orders/gone", "body": {"round": 2}},
            {"method": "PATCH", "path": "/notes/a%2Fb", "body": {"together": [2]},
             "headers": {"content-type": "application/merge-patch+json"}},
            {"method": "DELETE", "path": "/orders/gone"},
        ]  # fmt: skip
        key = {"idempotency-key": "batch-2"}
        sent.append(await client.post("/batch", json={"requests": requests}, headers=key))
        assert all(each.headers.get("idempotency-replayed") == "true" for each in sent)
        return [(each.status_code, dict(each.headers), each.content) for each in sent]

    before = await replays()
    await served.archive(1)
    assert await replays() == before

    for name, number in (("notes", 2), ("orders", 1)):
        version = await client.get(f"/{name}/small/versions/{number}")
        reverted = await client.post(f"/{name}/small/revert", json={"version": number})
        assert reverted.status_code in (200, 201)
        assert (await client.get(f"/{name}/small")).content == version.content
    history = (await client.get("/notes/small/events?limit=1000")).json()
    assert [each["itemversion"] for each in history] == [*range(1, len(history) + 1)]


async def test_an_old_version_is_unavailable_while_its_archive_is(served: Served) -> None:
    """503 in words, with the time to try again; the present, and writes, go on."""
    await write(served.client, 0)
    await served.archive(3)
    client = served.client
    lost = create_app(Settings(archive="off"), redis=served.redis, collections=dict.fromkeys(NAMES))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=lost), base_url="http://store", headers=client.headers
    ) as blind:
        for path in ("/notes/small/versions/1", "/notes/small/events", "/events",
                     "/notes/small/versions", "/notes/small/versions/2/diff"):  # fmt: skip
            answer = await blind.get(path)
            assert (answer.status_code, answer.json()["type"]) == (
                503, "/problems/archive-unavailable"
            )  # fmt: skip
            assert answer.headers["retry-after"] == "60"
        lines = await blind.get("/events", headers={"accept": FORMS[1]})
        assert (lines.status_code, lines.headers["retry-after"]) == (503, "60")
        assert (await blind.get("/notes/a%2Fb")).status_code == 200
        assert (await blind.get("/notes")).status_code == 200
        assert (await blind.put("/notes/small", json={})).status_code == 201
        assert (await blind.get("/readyz")).status_code == 200


async def test_a_live_stream_that_comes_to_what_is_damaged_says_so_and_ends(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that is cut off for being too slow does."""
    await write(served.client, 0)
    await served.archive(2)

    async def damaged(*_: Any) -> Any:
        message = "The archive's segments/a.zst is damaged: it was cut\n."
        raise PastDamaged(message)

    monkeypatch.setattr(ArchivedPast, "part_after", damaged)
    headers = {"accept": "text/event-stream"}
    async with asyncio.timeout(PATIENCE):
        got = await served.client.get("/events?after=0-0", headers=headers)
    assert got.status_code == 200
    assert got.text.endswith(
        ": what comes next can't be read: The archive's segments/a.zst is damaged: it was cut .\n"
    )


async def test_what_is_read_from_the_archive_is_in_the_trace_of_the_request(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the files that it took."""
    for number in range(3):
        await served.client.put("/notes/small", json={"n": number})
    await served.archive(leaving=0)
    recorded = recording(monkeypatch)

    answer = await served.client.get("/notes/small/versions/1")

    assert answer.json() == {"n": 0}
    files = recorded.named("read archive file")
    assert files
    assert {each.attributes is not None and "itemstore.file" in each.attributes for each in files}
    assert recorded.named("read archive")
    assert "GET /notes/{id}/versions/{n}" in recorded.names
