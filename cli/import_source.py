"""What `itemstore import` reads: a file, or a copy of what can be read only once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from itemstore.cli.errors import Stop
from itemstore.eventlog.importing import ForeignEvent, ImportRefused
from itemstore.store.cloudevents import NotAnEvent, decode

LONGEST_LINE = 64 * 2**20
"""Bytes in a line: far more than any event, and less than would fill the memory."""


class Source:
    """Lines of JSON that can be read any number of times."""

    def __init__(self, name: str, file: IO[bytes]) -> None:
        self.name = name
        self._file = file
        self._start = file.tell()

    def events(self) -> Iterator[ForeignEvent]:
        """The events from the start. Raises ImportRefused, and Stop where it can't be read."""
        for number, line in enumerate(self._lines(), start=1):
            if not line.strip():
                continue
            if len(line) > LONGEST_LINE:
                raise ImportRefused(number, f"it is longer than {LONGEST_LINE >> 20} MiB")
            try:
                yield decode(number, line)
            except NotAnEvent as error:
                raise ImportRefused(number, str(error)) from None

    def _lines(self) -> Iterator[bytes]:
        try:
            self._file.seek(self._start)
            while line := self._file.readline(LONGEST_LINE + 1):
                yield line
        except OSError as error:
            message = f"{self.name}: {error.strerror}."
            raise Stop(message) from None


@contextmanager
def opened(path: Path | None) -> Iterator[Source]:
    """The file, or stdin without a path. Raises Stop where it can't be had, or not be copied."""
    name = "stdin" if path is None else str(path)
    try:
        file = path.open("rb") if path else open(0, "rb", closefd=False)  # noqa: SIM115
    except OSError as error:
        message = f"{name}: {error.strerror}."
        raise Stop(message) from None
    with file:
        if file.seekable():
            yield Source(name, file)
            return
        with _copy(name, file) as copy:
            yield Source(name, copy)


def _copy(name: str, file: IO[bytes]) -> IO[bytes]:
    """What a pipe gives, in a file without a name: all of it is checked before any is imported."""
    try:
        copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller's
        shutil.copyfileobj(file, copy)
        copy.seek(0)
    except OSError as error:
        message = (
            f"{name} can be read only once, so it is copied to a temporary file, which failed: "
            f"{error.strerror}. TMPDIR can name another directory; or import from a file."
        )
        raise Stop(message) from None
    return copy
