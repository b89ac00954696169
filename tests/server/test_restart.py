"""What survives the end of the process, however it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import time
from pathlib import Path

import httpx
import pytest

from itemstore.engine.server_process import loaded
from tests.conftest import Start, wait_until
from tests.server.conftest import COMMAND, Serve, Server, socket_of


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
async def test_every_acknowledged_write_is_there_after_a_restart(
    serve: Serve, how: signal.Signals
) -> None:
    """Killed in the middle of writes, the server starts again at once, with all of them."""
    server = serve()
    acknowledged: dict[int, str] = {}

    async def write(client: httpx.AsyncClient, number: int) -> None:
        while True:
            try:
                answer = await client.put(f"/items/item-{number}", json={"size": number})
            except httpx.TransportError:
                return
            if answer.is_success:
                acknowledged[number] = answer.headers["etag"]

    async with httpx.AsyncClient(base_url=server.url) as client:
        writers = asyncio.gather(*(write(client, number) for number in range(16)))
        async with asyncio.timeout(20):
            while len(acknowledged) < 16:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        server.process.send_signal(how)
        await writers
    server.process.wait(timeout=15)
    assert len(acknowledged) == 16
    again = serve()
    async with httpx.AsyncClient(base_url=again.url) as client:
        for number, etag in acknowledged.items():
            answer = await client.get(f"/items/item-{number}")
            assert int(answer.headers["etag"].strip('"')) >= int(etag.strip('"'))


def test_the_processes_of_a_killed_server_end_too(serve: Serve) -> None:
    """They would hold the port, and the next start would be refused."""
    server = serve("--workers", "2")
    wait_until(lambda: httpx.get(f"{server.url}/readyz", timeout=10).status_code == 200)
    server.stop(signal.SIGKILL)
    port = server.url.rpartition(":")[2]
    wait_until(lambda: not is_listening(int(port)))
    again = serve("--workers", "2", "--port", port)
    assert httpx.get(f"{again.url}/readyz", timeout=10).status_code == 200


def is_listening(port: int) -> bool:
    """Whether a process has the port of the loopback address."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


async def test_open_streams_do_not_hold_up_the_end(serve: Serve) -> None:
    """SIGTERM ends live streams with a word, and the process within two seconds."""
    server = serve()
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
        client.stream("GET", "/events", headers={"accept": "text/event-stream"}) as stream,
    ):
        pieces = stream.aiter_text()
        assert await anext(pieces) == "retry: 1000\n\n"
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        rest = "".join([piece async for piece in pieces])
    assert "resume with Last-Event-ID" in rest
    await asyncio.to_thread(server.process.wait, 15)
    assert time.monotonic() - began < 2


async def test_a_taken_data_directory_is_refused_with_a_clear_error(
    serve: Serve, tmp_path: Path
) -> None:
    """A second server on the same directory ends with a sentence and exit code 1."""
    serve()
    process = await asyncio.create_subprocess_exec(
        *_serve_command(tmp_path / "data"), stderr=asyncio.subprocess.PIPE
    )
    _, error = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    assert b"is in use by process" in error
    assert b"Traceback" not in error


def _serve_command(data_dir: Path) -> list[str]:
    return [*COMMAND, "serve", "--port", "0", "--data-dir", str(data_dir)]


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_killed_engine_is_started_again_and_nothing_is_lost(
    serve: Serve, workers: str
) -> None:
    """The API goes on: a few writes may be 503, and what was acknowledged is there."""
    server = serve("--workers", workers)
    acknowledged: list[tuple[str, str]] = []
    statuses: set[int] = set()

    async def write(client: httpx.AsyncClient, number: int) -> None:
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            answer = await client.put(f"/items/item-{number}", json={"size": number})
            statuses.add(answer.status_code)
            if answer.is_success:
                acknowledged.append((answer.headers["event-id"], answer.headers["event-type"]))

    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
        writers = asyncio.gather(*(write(client, number) for number in range(8)))
        for _ in range(2):
            await asyncio.sleep(0.4)
            os.kill(engine_of(server), signal.SIGKILL)
        await writers
        assert (await client.put("/items/after", json={})).status_code == 201
        lines = await client.get("/events", headers={"accept": "application/jsonl"})
    events = {event["id"]: event["type"] for event in map(json.loads, lines.text.splitlines())}
    assert statuses <= {200, 201, 503}
    assert all(events.get(position) == kind for position, kind in acknowledged)


def engine_of(server: Server) -> int:
    """The process id of the embedded engine, once it answers."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if pid := loaded(Path(socket_of(server))):
            return pid
        time.sleep(0.01)
    pytest.fail("The engine does not answer.")


@pytest.mark.parametrize("wanted", ["fsync", "replicas:1"])
async def test_a_durability_that_the_engine_can_not_keep_is_refused(
    start: Start, tmp_path: Path, wanted: str
) -> None:
    """Debian's Redis has no WAITAOF, and no replica is there: a sentence and exit code 1."""
    process = await asyncio.create_subprocess_exec(
        *_serve_command(tmp_path), "--redis-url", start("redis").url, "--durability", wanted,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, error = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    assert (b"WAITAOF" if wanted == "fsync" else b"0 of 1 replicas") in error
    assert b"Traceback" not in error


async def test_the_embedded_engine_keeps_fsync(serve: Serve) -> None:
    """Asked for by an option, kept with each write, and said by /readyz."""
    server = serve("--durability", "fsync")
    async with httpx.AsyncClient(base_url=server.url) as client:
        assert (await client.put("/items/fox", json={})).status_code == 201
        ready = (await client.get("/readyz")).json()
    assert ready["durability"]["waits_for"] == "fsync"
