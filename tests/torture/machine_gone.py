"""The machine is gone, again and again: every process killed, the data directory deleted.

The archive is elsewhere, and `itemstore restore` makes the store of it on the next machine. What
was acknowledged longer before the end than is promised is there, and what is lost is the end of
the log, and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.bucket import bucket
from tests.torture.archived import Place, newest_manifest, whole_log
from tests.torture.bucket import place_in_bucket
from tests.torture.checker import check
from tests.torture.faults import Strike
from tests.torture.history import LogEntry, Operation, place_of
from tests.torture.outcome import Outcome
from tests.torture.processes import SEVERAL, Api, DidNotStart, client_of, run
from tests.torture.read_back import read_back
from tests.torture.starting import COMMAND
from tests.torture.traffic import Recorded, traffic

ARCHIVE_SECONDS = 0.2

PROMISED = ARCHIVE_SECONDS + 1.0
"""Seconds after its acknowledgement from which on an event outlives its machine."""

BUSY = 1.5
"""Seconds that a machine which is full of tests may add."""

KILLED_RESTORES = 0.4
"""How many restores are killed first, and begun again."""

A_LOOK = 10.0
"""Seconds, within which one kind of place is all there is time for."""

SHOWN = 20


async def machine_gone(seed: int, seconds: float) -> Outcome:
    """With the archive in a bucket, and where there is time in a directory as well."""
    outcome = Outcome("machine gone", seed)
    outcome.seconds = -time.monotonic()
    kinds = (in_bucket, in_directory)[: 1 if seconds < A_LOOK else 2]
    for number, kind in enumerate(kinds):
        async with kind() as place:
            with tempfile.TemporaryDirectory(prefix="itemstore-") as name:
                machines = Machines(Path(name), place, outcome, seed + number)
                try:
                    await machines.run(seconds / len(kinds))
                except DidNotStart as error:
                    outcome.violations.append(f"did not start: {error}")
                finally:
                    await machines.end()
    outcome.seconds += time.monotonic()
    del outcome.violations[SHOWN:]
    return outcome


@asynccontextmanager
async def in_bucket() -> AsyncIterator[Place]:
    """An archive on S3."""
    with bucket() as server:
        yield place_in_bucket(server.port)


@asynccontextmanager
async def in_directory() -> AsyncIterator[Place]:
    """An archive on a disk that is not the machine's."""
    with tempfile.TemporaryDirectory(prefix="itemstore-archive-") as name:
        yield Place.in_directory(Path(name))


