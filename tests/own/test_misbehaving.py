"""Functions of others that do what nobody should: no event is lost, and the store goes on."""

from __future__ import annotations

import asyncio
import functools
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from itemstore import HandlerProjection, RecordedEvent, SqlHandlerProjection, WebhookProjection
from itemstore.projections.own import posting
from tests.own.conftest import Running, shown, until
from tests.own.receiver import Receiver, taken


class Sent:
    """Notes the items of what it is called for, as an object with a coroutine to be called."""

    def __init__(self) -> None:
        self.items: list[str] = []

    async def __call__(self, recorded: RecordedEvent) -> None:
        """Takes a while."""
        await asyncio.sleep(0)
        self.items.append(recorded.item)


class Unsayable(Exception):
    """An error without words."""

    def __str__(self) -> str:
        message = "no words"
        raise RuntimeError(message)


def _stops_iteration() -> None:
    next(iter(()))


def _leaves() -> None:
    sys.exit("I leave")


def _says_what_can_t_be_written() -> None:
    message = "no such file: \udc80"
    raise OSError(message)


def _says_nothing() -> None:
    raise Unsayable


def _is_cancelled() -> None:
    raise asyncio.CancelledError


MOODS = {
    "StopIteration: ": _stops_iteration,
    "SystemExit: I leave": _leaves,
    "OSError: no such file: ?": _says_what_can_t_be_written,
    "Unsayable: ": _says_nothing,
    "CancelledError: ": _is_cancelled,
}


@pytest.mark.parametrize("wrapped", ["object", "wrapper", "partial"])
async def test_what_a_function_returns_to_be_awaited_is_awaited(
    running: Running, wrapped: str
) -> None:
    """An event of which nobody awaited the handling would not be handled at all."""
    sent = Sent()

    def wrapper(recorded: RecordedEvent) -> Awaitable[None]:
        return sent(recorded)

    handles: dict[str, Callable[[RecordedEvent], Awaitable[None]]] = {
        "object": sent,
        "wrapper": wrapper,
        "partial": functools.partial(sent),
    }
    handle = handles[wrapped]
    async with running(HandlerProjection("sent", handle)) as client:
        await client.put("/items/a", json={})
        await until(lambda: sent.items == ["a"])


@pytest.mark.parametrize("reason", MOODS)
@pytest.mark.parametrize("kind", ["plain", "coroutine"])
async def test_whatever_a_function_raises_is_a_failure_that_is_told(
    running: Running, reason: str, kind: str
) -> None:
    """And nothing else: the event is handled again, and the server goes on."""
    is_wrong = True
    seen: list[str] = []

    def handle(recorded: RecordedEvent) -> None:
        if is_wrong:
            MOODS[reason]()
        seen.append(recorded.item)

    async def awaited(recorded: RecordedEvent) -> None:
        await asyncio.sleep(0)
        handle(recorded)

    own = HandlerProjection("moody", handle if kind == "plain" else awaited)
    async with running(own) as client:
        await client.put("/items/a", json={})
        await until(lambda: _is(client, "moody", "failing"))
        said = str((await shown(client, "moody"))["reason"])
        assert said.startswith(reason) or kind == "coroutine"
        is_wrong = False
        await until(lambda: seen == ["a"])


@pytest.mark.parametrize("reason", MOODS)
async def test_whatever_a_function_with_tables_raises_leaves_no_row(
    running: Running, reason: str, tmp_path: Path
) -> None:
    """It is told, and tried again."""
    is_wrong = True

    def handle(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
        connection.execute("INSERT INTO seen VALUES (?)", (recorded.item,))
        if is_wrong:
            MOODS[reason]()

    async with running(_seen(handle, tmp_path)) as client:
        await client.put("/items/a", json={})
        await until(lambda: _is(client, "seen", "failing"))
        assert str((await shown(client, "seen"))["reason"]).startswith(reason)
        is_wrong = False
        await until(lambda: _is_at_the_end(client, "seen"))
    assert _rows(tmp_path) == ["a"]


async def _coroutine(*_: object) -> None:
    """Does nothing."""


def _generator(*_: object) -> Iterator[None]:
    yield


async def _both(*_: object) -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize("wrong", [_generator, _both])
def test_a_generator_is_refused_as_nothing_in_it_would_be_run(wrong: Any, tmp_path: Path) -> None:
    """Where it is made."""
    why = "handle is a generator function: nothing in it would be run"
    with pytest.raises(TypeError, match=why):
        HandlerProjection("own", wrong)
    with pytest.raises(TypeError, match=why):
        _seen(wrong, tmp_path)


def test_a_coroutine_is_refused_where_there_is_a_transaction(tmp_path: Path) -> None:
    """It would be awaited by nobody."""
    with pytest.raises(TypeError, match="handle is a coroutine function: one that writes to SQL"):
        _seen(_coroutine, tmp_path)


@pytest.mark.parametrize("returned", [_coroutine, _generator])
async def test_what_a_function_with_tables_returns_to_be_run_is_a_failure(
    running: Running, tmp_path: Path, returned: Any
) -> None:
    """Nobody would run it, and the event would count as handled."""
    async with running(_seen(lambda *_: returned(), tmp_path)) as client:
        await client.put("/items/a", json={})
        await until(lambda: _is(client, "seen", "failing"))
        assert "returned something that would have to be run" in str(
            (await shown(client, "seen"))["reason"]
        )


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 3601])
def test_a_time_that_nobody_waits_for_is_refused(seconds: float) -> None:
    """Where it is made."""
    with pytest.raises(ValueError, match=r"seconds is .*: it takes more than 0, up to 3600"):
        HandlerProjection("own", print, seconds=seconds)
    with pytest.raises(ValueError, match=r"seconds is .*: it takes more than 0, up to 3600"):
        WebhookProjection("own", "http://localhost", seconds=seconds)


