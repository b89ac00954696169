"""Queries run in processes apart, which are ended when they take too much."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import regex
import uvloop

from itemstore.engine.errors import LogOverloaded
from itemstore.projections.queries import processes as module
from itemstore.projections.queries.errors import InvalidQuery, QueryTooExpensive, TooManyQueries
from itemstore.projections.queries.processes import Processes
from itemstore.projections.queries.query_process import MEMORY

LONG = 60.0


@pytest.fixture
def processes() -> Iterator[Processes]:
    """Two of them, none of which has started."""
    processes = Processes()
    yield processes
    processes.close()


@pytest.fixture
async def one_process() -> AsyncIterator[Processes]:
    """One at a time."""
    processes = Processes(at_once=1)
    yield processes
    processes.close()


def is_running(pid: int) -> bool:
    """Whether a process is there that has not ended."""
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 - a file of the kernel
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def until_ended(pid: int) -> None:
    """Waits until a process has ended."""
    while is_running(pid):
        await asyncio.sleep(0.01)


async def test_what_is_asked_is_done_in_another_process(processes: Processes) -> None:
    """And by the same one again."""
    first = await processes.run(LONG, os.getpid)
    assert first != os.getpid()
    assert await processes.run(LONG, os.getpid) == first


async def test_two_are_asked_at_the_same_time(processes: Processes) -> None:
    """Each has a process, and what comes after them waits for one."""
    seen = await asyncio.gather(*(processes.run(LONG, os.getpid) for _ in range(4)))
    assert len(set(seen)) == 2


async def test_what_it_raises_is_raised_here(processes: Processes) -> None:
    """With its values, and the process goes on."""
    pid = await processes.run(LONG, os.getpid)
    with pytest.raises(ZeroDivisionError) as raised:
        await processes.run(LONG, divmod, 1, 0)
    assert "process.py" in raised.value.__notes__[0]
    assert await processes.run(LONG, os.getpid) == pid


async def test_a_file_where_the_server_runs_is_not_taken_for_a_library(
    processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it is called."""
    (tmp_path / "regex.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)
    assert await processes.run(LONG, regex.escape, ".") == r"\."


@pytest.mark.parametrize(
    "error",
    [InvalidQuery("where", "It ends too early", 3), QueryTooExpensive("Too many rows", "title")],
)
async def test_errors_of_queries_cross_the_border(error: Exception, processes: Processes) -> None:
    """As they are."""
    raised = await processes.run(LONG, type(error).__reduce__, error)
    assert raised == error.__reduce__()


async def test_a_query_is_ended_at_its_limit_of_time(processes: Processes) -> None:
    """Another process does what comes next."""
    pid = await processes.run(LONG, os.getpid)
    with pytest.raises(QueryTooExpensive, match=r"longer than it may, 0\.2 seconds"):
        await processes.run(0.2, time.sleep, LONG)
    await until_ended(pid)
    assert await processes.run(LONG, os.getpid) != pid


async def test_a_query_is_ended_at_its_limit_of_memory(processes: Processes) -> None:
    """Although the machine has more."""
    with pytest.raises(QueryTooExpensive, match="more memory than it may have, 512 MiB"):
        await processes.run(LONG, bytearray, MEMORY)
    assert await processes.run(LONG, len, bytes(MEMORY // 8)) == MEMORY // 8


async def test_a_large_answer_comes_whole(processes: Processes) -> None:
    """It is more than a socket takes at once."""
    assert await processes.run(LONG, bytes, 20_000_000) == bytes(20_000_000)


async def test_a_caller_who_leaves_ends_the_query_and_frees_the_place(
    one_process: Processes,
) -> None:
    """The next one does not wait for what nobody waits for."""
    pid = await one_process.run(LONG, os.getpid)
    leaving = asyncio.create_task(one_process.run(LONG, time.sleep, LONG))
    waiting = asyncio.create_task(one_process.run(LONG, time.sleep, LONG))
    last = asyncio.create_task(one_process.run(LONG, os.getpid))
    await asyncio.sleep(0)
    for each in (waiting, leaving):
        each.cancel()
        with suppress(asyncio.CancelledError):
            await each
    assert await last != pid
    await until_ended(pid)


async def test_too_many_waiting_are_an_overload(
    one_process: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is elsewhere; those who wait keep their turn."""
    monkeypatch.setattr(module, "WAITING", 2)
    tasks = [asyncio.create_task(one_process.run(LONG, os.getpid)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyQueries) as refused:
        await one_process.run(LONG, os.getpid)
    assert isinstance(refused.value, LogOverloaded)
    assert len(set(await asyncio.gather(*tasks))) == 1


async def test_a_wait_has_an_end(one_process: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where those before it take long."""
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.1)
    busy = asyncio.create_task(one_process.run(LONG, time.sleep, LONG))
    await asyncio.sleep(0)
    with pytest.raises(TooManyQueries):
        await one_process.run(LONG, os.getpid)
    busy.cancel()
    with suppress(asyncio.CancelledError):
        await busy


async def test_a_process_that_somebody_ended_is_replaced(processes: Processes) -> None:
    """Nobody notices, unless each one ends."""
    pid = await processes.run(LONG, os.getpid)
    os.kill(pid, 9)
    await until_ended(pid)
    assert await processes.run(LONG, os.getpid) != pid
    with pytest.raises(QueryTooExpensive, match="ended, twice"):
        await processes.run(LONG, os._exit, 3)


@pytest.mark.parametrize("is_noticed", [True, False])
async def test_processes_that_were_ended_while_they_rested_say_nothing_of_a_query(
    processes: Processes, monkeypatch: pytest.MonkeyPatch, *, is_noticed: bool
) -> None:
    """Both of them, so that it would have been asked twice; also in the moment after that."""
    if not is_noticed:
        monkeypatch.setattr("subprocess.Popen.poll", lambda _: None)
    pids = await asyncio.gather(processes.run(LONG, os.getpid), processes.run(LONG, os.getpid))
    for pid in pids:
        os.kill(pid, 9)
    for pid in pids:
        await until_ended(pid)
    assert await processes.run(LONG, os.getpid) not in pids


async def test_a_process_without_work_ends(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And another one starts when there is some."""
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.01)
    pid = await processes.run(LONG, os.getpid)
    await until_ended(pid)
    assert await processes.run(LONG, os.getpid) != pid


async def test_one_that_can_not_start_is_not_the_querys_fault(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as while another version is being installed: it is tried again later."""
    with monkeypatch.context() as patched:
        patched.setattr(module, "PROGRAM", "raise SystemExit")
        with pytest.raises(TooManyQueries, match="as it starts"):
            await processes.run(LONG, os.getpid)
    assert await processes.run(LONG, os.getpid) != os.getpid()


async def test_closing_ends_them_all(processes: Processes) -> None:
    """The idle one, and the one that is at work."""
    pids = await asyncio.gather(*(processes.run(LONG, os.getpid) for _ in range(2)))
    busy = asyncio.create_task(processes.run(LONG, time.sleep, LONG))
    await asyncio.sleep(0.05)
    processes.close()
    assert not any(is_running(pid) for pid in pids)
    with pytest.raises(TooManyQueries):
        await busy


def test_event_loops_come_and_go() -> None:
    """One process answers in each, on uvloop too, and ends with what started it."""
    for run, again in ((asyncio.run, uvloop.run), (uvloop.run, asyncio.run)):
        processes = Processes()
        ask = processes.run
        pids = {run(ask(LONG, os.getpid)), again(ask(LONG, os.getpid))}
        assert len(pids) == 1
        del processes, ask
        gc.collect()
        assert not any(is_running(pid) for pid in pids)


DIES = """
import asyncio, os, signal, time
from itemstore.projections.queries.query_process import MEMORY
from itemstore.projections.queries.processes import Processes

async def main():
    processes = Processes()
    print(*await asyncio.gather(*(processes.run(60, os.getpid) for _ in range(2))), flush=True)
    asyncio.create_task(processes.run(0.1, time.sleep, 60))
    await asyncio.sleep(0.05)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_they_end_with_the_process_that_started_them() -> None:
    """Although it was killed; the one at work when its time is over."""
    died = await asyncio.to_thread(
        subprocess.run, (sys.executable, "-c", DIES), capture_output=True, check=False
    )
    pids = [int(each) for each in died.stdout.split()]
    assert died.returncode == -9
    assert len(pids) == 2
    for pid in pids:
        await until_ended(pid)


def test_a_process_imports_little() -> None:
    """Nothing that serves HTTP or that speaks to the engine, so it starts fast."""
    program = (
        "import sys; from itemstore.projections.queries import query_process as process;"
        "[__import__(name) for name in process.PRELOADED]; print(*sys.modules)"
    )
    imported = subprocess.check_output((sys.executable, "-c", program), text=True).split()
    assert not {"redis", "pydantic", "fastapi", "starlette", "asyncio"} & set(imported)