class Machines:
    """One machine after another, and what was acknowledged and is not lost."""

    def __init__(self, directory: Path, place: Place, outcome: Outcome, seed: int) -> None:
        self._directory = directory
        self._data = directory / "data"
        self._place = place
        self._outcome = outcome
        self._seed = seed
        self._chance = random.Random(f"{seed} machine gone")
        self._history: list[Operation] = []
        self._log: list[LogEntry] = []
        self._count = 0
        seconds = str(ARCHIVE_SECONDS)
        environment = {**place.environment, "ITEMSTORE_ARCHIVE_SECONDS": seconds}
        self._where = ("--data-dir", str(self._data))
        self._api = Api(directory / "errors", *self._where, *SEVERAL, environment=environment)

    async def run(self, seconds: float) -> None:
        """Lives and ends of machines, and what the last of them has."""
        until = time.monotonic() + seconds
        await self._api.start()
        while time.monotonic() < until or not self._count:
            await self._live()
            await self._restore()
            await self._api.start()
            await self._look()
            if self._outcome.violations:
                return
        self._complain(map(str, check(self._history, self._log)))
        await self._compare_digests()
        self._complain(self._api.tracebacks())

    async def end(self) -> None:
        """Ends the last one."""
        await self._api.stop()

    async def _live(self) -> None:
        """Traffic on one machine, until it is gone at a random moment."""
        self._count += 1
        recorded = Recorded()
        pids = await self._api.pids_of_engine() or ()
        seed = 1000 * self._seed + self._count
        async with traffic(recorded, [lambda: self._api.port], seed):
            while not (await newest_manifest(self._place))["segments"]:
                await asyncio.sleep(0.05)  # the first machine has an archive before it is gone
            await asyncio.sleep(self._chance.uniform(0.2, 2 * PROMISED))
            strike = Strike("machine gone", time.monotonic(), kills=1 + len(pids))
            await self._api.kill(*pids)
            shutil.rmtree(self._data)
        self._outcome.count(recorded.history, [strike])
        self._outcome.waits += [returned - called for called, returned in recorded.unavailable]
        self._complain(recorded.complaints)
        self._gone_at = strike.began
        self._history += [each for each in recorded.history if not each.is_refusal]
        self._history = [each for each in self._history if each.is_write]

    async def _restore(self) -> None:
        """`itemstore restore`, which is killed now and then, and begun again."""
        words = ["restore", "--from", self._place.environment["ITEMSTORE_ARCHIVE"], *self._where]
        was_begun = self._chance.random() < KILLED_RESTORES
        if was_begun:
            process = await asyncio.create_subprocess_exec(
                *COMMAND, *words,
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
                env=self._api.environment,
            )  # fmt: skip
            await asyncio.sleep(self._chance.uniform(0.2, 1.5))
            if process.returncode is None:
                process.kill()
                self._outcome.faults["restore killed"] += 1
                self._outcome.kills += 1
            await process.wait()
        code, output, errors = await run(*words, environment=self._api.environment)
        was_done = was_begun and "The engine has a store already" in errors
        if code and not was_done:
            self._complain([f"restore ended with {code}: {output} {errors}"])

    async def _look(self) -> None:
        """What is there again, against what was acknowledged and what was there before."""
        async with client_of(self._api.engine_socket) as client:
            whole = await whole_log(client, self._place)
        self._complain(whole.complaints)
        if whole.log[: len(self._log)] != self._log:
            self._complain(["what a restored store had is not what the next one begins with"])
        self._log = whole.log
        self._forget_lost()
        self._complain(await read_back(self._api.port, self._log, self._seed + self._count))
        code, output, errors = await run(
            "verify", "--json", *self._where, environment=self._api.environment
        )
        if code:
            self._complain([f"verify ended with {code}: {output} {errors}"])

    def _forget_lost(self) -> None:
        """Takes out of the history what was lost with the machine, if it may have been."""
        there = {entry.tag for entry in self._log}
        end = self._log[-1].place if self._log else (0, 0)
        lost = [each for each in self._history if each.is_acknowledged and each.tag not in there]
        for each in lost:
            age = self._gone_at - each.returned
            self._outcome.lost.append(age)
            if age > PROMISED + BUSY:
                self._complain([f"lost {age:.2f} s after it was acknowledged: {each}"])
            if min(_places(each)) <= end:
                self._complain([f"lost, and {self._log[-1]} is there: {each}"])
        names = {each.tag for each in lost}
        self._history = [each for each in self._history if each.tag not in names]

    async def _compare_digests(self) -> None:
        """The digest is that of the same history in a store without an archive."""
        lines, other = self._directory / "lines", self._directory / "other"
        without = {"ITEMSTORE_ARCHIVE": "off"}
        words: list[tuple[Sequence[str], dict[str, str]]] = [
            (("verify", "--json", *self._where), self._api.environment),
            (("export", *self._where), self._api.environment),
            (("import", str(lines), "--data-dir", str(other)), without),
            (("verify", "--json", "--data-dir", str(other)), without),
        ]
        digests = []
        for command, environment in words:
            code, output, errors = await run(*command, environment=environment)
            if code:
                self._complain([f"{command} ended with {code}: {output[-500:]} {errors}"])
                return
            if command[0] == "export":
                lines.write_text(output)
            if command[0] == "verify":
                digests.append(json.loads(output.splitlines()[-1])["digest"])
        if digests[0] != digests[1]:
            self._complain([f"the digest is {digests[0]}, that of its history {digests[1]}"])

    def _complain(self, sentences: Sequence[str] | map[str]) -> None:
        self._outcome.violations += sentences


def _places(operation: Operation) -> list[tuple[int, int]]:
    """The positions that its client was told."""
    assert operation.answer is not None
    answers = (operation.answer, *operation.answer.answers)
    return [place_of(answer.position) for answer in answers if answer.position]
