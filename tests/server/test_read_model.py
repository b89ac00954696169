"""What queries are answered from follows the log beside a server, and ends with it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest
from redis import Redis

from itemstore.api.app import create_app
from itemstore.archive.archive import Archive
from itemstore.archive.object_store import object_store_of
from itemstore.domain.commands import PutItem
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.log import EventLog
from itemstore.eventlog.partition import Partition
from itemstore.projections import stand_in
from itemstore.store.settings import Settings
from tests.archive.trimmed import leave
from tests.conftest import PATIENCE, ServerOf, emptied, wait_until
from tests.server.conftest import Serve, Server

FILE = "queries.sqlite"


def put(server: Server, item: str, body: object, collection: str = "items") -> None:
    """Puts an item."""
    answer = httpx.put(f"{server.url}/{collection}/{item}", json=body, timeout=30)
    assert answer.status_code in (200, 201)


def found(path: Path, collection: str = "items") -> dict[str, str]:
    """The items in a file, as `sqlite3 -readonly` shows them; none where there is no such table."""
    with suppress(sqlite3.OperationalError), closing(opened(path)) as file:
        return dict(file.execute(f'SELECT id, body FROM "{collection}"'))  # noqa: S608
    return {}


def opened(path: Path) -> sqlite3.Connection:
    """The file, for reading."""
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def follower_of(server: Server) -> list[int]:
    """The processes that follow for a server, whichever of its processes has started them."""
    parents = {}
    following = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            parents[int(process.name)] = int(
                (process / "stat").read_text().rpartition(")")[2].split()[1]
            )
            if b"following_process" in (process / "cmdline").read_bytes():
                following.append(int(process.name))
    return [pid for pid in following if _is_of(pid, server.process.pid, parents)]


def _is_of(pid: int, ancestor: int, parents: Mapping[int, int]) -> bool:
    while pid in parents:
        if pid == ancestor:
            return True
        pid = parents[pid]
    return False


def is_gone(pid: int) -> bool:
    """Whether a process has ended."""
    return not Path(f"/proc/{pid}").exists()


@pytest.fixture
def engines(server_of: ServerOf) -> Callable[[str], str]:
    """The URL of an engine with nothing in it."""

    def url(name: str) -> str:
        server = server_of(name)
        with Redis(unix_socket_path=str(server.socket)) as client:
            client.flushall()
        return server.url

    return url


def test_it_is_a_file_in_the_data_directory(serve: Serve, tmp_path: Path) -> None:
    """What people read with sqlite3: a table for each collection."""
    path = tmp_path / "data" / FILE
    options = ("--collections", "products=any,orders=any", "--indexes", "products=price")
    server = serve(*options, queries=True)
    put(server, "a", {"price": 3}, "products")
    put(server, "b", {"n": 1}, "orders")
    wait_until(lambda: found(path, "products") == {"a": '{"price":3}'})
    wait_until(lambda: found(path, "orders") == {"b": '{"n":1}'})
    server.stop()
    assert not path.with_name(FILE + "-wal").exists()
    server = serve("--collections", "orders=any", queries=True)  # products is not named any more
    put(server, "b", {"n": 2}, "orders")
    wait_until(lambda: found(path, "orders") == {"b": '{"n":2}'})
    assert found(path, "products") == {"a": '{"price":3}'}


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_who_follows_ends_with_the_server(serve: Serve, end: signal.Signals) -> None:
    """However that ends."""
    server = serve("--model", "any", queries=True)
    wait_until(lambda: follower_of(server))
    [pid] = follower_of(server)
    server.stop(end)
    wait_until(lambda: is_gone(pid), 10)


def test_who_follows_is_started_again(serve: Serve, tmp_path: Path) -> None:
    """When it is killed."""
    server = serve("--model", "any", queries=True)
    wait_until(lambda: follower_of(server))
    [pid] = follower_of(server)
    os.kill(pid, signal.SIGKILL)
    put(server, "a", {})
    wait_until(lambda: found(tmp_path / "data" / FILE) == {"a": "{}"})
    assert follower_of(server) != [pid]


def test_the_statistics_are_followed_beside_the_server_too(serve: Serve) -> None:
    """By the same process, and by nobody else while that stands still for a moment."""
    server = serve("--model", "any", "--workers", "2", queries=True)

    def counted() -> int:
        events: int = httpx.get(f"{server.url}/stats", timeout=30).json()["events"]
        return events

    put(server, "a", {})
    wait_until(lambda: counted() == 1)
    [pid] = follower_of(server)
    os.kill(pid, signal.SIGSTOP)
    try:
        put(server, "b", {})
        time.sleep(1)
        assert counted() == 1
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: counted() == 2)


async def test_the_statistics_are_followed_where_no_process_can_do_so_beside(
    server_of: ServerOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no place for its file: the application counts by itself, after a while."""
    monkeypatch.setattr(stand_in, "START", 0.1)
    (tmp_path / "file").write_text("")
    engine = server_of("valkey")
    async with emptied(engine):
        settings = Settings(redis_url=engine.url, model="any", data_dir=tmp_path / "file" / "data")
        app = create_app(settings)
        transport = httpx.ASGITransport(app=app)
        async with app.lifespan(), httpx.AsyncClient(transport=transport) as client:
            url = "http://localhost"
            await client.put(f"{url}/items/a", json={})
            async with asyncio.timeout(PATIENCE):
                while (await client.get(f"{url}/stats")).json()["events"] != 1:
                    await asyncio.sleep(0.05)


