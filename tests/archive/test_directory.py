"""Files of an archive in a directory: whole and on disk, or not there."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from itemstore.archive import directory
from itemstore.archive.directory import Directory
from itemstore.archive.object_store import object_store_of
from itemstore.archive.objects import AlreadyThere, ObjectMissing
from itemstore.eventlog.past import PastUnavailable

KILLED_WITHIN = """
import asyncio, os, signal, sys
from pathlib import Path
from itemstore.archive import directory

def half(file, data):
    os.write(file, data[: len(data) // 2])
    os.kill(os.getpid(), signal.SIGKILL)

directory._write_all = half
asyncio.run(directory.Directory(Path(sys.argv[1])).put_new("segments/a", bytes(1000)))
"""


def files_in(folder: Path) -> list[str]:
    """The names of all files in a folder, also of those that no listing has."""
    return sorted(file.name for file in folder.iterdir())


async def test_what_is_put_is_on_disk_with_its_name_and_its_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The content first, then the name, so that a power cut leaves the whole file or none."""
    synced: list[tuple[str, bool]] = []
    sync = os.fsync

    def recorded(file: int) -> None:
        is_there = (tmp_path / "archive/segments/a").exists()
        path = str(Path(f"/proc/self/fd/{file}").readlink())
        synced.append((path.removeprefix(f"{tmp_path}/archive"), is_there))
        sync(file)

    monkeypatch.setattr(os, "fsync", recorded)
    await Directory(tmp_path / "archive").put_new("segments/a", b"1")

    folders, content, name = synced[:2], synced[2], synced[3]
    assert folders == [(str(tmp_path), False), ("", False)]
    assert content[0].startswith("/segments/")
    assert not content[1]
    assert name == ("/segments", True)


@pytest.mark.parametrize("has_nameless_files", [True, False])
async def test_a_kill_while_a_file_is_written_leaves_nothing_that_is_listed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    has_nameless_files: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Also where the file system knows no files without a name."""
    program = KILLED_WITHIN if has_nameless_files else f"import os; del os.O_TMPFILE{KILLED_WITHIN}"
    ended = subprocess.run([sys.executable, "-c", program, tmp_path], check=False, timeout=60)
    objects = object_store_of(tmp_path)

    assert ended.returncode == -signal.SIGKILL
    assert await objects.names("segments/") == []
    with pytest.raises(ObjectMissing):
        await objects.get("segments/a")
    await objects.put_new("segments/a", b"1")
    assert await objects.names("segments/") == ["segments/a"]
    if has_nameless_files:
        assert files_in(tmp_path / "segments") == ["a"]


async def test_without_nameless_files_it_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is there is not replaced, and nothing is left over."""
    monkeypatch.delattr(os, "O_TMPFILE")
    objects = Directory(tmp_path)
    await objects.put_new("segments/a", b"1")

    with pytest.raises(AlreadyThere):
        await objects.put_new("segments/a", b"2")

    assert await objects.get("segments/a") == b"1"
    assert files_in(tmp_path / "segments") == ["a"]


@pytest.mark.parametrize("has_nameless_files", [True, False])
async def test_a_full_disk_is_said_and_nothing_is_left_over(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    has_nameless_files: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Half of the file was written when the disk was full."""

    def full(file: int, data: Any) -> int:
        if len(data) < 1000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return len(data) // 2

    if not has_nameless_files:
        monkeypatch.delattr(os, "O_TMPFILE")
    objects = object_store_of(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(PastUnavailable, match=r"has no room: .* 64 MiB are left to the engine"):
            await objects.put_new("segments/a", bytes(1000))

    assert files_in(tmp_path / "segments") == []
    await objects.put_new("segments/a", bytes(1000))
    assert await objects.get("segments/a") == bytes(1000)


async def test_the_last_of_the_disk_is_left_to_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is often on the same disk, and loses more where that is full."""
    monkeypatch.setattr(directory, "LEAST_MIB", 2**40)

    with pytest.raises(PastUnavailable, match="has no room"):
        await object_store_of(tmp_path).put_new("segments/a", b"1")

    assert files_in(tmp_path / "segments") == []


@pytest.mark.parametrize(
    ("place", "words"), [("/proc/archive", "No such file"), ("/dev/null/archive", "Not a direct")]
)
async def test_a_place_that_takes_no_files_is_said(place: str, words: str) -> None:
    """Nothing is there to be read, and that it can't be written is said with the reason."""
    objects = object_store_of(place)

    with pytest.raises(PastUnavailable, match=f"{place} can't be read or written: {words}"):
        await objects.put_new("segments/a", b"1")


async def test_a_directory_that_was_moved_is_missed_and_not_made_again(tmp_path: Path) -> None:
    """It is not empty, so an archive must not begin there, and nothing in it is damaged."""
    place, elsewhere = tmp_path / "archive", tmp_path / "elsewhere"
    objects = object_store_of(place)
    await objects.put_new("segments/a", b"1")
    place.rename(elsewhere)

    for refused in (
        objects.get("segments/a"),
        objects.get_range("segments/a", 0, 1),
        objects.put_new("segments/b", b"2"),
        objects.names("segments/"),
        objects.delete("segments/a"),
    ):
        with pytest.raises(PastUnavailable, match="was moved or deleted while it is in use"):
            await refused

    elsewhere.rename(place)
    assert await objects.get("segments/a") == b"1"


async def test_a_directory_that_does_not_exist_is_an_empty_archive(tmp_path: Path) -> None:
    """It is made when the first file is put, and not when somebody looks."""
    objects = object_store_of(tmp_path / "some/where")

    assert await objects.names("manifests/") == []
    await objects.delete("segments/a")
    with pytest.raises(ObjectMissing, match=r"some/where lacks segments/a\."):
        await objects.get_range("segments/a", 0, 1)
    assert not (tmp_path / "some").exists()
