"""A store that is served is archived, in a process beside it that ends when it does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from itemstore.archive.frames import frames_in, lines_of
from itemstore.archive.manifest import Manifest
from itemstore.engine.clients import START_SECONDS
from itemstore.store.archiving_process import _PROGRAM
from tests.conftest import PATIENCE, wait_until
from tests.server.conftest import Serve, Server


def put(server: Server, count: int) -> None:
    """As many events."""
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        for number in range(count):
            assert client.put(f"/items/{number % 7}", json={"size": number}).is_success


def state(server: Server) -> dict[str, Any]:
    """How far the archive is, as the API says it."""
    found = httpx.get(f"{server.url}/projections", timeout=PATIENCE).json()["archive"]
    assert isinstance(found, dict)
    return found


def has_all(server: Server) -> bool:
    """Whether the archive has every event."""
    found = state(server)
    return found["id"] is not None and found["lag"] == 0


def archived(directory: Path) -> bytes:
    """The lines of all segments that the newest manifest names."""
    newest = max((directory / "manifests").iterdir())
    manifest = Manifest.decoded(f"manifests/{newest.name}", newest.read_bytes())
    lines = b""
    for segment in manifest.segments:
        data, place = (directory / segment.name).read_bytes(), segment.directory
        for frame in frames_in(data[place.offset : place.offset + place.length]):
            start = frame.place.offset
            lines += lines_of(frame, data[start : start + frame.place.length])
    return lines


def processes_beside(server: Server) -> list[int]:
    """Those that archive, of a server."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            command = (status.parent / "cmdline").read_text()
        except (OSError, ValueError):
            continue
        if "archiving_process" in command and parent == server.process.pid:
            found.append(int(status.parent.name))
    return found


def test_what_is_written_is_archived_and_what_came_last_at_a_clean_stop(
    serve: Serve, tmp_path: Path
) -> None:
    """The embedded engine's archive is in its data directory, without a setting."""
    server = serve(ITEMSTORE_ARCHIVE_SECONDS="0.1")
    put(server, 20)
    wait_until(lambda: has_all(server))
    server.stop()
    server = serve(ITEMSTORE_ARCHIVE_SECONDS="1000")
    wait_until(lambda: processes_beside(server))
    put(server, 1)
    [beside] = processes_beside(server)
    server.stop()
    assert not Path(f"/proc/{beside}").exists()
    lines = archived(tmp_path / "data/archive").splitlines()
    assert len(lines) == 21
    assert b'"itemversion":4' in lines[-1]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_the_process_that_archives_ends_with_the_server_however_that_ends(
    serve: Serve, how: signal.Signals
) -> None:
    """It would hold a lease, and its own connection."""
    server = serve(ITEMSTORE_ARCHIVE_SECONDS="0.1")
    put(server, 1)
    wait_until(lambda: processes_beside(server))
    [beside] = processes_beside(server)
    server.stop(how)
    wait_until(lambda: not Path(f"/proc/{beside}").exists())
    again = serve(ITEMSTORE_ARCHIVE_SECONDS="0.1")
    put(again, 1)
    wait_until(lambda: has_all(again))


def test_the_process_that_archives_is_started_again(serve: Serve) -> None:
    """Somebody has killed it."""
    server = serve(ITEMSTORE_ARCHIVE_SECONDS="0.1")
    put(server, 1)
    wait_until(lambda: processes_beside(server))
    [beside] = processes_beside(server)
    os.kill(beside, signal.SIGKILL)
    put(server, 5)
    wait_until(lambda: has_all(server))
    assert processes_beside(server) != [beside]


def test_of_several_processes_one_has_the_store_archived(serve: Serve) -> None:
    """And what it keeps in the engine is what it is told to."""
    server = serve("--workers", "2", ITEMSTORE_ARCHIVE_SECONDS="0.1", ITEMSTORE_KEEP_EVENTS="500")
    put(server, 30)
    wait_until(lambda: has_all(server))
    ready = httpx.get(f"{server.url}/readyz", timeout=PATIENCE).json()["archive"]
    assert (ready["lag"], ready["lag_seconds"]) == (0, 0.0)


def test_a_disk_that_the_archive_can_not_be_on_holds_up_no_write(
    serve: Serve, tmp_path: Path
) -> None:
    """The lag grows and is visible; it goes on by itself."""
    place = tmp_path / "place"
    place.write_text("no directory")
    server = serve(ITEMSTORE_ARCHIVE_SECONDS="0.1", ITEMSTORE_ARCHIVE=str(place))
    put(server, 10)
    assert state(server)["lag"] == 10
    ready = httpx.get(f"{server.url}/readyz", timeout=PATIENCE).json()["archive"]
    assert "10 events would be lost" in ready["meaning"]
    place.unlink()
    wait_until(lambda: has_all(server))


def test_a_place_that_is_not_the_stores_is_said_though_nothing_is_written(
    serve: Serve, tmp_path: Path
) -> None:
    """The store was archived elsewhere before."""
    server = serve(ITEMSTORE_ARCHIVE_SECONDS="0.1", ITEMSTORE_ARCHIVE=str(tmp_path / "one"))
    put(server, 1)
    wait_until(lambda: has_all(server))
    assert state(server)["meaning"] == "The archive has every event."
    server.stop(signal.SIGTERM)
    again = serve(ITEMSTORE_ARCHIVE=str(tmp_path / "two"))

    def says_it() -> bool:
        ready = httpx.get(f"{again.url}/readyz", timeout=PATIENCE).json()["archive"]
        return "is empty, and that of this store" in ready["meaning"]

    wait_until(says_it)
    assert "name the place where it is" in state(again)["meaning"]


def test_without_an_archive_nothing_runs_beside_the_server(serve: Serve) -> None:
    """And nothing is said of one."""
    server = serve(ITEMSTORE_ARCHIVE="off")
    put(server, 1)
    assert "archive" not in httpx.get(f"{server.url}/projections", timeout=PATIENCE).json()
    assert httpx.get(f"{server.url}/readyz", timeout=PATIENCE).json()["archive"] is None
    assert processes_beside(server) == []


def test_all_partitions_are_archived_by_one_process(serve: Serve, tmp_path: Path) -> None:
    """Beside the server, which says how far each of them is; what came last is there at the end."""
    server = serve("--partitions", "4", ITEMSTORE_ARCHIVE_SECONDS="0.1")
    put(server, 20)
    wait_until(lambda: has_all(server))
    assert len(processes_beside(server)) == 1
    found = state(server)
    assert [each["partition"] for each in found["partitions"]] == [0, 1, 2, 3]
    assert {each["id"] for each in found["partitions"]} == {f"{found['id']}-{n}" for n in range(4)}
    put(server, 20)
    server.stop()
    places = [tmp_path / "data/archive" / str(number) for number in range(4)]
    assert sum(len(archived(place).splitlines()) for place in places) == 40


def test_it_ends_with_who_started_it_also_where_it_waits_for_the_engine() -> None:
    """Else it would keep what it has from that one, such as its output, for ten seconds."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _PROGRAM, "items"],
        stdin=subprocess.PIPE,
        env=os.environ | {"ITEMSTORE_REDIS_URL": "unix:///nowhere/at/all"},
    )
    assert process.stdin is not None
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2)
        process.stdin.close()
        process.wait(START_SECONDS / 2)
    finally:
        process.kill()
        process.wait()