async def test_functions_that_hang_leave_the_threads_of_others_alone(
    running: Running, tmp_path: Path
) -> None:
    """What else works in threads goes on: so many are there, and no more."""
    ends = threading.Event()
    begun: list[str] = []

    def hang(recorded: RecordedEvent) -> None:
        begun.append(recorded.item)
        ends.wait()

    def hang_with_tables(_: object, recorded: RecordedEvent) -> None:
        hang(recorded)

    own = [HandlerProjection(f"own-{number}", hang) for number in range(40)]
    try:
        async with running(*own, _seen(hang_with_tables, tmp_path)) as client:
            await client.put("/items/a", json={})
            await until(lambda: len(begun) == 41)
            async with asyncio.timeout(5):
                await asyncio.to_thread(int)
            assert (await client.get("/items/a")).status_code == 200
    finally:
        ends.set()


async def test_a_swallowed_rollback_leaves_no_part_of_what_was_handled(
    running: Running, tmp_path: Path
) -> None:
    """SQLite ends a transaction by itself where a table says so: the checkpoint is not moved."""
    is_wrong = True

    def handle(connection: sqlite3.Connection, recorded: RecordedEvent) -> None:
        if is_wrong and recorded.item == "b":
            try:
                connection.execute("INSERT OR ROLLBACK INTO seen VALUES ('a')")
            except sqlite3.IntegrityError:
                return
        connection.execute("INSERT INTO seen VALUES (?)", (recorded.item,))

    async with running() as client:
        for name in "abc":
            await client.put(f"/items/{name}", json={})
    async with running(_seen(handle, tmp_path)) as client:
        await until(lambda: _is(client, "seen", "failing"))
        found = await shown(client, "seen")
        assert "ended the transaction" in found["reason"]
        assert _rows(tmp_path) == ["a"]
        is_wrong = False
        await until(lambda: _is_at_the_end(client, "seen"))
    assert _rows(tmp_path) == ["a", "b", "c"]


async def test_one_that_fails_at_another_event_each_time_is_one_that_fails(
    running: Running, tmp_path: Path
) -> None:
    """What it has before the event that fails may fail at the second time."""
    calls = 0

    def handle(_: object, recorded: RecordedEvent) -> None:
        nonlocal calls
        calls += 1
        if calls % 2 or recorded.item == "c":
            raise LookupError(recorded.item)

    async with running() as client:
        for name in "abc":
            await client.put(f"/items/{name}", json={})
    calls = 1
    async with running(_seen(handle, tmp_path)) as client:
        await until(lambda: _is(client, "seen", "failing"))
        assert "LookupError" in (await shown(client, "seen"))["reason"]


@pytest.mark.parametrize(
    "field",
    [
        "Mon, 01 Jan 2024 00:00:00 +99999999",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "soon",
        "-1",
        "9" * 99,
    ],
)
async def test_a_pause_that_can_t_be_read_is_none(
    running: Running, receiver: Receiver, field: str
) -> None:
    """The event is tried again, as without it; one that asks for too much is heard in part."""
    receiver.answer = lambda _: (503, {"retry-after": field})
    async with running(WebhookProjection("hook", receiver.url)) as client:
        await client.put("/items/a", json={})
        await until(lambda: _is(client, "hook", "failing"))
        assert (await shown(client, "hook"))["reason"] == "the receiver answers 503"


async def test_an_error_that_nobody_foresaw_is_a_failure_of_the_receiver(
    running: Running, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a file with certificates that is none."""

    def no_file(_: str) -> bool:
        raise FileNotFoundError(2, "No such file or directory")

    trusted = posting._trusted
    monkeypatch.setattr(posting, "_trusted", no_file)
    async with running(WebhookProjection("hook", receiver.url)) as client:
        await client.put("/items/a", json={})
        await until(lambda: _is(client, "hook", "failing"))
        assert "FileNotFoundError" in (await shown(client, "hook"))["reason"]
        monkeypatch.setattr(posting, "_trusted", trusted)
        receiver.answer = taken
        await until(lambda: receiver.items == ["a"])


def _seen(handle: Any, tmp_path: Path) -> SqlHandlerProjection:
    tables = {"seen": "CREATE TABLE seen (item TEXT PRIMARY KEY)"}
    return SqlHandlerProjection("seen", handle, tables, f"sqlite:///{tmp_path}/seen.db")


def _rows(tmp_path: Path) -> list[str]:
    file = sqlite3.connect(tmp_path / "seen.db")
    try:
        return [item for (item,) in file.execute("SELECT item FROM seen ORDER BY 1")]
    finally:
        file.close()


async def _is(client: httpx.AsyncClient, name: str, state: str) -> bool:
    return bool((await shown(client, name))["state"] == state)


async def _is_at_the_end(client: httpx.AsyncClient, name: str) -> bool:
    return bool((await shown(client, name))["lag"] == 0)