def test_of_several_processes_one_follows(serve: Serve, tmp_path: Path) -> None:
    """And where it ends, another one does."""
    server = serve("--model", "any", "--workers", "2", queries=True)
    wait_until(lambda: len(follower_of(server)) == 1)
    for number in range(5):
        put(server, f"item-{number}", {})
    wait_until(lambda: len(found(tmp_path / "data" / FILE)) == 5)
    assert len(follower_of(server)) == 1


@pytest.mark.parametrize("engine", ["valkey", "redis"])
def test_of_two_servers_of_one_directory_one_follows(
    serve: Serve, tmp_path: Path, engines: Callable[[str], str], engine: str
) -> None:
    """Where the engine is named by its URL. The directory is made."""
    directory = tmp_path / "made" / "here"
    options = ("--model", "any", "--redis-url", engines(engine))
    one, other = (serve(*options, data_dir=directory, queries=True) for _ in range(2))
    wait_until(lambda: follower_of(one) or follower_of(other))
    assert len(follower_of(one) + follower_of(other)) == 1
    put(one, "a", {})
    wait_until(lambda: found(directory / FILE) == {"a": "{}"})
    first, second = (one, other) if follower_of(one) else (other, one)
    first.stop(signal.SIGKILL)
    wait_until(lambda: follower_of(second))
    put(second, "b", {})
    wait_until(lambda: found(directory / FILE) == {"a": "{}", "b": "{}"})


def test_a_directory_where_nothing_can_be_made_stops_no_write(
    serve: Serve, tmp_path: Path, engines: Callable[[str], str]
) -> None:
    """The server goes on, and only queries are not answered."""
    (tmp_path / "file").write_text("")
    directory = tmp_path / "file" / "data"
    server = serve("--redis-url", engines("valkey"), data_dir=directory, queries=True)
    put(server, "a", {})
    assert httpx.get(f"{server.url}/items/a").status_code == 200

    def answer() -> httpx.Response:
        return httpx.get(f"{server.url}/items", params={"order": "name"}, timeout=30)

    wait_until(lambda: "Not a directory" in answer().json()["detail"])
    assert (answer().status_code, answer().json()["title"]) == (
        503,
        "Queries can't be answered now",
    )


def test_a_file_that_is_deleted_is_made_again(serve: Serve, tmp_path: Path) -> None:
    """While it is followed, and although nothing happens."""
    path = tmp_path / "data" / FILE
    server = serve("--model", "any", queries=True)
    put(server, "a", {})
    wait_until(lambda: found(path))
    path.unlink()
    wait_until(lambda: found(path) == {"a": "{}"})


