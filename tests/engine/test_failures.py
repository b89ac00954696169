"""Where no engine can be had, the error says why."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from itemstore.engine import server_process, watcher
from itemstore.engine.embedded import EmbeddedEngine, EngineFailed, EngineNotFound, attach, run
from tests.engine.conftest import Connect


@pytest.mark.usefixtures("without_the_wheel")
def test_without_a_server_program_the_error_says_what_to_install(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the wheel nor a program on the PATH: both are named, and so is an engine by URL."""
    monkeypatch.setenv("PATH", str(data_dir))
    with (
        pytest.raises(EngineNotFound, match=r"pip install .*valkey-server.*--redis-url redis://"),
        run(data_dir),
    ):
        pass


def appended(data_dir: Path) -> Path:
    """The file that the last commands were appended to."""
    return max((data_dir / "appendonlydir").glob("*.aof"))


@pytest.mark.parametrize("start", [run, attach])
def test_a_corrupt_file_fails_the_start_in_the_words_of_the_log(
    data_dir: Path,
    connect: Connect,
    start: Callable[[Path], AbstractContextManager[EmbeddedEngine]],
) -> None:
    """What is wrong is quoted, and where to read on is said; the directory is free again."""
    with run(data_dir) as engine:
        for number in range(10):
            connect(engine).set("key", number)
    whole = appended(data_dir).read_bytes()
    appended(data_dir).write_bytes(whole[:100] + b"garbage" + whole[107:])
    with pytest.raises(EngineFailed, match="Bad file format") as failed, start(data_dir):
        pass
    assert str(data_dir / "engine.log") in failed.value.why
    appended(data_dir).write_bytes(whole)
    with run(data_dir) as engine:
        assert connect(engine).get("key") == "9"


def test_an_engine_that_ended_before_its_owner_could_say_so_has_failed(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner was held up for longer than its watcher waits."""

    def late(_socket: Path) -> int:
        time.sleep(watcher.ANSWERED + 1)
        return 1

    monkeypatch.setattr(server_process, "program", lambda: "true")
    monkeypatch.setattr(server_process, "loaded", late)
    with pytest.raises(EngineFailed, match="did not start"), run(data_dir):
        pass


def test_a_file_where_the_data_directory_should_be_is_named_in_words(data_dir: Path) -> None:
    """Without the number that the system has for it; and the file stays."""
    data_dir.parent.mkdir(exist_ok=True)
    data_dir.write_text("mine")
    with pytest.raises(EngineFailed) as failed, run(data_dir):
        pass
    assert failed.value.why == "The directory can't be used: File exists."
    assert data_dir.read_text() == "mine"


def test_only_the_last_start_is_quoted(data_dir: Path, connect: Connect) -> None:
    """What earlier starts logged is not blamed on this one."""
    with run(data_dir) as engine:
        connect(engine).set("key", "value")
    appended(data_dir).write_bytes(b"garbage")
    with pytest.raises(EngineFailed) as failed, run(data_dir):
        pass
    assert "Ready to accept connections" not in failed.value.why


def test_a_file_that_a_crash_cut_off_starts_without_its_torn_end(
    data_dir: Path, connect: Connect
) -> None:
    """The torn command was never acknowledged; all before it are there."""
    with run(data_dir) as engine:
        connect(engine).set("key", "whole")
        connect(engine).set("key", "torn")
    whole = appended(data_dir).read_bytes()
    appended(data_dir).write_bytes(whole[:-3])
    with run(data_dir) as engine:
        assert connect(engine).get("key") == "whole"


def test_a_data_directory_that_cannot_be_made_is_said(data_dir: Path) -> None:
    """A file in its place is an error of the engine, not a traceback of the system."""
    data_dir.write_text("")
    with pytest.raises(EngineFailed, match="File exists"), run(data_dir):
        pass
