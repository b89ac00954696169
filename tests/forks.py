"""Processes that begin with all that the command imports.

A new Python needs more than a second of a processor for what `itemstore serve` imports, each time,
and these tests start it hundreds of times. So one process imports it once, and forks of that are
processes of their own with their own arguments, environment, input, output and end. What a new
Python does at its start is tested where it is started: with `python -m itemstore`, and as a user
does, in tests/docs, tests/house and tests/torture.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.process
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from multiprocessing.reduction import DupFd
from pathlib import Path
from subprocess import TimeoutExpired
from typing import Any, TextIO

from itemstore.cli.main import main
from itemstore.logs.set_up import flush

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([
    "itemstore.cli.application", "itemstore.cli.events", "itemstore.cli.import_file",
    "itemstore.cli.receipts", "itemstore.cli.serving", "itemstore.store.facts",
    "itemstore.store.verify",
])  # fmt: skip

LOOK = 0.002
"""Seconds between two looks whether a fork has ended."""


def be_the_command(words: Sequence[str], environment: Mapping[str, str]) -> None:
    """Runs `itemstore` and these words, with the standard streams that this process has."""
    multiprocessing.process._parent_process = None  # type: ignore[attr-defined]  # it is no worker
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
    sys.stdin = os.fdopen(0, encoding="utf-8")
    sys.stdout = os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", buffering=1)
    sys.argv = ["itemstore", *words]
    try:
        main()
    finally:
        flush()  # as at the end of a Python, which a fork does not come to


_ONE = threading.Lock()
"""Held by who asks after a fork: how it ended can be read once, and each start looks at all."""


class Forked:
    """A process that runs `itemstore` and some words, with these descriptors as its streams."""

    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        *streams: int,
        here: Path | None = None,
    ) -> None:
        """`streams` are its standard input, output and error, `here` its working directory."""
        self._words = list(words)
        self._process = FORKS.Process(
            target=_run, args=(self._words, dict(environment), _Streams(*streams), here)
        )
        with _ONE:
            self._process.start()

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """How it ended: less than 0 by a signal, None while it runs."""
        with _ONE:
            return self._process.exitcode

    def poll(self) -> int | None:
        """The same: as it is asked of a process of subprocess."""
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Sends it a signal, where it runs."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Asks it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it at once."""
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float = 300.0) -> int:
        """How it ended. Raises TimeoutExpired."""
        until = time.monotonic() + timeout
        while (code := self.returncode) is None:
            if time.monotonic() > until:
                raise TimeoutExpired(self._words, timeout)
            time.sleep(LOOK)
        return code


def told(
    words: Sequence[str], environment: Mapping[str, str], errors: int = 2
) -> tuple[Forked, TextIO]:
    """A process that runs `itemstore` and these words, without input, and what it says.

    `errors` is the descriptor of where its standard error goes: to that of the tests.
    """
    reading, writing = os.pipe()
    output = os.fdopen(reading, encoding="utf-8")
    try:
        with Path(os.devnull).open("rb") as nothing:
            return Forked(words, environment, nothing.fileno(), writing, errors), output
    finally:
        os.close(writing)


class _Streams:
    """Descriptors of this process that the fork is to have as its own."""

    def __init__(self, *numbers: int) -> None:
        self._numbers = numbers

    def __reduce__(self) -> Any:
        return _Received, tuple(DupFd(number) for number in self._numbers)


class _Received:
    """The same, in the fork."""

    def __init__(self, *passed: Any) -> None:
        self.numbers = [each.detach() for each in passed]


def _run(
    words: list[str], environment: dict[str, str], streams: _Received, here: Path | None
) -> None:
    if here is not None:
        os.chdir(here)
    for place, number in enumerate(streams.numbers):
        os.dup2(number, place)
        os.close(number)
    be_the_command(words, environment)
