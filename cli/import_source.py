"""What `itemstore import` reads: lines of a file or a pipe, once and in order."""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from itemstore.cli.errors import Stop
from itemstore.eventlog.cloudevents import NotAnEvent, decode
from itemstore.eventlog.importing import ForeignEvent, ImportRefused

LONGEST_LINE = 64 * 2**20
"""Bytes in a line: far more than any event, and less than would fill the memory."""


READERS = {
    b"\x1f\x8b": "zcat",
    b"\x28\xb5\x2f\xfd": "zstdcat",
    b"\xfd7zXZ\x00": "xzcat",
    b"BZh": "bzcat",
}
"""What compressed files begin with, and what reads them."""

UTF_16 = (BOM_UTF16_LE, BOM_UTF16_BE)


class Source:
    """Lines of JSON."""

    def __init__(self, name: str, file: IO[bytes]) -> None:
        self.name = name
        self._file = file

    def events(self) -> Iterator[ForeignEvent]:
        """The events, in order. Raises ImportRefused, and Stop where it can't be read."""
        for number, line in enumerate(self._lines(), start=1):
            if number == 1 and (advice := _advice(line)) is not None:
                message = f"{self.name}: {advice}"
                raise Stop(message)
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
            while line := self._file.readline(LONGEST_LINE + 1):
                yield line
        except OSError as error:
            message = f"{self.name}: {error.strerror}."
            raise Stop(message) from None


@contextmanager
def opened(path: Path | None) -> Iterator[Source]:
    """The file, or stdin without a path. Raises Stop where it can't be had."""
    name = "stdin" if path is None else str(path)
    try:
        file = path.open("rb") if path else open(0, "rb", closefd=False)  # noqa: SIM115
    except OSError as error:
        message = f"{name}: {error.strerror}."
        raise Stop(message) from None
    with file:
        yield Source(name, file)


def _advice(beginning: bytes) -> str | None:
    """How to import what begins so, where that is no text in UTF-8; None where it may be one."""
    for magic, reader in READERS.items():
        if beginning.startswith(magic):
            return f"it is compressed. To import it: {reader} FILE | itemstore import -"
    if beginning.startswith(UTF_16):
        made = "iconv -f UTF-16 -t UTF-8 FILE"
        return f"it is UTF-16, not UTF-8. To import it: {made} | itemstore import -"
    return None
