"""On a real server, with connections that break where it hurts."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from itemstore.client import (
    AsyncClient,
    Client,
    ConnectionFailed,
    Forbidden,
    OtherLog,
    Retries,
    Unauthorized,
)
from tests.client.cutting import cutting
from tests.server.conftest import Serve, Server, serving

QUICK = Retries(first_wait=0.01, longest_wait=0.1)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts servers of the test's own."""
    with serving(tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the tests that leave it as it is."""
    with serving(tmp_path_factory.mktemp("store")) as serve:
        yield serve()


def test_a_write_that_never_arrived_is_made_once(server: Server) -> None:
    """The connections broke off before the server had it."""
    with cutting(server.url) as proxy, Client(proxy.url, retries=QUICK) as client:
        proxy.before = 2
        written = client.put("before", {"size": 1}, if_absent=True)
        assert (proxy.lost, written.created, written.replayed, written.version) == (
            2,
            True,
            False,
            1,
        )


def test_a_write_whose_answer_was_lost_is_made_once(server: Server) -> None:
    """The condition would fail now, and the answer is that of the first time all the same."""
    with cutting(server.url) as proxy, Client(proxy.url, retries=QUICK) as client:
        proxy.after = 2
        written = client.put("after", {"size": 1}, if_absent=True)
        assert (proxy.lost, written.created, written.replayed) == (2, True, True)
        assert [each.id for each in client.history("after")] == [written.event]


async def test_so_it_is_in_coroutines(server: Server) -> None:
    """Before and after, and a POST and a DELETE."""
    with cutting(server.url) as proxy:
        async with AsyncClient(proxy.url, retries=QUICK) as client:
            proxy.before, proxy.after = 1, 1
            created = await client.create({"size": 1})
            assert (proxy.lost, created.replayed) == (2, True)
    with cutting(server.url) as proxy:
        async with AsyncClient(proxy.url, retries=QUICK) as client:
            proxy.after = 1
            assert (await client.delete(created.id)).replayed
            assert [each.version async for each in client.versions(created.id)] == [1, 2]


def test_what_never_connects_is_one_exception() -> None:
    """With httpx's own as its cause, and the key of the write."""
    retries = Retries(attempts=2, first_wait=0.01)
    with Client("http://127.0.0.1:1", retries=retries) as client:
        with pytest.raises(ConnectionFailed) as failure:
            client.put("fox", {})
        assert failure.value.idempotency_key
        assert failure.value.__cause__ is not None
        with pytest.raises(ConnectionFailed):
            next(client.follow(give_up_after=0.05))


def test_updates_of_one_counter_by_many_add_up(server: Server) -> None:
    """In threads and in tasks, with answers that are lost meanwhile."""
    writers, times = 6, 5

    def count(body: dict[str, int]) -> dict[str, int]:
        return {"size": body["size"] + 1}

    def work(url: str) -> None:
        with Client(url, retries=QUICK) as client:
            for _ in range(times):
                client.update("counter", count, initial={"size": 0})

    with cutting(server.url) as proxy, Client(server.url) as client:
        proxy.after = 3
        with ThreadPoolExecutor(writers) as pool:
            list(pool.map(work, [proxy.url] * writers))
        assert client.get("counter").item["size"] == writers * times
        assert client.get("counter").version == writers * times
        assert proxy.lost == 3


async def test_a_feed_that_is_cut_in_the_middle_of_events_is_whole(server: Server) -> None:
    """Each event once and in order, wherever the bytes end."""
    with cutting(server.url) as proxy:
        async with (
            AsyncClient(server.url) as writer,
            AsyncClient(proxy.url, retries=QUICK) as follower,
        ):
            made = [(await writer.put("feed", {"size": n})).event for n in range(30)]
            proxy.bytes_each = [700, 1100, 2700]
            came = []
            async with aclosing(follower.follow(item_id="feed")) as feed:
                async for event in feed:
                    came.append(event)
                    if len(came) == len(made):
                        break
    assert [each.id for each in came] == made
    assert proxy.lost == 3
    with Client(server.url) as client, closing(client.follow(after=came[9].position)) as feed:
        assert next(feed).position == came[10].position


def test_a_feed_goes_on_after_the_server_was_killed(serve: Serve) -> None:
    """At another process on the same port, with what was written meanwhile."""
    first = serve()
    port = str(urlsplit(first.url).port)
    came: list[str] = []
    enough = threading.Event()

    def follow() -> None:
        with Client(first.url, retries=QUICK) as client:
            for event in client.follow():
                came.append(event.id)
                if event.subject == "end":
                    enough.set()
                    return

    thread = threading.Thread(target=follow, daemon=True)
    with Client(first.url) as client:
        made = [client.put("fox", {"size": n}).event for n in range(3)]
        thread.start()
        made.append(client.put("fox", {"size": 3}).event)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(15)
        again = serve("--port", port)
        assert again.url == first.url
        made += [client.put("fox", {"size": n}).event for n in range(3)]
        made.append(client.put("end", {}).event)
    assert enough.wait(20)
    assert came == made


@pytest.mark.parametrize("partitions", ["4"])
def test_a_feed_of_several_partitions_goes_on_by_its_cursor(serve: Serve, partitions: str) -> None:
    """Cut in the middle: every event once, each item's in order."""
    server = serve("--partitions", partitions)
    with cutting(server.url) as proxy, Client(proxy.url, retries=QUICK) as client:
        made = {client.put(str(n % 10), {"size": n}).event for n in range(40)}
        proxy.bytes_each = [2000, 3000]
        with closing(client.follow()) as feed:
            came = [next(feed) for _ in made]
        with closing(client.follow(after=came[19].position, log=came[19].log)) as feed:
            again = [next(feed) for _ in came[20:]]
        pages = list(client.events())
    assert proxy.lost == 2
    assert {each.id for each in came} == made
    assert {each.id for each in again} == {each.id for each in came[20:]}
    for item in range(10):
        assert [each.version for each in came if each.subject == str(item)] == [1, 2, 3, 4]
    assert {each.id for each in pages} == made
    assert pages[0].position is None
    assert (pages[-1].position or "").startswith("v")


def test_a_store_behind_a_unix_socket_is_reached(serve: Serve, tmp_path: Path) -> None:
    """And its feed."""
    path = tmp_path / "http.sock"
    serve("--uds", str(path))
    with Client("http://localhost", uds=path) as client:
        event = client.put("fox", {}).event
        with closing(client.follow()) as feed:
            assert next(feed).id == event


def test_a_position_of_another_log_is_said(server: Server) -> None:
    """With the log that there is, and its end; the position is from ahead of it."""
    with Client(server.url) as client:
        end = client.put("fox", {}).event
        with pytest.raises(OtherLog) as failure:
            next(client.follow(after="9999999999999-0"))
        assert (failure.value.end, bool(failure.value.log)) == (end, True)


async def test_silence_is_a_break(server: Server) -> None:
    """A stream that says nothing for as long is asked for again, until it gives up."""
    async with AsyncClient(server.url) as client:
        end = (await client.put("quiet", {})).event
        with pytest.raises(ConnectionFailed):
            await anext(client.follow(after=end, item_id="quiet", idle=0.1, give_up_after=0.2))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(client.follow(after=end, item_id="quiet")), 0.2)


