"""The command, run to its end in a fork: see tests/forks.py."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired

from tests.forks import Forked


def command(
    words: Sequence[str],
    environment: Mapping[str, str],
    stdin: str = "",
    seconds: float = 60,
    *,
    here: Path | None = None,
) -> CompletedProcess[str]:
    """What came of `itemstore` and these words, typed `here`. Raises TimeoutExpired."""
    with tempfile.TemporaryDirectory(prefix="itemstore-command-") as directory:
        streams = [Path(directory) / name for name in ("stdin", "stdout", "stderr")]
        streams[0].write_text(stdin, encoding="utf-8", newline="")
        with ExitStack() as stack:
            modes = zip(streams, ("rb", "wb", "wb"), strict=True)
            opened = [stack.enter_context(file.open(mode)).fileno() for file, mode in modes]
            process = Forked(words, environment, *opened, here=here)
        try:
            code = process.wait(seconds)
        except TimeoutExpired:
            process.kill()
            process.wait(10)
            raise
        said = [stream.read_text(encoding="utf-8") for stream in streams[1:]]
        return CompletedProcess(list(words), code, *said)
