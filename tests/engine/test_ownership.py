"""One process at a time holds a data directory, and its engine ends with it."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from itemstore.engine import embedded as engines
from itemstore.engine import owner
from itemstore.engine.embedded import (
    DataDirectoryInUse,
    EmbeddedEngine,
    EngineFailed,
    EngineSilent,
    attach,
    run,
)
from tests.conftest import wait_until
from tests.engine.conftest import Connect, Launch, Own, Process


def killed(process: Process) -> None:
    """Ends a process with SIGKILL."""
    process.kill()
    process.wait(timeout=20)


def watcher(engine: EmbeddedEngine) -> int:
    """The process that watches over an engine: it leads the engine's session."""
    leader = os.getsid(engine.pid)
    assert leader != os.getsid(0)
    return leader


def test_a_directory_in_use_is_refused_with_the_process_that_uses_it(
    data_dir: Path, own: Own
) -> None:
    """The second start fails at once, and says whom to stop."""
    process, _ = own(data_dir)
    started = time.monotonic()
    with pytest.raises(DataDirectoryInUse) as refused, run(data_dir):
        pass
    assert time.monotonic() - started < 1
    assert (refused.value.data_dir, refused.value.pid) == (data_dir, process.pid)
    assert f"process {process.pid}" in str(refused.value)


def test_one_process_cannot_run_two_engines_in_one_directory(
    data_dir: Path, connect: Connect
) -> None:
    """The second is refused, and the first goes on undisturbed."""
    with run(data_dir) as engine:
        with pytest.raises(DataDirectoryInUse) as refused, run(data_dir):
            pass
        assert refused.value.pid == os.getpid()
        assert connect(engine).ping()


def test_the_lock_file_names_the_owner_and_the_socket(data_dir: Path) -> None:
    """A person can read there which process holds the directory; afterwards it names none."""
    with run(data_dir) as engine:
        said = json.loads((data_dir / "owner.lock").read_text())
        assert said == {"pid": os.getpid(), "socket": str(engine.socket)}
    assert (data_dir / "owner.lock").read_text() == ""


def test_attach_gives_the_engine_that_another_process_runs(
    data_dir: Path, own: Own, connect: Connect
) -> None:
    """The other's engine is used, and is left running."""
    _, running = own(data_dir)
    for _ in range(2):
        with attach(data_dir) as engine:
            assert engine == running
            assert connect(engine).get("acknowledged") == "yes"


def test_attach_runs_an_engine_where_none_runs(data_dir: Path, connect: Connect) -> None:
    """It is there for the block, and its data stays."""
    with attach(data_dir) as engine:
        connect(engine).set("key", "value")
    assert not engine.socket.exists()
    with attach(data_dir) as engine:
        assert connect(engine).get("key") == "value"


def test_attaching_at_the_same_moment_gives_all_the_same_engine(data_dir: Path) -> None:
    """The first one runs it, the others wait until it answers."""
    attached = threading.Barrier(4)

    def pid() -> int:
        with attach(data_dir) as engine:
            attached.wait(timeout=5)
            return engine.pid

    with ThreadPoolExecutor(4) as pool:
        pids = {future.result(timeout=20) for future in [pool.submit(pid) for _ in range(4)]}
    assert len(pids) == 1


def test_attach_refuses_a_directory_whose_engine_does_not_answer(
    data_dir: Path, own: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An owner that lives while its engine hangs is named, after a while."""
    process, engine = own(data_dir)
    os.kill(engine.pid, signal.SIGSTOP)
    monkeypatch.setattr(engines, "PATIENCE", 0.2)
    with pytest.raises(EngineSilent, match="does not answer: try") as refused, attach(data_dir):
        pass
    assert refused.value.pid == process.pid
    os.kill(engine.pid, signal.SIGCONT)


def test_ctrl_c_does_not_reach_the_engine(data_dir: Path, own: Own, connect: Connect) -> None:
    """The terminal's SIGINT goes to the owner, which drains before it stops the engine."""
    process, engine = own(data_dir)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.2)
    assert connect(engine).ping()