async def test_the_feed_of_several_collections_is_followed(serve: Serve) -> None:
    """Of those that are named, or of all, with the collection that each event is of."""
    server = serve("--collections", "users,orders,parts")
    with Client(server.url, collection="users") as users:
        users.put("ann", {"name": "Ann"})
        users.collection("orders").put("1", {"size": 2})
        users.collection("parts").put("bolt", {})
        with closing(users.follow_all()) as feed:
            assert [next(feed).source for _ in range(3)] == ["/users", "/orders", "/parts"]
    async with (
        AsyncClient(server.url) as client,
        aclosing(client.follow_all(["parts", "users"])) as feed,
    ):
        assert [(await anext(feed)).subject for _ in range(2)] == ["ann", "bolt"]


def test_a_token_says_what_its_bearer_may(serve: Serve, tmp_path: Path) -> None:
    """Read from a file; without one, or with too small a role, there is an exception."""
    made = [sys.executable, "-m", "itemstore", "token", "create", "reader", "--role", "reader"]
    where = ["--data-dir", str(tmp_path / "data")]
    token = subprocess.run([*made, *where], check=True, capture_output=True, text=True).stdout
    server = serve()
    with Client(server.url) as nobody, pytest.raises(Unauthorized):
        nobody.find("fox")
    secret = tmp_path / "secret"
    secret.write_text(token)
    with Client(server.url, token=secret) as reader:
        assert reader.find("fox") is None
        with pytest.raises(Forbidden):
            reader.put("fox", {})
