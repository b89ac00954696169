"""PostgreSQL servers of the tests' own, where Debian's packages or PATH have the programs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from pwd import getpwnam
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from tests.missing import missing

PATIENCE = 30.0
"""Seconds for the server to do what it does at once, on a machine that has much else to do."""

# Its programs come from Debian in a folder for each version, and are not on PATH.
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))

# Text is sorted as people do it, not by bytes: what relies on the latter has to say so.
CLUSTER = ["--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]

QUICK = {"fsync": "off", "full_page_writes": "off"}
"""Settings of a server whose data nobody needs after the test."""

# It ends with the process that started it, however that ends: its standard input does then too.
RUN = """
trap "" INT TERM
"$@" </dev/null & server=$!
cat
kill -CONT $server; kill -QUIT $server; wait $server
"""


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A PostgreSQL server that listens on a socket in `directory`, and keeps all it has there."""

    directory: Path

    @property
    def pid(self) -> int:
        """Its first process, which starts all others."""
        return int((self.directory / "data/postmaster.pid").read_text().split()[0])

    @property
    def url(self) -> str:
        """The database `postgres`, as a role that may do everything."""
        return self.url_of("postgres")

    def url_of(self, role: str, database: str = "postgres") -> str:
        """A database, as some role."""
        return f"postgresql://{role}@/{database}?host={quote(str(self.directory), safe='')}"

    def kill(self) -> None:
        """Ends it as a crash would, stopped or not, with all of its processes."""
        pid = self.pid
        os.kill(pid, signal.SIGQUIT)
        with suppress(ProcessLookupError):  # it may have ended already
            os.kill(pid, signal.SIGCONT)
        _wait_for_end(pid)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """A block during which it is there and says nothing, as under a hung disk."""
        processes = [self.pid, *(pid for (pid,) in self.run("SELECT pid FROM pg_stat_activity"))]
        try:
            _signal(processes, signal.SIGSTOP)
            yield
        finally:
            _signal(processes, signal.SIGCONT)

    def run(self, statement: sql.Composable | str, *values: object) -> list[tuple[Any, ...]]:
        """Runs one statement as a role that may do everything."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            found = connection.execute(statement, values or None)  # type: ignore[arg-type]
            return found.fetchall() if found.description else []

    def empty(self) -> None:
        """Ends all connections, and drops what the store made."""
        self.run(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        schemas = self.run("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'itemst')")
        for (schema,) in schemas:
            self.run(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))


@contextmanager
def postgres_directory() -> Iterator[Path]:
    """An empty directory that PostgreSQL's user can reach, with a path short enough for sockets.

    Skips the test where PostgreSQL is not installed, and fails it in continuous integration.
    """
    program_of("postgres")
    places = [Path(tempfile.gettempdir()), *map(Path, ("/tmp", "/var/tmp", "/dev/shm"))]  # noqa: S108 - a directory of its own is made in it
    place = next(place for place in places if len(str(place)) < 60 and _is_open_to_others(place))
    directory = Path(tempfile.mkdtemp(prefix="itemstore postgresql ", dir=place))
    try:
        if _is_root():
            user = getpwnam(_user())
            os.chown(directory, user.pw_uid, user.pw_gid)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def running_postgresql(directory: Path, **settings: str) -> Iterator[PostgresServer]:
    """Runs a server on the data in `directory`, which is made where there is none."""
    if not (directory / "data").exists():
        words = ["-A", "trust", "-U", "postgres", "--no-sync", "--no-instructions", *CLUSTER]
        _run([program_of("initdb"), "-D", str(directory / "data"), *words])
    settings = (
        QUICK | {"listen_addresses": "", "unix_socket_directories": f'"{directory}"'} | settings
    )
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with (directory / "log").open("ab") as log:
        shell = subprocess.Popen(
            ["/bin/sh", "-c", RUN, "sh", program_of("postgres"), "-D", directory / "data", *words],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is not for it
            **_as_user(),
        )
    server = PostgresServer(directory)
    try:
        _wait_for_start(server, shell)
        yield server
    finally:
        assert shell.stdin is not None
        shell.stdin.close()
        shell.wait(PATIENCE)


def program_of(name: str) -> str:
    """One of PostgreSQL's programs."""
    if PROGRAMS:
        return str(PROGRAMS[-1].with_name(name))
    program = shutil.which(name)
    if program is None:
        missing("postgres is not installed: `apt-get install postgresql` brings it")
    return program


def _is_root() -> bool:
    return os.geteuid() == 0


def _user() -> str:
    """Who the server runs as where this is root, which it refuses to be."""
    try:
        return getpwnam("postgres").pw_name
    except KeyError:
        return "nobody"


def _as_user() -> dict[str, Any]:
    if not _is_root():
        return {}
    user = getpwnam(_user())
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}


def _run(words: list[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False, **_as_user())
    assert done.returncode == 0, done.stderr


def _is_open_to_others(place: Path) -> bool:
    """Whether the server's user can reach what is made in it."""
    if not _is_root():
        return os.access(place, os.W_OK | os.X_OK)
    path = place.resolve()
    return path.is_dir() and all(each.stat().st_mode & 0o1 for each in (path, *path.parents))


def _signal(processes: list[int], number: signal.Signals) -> None:
    for each in processes:
        with suppress(ProcessLookupError):
            os.kill(each, number)


def _wait_for_start(server: PostgresServer, shell: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            psycopg.connect(server.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            assert shell.poll() is None, (server.directory / "log").read_text()
            assert time.monotonic() < until, "PostgreSQL does not start"
            time.sleep(0.01)
        else:
            return


def _wait_for_end(pid: int) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        assert time.monotonic() < until, "PostgreSQL does not end"
        time.sleep(0.01)
