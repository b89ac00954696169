"""Servers that are killed while events are handled: no sum is wrong, and no event is left out."""

from __future__ import annotations

import itertools
import random
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.conftest import Start, wait_until
from tests.own.receiver import Post, Receiver, receiving
from tests.server.conftest import Serve, Server, serving

SHOP = """
import json, os
from itemstore import SqlHandlerProjection, WebhookProjection

def add(connection, recorded):
    order = json.loads(recorded.event.body)
    connection.execute(
        "INSERT INTO sums VALUES (?, ?, 1) ON CONFLICT (item) DO UPDATE"
        " SET total = total + excluded.total, events = events + 1",
        (recorded.item, order["n"]),
    )

SUMS = SqlHandlerProjection(
    "sums", add,
    {"sums": "CREATE TABLE sums (item TEXT PRIMARY KEY, total INTEGER, events INTEGER)"},
    url_from="SUMS_URL",
)
HOOK = WebhookProjection("hook", os.environ["HOOK_URL"], begin="start", give_up_after=None)
"""

ITEMS = "abcdef"

MOST = 100
"""Events that are written before each kill."""


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts servers on free ports, and stops them at the end of the test."""
    with serving(tmp_path) as start:
        yield start


def moody(post: Post) -> tuple[int, Mapping[str, str]]:
    """The answer of a receiver that fails now and then."""
    return (503 if random.random() < 0.03 else 204), {}


@pytest.mark.parametrize("partitions", ["1", "4"])
def test_killed_servers_leave_exact_sums_and_post_each_event_in_the_order_of_its_item(
    serve: Serve, start: Start, tmp_path: Path, partitions: str
) -> None:
    """A post may come again; with the id that it had, and after nothing that came later."""
    (tmp_path / "shop.py").write_text(SHOP)
    engine = start("valkey").url
    sums = tmp_path / "sums.db"
    sent: list[tuple[str, str, int]] = []

    def begun(receiver: Receiver) -> Server:
        return serve(
            *("--redis-url", engine, "--model", "any", "--partitions", partitions),
            *("--projections", "shop:SUMS,shop:HOOK"),
            PYTHONPATH=str(tmp_path),
            SUMS_URL=f"sqlite:///{sums}",
            HOOK_URL=receiver.url,
        )

    with receiving() as receiver:
        receiver.answer = moody
        numbers = itertools.count(1)
        for _ in range(2):
            server = begun(receiver)
            killer = threading.Timer(0.4 + random.random(), server.process.kill)
            killer.start()
            with httpx.Client(base_url=server.url, timeout=10) as client:
                for number in itertools.islice(numbers, MOST):
                    item = random.choice(ITEMS)
                    try:
                        answer = client.put(f"/items/{item}", json={"n": number})
                    except httpx.HTTPError:
                        break
                    sent.append((item, answer.headers["event-id"], number))
            killer.join()
            server.process.wait(timeout=10)
        server = begun(receiver)
        wait_until(lambda: _is_at_the_end(server))
        listed = httpx.get(f"{server.url}/events?limit=1000", timeout=20).json()
        server.stop()

    events = {(each["subject"], each["id"]): each["data"]["n"] for each in listed}
    assert events.items() >= {((item, id_), number) for item, id_, number in sent}
    with closing(sqlite3.connect(sums)) as file:
        found = {item: (total, count) for item, total, count in file.execute("SELECT * FROM sums")}
    for item in ITEMS:
        own = [number for (name, _), number in events.items() if name == item]
        if own:
            assert found[item] == (sum(own), len(own))
    first_taken = dict.fromkeys((each.item, each.id) for each in receiver.taken)
    assert {*first_taken} == {*events}
    for item in ITEMS:
        versions = [each.event["itemversion"] for each in receiver.taken if each.item == item]
        assert list(dict.fromkeys(versions)) == sorted({*versions})
    again = len(receiver.taken) - len(events)
    assert again <= 2 * int(partitions)  # the one that was being handled at each kill


def _is_at_the_end(server: Server) -> bool:
    answer = httpx.get(f"{server.url}/projections", timeout=20).json()
    return all(each["lag"] == 0 for each in answer["projections"])
