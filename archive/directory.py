"""Objects that are files in a directory.

A file appears with all that it holds, and once it is there it is on disk: its content and its name.
"""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from itemstore.archive.objects import AlreadyThere, Hindered, Listed, ObjectMissing, Objects
from itemstore.engine.disk_space import LEAST_MIB
from itemstore.eventlog.past import PastUnavailable

THREADS = 8
"""Calls that wait for the disk at once: where it hangs, no more threads than these hang with it."""

_UNFINISHED = ".unfinished-"

_NO_TMPFILE = {errno.EISDIR, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOENT}
"""How file systems say that they have no files without names."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

_PASSING = {errno.EIO, errno.EINTR, errno.EAGAIN, errno.ESTALE}

_NO_ROOM = (
    "The disk of the archive {} has no room: nothing is archived until there is some. The last "
    f"{LEAST_MIB} MiB are left to the engine."
)

_MOVED = (
    "The archive's directory {} was moved or deleted while it is in use. Put it back: nothing is "
    "archived until then."
)

_Result = TypeVar("_Result")


class Directory(Objects):
    """The files under a directory, which is made when the first one is put."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._threads = ThreadPoolExecutor(THREADS, "archive-disk")
        self._was_there = False

    @property
    def place(self) -> str:
        """Its path."""
        return str(self._path)

    async def get(self, name: str) -> bytes:
        """The content of a file."""
        with self._found(name):
            return await self._run(self._file(name).read_bytes, name)

    async def get_range(self, name: str, offset: int, length: int) -> bytes:
        """A part of the content of a file."""

        def read() -> bytes:
            with self._file(name).open("rb") as file:
                file.seek(offset)
                return file.read(length)

        with self._found(name):
            return await self._run(read, name)

    async def put_new(self, name: str, data: bytes) -> None:
        """Makes a file."""
        try:
            await self._run(lambda: _write_new(self._file(name), data), name)
        except FileExistsError:
            raise AlreadyThere(name) from None

    async def delete(self, name: str) -> None:
        """Deletes a file."""
        await self._run(lambda: self._file(name).unlink(missing_ok=True), name)

    async def listed(self, prefix: str, after: str) -> list[Listed]:
        """The files in one folder."""
        return await self._run(lambda: sorted(self._files(prefix, after), key=_name), prefix)

    def _files(self, prefix: str, after: str) -> Iterator[Listed]:
        folder, _, beginning = prefix.rpartition("/")
        with suppress(FileNotFoundError), os.scandir(self._path / folder) as entries:
            for entry in entries:
                name = f"{folder}/{entry.name}" if folder else entry.name
                is_one = entry.name.startswith(beginning) and not entry.name.startswith(_UNFINISHED)
                if is_one and name > after and entry.is_file():
                    with suppress(FileNotFoundError):  # deleted meanwhile
                        yield Listed(name, entry.stat().st_size)

    def _file(self, name: str) -> Path:
        return self._path / name

    @contextmanager
    def _found(self, name: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise ObjectMissing(name, self.place) from None

    def _watched(self, work: Callable[[], _Result]) -> _Result:
        """Works on a directory that is still there, or never was."""
        if self._was_there and not self._path.is_dir():
            raise PastUnavailable(_MOVED.format(self.place))
        result = work()
        self._was_there = self._was_there or self._path.is_dir()
        return result

    async def _run(self, work: Callable[[], _Result], name: str) -> _Result:
        """Works in a thread. Raises FileNotFoundError and FileExistsError as they are."""
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, self._watched, work
            )
        except (FileNotFoundError, FileExistsError):
            raise
        except OSError as error:
            if error.errno in _FULL:
                raise PastUnavailable(_NO_ROOM.format(self.place)) from error
            reason = error.strerror or type(error).__name__
            sentence = f"The archive {self.place} can't be read or written: {reason} ({name})."
            raise (Hindered if error.errno in _PASSING else PastUnavailable)(sentence) from error


def _name(listed: Listed) -> str:
    return listed.name


def _write_new(path: Path, data: bytes) -> None:
    _make_folder(path.parent)
    if shutil.disk_usage(path.parent).free < LEAST_MIB * 2**20 + len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with _unfinished(path.parent) as (file, name):
        _write_all(file, data)
        os.fsync(file)
        try:
            _link(file, name, path)
        finally:
            _sync(path.parent)  # one that is there may be of an attempt that failed here


@contextmanager
def _unfinished(folder: Path) -> Iterator[tuple[int, str]]:
    """A new file, and a name by which it can be linked, which a listing does not have.

    It has no other name where the system knows files without one: then a kill leaves nothing.
    """
    try:
        file = os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o666)
    except (AttributeError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _NO_TMPFILE:
            raise
    else:
        try:
            yield file, f"/proc/self/fd/{file}"
        finally:
            os.close(file)
        return
    path = folder / f"{_UNFINISHED}{secrets.token_hex(8)}"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        yield file, str(path)
    finally:
        os.close(file)
        path.unlink(missing_ok=True)


def _link(file: int, name: str, path: Path) -> None:
    """Gives a file a name, where there is none: renaming would replace that."""
    if os.link in os.supports_dir_fd:
        # Only with a directory to begin at, for which a whole path has no use, Python has links
        # followed, such as those in /proc.
        os.link(name, path, src_dir_fd=file)
    else:
        os.link(name, path)


def _write_all(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        _make_folder(folder.parent)
        try:
            folder.mkdir(exist_ok=True)
        except FileNotFoundError as error:  # /proc says so, and what is deleted meanwhile
            raise NotADirectoryError(error.errno, error.strerror) from error
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    """Has the names in a folder on disk."""
    if os.name == "nt":
        return  # a folder can't be opened there
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
