"""The command, run to its end in a fork: see tests/forks.py."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired

from tests.forks import FORKS, be_the_command


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
    for number, stream in enumerate(streams):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT
        opened = os.open(stream, flags)
        os.dup2(opened, number)
        os.close(opened)
    be_the_command(words, environment)
