"""Where an import keeps what it has checked, until all of it is: then it is written."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from itemstore.eventlog.importing import Step

IN_MEMORY = 4 * 2**20
"""Bytes that are kept without a file."""


class SpoolFailed(Exception):
    """The temporary file can't be had, written or read; the sentence says what to do."""

    def __init__(self, error: OSError) -> None:
        super().__init__(
            "What is checked is kept in a temporary file until all of it is, which failed: "
            f"{error.strerror}. TMPDIR can name another directory."
        )


class Spool:
    """Steps in a temporary file. They are read once, after the last was added."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def add(self, step: Step) -> None:
        """Keeps one more. Raises SpoolFailed."""
        try:
            pickle.dump(step, self._file)
        except OSError as error:
            raise SpoolFailed(error) from None

    def steps(self) -> Iterator[Step]:
        """All of them, one at a time. Raises SpoolFailed."""
        try:
            self._file.seek(0)
            while True:
                yield pickle.load(self._file)  # noqa: S301 - what `add` wrote; nobody else can
        except EOFError:
            return
        except OSError as error:
            raise SpoolFailed(error) from None


@contextmanager
def spool() -> Iterator[Spool]:
    """An empty one. Its file has no name, so it is gone however the process ends."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed below
    try:
        yield Spool(file)
    finally:
        with suppress(OSError):  # what could not be written can't be on closing either
            file.close()