def test_a_data_directory_that_is_moved_and_comes_back_is_followed_again(
    serve: Serve, tmp_path: Path
) -> None:
    """Nothing is made in its place meanwhile, where it would be in the way."""
    directory, path = tmp_path / "data", tmp_path / "data" / FILE
    # The archive is a place of its own, and is made where it is told to be.
    server = serve("--model", "any", "--archive", "off", queries=True)
    put(server, "a", {})
    wait_until(lambda: found(path) == {"a": "{}"})
    directory.rename(tmp_path / "moved")
    wait_until(lambda: follower_of(server) == [])
    time.sleep(1.5)  # longer than it waits until it tries to be the one again
    assert not directory.exists()
    (tmp_path / "moved").rename(directory)
    put(server, "b", {})
    wait_until(lambda: found(path) == {"a": "{}", "b": "{}"})


def test_another_store_s_file_is_not_shown(
    serve: Serve, tmp_path: Path, engines: Callable[[str], str]
) -> None:
    """Where two stores were given one directory: the first one has the file."""
    first = serve("--model", "any", queries=True)
    put(first, "a", {})
    wait_until(lambda: found(tmp_path / "data" / FILE) == {"a": "{}"})
    second = serve("--model", "any", "--redis-url", engines("redis"), queries=True)
    put(second, "b", {})
    answer = httpx.get(f"{second.url}/items", params={"order": "n"}, timeout=30)
    assert answer.status_code == 503
    assert "is another store's" in answer.json()["detail"]
    first.stop()
    wait_until(lambda: found(tmp_path / "data" / FILE) == {"b": "{}"})
    answer = httpx.get(f"{second.url}/items", params={"order": "n"}, timeout=30)
    assert [each["id"] for each in answer.json()["items"]] == ["b"]


def test_an_older_copy_is_brought_up_to_the_log(serve: Serve, tmp_path: Path) -> None:
    """After a kill, with what that has left beside it."""
    path = tmp_path / "data" / FILE
    server = serve("--model", "any", queries=True)
    for number in range(3):
        put(server, f"item-{number}", {"n": 1})
    wait_until(lambda: len(found(path)) == 3)
    server.stop()
    shutil.copyfile(path, tmp_path / "older")
    server = serve("--model", "any", queries=True)
    for number in range(3):
        put(server, f"item-{number}", {"n": 2})
    wait_until(lambda: set(found(path).values()) == {'{"n":2}'})
    [pid] = follower_of(server)
    server.stop(signal.SIGKILL)
    wait_until(lambda: is_gone(pid))
    shutil.copyfile(tmp_path / "older", path)
    server = serve("--model", "any", queries=True)
    put(server, "item-3", {"n": 2})
    everything = {f"item-{number}": '{"n":2}' for number in range(4)}
    wait_until(lambda: found(path) == everything)


@pytest.mark.parametrize("engine", ["valkey", "redis"])
async def test_what_the_archive_alone_has_is_followed_too(
    serve: Serve, server_of: ServerOf, tmp_path: Path, engine: str
) -> None:
    """From the first event on."""
    place, path = tmp_path / "archive", tmp_path / "data" / FILE
    async with emptied(server_of(engine)) as client:
        log = EventLog(Partition(client, Keys()))
        for number in range(40):
            await log.append(PutItem(f"item-{number}", b"{}"))
        await leave(client, Archive(object_store_of(place), 1 << 20), ["items"], 2)
        assert await client.xlen("items:events") == 2
    serve("--archive", str(place), "--redis-url", server_of(engine).url, queries=True)
    wait_until(lambda: len(found(path)) == 40)


def test_they_can_be_turned_off(serve: Serve, tmp_path: Path) -> None:
    """Then nobody follows, and there is no file."""
    server = serve("--sql-url", "off", queries=True)
    put(server, "a", {})
    assert follower_of(server) == []
    assert not (tmp_path / "data" / FILE).exists()
