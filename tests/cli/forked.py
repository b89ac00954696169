"""The command, run in processes that begin with all that it imports.

A new Python needs half a second of a processor for that, each time, and these tests run the
command hundreds of times. So one process imports it once, and the command runs in forks of it:
a process of its own with its own arguments, environment, input, output and end.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired

from itemstore.cli.main import main

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([
    "itemstore.cli.opening", "itemstore.cli.events", "itemstore.cli.import_file",
    "itemstore.cli.receipts", "itemstore.store.verify", "itemstore.store.facts",
])  # fmt: skip


def command(
    words: Sequence[str], environment: Mapping[str, str], stdin: str, seconds: float = 60
) -> CompletedProcess[str]:
    """What came of `itemstore` and these words. Raises TimeoutExpired."""
    with tempfile.TemporaryDirectory(prefix="itemstore-command-") as directory:
        streams = [Path(directory) / name for name in ("stdin", "stdout", "stderr")]
        streams[0].write_text(stdin, encoding="utf-8", newline="")
        process = FORKS.Process(target=_run, args=(list(words), dict(environment), streams))
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join(10)
            raise TimeoutExpired(list(words), seconds)
        said = [stream.read_text(encoding="utf-8") for stream in streams[1:]]
        return CompletedProcess(list(words), process.exitcode, *said)


def _run(words: list[str], environment: dict[str, str], streams: list[Path]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for number, stream in enumerate(streams):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT
        opened = os.open(stream, flags)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = os.fdopen(0, encoding="utf-8")
    sys.stdout = os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", buffering=1)
    sys.argv = ["itemstore", *words]
    main()