def test_a_killed_owner_takes_its_engine_along(data_dir: Path, own: Own) -> None:
    """The engine sees SIGKILL of its owner without anybody's help."""
    process, engine = own(data_dir)
    killed(process)
    wait_until(lambda: not engine.socket.exists(), 5)


def test_an_acknowledged_write_survives_the_kill_that_follows_it(
    data_dir: Path, own: Own, connect: Connect
) -> None:
    """The next start goes through at once, and the write is there."""
    for _ in range(3):
        process, _ = own(data_dir)
        killed(process)
        with run(data_dir) as engine:
            assert connect(engine).getdel("acknowledged") == "yes"


def test_an_owner_killed_while_its_engine_starts_blocks_nobody(
    data_dir: Path, launch: Launch, connect: Connect
) -> None:
    """Whatever moment of the start the kill hits, the next start works."""
    for delay in (0.1, 0.15, 0.18, 0.2, 0.22, 0.25, 0.3):
        process = launch(data_dir)
        time.sleep(delay)
        killed(process)
        with run(data_dir) as engine:
            assert connect(engine).incr("starts")
    with run(data_dir) as engine:
        assert connect(engine).get("starts") == "7"


def test_an_engine_orphaned_with_its_watcher_is_stopped_by_the_next_start(
    data_dir: Path, own: Own, connect: Connect
) -> None:
    """Both processes above the engine killed, the next owner tells it to stop."""
    process, engine = own(data_dir)
    assert watcher(engine) != process.pid
    os.kill(watcher(engine), signal.SIGKILL)
    killed(process)
    with run(data_dir) as after:
        assert after.pid != engine.pid
        assert connect(after).get("acknowledged") == "yes"


def test_an_engine_whose_watcher_was_killed_still_stops_with_its_block(data_dir: Path) -> None:
    """The owner stops what its watcher can't."""
    with run(data_dir) as engine:
        os.kill(watcher(engine), signal.SIGKILL)
    assert not engine.socket.exists()


def test_a_start_waits_for_an_engine_that_is_still_stopping(
    data_dir: Path, own: Own, connect: Connect
) -> None:
    """A killed owner's engine holds the directory until it is gone, and no longer."""
    process, engine = own(data_dir)
    os.kill(engine.pid, signal.SIGSTOP)
    killed(process)

    def write() -> int:
        with run(data_dir) as after:
            connect(after).set("key", "value")
            return after.pid

    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(write)
        time.sleep(0.5)
        assert not waiting.done()
        os.kill(engine.pid, signal.SIGCONT)
        assert waiting.result(timeout=5) != engine.pid


def test_a_start_does_not_wait_for_ever(
    data_dir: Path, own: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past its patience it fails, and names the file that is held."""
    process, engine = own(data_dir)
    os.kill(engine.pid, signal.SIGSTOP)
    killed(process)
    monkeypatch.setattr(owner, "PATIENCE", 0.1)
    with pytest.raises(EngineFailed, match=r"engine\.lock"), run(data_dir):
        pass
    os.kill(engine.pid, signal.SIGKILL)


def test_a_killed_engine_leaves_the_directory_free_and_its_data_whole(
    data_dir: Path, connect: Connect
) -> None:
    """The block ends as always, and the next start has what was acknowledged."""
    with run(data_dir) as engine:
        connect(engine).set("key", "value")
        os.kill(engine.pid, signal.SIGKILL)
    with run(data_dir) as engine:
        assert connect(engine).get("key") == "value"


def test_an_engine_killed_while_it_rewrites_its_file_blocks_nobody(
    data_dir: Path, connect: Connect
) -> None:
    """The child that rewrites the append-only file does not outlive the engine."""
    with run(data_dir) as engine:
        client = connect(engine)
        client.set("key", "value")
        client.config_set("rdb-key-save-delay", 60_000_000)
        client.bgrewriteaof()
        assert client.info("persistence")["aof_rewrite_in_progress"]
        os.kill(engine.pid, signal.SIGKILL)
    started = time.monotonic()
    with run(data_dir) as engine:
        assert connect(engine).get("key") == "value"
    assert time.monotonic() - started < 5
