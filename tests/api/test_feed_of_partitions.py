"""The feed of a store with several partitions: merged, and resumed at any event."""

from __future__ import annotations

import asyncio
import json
from random import Random

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.domain.cursors import cursor_at, positions_of
from itemstore.domain.positions import LARGEST, key_of
from tests.api.conftest import SEVERAL, problem
from tests.api.history import walked

pytestmark = pytest.mark.partitions(SEVERAL)

LINES = {"accept": "application/jsonl"}


def time_of(event: dict[str, str]) -> tuple[tuple[int, int], int]:
    """What events are in order of: their position, then their partition."""
    position, _, partition = event["id"].partition("@")
    return key_of(position), int(partition)


@pytest.fixture
async def busy(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A store with 60 events of items in all partitions."""
    random = Random(1)
    for number in range(60):
        item = f"/items/i{random.randrange(12)}"
        answer = await client.put(item, json={"size": number})
        assert answer.headers["event-id"].partition("@")[2] in {"0", "1", "2", "3"}
    return client


async def cursors(client: httpx.AsyncClient) -> list[str]:
    """The cursor after each event, in the order of the pages."""
    found, url = list[str](), "/events?limit=1"
    while True:
        answer = await client.get(url)
        if "next" not in answer.links:
            return found
        url = answer.links["next"]["url"]
        found.append(str(httpx.URL(url).params["after"]))


async def test_pages_and_lines_are_in_order_of_time(busy: httpx.AsyncClient) -> None:
    """Of all partitions, whatever fits on a page; and each item's events by their versions."""
    lines = [json.loads(line) for line in (await busy.get("/events", headers=LINES)).text.split()]
    assert lines == sorted(lines, key=time_of)
    assert {event["id"].partition("@")[2] for event in lines} == {"0", "1", "2", "3"}
    assert len(lines) == 60
    for limit in (1, 2, 7, 59, 60, 1000):
        assert await walked(busy, f"/events?limit={limit}") == lines
    for number in range(12):
        versions = [each["itemversion"] for each in lines if each["subject"] == f"i{number}"]
        assert versions == [*range(1, len(versions) + 1)]


async def test_a_feed_goes_on_after_any_event(busy: httpx.AsyncClient) -> None:
    """By the cursor of a page, in whichever form: what was not there yet comes, once."""
    lines = await walked(busy, "/events?limit=1000")
    for place, cursor in enumerate(await cursors(busy), 1):
        assert await walked(busy, f"/events?after={cursor}") == lines[place:]
        rest = await busy.get(f"/events?after={cursor}", headers=LINES)
        assert [json.loads(line) for line in rest.text.splitlines()] == lines[place:]


async def test_after_takes_the_last_ids_that_one_has(busy: httpx.AsyncClient) -> None:
    """Of each partition one, in any order; those that are not named begin at their start."""
    lines = await walked(busy, "/events?limit=1000")
    last = {each["id"].partition("@")[2]: each["id"] for each in lines[:40]}
    assert len(last) == SEVERAL
    after = ",".join(reversed(last.values()))
    assert await walked(busy, f"/events?after={after}") == lines[40:]
    only = await walked(busy, f"/events?after={last['2']}")
    assert only == [
        each for place, each in enumerate(lines) if place >= 40 or not each["id"].endswith("@2")
    ]


async def test_a_position_is_a_time_in_all_partitions(busy: httpx.AsyncClient) -> None:
    """As far as each has come: it is ahead of the log only where it is ahead of all of them."""
    lines = await walked(busy, "/events?limit=1000")
    position, _, _ = lines[-1]["id"].partition("@")
    assert await walked(busy, f"/events?after={position}") == []
    earlier, _, _ = lines[29]["id"].partition("@")
    assert await walked(busy, f"/events?after={earlier}") == [
        each for each in lines if time_of(each)[0] > key_of(earlier)
    ]
    made = await busy.put("/items/new", json={})
    assert [each["id"] for each in await walked(busy, f"/events?after={position}")] == [
        made.headers["event-id"]
    ]
    answer = await busy.get("/events?after=99999999999999-0")
    refused = problem(answer, 409, "other-log")
    assert refused["log"] == (await busy.get("/events")).headers["log-id"]
    assert await walked(busy, f"/events?after={refused['end']}") == []


async def test_a_cursor_that_is_ahead_in_one_partition_is_of_another_log(
    busy: httpx.AsyncClient,
) -> None:
    """409, with the cursor of the end; it is said in which partition."""
    *_, last, _ = await cursors(busy)
    made = await busy.put("/items/i3", json={})
    end = (await busy.get("/events?after=99999999999999-0")).json()["end"]
    positions = positions_of(end, SEVERAL)
    number = int(made.headers["event-id"].partition("@")[2])
    there = positions[number]
    milliseconds, _ = key_of(there)
    positions[number] = f"{milliseconds + 1}-0"
    answer = await busy.get("/events", params={"after": cursor_at(positions)})
    refused = problem(answer, 409, "other-log")
    assert refused["end"] == end
    assert f"In partition {number} the cursor is at {milliseconds + 1}-0" in refused["detail"]
    assert refused["detail"].endswith(f"ends there at {there}.")
    assert len(await walked(busy, f"/events?after={last}")) == 2


@pytest.mark.parametrize(
    "after", ["", "x", "v", "v!", "vAAAA", "1", "1-1@4", "1-1@", "1-1@1,", "1-1,2-2", "1-1@01"]
)
@pytest.mark.parametrize("accept", ["*/*", "application/jsonl", "text/event-stream"])
async def test_what_is_no_cursor_is_refused(
    client: httpx.AsyncClient, after: str, accept: str
) -> None:
    """400, with a sentence that says what is one; so is a cursor of fewer or more partitions."""
    await client.put("/items/foo", json={})
    for text in (after, cursor_at(["5-0", "6-0", "7-0"]), cursor_at(["5-0"] * 4 + ["6-0"])):
        answer = await client.get("/events", params={"after": text}, headers={"accept": accept})
        said = problem(answer, 400, "malformed-cursor")["detail"]
        assert "<milliseconds>-<number>" in said
        assert "Link" in said


async def test_a_time_begins_in_all_partitions(busy: httpx.AsyncClient) -> None:
    """And whoever begins at one goes on by the cursors of what comes then."""
    lines = await walked(busy, "/events?limit=1000")
    since = lines[30]["time"]
    wanted = [each for each in lines if each["time"] >= since]
    assert await walked(busy, f"/events?since={since}&limit=3") == wanted
    after = (await busy.get(f"/events?since={since}&limit=1")).links["next"]["url"]
    assert await walked(busy, after) == wanted[1:]
    ahead = "9999-01-01T00:00:00Z"
    assert await walked(busy, f"/events?since={ahead}") == []


async def test_a_history_goes_on_after_the_ids_of_its_events(busy: httpx.AsyncClient) -> None:
    """In both directions. An id of another partition is none of the item's."""
    history = (await busy.get("/items/i3/events?limit=1000")).json()
    assert await walked(busy, "/items/i3/events?limit=1") == history
    assert await walked(busy, "/items/i3/events?limit=2&order=desc") == history[::-1]
    position, _, number = history[1]["id"].partition("@")
    for after in (history[1]["id"], position):
        assert await walked(busy, f"/items/i3/events?after={after}") == history[2:]
    other = f"{position}@{(int(number) + 1) % SEVERAL}"
    answer = await busy.get(f"/items/i3/events?after={other}")
    assert f"@{number}" in problem(answer, 400, "malformed-cursor")["detail"]
    versions = (await busy.get("/items/i3/versions", headers={"accept": "application/json"})).json()
    assert [each["event"] for each in versions["versions"]] == [each["id"] for each in history]


async def test_a_page_has_another_tag_after_an_event_in_any_partition(
    busy: httpx.AsyncClient,
) -> None:
    """And the same until then."""
    seen = set()
    for number in range(12):
        tag = (await busy.get("/events")).headers["etag"]
        answer = await busy.get("/events", headers={"if-none-match": tag})
        assert (answer.status_code, tag in seen) == (304, False)
        seen.add(tag)
        await busy.put(f"/items/i{number}", json={})


async def test_what_a_partition_lost_is_gone(
    busy: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """410 for those who had read before it, and for nobody who had not begun or had it."""
    first, *_, last, _ = await cursors(busy)
    lines = await walked(busy, "/events?limit=1000")
    number = lines[0]["id"].partition("@")[2]
    await redis.xtrim(f"{{{number}}}:items:events", maxlen=1, approximate=False)
    problem(await busy.get(f"/events?after={first}"), 410, "gone")
    assert len(await walked(busy, f"/events?after={last}")) == 1
    others = [each for each in lines if each["id"].partition("@")[2] != number]
    assert len(await walked(busy, "/events")) == len(others) + 1


@pytest.mark.partitions(64)
async def test_a_cursor_of_64_partitions_is_below_2_kb(client: httpx.AsyncClient) -> None:
    """Also where it is as long as can be, as `after`."""
    for number in range(200):
        await client.put(f"/items/{number}", json={})
    after = (await client.get("/events?limit=150")).links["next"]["url"]
    assert len(httpx.URL(after).params["after"]) < 700
    assert len(await walked(client, after)) == 50
    longest = cursor_at([f"{number % 2 * LARGEST}-{LARGEST}" for number in range(64)])
    assert 1000 < len(longest) < 2048
    answer = await client.get("/events", params={"after": longest})
    assert len(answer.json()) > 0


async def follow(client: httpx.AsyncClient, random: Random, seen: list[str]) -> None:
    """Reads on from where a page ended, for ever; now and then it forgets what it just got."""
    after = "0-0"
    while True:
        wait = random.choice([0, 0.05])
        answer = await client.get(
            "/events", params={"after": after, "limit": random.choice([1, 3, 50]), "wait": wait}
        )
        if random.random() < 0.8:
            seen += [each["id"] for each in answer.json()]
            after = answer.headers["position"]
        await asyncio.sleep(0)


async def test_feeds_that_are_cut_anywhere_while_many_write_have_every_event_once(
    client: httpx.AsyncClient,
) -> None:
    """By pages, and by waiting for what comes, from the position of the page before."""

    async def write(seed: int) -> None:
        random = Random(seed)
        for _ in range(40):
            await client.put(f"/items/i{random.randrange(12)}", json={"size": seed})

    feeds: list[list[str]] = [[] for _ in range(6)]
    following = [
        asyncio.create_task(follow(client, Random(number), seen))
        for number, seen in enumerate(feeds)
    ]
    await asyncio.gather(*map(write, range(4)))
    wanted = [each["id"] for each in await walked(client, "/events")]
    async with asyncio.timeout(30):
        while any(len(seen) < len(wanted) for seen in feeds):
            assert not any(task.done() for task in following), following
            await asyncio.sleep(0.01)
    for task in following:
        task.cancel()
    await asyncio.gather(*following, return_exceptions=True)
    for seen in feeds:
        assert sorted(seen) == sorted(wanted)
        for number in range(SEVERAL):
            of_one = [each for each in seen if each.endswith(f"@{number}")]
            assert of_one == [each for each in wanted if each.endswith(f"@{number}")]
