"""What goes wrong with the read model that queries are answered from, while clients go on."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from tests.torture.faults import Fault
from tests.torture.processes import Api, killed
from tests.torture.starting import COMMAND

FOLLOWING, QUERYING = "following_process", "queries.query_process"
"""What stands in the commands of the processes that follow the log, and that answer queries."""

FILE = "queries.sqlite"

BESIDE = ("-wal", "-shm")
"""What SQLite keeps beside a file."""


class ReadModelFault(Fault):
    """Something that is wrong with the read model of one host."""

    @property
    def api(self) -> Api:
        """That of the host."""
        return self.chance.choice(self.system.apis)

    def kill(self, api: Api, program: str) -> None:
        """Ends the processes of an API that run a program."""
        pids = api.helpers(program)
        self.kills = len(pids)
        for pid in pids:
            killed(pid)


class FollowerKilled(ReadModelFault):
    """SIGKILL of the process that follows the log."""

    async def happen(self) -> None:
        """As it says."""
        self.kill(self.api, FOLLOWING)


class QueriesKilled(ReadModelFault):
    """SIGKILL of the processes that answer queries."""

    async def happen(self) -> None:
        """As it says. A query that ends two of them is taken for one that needs too much memory."""
        self.kill(self.api, QUERYING)
        await asyncio.sleep(1.5)


class ReadModelDeleted(ReadModelFault):
    """The file is removed, with or without what is beside it, while it is written and read."""

    async def happen(self) -> None:
        """As it says."""
        file, is_alone = self.api.data_dir / FILE, self.chance.random() < 1 / 3
        _remove(file, *(() if is_alone else BESIDE))


class OldReadModelPutBack(ReadModelFault):
    """A copy of the file, which is older, takes its place; the first time, one is made."""

    async def happen(self) -> None:
        """As it says."""
        api = self.api
        file, copy = api.data_dir / FILE, api.data_dir / "copy.sqlite"
        if not copy.exists():
            await asyncio.to_thread(_copy, file, copy)
            return
        is_alone = self.chance.random() < 1 / 3
        _remove(file, *(() if is_alone else BESIDE))  # a person may forget what is beside it
        await asyncio.to_thread(copy.rename, file)


class SqlRebuilt(ReadModelFault):
    """`itemstore rebuild sql` replaces the tables under the clients, or is killed at it."""

    async def happen(self) -> None:
        """As it says."""
        api = self.api
        process = await asyncio.create_subprocess_exec(
            *COMMAND, "rebuild", "sql", "--redis-url", f"unix://{api.engine_socket}",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            env=api.environment,
        )  # fmt: skip
        if self.chance.random() < 0.5:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.chance.uniform(0.5, 2)):
                    await process.wait()
            if process.returncode is None:
                self.kills = 1
                process.kill()
        _, errors = await process.communicate()
        code = process.returncode or 0
        if code not in {0, 1, -9} or b"Traceback" in errors:
            self.system.complaints.append(f"rebuild sql ended with {code}: {errors.decode()}")


def _remove(file: Path, *beside: str) -> None:
    for ending in ("", *beside):
        Path(f"{file}{ending}").unlink(missing_ok=True)


def _copy(file: Path, copy: Path) -> None:
    """Makes a copy as a backup does, if there is anything to be copied."""
    with suppress(sqlite3.Error):
        uri = f"file:{file}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as live, closing(sqlite3.connect(copy)) as new:
            live.backup(new)
