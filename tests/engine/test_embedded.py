"""An engine of one's own: its data, its settings, its socket."""

from __future__ import annotations

import json
import socket as sockets
import stat
import tempfile
from pathlib import Path

import pytest

from itemstore.engine import server_process
from itemstore.engine.embedded import run
from tests.engine.conftest import Connect, Own

PROMISED = {
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "aof-load-truncated": "yes",
    "save": "",
    "maxmemory": "0",
    "maxmemory-policy": "noeviction",
    "port": "0",
}
TOO_LONG = Path("a" * 100, "b" * 100)


@pytest.mark.usefixtures("each_program")
def test_what_was_written_is_there_after_the_next_start(data_dir: Path, connect: Connect) -> None:
    """A stop loses nothing, under any program that may be the engine."""
    with run(data_dir) as engine:
        position = connect(engine).xadd("log", {"size": 6})
    with run(data_dir) as engine:
        assert connect(engine).xrange("log") == [(position, {"size": "6"})]


@pytest.mark.usefixtures("each_program")
def test_the_engine_runs_under_the_promised_settings(data_dir: Path, connect: Connect) -> None:
    """It writes through to the disk, evicts nothing and listens on no port."""
    with run(data_dir) as engine:
        assert connect(engine).config_get(*PROMISED) == PROMISED


def test_settings_of_the_working_directory_are_not_read(
    data_dir: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A configuration file that lies about changes nothing."""
    data_dir.mkdir()
    for name in ("redis.conf", "valkey.conf"):
        (data_dir / name).write_text("appendonly no\n")
    monkeypatch.chdir(data_dir)
    with run(Path()) as engine:
        assert engine.data_dir == data_dir
        assert connect(engine).config_get("appendonly") == {"appendonly": "yes"}


def test_the_engine_says_its_process_id(data_dir: Path, connect: Connect) -> None:
    """`pid` is the server's."""
    with run(data_dir) as engine:
        assert connect(engine).info("server")["process_id"] == engine.pid


def test_the_directory_and_what_is_in_it_are_for_their_user_alone(
    data_dir: Path, connect: Connect
) -> None:
    """Nothing in the directory can be read or connected to by others."""
    with run(data_dir) as engine:
        connect(engine).set("key", "value")
        files = [data_dir, *data_dir.rglob("*")]
        assert engine.socket in files
        assert {oct(stat.S_IMODE(file.lstat().st_mode) & 0o077) for file in files} == {"0o0"}


@pytest.mark.parametrize(
    "name", ["two words", "Größe 😀", "100%20", "a#b?c&d=e", "\"quoted'", "--"]
)
def test_any_name_will_do_for_a_data_directory(data_dir: Path, connect: Connect, name: str) -> None:
    """Spaces, signs and letters of any kind reach the engine and its clients as they are."""
    with run(data_dir / name) as engine:
        connect(engine).set("key", "value")
        assert engine.socket == data_dir / name / "engine.sock"
    assert (data_dir / name / "appendonlydir").is_dir()


def test_a_path_too_long_for_a_socket_works(data_dir: Path, connect: Connect) -> None:
    """The socket is then in a private directory of its own, which goes with the engine."""
    data_dir /= TOO_LONG
    with run(data_dir) as engine:
        connect(engine).set("key", "value")
        assert json.loads((data_dir / "owner.lock").read_text())["socket"] == str(engine.socket)
        assert engine.socket.is_relative_to(tempfile.gettempdir())
        assert stat.S_IMODE(engine.socket.parent.stat().st_mode) == 0o700
    assert not engine.socket.parent.exists()
    with run(data_dir) as engine:
        assert connect(engine).get("key") == "value"


def test_a_killed_process_leaves_no_directory_for_its_socket(data_dir: Path, own: Own) -> None:
    """The socket of a path too long goes with the engine, however its owner ended."""
    process, engine = own(data_dir / TOO_LONG)
    process.kill()
    process.wait(timeout=20)
    with run(data_dir / TOO_LONG):
        assert not engine.socket.parent.exists()


def test_a_stale_socket_is_no_obstacle(data_dir: Path, connect: Connect) -> None:
    """A socket that a crash left is replaced."""
    data_dir.mkdir()
    with sockets.socket(sockets.AF_UNIX) as stale:
        stale.bind(str(data_dir / "engine.sock"))
    with run(data_dir) as engine:
        assert connect(engine).ping()
    assert not engine.socket.exists()


def test_the_engine_is_ready_only_when_all_its_data_is_loaded(
    data_dir: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start waits for a long append-only file, which here is a short one read slowly."""
    with run(data_dir) as engine, connect(engine).pipeline(transaction=False) as pipeline:
        for number in range(16_000):
            pipeline.rpush("list", number)
        pipeline.execute()
    monkeypatch.setitem(server_process.SETTINGS, "key-load-delay", "10")
    with run(data_dir) as engine:
        assert connect(engine).llen("list") == 16_000
